"""Facts of what inputs hold beside what callers feed them: the share that fits, and what it was calibrated for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Lists,
    Scalars,
    absent_where_none,
    lists_of_arrays,
    scalars_of,
    state_of,
    text_of,
    texts_of,
)
from tflint.facts.contract.fed_range import Feed, feeds
from tflint.facts.facts import Facts, taken
from tflint.facts.interface import input_arithmetic
from tflint.normalization.range_fit import fits, real_range, unseen_part
from tflint.values import frozen

#: The byte itself, or less 128, is what a raw feed hands over: the integers of a pixel of 0 and of 255.
_RAW = {"UINT8": (0, 255), "INT8": (-128, 127)}
_FLOATS = {"FLOAT32", "FLOAT16", "FLOAT64"}
#: From this width on a range is that of pixels as they are.
_RAW_WIDTH = 200


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


def held_min(facts: Facts) -> Scalars:
    """Smallest real value that each input can hold."""
    return scalars_of(None if one is None else one.range[0] for one in _all_held(facts))


def held_max(facts: Facts) -> Scalars:
    """Largest real value that each input can hold."""
    return scalars_of(None if one is None else one.range[1] for one in _all_held(facts))


def cover(facts: Facts) -> Scalars:
    """Which part of the range that is fed the input can hold."""
    return _shares(facts, of_fed=True)


def use(facts: Facts) -> Scalars:
    """Which part of the range that the input can hold is fed."""
    return _shares(facts, of_fed=False)


def channel_cover(facts: Facts) -> Lists:
    """Which part of the range that is fed the input can hold, channel by channel."""
    return lists_of_arrays([None if pair is None else _shares_by_channel(*pair) for pair in _pairs(facts)])


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
    given = feeds(facts)
    concerned = [feed is not None and row >= 0 and tensors[row] >= 0 for feed, row in zip(given, rows, strict=True)]
    absent = ~np.array([ok and is_float[tensors[row]] for ok, row in zip(concerned, rows, strict=True)], dtype=np.bool_)
    is_calibrated = np.array([held is not None for held in _all_held(facts)], dtype=np.bool_)
    is_told = taken(said, rows, False) | taken(prepares, rows, False) | is_calibrated
    is_raw = np.array([feed is not None and feed.range[1] - feed.range[0] >= _RAW_WIDTH for feed in given], np.bool_)
    return Scalars(is_told.astype(np.bool_), state_of(absent, ~absent & ~is_told.astype(np.bool_) & ~is_raw))


def fitting(facts: Facts) -> Lists:
    """The formulas of the known normalisations that the input's scale and zero point fit."""
    held = _all_held(facts)
    found = [[] if one is None else _shorts(one) for one in held]
    return texts_of(found, absent_where_none(held))


def _shorts(held: _Held) -> list[str]:
    """What people call the normalisations that fit, each once."""
    return list(dict.fromkeys(fit.short for fit in fits(held.dtype, held.scale, held.zero_point)))


def fits_calibration(facts: Facts) -> Scalars:
    """Whether the range that is fed is the one that the input's scale and zero point stand for."""
    return scalars_of((None if pair is None else _unseen(*pair) is not None for pair in _pairs(facts)), np.bool_)


def _unseen(feed: Feed, held: _Held) -> float | None:
    low, high = feed.range
    return unseen_part(low, high, held.dtype, held.scale, held.zero_point)


def raw_steps(facts: Facts) -> Scalars:
    """How many steps the source's bytes are off, at most, from what mean, std and quantization give."""
    return scalars_of(None if pair is None else _steps(*pair) for pair in _pairs(facts))


def _steps(feed: Feed, held: _Held) -> float | None:
    if held.dtype not in _RAW:
        return None
    wanted = [end / held.scale + held.zero_point for end in (feed.low, feed.high)]
    return max(float(np.abs(end - byte).max()) for end, byte in zip(wanted, _RAW[held.dtype], strict=True))


def _shares(facts: Facts, *, of_fed: bool) -> Scalars:
    return scalars_of(None if pair is None else _share(*pair, of_fed=of_fed) for pair in _pairs(facts))


def _share(feed: Feed, held: _Held, *, of_fed: bool) -> float | None:
    """The part that both ranges have in common, of one of them; None where that is a single value."""
    fed, own = feed.range, held.range
    if held.is_symmetric:  # its scale stands for the larger end only
        fed = (-max(map(abs, fed)), max(map(abs, fed)))
    whole = fed if of_fed else own
    common = min(fed[1], own[1]) - max(fed[0], own[0])
    return max(common, 0.0) / (whole[1] - whole[0]) if whole[1] > whole[0] else None


def _shares_by_channel(feed: Feed, held: _Held) -> NDArray[np.float64]:
    low, high = np.minimum(feed.low, feed.high), np.maximum(feed.low, feed.high)
    common = np.minimum(high, held.range[1]) - np.maximum(low, held.range[0])
    shares: NDArray[np.float64] = np.clip(common, 0.0, None) / np.maximum(high - low, np.finfo(np.float64).tiny)
    return shares


def _all_held(facts: Facts) -> list[_Held | None]:
    """How the input of each entry is quantized."""
    return facts.once("held", lambda: [_held(facts, row) for row in range(facts.n("contract_input"))])


def _held(facts: Facts, row: int) -> _Held | None:
    """How the input that an entry is about is quantized, or the QUANTIZE behind it, if nothing else reads it; None
    where that has not one scale and zero point.
    """
    matched = int(facts.rows("contract_input", "input")[row])
    tensor = int(facts.rows("input", "tensor")[matched]) if matched >= 0 else -1
    if tensor >= 0 and text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32":
        tensor = input_arithmetic.quantized_behind(facts, tensor)
    if tensor < 0:
        return None
    scales, zeros = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    dtype = text_of(facts.column("tensor", "dtype"), tensor) or ""
    if len(scales) != 1 or len(zeros) != 1 or real_range(dtype, scales[0], zeros[0]) is None:
        return None
    return _Held(dtype, scales[0], zeros[0])


def _pairs(facts: Facts) -> list[tuple[Feed, _Held] | None]:
    """What each entry hands over, and how the input is quantized that takes it; None where one is not known."""
    pairs = zip(feeds(facts), _all_held(facts), strict=True)
    return [None if feed is None or held is None else (feed, held) for feed, held in pairs]
