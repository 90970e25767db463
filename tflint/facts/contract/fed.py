"""Facts of how callers prepare inputs: the real values they feed, and whether the model was calibrated for these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Lists,
    Scalars,
    State,
    Strings,
    lists_by_counts,
    scalars_of,
    state_of,
    strings_of,
    text_of,
    texts_of,
)
from tflint.contract.contract import N_CHANNELS
from tflint.facts import affine
from tflint.facts.facts import Facts, taken
from tflint.preparation.normalizations import known_normalizations
from tflint.preparation.ranges import fits, real_range, unseen_part
from tflint.values import frozen

#: What a pixel is before mean and std, where the contract does not say it.
_SOURCES = {"u8": (0.0, 255.0), "unit": (0.0, 1.0)}
#: The byte itself, or less 128, is what a raw feed hands over: the integers of a pixel of 0 and of 255.
_RAW = {"UINT8": (0, 255), "INT8": (-128, 127)}
_FLOATS = {"FLOAT32", "FLOAT16", "FLOAT64"}
#: From this width on a range is that of pixels as they are.
_RAW_WIDTH = 200


@frozen
class _Feed:
    """What an entry of a contract hands over, one value a channel: of the smallest and of the largest source value."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest real value over all channels."""
        return float(min(self.low.min(), self.high.min())), float(max(self.low.max(), self.high.max()))


@frozen
class _Held:
    """How an input is quantized, with one scale and zero point that make sense."""

    dtype: str
    scale: float
    zero_point: int

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest real value that it can hold."""
        found = real_range(self.dtype, self.scale, self.zero_point)
        assert found is not None
        return found

    @property
    def is_symmetric(self) -> bool:
        """Whether it holds as much below zero as above, whatever it was calibrated for."""
        return self.dtype == "INT16" and self.zero_point == 0


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


def cover(facts: Facts) -> Scalars:
    """Which part of the range that is fed the input can hold."""
    return _shares(facts, of_fed=True)


def use(facts: Facts) -> Scalars:
    """Which part of the range that the input can hold is fed."""
    return _shares(facts, of_fed=False)


def channel_cover(facts: Facts) -> Lists:
    """Which part of the range that is fed the input can hold, channel by channel."""
    return _lists([None if pair is None else _shares_by_channel(*pair) for pair in _pairs(facts)])


def graph_min(facts: Facts) -> Lists:
    """Smallest value of each channel after the graph's own arithmetic."""
    return _prepared_ends(facts, np.minimum)


def graph_max(facts: Facts) -> Lists:
    """Largest value of each channel after the graph's own arithmetic."""
    return _prepared_ends(facts, np.maximum)


def is_trained_range(facts: Facts) -> Scalars:
    """Whether training fed the same: true where the file says it, false for raw pixels that nothing rescales, else
    unknown.
    """
    said = facts.lists("input", "metadata.mean").lengths > 0
    is_float = facts.is_one_of("tensor", "dtype", _FLOATS)
    expects = facts.strings("input", "graph_expects")
    is_normalised = np.ones(len(expects), np.bool_) if expects.state is None else expects.state == 0
    prepares = is_normalised | (facts.lists("input", "folded_mean").lengths > 0)
    rows, tensors = facts.rows("contract_input", "input"), facts.rows("input", "tensor")
    feeds = _feeds(facts)
    concerned = [feed is not None and row >= 0 and tensors[row] >= 0 for feed, row in zip(feeds, rows, strict=True)]
    absent = ~np.array([ok and is_float[tensors[row]] for ok, row in zip(concerned, rows, strict=True)], dtype=np.bool_)
    is_calibrated = np.array([_held(facts, row) is not None for row in range(len(rows))], dtype=np.bool_)
    is_told = taken(said, rows, False) | taken(prepares, rows, False) | is_calibrated
    is_raw = np.array([feed is not None and feed.range[1] - feed.range[0] >= _RAW_WIDTH for feed in feeds], np.bool_)
    return Scalars(is_told.astype(np.bool_), state_of(absent, ~absent & ~is_told.astype(np.bool_) & ~is_raw))


def held_min(facts: Facts) -> Scalars:
    """Smallest real value that each input can hold."""
    held = [_held(facts, row) for row in range(facts.n("contract_input"))]
    return scalars_of(None if one is None else one.range[0] for one in held)


def held_max(facts: Facts) -> Scalars:
    """Largest real value that each input can hold."""
    held = [_held(facts, row) for row in range(facts.n("contract_input"))]
    return scalars_of(None if one is None else one.range[1] for one in held)


def prepared_size(facts: Facts) -> Lists:
    """Height and width of a prepared picture, where they do not depend on the picture."""
    entries = [entry for contract in facts.contracts.values() for entry in contract.inputs]
    return _lists([None if (size := _size_after(entry)) is None else np.array(size, np.float64) for entry in entries])


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


def fitting(facts: Facts) -> Lists:
    """The formulas of the known normalisations that the input's scale and zero point fit."""
    held = [_held(facts, row) for row in range(facts.n("contract_input"))]
    found = [[] if one is None else _shorts(one) for one in held]
    return texts_of(found, _absent(held))


def _shorts(held: _Held) -> list[str]:
    """What people call the normalisations that fit, each once."""
    return list(dict.fromkeys(fit.short for fit in fits(held.dtype, held.scale, held.zero_point)))


def fits_calibration(facts: Facts) -> Scalars:
    """Whether the range that is fed is the one that the input's scale and zero point stand for."""
    return scalars_of((None if pair is None else _unseen(*pair) is not None for pair in _pairs(facts)), np.bool_)


def _unseen(feed: _Feed, held: _Held) -> float | None:
    low, high = feed.range
    return unseen_part(low, high, held.dtype, held.scale, held.zero_point)


def raw_steps(facts: Facts) -> Scalars:
    """How many steps the source's bytes are off, at most, from what mean, std and quantization give."""
    return scalars_of(None if pair is None else _steps(*pair) for pair in _pairs(facts))


def _steps(feed: _Feed, held: _Held) -> float | None:
    if held.dtype not in _RAW:
        return None
    wanted = [end / held.scale + held.zero_point for end in (feed.low, feed.high)]
    return max(float(np.abs(end - byte).max()) for end, byte in zip(wanted, _RAW[held.dtype], strict=True))


def _shares(facts: Facts, *, of_fed: bool) -> Scalars:
    return scalars_of(None if pair is None else _share(*pair, of_fed=of_fed) for pair in _pairs(facts))


def _share(feed: _Feed, held: _Held, *, of_fed: bool) -> float | None:
    """The part that both ranges have in common, of one of them; None where that is a single value."""
    fed, own = feed.range, held.range
    if held.is_symmetric:  # its scale stands for the larger end only
        fed = (-max(map(abs, fed)), max(map(abs, fed)))
    whole = fed if of_fed else own
    common = min(fed[1], own[1]) - max(fed[0], own[0])
    return max(common, 0.0) / (whole[1] - whole[0]) if whole[1] > whole[0] else None


def _shares_by_channel(feed: _Feed, held: _Held) -> NDArray[np.float64]:
    low, high = np.minimum(feed.low, feed.high), np.maximum(feed.low, feed.high)
    common = np.minimum(high, held.range[1]) - np.maximum(low, held.range[0])
    shares: NDArray[np.float64] = np.clip(common, 0.0, None) / np.maximum(high - low, np.finfo(np.float64).tiny)
    return shares


def _prepared_ends(facts: Facts, smaller: np.ufunc) -> Lists:
    maps, rows = affine.maps(facts), facts.rows("contract_input", "input")
    ends: list[NDArray[np.float64] | None] = []
    for feed, row in zip(_feeds(facts), rows, strict=True):
        own = maps[row] if row >= 0 else None
        if feed is None or own is None or len({1, len(own.scale), len(feed.low)}) > 2:
            ends.append(None)
        else:
            ends.append(smaller(own.of(feed.low), own.of(feed.high)))
    return _lists(ends)


def _absent(values: Sequence[object]) -> State:
    return state_of(np.array([value is None for value in values], dtype=np.bool_))


# -- what entries hand over --------------------------------------------------------------------------------------------


def _feeds(facts: Facts) -> list[_Feed | None]:
    return facts.once("feeds", lambda: list(_made_feeds(facts)))


def _made_feeds(facts: Facts) -> Iterator[_Feed | None]:
    """None where the contract does not say what the source holds, or how means and stds belong together."""
    for contract in facts.contracts.values():
        for entry in contract.inputs:
            source = entry.get("range") or _SOURCES.get(entry.get("units", ""))
            if source is not None and entry["kind"] == "audio":  # mean and std are of samples of that amplitude
                source = [end * entry.get("audio", {}).get("amplitude", 1) for end in source]
            mean, std = np.atleast_1d(entry.get("mean", 0.0)), np.atleast_1d(entry.get("std", 1.0))
            is_odd = len(mean) != len(std) and 1 not in (len(mean), len(std))
            if source is None or is_odd or not (std != 0).all():
                yield None
            else:
                yield _Feed((source[0] - mean) / std, (source[1] - mean) / std)


def _ends(facts: Facts, smaller: np.ufunc) -> Lists:
    feeds = _feeds(facts)
    return _lists([None if feed is None else smaller(feed.low, feed.high) for feed in feeds])


def _lists(values: Sequence[NDArray[np.float64] | None]) -> Lists:
    """A list a row, absent where there is none."""
    flat = np.concatenate([np.zeros(0), *(one for one in values if one is not None)])
    lengths = np.array([0 if one is None else len(one) for one in values], dtype=np.int64)
    return lists_by_counts(flat, lengths, _absent(values))


def _held(facts: Facts, row: int) -> _Held | None:
    """How the input that an entry is about is quantized, or the QUANTIZE behind it, if nothing else reads it; None
    where that has not one scale and zero point.
    """
    matched = int(facts.rows("contract_input", "input")[row])
    tensor = int(facts.rows("input", "tensor")[matched]) if matched >= 0 else -1
    if tensor >= 0 and text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32":
        tensor = affine.quantized_behind(facts, tensor)
    if tensor < 0:
        return None
    scales, zeros = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    dtype = text_of(facts.column("tensor", "dtype"), tensor) or ""
    if len(scales) != 1 or len(zeros) != 1 or real_range(dtype, scales[0], zeros[0]) is None:
        return None
    return _Held(dtype, scales[0], zeros[0])


def _pairs(facts: Facts) -> list[tuple[_Feed, _Held] | None]:
    """What each entry hands over, and how the input is quantized that takes it; None where one is not known."""
    pairs = [(feed, _held(facts, row)) for row, feed in enumerate(_feeds(facts))]
    return [None if feed is None or held is None else (feed, held) for feed, held in pairs]


def _known(facts: Facts) -> list[tuple[str, str | None] | None]:
    """Formula and order of the known normalisation of each entry, to a part in a hundred."""
    return [_same(entry) for contract in facts.contracts.values() for entry in contract.inputs]


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
