"""The real range of a quantized tensor, and the known pixel normalizations that fit it.

The functions take a type, a scale and a zero point. This module must not know tensors or files.

A quantizer takes the range [a, b] of its calibration data, widened to include zero. It stores scale = (b − a) /
(qmax − qmin) and a zero point rounded to an integer, which shifts the range by up to half a step. A symmetric quantizer
(int16, sometimes int8) stores scale = max(|a|, |b|) / qmax and zero point 0. A normalization with the range [a, b]
therefore fits if

- the widths of the two ranges differ by at most 0.1 % (`EXACT_WIDTH`), and their lower ends by at most half a step; or
- the tensor's range lies within [a, b], with a tolerance of half a step at each end, and is narrower by at most 2 %
  (`OBSERVED_WIDTH`). It can be narrower because the calibration data need not contain the extremes.

If several normalizations fit, all are returned: type, scale and zero point cannot tell them apart.
"""

from __future__ import annotations

from tflint.normalization.integer_ranges import INTEGER_RANGES, real_range
from tflint.normalization.known_normalizations import Normalization, known_normalizations
from tflint.values import frozen

#: Largest relative difference at which two widths count as equal: about a quarter of one of 255 steps.
EXACT_WIDTH = 1e-3
#: Largest share of a normalization's range that the calibration data may have left out: five of 255 steps.
OBSERVED_WIDTH = 0.02
#: Largest shift of a range, in steps, that rounding the zero point can cause, with a margin for float32.
HALF_STEP = 0.51
#: Integer types of quantized activations.
ACTIVATION_TYPES = frozenset({"INT8", "UINT8", "INT16"})


@frozen
class Fit:
    """A known normalization that fits the range of a tensor.

    `unseen` is the share of the normalization's range that the tensor cannot represent (0: none). `raw_steps` is the
    largest error, in steps, if client code skips the normalization and feeds the pixel byte itself (uint8) or the
    byte − 128 (int8). It is None for int16 and for a normalization with one mean and std per channel.
    """

    name: str
    short: str
    formula: str
    order: str | None
    unseen: float
    raw_steps: float | None


def activation_range(dtype: str, scale: float, zero_point: int) -> tuple[float, float] | None:
    """Return the real range of an activation with one scale and zero point.

    Returns None if the type is not one of `ACTIVATION_TYPES`, or if the scale or the zero point is invalid.
    """
    return real_range(dtype, scale, zero_point) if dtype in ACTIVATION_TYPES else None


def fitting_normalizations(dtype: str, scale: float, zero_point: int) -> tuple[Fit, ...]:
    """Return the known normalizations that fit a tensor's range.

    If at least one of them fits exactly, only exact fits are returned. Otherwise the one with the smallest unseen part
    comes first.
    """
    candidates = [
        Fit(known.name, known.short, known.formula, known.order, unseen, _raw_steps(known, dtype, scale, zero_point))
        for known in known_normalizations()
        if (unseen := unseen_part(known.low, known.high, dtype, scale, zero_point)) is not None
    ]
    exact = [fit for fit in candidates if fit.unseen == 0]
    return tuple(exact or sorted(candidates, key=lambda fit: fit.unseen))


def unseen_part(low: float, high: float, dtype: str, scale: float, zero_point: int) -> float | None:
    """Return the share of [low, high] that a tensor's range does not cover, or None if the two ranges do not fit."""
    own = activation_range(dtype, scale, zero_point)
    if own is None:
        return None
    low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        return None
    symmetric = _symmetric_unseen_part(low, high, dtype, scale) if zero_point == 0 else None
    if dtype == "INT16" and zero_point == 0:
        return symmetric
    unseen = 1 - (own[1] - own[0]) / (high - low)
    if abs(unseen) <= EXACT_WIDTH:
        return 0.0 if abs(own[0] - low) <= HALF_STEP * scale else symmetric
    inside = own[0] >= low - HALF_STEP * scale and own[1] <= high + HALF_STEP * scale
    return unseen if inside and 0 < unseen <= OBSERVED_WIDTH else symmetric


def range_shares(
    low: float, high: float, own: tuple[float, float], *, is_symmetric: bool
) -> tuple[float, float] | None:
    """Return the share of [low, high] that a tensor's range covers, and the share of the tensor's range that it uses.

    A symmetric scale depends only on the end of the range that is farther from zero, so the range is widened to it.
    Returns None if one of the two ranges has no width.
    """
    if is_symmetric:
        low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
    overlap = max(min(high, own[1]) - max(low, own[0]), 0.0)
    if high <= low or own[1] <= own[0]:
        return None
    return overlap / (high - low), overlap / (own[1] - own[0])


def _symmetric_unseen_part(low: float, high: float, dtype: str, scale: float) -> float | None:
    """Return the uncovered share if the scale is symmetric, or None if the ranges do not fit.

    A symmetric scale depends only on the end of the range that is farther from zero. Symmetric activations are rare for
    int8, so only exact fits count for this type.
    """
    if dtype == "UINT8":
        return None
    unseen = 1 - INTEGER_RANGES[dtype][1] * scale / max(-low, high)
    if abs(unseen) <= EXACT_WIDTH:
        return 0.0
    return unseen if dtype == "INT16" and 0 < unseen <= OBSERVED_WIDTH else None


def _raw_steps(known: Normalization, dtype: str, scale: float, zero_point: int) -> float | None:
    """Return `Fit.raw_steps`: the largest error in steps if client code feeds raw bytes, or None if that is impossible.

    The raw and the normalized value are both linear in the pixel, so the error is largest for the smallest or the
    largest pixel.
    """
    if dtype == "INT16" or len(known.mean) > 1:
        return None
    ((mean, std),) = known.channels
    qmin, qmax = INTEGER_RANGES[dtype]
    exact = [(value - mean) / std / scale + zero_point for value in (0.0, known.max_pixel)]
    return max(abs(exact[0] - qmin), abs(exact[1] - qmax))
