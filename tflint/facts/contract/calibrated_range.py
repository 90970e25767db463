"""Facts that compare the range that client code feeds with the calibrated range of the input."""

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
from tflint.facts.contract.fed_range import FedRange, fed_ranges
from tflint.facts.facts import Facts, values_at
from tflint.facts.interface import input_arithmetic
from tflint.normalization.range_fit import activation_range, fitting_normalizations, unseen_part
from tflint.values import frozen

#: Types of inputs that can be fed raw bytes, and the number that is subtracted from each byte.
_RAW_SHIFT = {"UINT8": 0, "INT8": 128}
_FLOATS = {"FLOAT32", "FLOAT16", "FLOAT64"}
#: Smallest width of a fed range that counts as that of pixels without normalization.
_RAW_WIDTH = 200


@frozen
class _Quantization:
    """Quantization parameters of an input with exactly one valid scale and zero point."""

    dtype: str
    scale: float
    zero_point: int

    @property
    def range(self) -> tuple[float, float]:
        """Calibrated range: the smallest and largest real value that the input can hold."""
        limits = activation_range(self.dtype, self.scale, self.zero_point)
        assert limits is not None
        return limits

    @property
    def is_symmetric(self) -> bool:
        """Whether the type makes the range symmetric about zero, so that calibration data determines only its width."""
        return self.dtype == "INT16" and self.zero_point == 0


def held_min(facts: Facts) -> Scalars:
    """Return, per input entry of a contract, the smallest real (dequantized) value that the model's input can hold."""
    return scalars_of(None if one is None else one.range[0] for one in _quantizations(facts))


def held_max(facts: Facts) -> Scalars:
    """Return the largest real value that each entry's input can hold."""
    return scalars_of(None if one is None else one.range[1] for one in _quantizations(facts))


def cover(facts: Facts) -> Scalars:
    """Return the share of each fed range that lies in the calibrated range."""
    return _range_shares(facts, of_fed=True)


def use(facts: Facts) -> Scalars:
    """Return the share of each calibrated range that lies in the fed range."""
    return _range_shares(facts, of_fed=False)


def channel_cover(facts: Facts) -> Lists:
    """Return, per entry and channel, the share of the fed range that lies in the calibrated range."""
    return lists_of_arrays([None if pair is None else _shares_by_channel(*pair) for pair in _pairs(facts)])


def is_trained_range(facts: Facts) -> Scalars:
    """Return whether each entry feeds a float input the range that training used.

    True if the model determines the range that training used: by its metadata, its own arithmetic or its calibration.
    (Other rules compare that range with the fed range.) False for raw pixels that the graph does not rescale. Otherwise
    unknown. Absent if the entry's input is not a float or the fed range is not known.
    """
    has_metadata = facts.lists("input", "metadata.mean").lengths > 0
    is_float = facts.is_one_of("tensor", "dtype", _FLOATS)
    expects = facts.strings("input", "graph_expects")
    has_arithmetic = np.ones(len(expects), np.bool_) if expects.state is None else expects.state == 0
    normalizes = has_arithmetic | (facts.lists("input", "folded_mean").lengths > 0)
    rows, tensors = facts.rows("contract_input", "input"), facts.rows("input", "tensor")
    ranges = fed_ranges(facts)
    has_input = [fed is not None and row >= 0 and tensors[row] >= 0 for fed, row in zip(ranges, rows, strict=True)]
    absent = ~np.array([ok and is_float[tensors[row]] for ok, row in zip(has_input, rows, strict=True)], dtype=np.bool_)
    is_calibrated = np.array([quantization is not None for quantization in _quantizations(facts)], dtype=np.bool_)
    is_known = values_at(has_metadata, rows, False) | values_at(normalizes, rows, False) | is_calibrated
    is_raw = np.array([fed is not None and fed.range[1] - fed.range[0] >= _RAW_WIDTH for fed in ranges], np.bool_)
    return Scalars(is_known.astype(np.bool_), state_of(absent, ~absent & ~is_known.astype(np.bool_) & ~is_raw))


def fitting(facts: Facts) -> Lists:
    """Return the short names of the known normalizations that fit the scale and zero point of each entry's input."""
    quantizations = _quantizations(facts)
    names = [[] if one is None else _fitting_names(one) for one in quantizations]
    return texts_of(names, absent_where_none(quantizations))


def _fitting_names(quantization: _Quantization) -> list[str]:
    fits = fitting_normalizations(quantization.dtype, quantization.scale, quantization.zero_point)
    return list(dict.fromkeys(fit.short for fit in fits))


def fits_calibration(facts: Facts) -> Scalars:
    """Return, for each entry, whether the fed range is the range that the input was calibrated for."""
    return scalars_of((None if pair is None else _unseen_part(*pair) is not None for pair in _pairs(facts)), np.bool_)


def _unseen_part(fed: FedRange, quantization: _Quantization) -> float | None:
    low, high = fed.range
    return unseen_part(low, high, quantization.dtype, quantization.scale, quantization.zero_point)


def raw_steps(facts: Facts) -> Scalars:
    """Return the largest difference, in steps, between a raw source byte and the byte normalized and quantized."""
    return scalars_of(None if pair is None else _steps(*pair) for pair in _pairs(facts))


def _steps(fed: FedRange, quantization: _Quantization) -> float | None:
    """Return the largest difference at the two ends of the source range, where it is largest for a linear map."""
    if quantization.dtype not in _RAW_SHIFT or fed.bytes is None:
        return None
    # A source with negative values has signed bytes already.
    shift = _RAW_SHIFT[quantization.dtype] if min(fed.bytes) >= 0 else 0
    exact = [end / quantization.scale + quantization.zero_point for end in (fed.low, fed.high)]
    return max(float(np.abs(end - (byte - shift)).max()) for end, byte in zip(exact, fed.bytes, strict=True))


def _range_shares(facts: Facts, *, of_fed: bool) -> Scalars:
    return scalars_of(None if pair is None else _range_share(*pair, of_fed=of_fed) for pair in _pairs(facts))


def _range_share(fed: FedRange, quantization: _Quantization, *, of_fed: bool) -> float | None:
    """Return the overlap of the two ranges divided by the width of one of them, or None if its width is zero.

    The divisor is the fed range if `of_fed` is true, otherwise the calibrated range.
    """
    low, high = fed.range
    if quantization.is_symmetric:  # the scale depends only on the end of the range that is farther from zero
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    own = quantization.range
    begin, end = (low, high) if of_fed else own
    overlap = min(high, own[1]) - max(low, own[0])
    return max(overlap, 0.0) / (end - begin) if end > begin else None


def _shares_by_channel(fed: FedRange, quantization: _Quantization) -> NDArray[np.float64]:
    low, high = np.minimum(fed.low, fed.high), np.maximum(fed.low, fed.high)
    overlap = np.minimum(high, quantization.range[1]) - np.maximum(low, quantization.range[0])
    shares: NDArray[np.float64] = np.clip(overlap, 0.0, None) / np.maximum(high - low, np.finfo(np.float64).tiny)
    return shares


def _quantizations(facts: Facts) -> list[_Quantization | None]:
    """Return the quantization of each entry's input, or None if it is not known."""
    return facts.memoize(
        "input quantizations", lambda: [_read_quantization(facts, row) for row in range(facts.n("contract_input"))]
    )


def _read_quantization(facts: Facts, row: int) -> _Quantization | None:
    """Return the quantization of an entry's input.

    For a float input whose only consumer is a QUANTIZE, return the quantization of the output of this QUANTIZE. Returns
    None if there is not exactly one valid scale and zero point.
    """
    input_row = int(facts.rows("contract_input", "input")[row])
    tensor = int(facts.rows("input", "tensor")[input_row]) if input_row >= 0 else -1
    if tensor >= 0 and text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32":
        tensor = input_arithmetic.quantize_output(facts, tensor)
    if tensor < 0:
        return None
    scales, zeros = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    dtype = text_of(facts.column("tensor", "dtype"), tensor) or ""
    is_single = len(scales) == 1 and len(zeros) == 1 and facts.numbers("tensor", "has_valid_scales")[tensor]
    if not is_single or activation_range(dtype, scales[0], zeros[0]) is None:
        return None
    return _Quantization(dtype, scales[0], zeros[0])


def _pairs(facts: Facts) -> list[tuple[FedRange, _Quantization] | None]:
    """Return, for each entry, the fed range and the quantization of the input, or None if one of them is not known."""
    pairs = zip(fed_ranges(facts), _quantizations(facts), strict=True)
    return [None if fed is None or quantization is None else (fed, quantization) for fed, quantization in pairs]
