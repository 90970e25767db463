"""Facts of how callers prepare inputs: the real values they feed, and what pictures become."""

from __future__ import annotations

from collections.abc import Iterator
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

#: What a pixel is before mean and std, where the contract does not say it.
_SOURCES = {"u8": (0.0, 255.0), "unit": (0.0, 1.0)}


@frozen
class Feed:
    """What an entry of a contract hands over, one value a channel: of the smallest and of the largest source value."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest real value over all channels."""
        return float(min(self.low.min(), self.high.min())), float(max(self.low.max(), self.high.max()))


def n_channels(facts: Facts) -> Scalars:
    """Colour channels of an image."""
    numbers = facts.by_label("contract_input", "channels", N_CHANNELS, 0)
    return Scalars(numbers.astype(np.float64), state_of(numbers == 0))


def range_ratio(facts: Facts) -> Scalars:
    """The width of the widest column's range over that of the narrowest."""
    ratios: list[float | None] = []
    for contract in facts.contracts.values():
        for entry in contract.inputs:
            widths = [high - low for low, high in (of["range"] for of in entry.get("columns", ()) if "range" in of)]
            ratios.append(max(widths) / min(widths) if len(widths) > 1 and min(widths) > 0 else None)
    return scalars_of(ratios)


def fed_min(facts: Facts) -> Lists:
    """Smallest real value of each channel after mean and std."""
    return _ends(facts, np.minimum)


def fed_max(facts: Facts) -> Lists:
    """Largest real value of each channel after mean and std."""
    return _ends(facts, np.maximum)


def graph_min(facts: Facts) -> Lists:
    """Smallest value of each channel after the graph's own arithmetic."""
    return _prepared_ends(facts, np.minimum)


def graph_max(facts: Facts) -> Lists:
    """Largest value of each channel after the graph's own arithmetic."""
    return _prepared_ends(facts, np.maximum)


def prepared_size(facts: Facts) -> Lists:
    """Height and width of a prepared picture, where they do not depend on the picture."""
    entries = [entry for contract in facts.contracts.values() for entry in contract.inputs]
    return lists_of_arrays(
        [None if (size := _size_after(entry)) is None else np.array(size, np.float64) for entry in entries]
    )


def _size_after(entry: Any) -> tuple[int, int] | None:
    """Of a crop its size; else that of the resize, where that has two sides or is a letterbox, which is square."""
    crop, resize = entry.get("crop", {}), entry.get("resize", {})
    if crop.get("mode") != "none" and "size" in crop:
        return int(crop["size"][0]), int(crop["size"][1])
    size = resize.get("size") if resize.get("mode", "none") != "none" else None
    if isinstance(size, list) and len(size) == 2:
        return int(size[0]), int(size[1])
    side: Any = size[0] if isinstance(size, list) and size else size
    return (int(side), int(side)) if side is not None and resize["mode"] == "letterbox" else None


def normalization(facts: Facts) -> Strings:
    """The formula of the known normalisation with an entry's mean and std."""
    return strings_of(None if known is None else known[0] for known in _known(facts))


def normalization_order(facts: Facts) -> Strings:
    """The order of channels in which the mean and std of the known normalisation stand."""
    return strings_of(None if known is None else known[1] for known in _known(facts))


def _prepared_ends(facts: Facts, smaller: np.ufunc) -> Lists:
    maps, rows = input_arithmetic.maps(facts), facts.rows("contract_input", "input")
    ends: list[NDArray[np.float64] | None] = []
    for feed, row in zip(feeds(facts), rows, strict=True):
        own = maps[row] if row >= 0 else None
        if feed is None or own is None or len({1, len(own.scale), len(feed.low)}) > 2:
            ends.append(None)
        else:
            ends.append(smaller(own.of(feed.low), own.of(feed.high)))
    return lists_of_arrays(ends)


def feeds(facts: Facts) -> list[Feed | None]:
    """What each entry hands over; None where the contract does not say it."""
    return facts.once("feeds", lambda: list(_made_feeds(facts)))


def _made_feeds(facts: Facts) -> Iterator[Feed | None]:
    """None where the contract does not say what the source holds, or divides by zero."""
    for contract in facts.contracts.values():
        for entry in contract.inputs:
            source = entry.get("range") or _SOURCES.get(entry.get("units", ""))
            if source is None and "amplitude" in entry.get("audio", {}):
                source = (-1.0, 1.0)
            if source is not None and entry["kind"] == "audio":  # mean and std are of samples of that amplitude
                source = [end * entry.get("audio", {}).get("amplitude", 1) for end in source]
            mean, std = np.atleast_1d(entry.get("mean", 0.0)), np.atleast_1d(entry.get("std", 1.0))
            if source is None or not (std != 0).all():
                yield None
            else:
                yield Feed((source[0] - mean) / std, (source[1] - mean) / std)


def _ends(facts: Facts, smaller: np.ufunc) -> Lists:
    return lists_of_arrays([None if feed is None else smaller(feed.low, feed.high) for feed in feeds(facts)])


def _known(facts: Facts) -> list[tuple[str, str | None] | None]:
    """Formula and order of the known normalisation of each entry, to a part in a hundred."""
    entries = (entry for contract in facts.contracts.values() for entry in contract.inputs)
    return facts.once("known normalizations", lambda: [_same(entry) for entry in entries])


def _same(entry: Any) -> tuple[str, str | None] | None:
    if "mean" not in entry:
        return None
    mean, std = np.atleast_1d(entry["mean"]), np.atleast_1d(entry["std"])
    for known in known_normalizations():
        if known.units != entry["units"]:
            continue
        if _is_near(mean, known.mean) and _is_near(std, known.std):
            return known.short, known.order
        if known.order and _is_near(mean[::-1], known.mean) and _is_near(std[::-1], known.std):
            return known.short, known.order[::-1]
    return None


def _is_near(values: NDArray[np.float64], known: tuple[float, ...]) -> bool:
    if len(values) not in (1, len(known)) and len(known) != 1:
        return False
    return bool(np.allclose(values, np.array(known), rtol=0.01, atol=1e-6))
