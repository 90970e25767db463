"""Facts that compare the normalization in the metadata with the calibrated range of an input."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Lists, Scalars, lists_of_arrays, scalars_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import MAX_CHANNELS, Values
from tflint.facts.interface.input_quantization import InputQuantization, input_quantizations
from tflint.normalization.range_fit import range_shares, unseen_part

#: Largest pixel. The metadata applies mean and std to pixels from 0 to 255.
_MAX_PIXEL = 255.0


def calibrated_range(facts: Facts) -> Lists:
    """Return the smallest and largest real value that each input can hold."""
    return lists_of_arrays([None if one is None else np.array(one.range) for one in input_quantizations(facts)])


def metadata_range(facts: Facts) -> Lists:
    """Return the smallest and largest real value that the metadata's mean and std give pixels of each input."""
    return lists_of_arrays([None if limits is None else np.array(limits) for limits in _metadata_ranges(facts)])


def _metadata_ranges(facts: Facts) -> list[tuple[float, float] | None]:
    return facts.memoize("metadata ranges", lambda: _compute_metadata_ranges(facts))


def _compute_metadata_ranges(facts: Facts) -> list[tuple[float, float] | None]:
    means, stds = facts.lists("input", "metadata.mean"), facts.lists("input", "metadata.std")
    # Inputs may share one vector of any length, so the lengths are checked before the vectors are read.
    has_numbers = (np.minimum(means.lengths, stds.lengths) > 0) & (
        np.maximum(means.lengths, stds.lengths) <= MAX_CHANNELS
    )
    ranges: list[tuple[float, float] | None] = [None] * facts.n("input")
    for row in np.flatnonzero(has_numbers).tolist():
        ranges[row] = _metadata_range(facts, row, np.array(means.row(row)), np.array(stds.row(row)))
    return ranges


def _metadata_range(facts: Facts, row: int, mean: Values, std: Values) -> tuple[float, float] | None:
    is_image = text_of(facts.column("input", "metadata.content"), row) == "ImageProperties"
    if not is_image or len({1, len(mean), len(std)}) > 2:
        return None
    if not np.isfinite(mean).all() or not (np.isfinite(std) & (std > 0)).all():
        return None
    if _passes_bytes(facts, row) and not mean.any() and (std == 1).all():
        return None
    low, high = (0 - mean) / std, (_MAX_PIXEL - mean) / std
    return float(low.min()), float(high.max())


def _passes_bytes(facts: Facts, row: int) -> bool:
    """Return whether mean 0 and std 1 mean that client code passes bytes, as they do for an 8-bit input."""
    tensor = int(facts.rows("input", "tensor")[row])
    return tensor >= 0 and text_of(facts.column("tensor", "dtype"), tensor) in ("INT8", "UINT8")


def metadata_cover(facts: Facts) -> Scalars:
    """Return the share of each range of the metadata that lies in the calibrated range."""
    return scalars_of(None if shares is None else shares[0] for shares in _shares(facts))


def metadata_use(facts: Facts) -> Scalars:
    """Return the share of each calibrated range that lies in the range of the metadata."""
    return scalars_of(None if shares is None else shares[1] for shares in _shares(facts))


def _shares(facts: Facts) -> list[tuple[float, float] | None]:
    return facts.memoize("metadata shares", lambda: _compute_shares(facts))


def _compute_shares(facts: Facts) -> list[tuple[float, float] | None]:
    ranges = _metadata_ranges(facts)
    if not any(ranges):  # most models have no normalization in their metadata
        return [None] * len(ranges)
    pairs = zip(ranges, input_quantizations(facts), strict=True)
    return [None if limits is None or one is None else _compare(limits, one) for limits, one in pairs]


def _compare(limits: tuple[float, float], quantization: InputQuantization) -> tuple[float, float] | None:
    low, high = limits
    dtype, scale, zero_point = quantization.dtype, quantization.scale, quantization.zero_point
    if unseen_part(low, high, dtype, scale, zero_point) is not None:
        return 1.0, 1.0
    # A symmetric scale depends only on the end of the range that is farther from zero.
    is_symmetric = zero_point == 0 and dtype != "UINT8"
    return range_shares(low, high, quantization.range, is_symmetric=is_symmetric)
