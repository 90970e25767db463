"""Facts about the preprocessing that contracts describe: the fed range, the image size, the known normalization."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Lists,
    Scalars,
    Strings,
    lists_of_arrays,
    scalars_of,
    state_of,
    strings_of,
)
from tflint.contract.contract import N_CHANNELS
from tflint.facts.facts import Facts
from tflint.facts.interface import input_arithmetic
from tflint.normalization.known_normalizations import known_normalizations
from tflint.values import frozen

#: Range of a pixel before normalization, by the key `units`. Used if the contract does not set `range`.
_SOURCES = {"u8": (0.0, 255.0), "unit": (0.0, 1.0)}
#: Largest relative difference at which mean and std count as those of a known normalization.
_SAME_NUMBERS = 0.01


@frozen
class FedRange:
    """The real values that client code feeds, one per channel.

    `low` contains the values for the smallest source value, and `high` those for the largest source value. `bytes` are
    these two source values as bytes (before the shift of a raw int8 feed), or None if the source is audio.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    bytes: tuple[float, float] | None

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest real value over all channels."""
        return float(min(self.low.min(), self.high.min())), float(max(self.low.max(), self.high.max()))


def n_channels(facts: Facts) -> Scalars:
    """Return the number of color channels of each entry."""
    numbers = facts.by_label("contract_input", "channels", N_CHANNELS, 0)
    return Scalars(numbers.astype(np.float64), state_of(numbers == 0))


def range_ratio(facts: Facts) -> Scalars:
    """Return, for each entry, the width of its widest column's range divided by the width of its narrowest one's.

    Absent if fewer than two columns of the entry have a range, or if the narrowest range has no width.
    """
    ratios: list[float | None] = []
    for contract in facts.contracts.values():
        for entry in contract.inputs:
            ranges = [column["range"] for column in entry.get("columns", ()) if "range" in column]
            widths = [high - low for low, high in ranges]
            ratios.append(max(widths) / min(widths) if len(widths) > 1 and min(widths) > 0 else None)
    return scalars_of(ratios)


def fed_min(facts: Facts) -> Lists:
    """Return, per entry and channel, the smallest real value that client code feeds after normalization."""
    return _fed_ends(facts, np.minimum)


def fed_max(facts: Facts) -> Lists:
    """Return, per entry and channel, the largest real value that client code feeds after normalization."""
    return _fed_ends(facts, np.maximum)


def graph_min(facts: Facts) -> Lists:
    """Return, per entry and channel, the smallest fed value after the graph's own arithmetic."""
    return _graph_ends(facts, np.minimum)


def graph_max(facts: Facts) -> Lists:
    """Return, per entry and channel, the largest fed value after the graph's own arithmetic."""
    return _graph_ends(facts, np.maximum)


def prepared_size(facts: Facts) -> Lists:
    """Return height and width of each entry's images after resize and crop, absent if they depend on the image."""
    entries = [entry for contract in facts.contracts.values() for entry in contract.inputs]
    return lists_of_arrays(
        [None if (size := _prepared_size(entry)) is None else np.array(size, np.float64) for entry in entries]
    )


def _prepared_size(entry: Any) -> tuple[int, int] | None:
    """Return the height and width after an entry's resize and crop, or None if they depend on the image.

    They are the size of the crop if there is one. Otherwise they are known for a resize with two sides, and for a
    letterbox with one side, which is square.
    """
    crop, resize = entry.get("crop", {}), entry.get("resize", {})
    if crop.get("mode") != "none" and "size" in crop:
        return int(crop["size"][0]), int(crop["size"][1])
    size = resize.get("size") if resize.get("mode", "none") != "none" else None
    if isinstance(size, list) and len(size) == 2:
        return int(size[0]), int(size[1])
    side: Any = size[0] if isinstance(size, list) and size else size
    return (int(side), int(side)) if side is not None and resize["mode"] == "letterbox" else None


def missing_keys(facts: Facts) -> Strings:
    """Return the missing ones among the keys that affect an image most, absent if the entry has all of them."""
    entries = (entry for contract in facts.contracts.values() for entry in contract.inputs)
    return strings_of(", ".join(_missing_keys(entry)) or None for entry in entries)


def _missing_keys(entry: Any) -> Iterator[str]:
    """Yield the names of the missing keys. A raw feed passes bytes of the source, so it needs no normalization."""
    if "channels" not in entry:
        yield "channels"
    if not {"mean", "range"} & set(entry) and entry.get("feed") != "raw":
        yield "mean and std (or range)"
    if "resize" not in entry:
        yield "resize"


def normalization(facts: Facts) -> Strings:
    """Return the short name of the known normalization with each entry's mean and std, absent if there is none."""
    return strings_of(None if known is None else known[0] for known in _matching_normalizations(facts))


def normalization_order(facts: Facts) -> Strings:
    """Return the channel order of each entry's known normalization, absent if it has none or any order fits."""
    return strings_of(None if known is None else known[1] for known in _matching_normalizations(facts))


def _graph_ends(facts: Facts, smaller: np.ufunc) -> Lists:
    maps, rows = input_arithmetic.affine_maps(facts), facts.rows("contract_input", "input")
    ends: list[NDArray[np.float64] | None] = []
    for fed, row in zip(fed_ranges(facts), rows, strict=True):
        own = maps[row] if row >= 0 else None
        if fed is None or own is None or len({1, len(own.scale), len(fed.low)}) > 2:
            ends.append(None)
        else:
            ends.append(smaller(own.apply(fed.low), own.apply(fed.high)))
    return lists_of_arrays(ends)


def fed_ranges(facts: Facts) -> list[FedRange | None]:
    """Return the fed range of each entry, or None if the contract does not determine it."""
    return facts.memoize("fed ranges", lambda: list(_compute_fed_ranges(facts)))


def _compute_fed_ranges(facts: Facts) -> Iterator[FedRange | None]:
    """Yield the fed range of each entry, or None if the source range is not specified or std is zero."""
    for contract in facts.contracts.values():
        for entry in contract.inputs:
            source = entry.get("range") or _SOURCES.get(entry.get("units", ""))
            if source is None and "amplitude" in entry.get("audio", {}):
                source = (-1.0, 1.0)
            if source is not None and entry["kind"] == "audio":  # mean and std apply after scaling to the amplitude
                source = [end * entry.get("audio", {}).get("amplitude", 1) for end in source]
            mean, std = np.atleast_1d(entry.get("mean", 0.0)), np.atleast_1d(entry.get("std", 1.0))
            if source is None or not (std != 0).all():
                yield None
            else:
                yield FedRange((source[0] - mean) / std, (source[1] - mean) / std, _source_bytes(entry, source))


def _source_bytes(entry: Any, source: Sequence[float]) -> tuple[float, float] | None:
    """Return the bytes of the smallest and largest source value, or None for audio, whose samples are not bytes."""
    if entry["kind"] == "audio":
        return None
    factor = 255.0 if entry.get("units") == "unit" and tuple(source) == _SOURCES["unit"] else 1.0
    return source[0] * factor, source[1] * factor


def _fed_ends(facts: Facts, smaller: np.ufunc) -> Lists:
    return lists_of_arrays([None if fed is None else smaller(fed.low, fed.high) for fed in fed_ranges(facts)])


def _matching_normalizations(facts: Facts) -> list[tuple[str, str | None] | None]:
    """Return, for each entry, the short name and channel order of its known normalization, or None if it has none."""
    entries = (entry for contract in facts.contracts.values() for entry in contract.inputs)
    return facts.memoize("known normalizations", lambda: [_find_normalization(entry) for entry in entries])


def _find_normalization(entry: Any) -> tuple[str, str | None] | None:
    """Return the known normalization that is nearest to the mean and std of an entry, if they differ by at most 1 %.

    The channel order is None if the numbers are the same for all channels: then they do not tell the order.
    """
    if "mean" not in entry:
        return None
    own = _pixel_numbers(entry["mean"], entry["std"], entry["units"])
    candidates: list[tuple[float, str, str | None]] = []
    for known in known_normalizations():
        numbers = _pixel_numbers(known.mean, known.std, known.units)
        candidates.append((_distance(own, numbers), known.short, known.order))
        if known.order:
            candidates.append((_distance(own, numbers[:, ::-1]), known.short, known.order[::-1]))
    distance, short, order = min(candidates, key=lambda candidate: candidate[0])
    if distance > _SAME_NUMBERS:
        return None
    is_uniform = bool((own == own[:, :1]).all())
    return short, None if is_uniform else order


def _pixel_numbers(mean: Any, std: Any, units: str) -> NDArray[np.float64]:
    """Return mean and std for pixels from 0 to 255 as two rows, with a column per channel or one for all channels."""
    rows = np.stack(np.broadcast_arrays(np.atleast_1d(mean), np.atleast_1d(std))).astype(np.float64)
    numbers: NDArray[np.float64] = rows * (255.0 if units == "unit" else 1.0)
    return numbers


def _distance(own: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    """Return the largest relative difference of mean and std. It is infinite if the numbers of channels differ."""
    if 1 not in (own.shape[1], known.shape[1]) and own.shape[1] != known.shape[1]:
        return math.inf
    scales = np.stack([np.maximum(known[0], known[1] / 1000), known[1]])  # a known mean can be zero
    return float((np.abs(own - known) / scales).max())
