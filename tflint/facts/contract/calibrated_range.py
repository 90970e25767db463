"""Facts that compare the range that client code feeds with the calibrated range of the input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Column,
    Lists,
    Scalars,
    absent_where_none,
    lists_of_arrays,
    scalars_of,
    state_of,
    texts_of,
)
from tflint.facts.contract.fed_range import FedRange, fed_ranges
from tflint.facts.facts import Facts, values_at
from tflint.facts.interface.input_quantization import InputQuantization, input_quantizations
from tflint.normalization.range_fit import fitting_normalizations, range_shares, unseen_part

#: Types of inputs that can be fed raw bytes, and the number that is subtracted from each byte.
_RAW_SHIFT = {"UINT8": 0, "INT8": 128}
#: Types of inputs that accept any real value.
FLOATS = {"FLOAT32", "FLOAT16", "FLOAT64"}
#: Smallest width of a fed range that counts as that of pixels without normalization.
_RAW_WIDTH = 200


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

    True if the model determines the range that training used: by its metadata, its own arithmetic, its calibration or,
    unless client code feeds raw pixels, its known first layer. (Other rules compare that range with the fed range.)
    False for raw pixels that the graph does not rescale. Otherwise unknown. Absent if the entry's input is not a float
    or the fed range is not known.
    """
    has_metadata = facts.lists("input", "metadata.mean").lengths > 0
    is_float = facts.is_one_of("tensor", "dtype", FLOATS)
    normalizes = _is_present(facts.column("input", "graph_expects")) | (facts.lists("input", "folded_mean").lengths > 0)
    rows, tensors = facts.rows("contract_input", "input"), facts.rows("input", "tensor")
    ranges = fed_ranges(facts)
    has_input = [fed is not None and row >= 0 and tensors[row] >= 0 for fed, row in zip(ranges, rows, strict=True)]
    absent = ~np.array([ok and is_float[tensors[row]] for ok, row in zip(has_input, rows, strict=True)], dtype=np.bool_)
    is_calibrated = np.array([quantization is not None for quantization in _quantizations(facts)], dtype=np.bool_)
    is_raw = np.array([fed is not None and fed.range[1] - fed.range[0] >= _RAW_WIDTH for fed in ranges], np.bool_)
    is_pretrained = _is_present(facts.column("contract_input", "fits_pretraining")) & ~is_raw
    is_specified = (values_at(has_metadata, rows, False) | values_at(normalizes, rows, False)).astype(np.bool_)
    is_known = is_specified | is_calibrated | is_pretrained
    return Scalars(is_known, state_of(absent, ~absent & ~is_known & ~is_raw))


def _is_present(column: Column) -> NDArray[np.bool_]:
    return np.ones(len(column), np.bool_) if column.state is None else column.state == 0


def fitting(facts: Facts) -> Lists:
    """Return the short names of the known normalizations that fit the scale and zero point of each entry's input."""
    quantizations = _quantizations(facts)
    names = [[] if one is None else _fitting_names(one) for one in quantizations]
    return texts_of(names, absent_where_none(quantizations))


def _fitting_names(quantization: InputQuantization) -> list[str]:
    fits = fitting_normalizations(quantization.dtype, quantization.scale, quantization.zero_point)
    return list(dict.fromkeys(fit.short for fit in fits))


def fits_calibration(facts: Facts) -> Scalars:
    """Return, for each entry, whether the fed range is the range that the input was calibrated for."""
    return scalars_of((None if pair is None else _unseen_part(*pair) is not None for pair in _pairs(facts)), np.bool_)


def _unseen_part(fed: FedRange, quantization: InputQuantization) -> float | None:
    low, high = fed.range
    return unseen_part(low, high, quantization.dtype, quantization.scale, quantization.zero_point)


def raw_steps(facts: Facts) -> Scalars:
    """Return the largest difference, in steps, between a raw source byte and the byte normalized and quantized."""
    return scalars_of(None if pair is None else _steps(*pair) for pair in _pairs(facts))


def _steps(fed: FedRange, quantization: InputQuantization) -> float | None:
    """Return the largest difference. For a linear map, this is the one at an end of the source range."""
    if quantization.dtype not in _RAW_SHIFT or fed.bytes is None:
        return None
    # A source with negative values has signed bytes already.
    shift = _RAW_SHIFT[quantization.dtype] if min(fed.bytes) >= 0 else 0
    exact = [end / quantization.scale + quantization.zero_point for end in (fed.low, fed.high)]
    return max(float(np.abs(end - (byte - shift)).max()) for end, byte in zip(exact, fed.bytes, strict=True))


def _range_shares(facts: Facts, *, of_fed: bool) -> Scalars:
    return scalars_of(None if pair is None else _range_share(*pair, of_fed=of_fed) for pair in _pairs(facts))


def _range_share(fed: FedRange, quantization: InputQuantization, *, of_fed: bool) -> float | None:
    """Return the overlap of the two ranges divided by the width of one of them, or None if a range has no width.

    The divisor is the fed range if `of_fed` is true, otherwise the calibrated range.
    """
    is_symmetric = quantization.dtype == "INT16" and quantization.zero_point == 0
    shares = range_shares(*fed.range, quantization.range, is_symmetric=is_symmetric)
    return None if shares is None else shares[0 if of_fed else 1]


def _shares_by_channel(fed: FedRange, quantization: InputQuantization) -> NDArray[np.float64]:
    low, high = np.minimum(fed.low, fed.high), np.maximum(fed.low, fed.high)
    overlap = np.minimum(high, quantization.range[1]) - np.maximum(low, quantization.range[0])
    shares: NDArray[np.float64] = np.clip(overlap, 0.0, None) / np.maximum(high - low, np.finfo(np.float64).tiny)
    return shares


def _quantizations(facts: Facts) -> list[InputQuantization | None]:
    """Return the quantization of each entry's input, or None if it is not known."""
    inputs = input_quantizations(facts)
    return [inputs[row] if row >= 0 else None for row in facts.rows("contract_input", "input").tolist()]


def _pairs(facts: Facts) -> list[tuple[FedRange, InputQuantization] | None]:
    """Return, for each entry, the fed range and the quantization of the input, or None if one of them is not known."""
    pairs = zip(fed_ranges(facts), _quantizations(facts), strict=True)
    return [None if fed is None or quantization is None else (fed, quantization) for fed, quantization in pairs]
