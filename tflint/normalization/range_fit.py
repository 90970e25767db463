"""Which real values a quantized tensor can hold, and which normalisations of pixels that range fits.

Arithmetic on a type, a scale and a zero point; knows no tensor and no file.

A quantizer takes a range [a, b] that it saw (widened to hold zero) and stores scale = (b − a) / (qmax − qmin) and a
zero point rounded to an integer, which moves the range by up to half a step; a symmetric one (int16, some int8) stores
scale = max(|a|, |b|) / qmax and zero point 0. So a normalisation with the range [a, b] fits where

- the width is the same to a thousandth (`EXACT_WIDTH`), and the lower end is at a, to half a step; or, failing that,
- the width is narrower by at most a fiftieth (`OBSERVED_WIDTH`), since calibration need not have met the extremes,
  and the range lies inside of [a, b], to half a step at either end.

Several may fit: they are all given, and nobody can tell them apart from these numbers.
"""

from __future__ import annotations

import math

from tflint.normalization.known_normalizations import Normalization, known_normalizations
from tflint.values import frozen

#: Relative difference of widths that is none: a quarter of the step between 127 and 128 of 255 values.
EXACT_WIDTH = 1e-3
#: Part of the full range that calibration data may have left unseen: five of 255 steps.
OBSERVED_WIDTH = 0.02
#: What rounding the zero point moves a range by, in steps, with room for float32.
HALF_STEP = 0.51
#: Integer types that quantized activations have, with their ranges.
LIMITS = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767)}


@frozen
class Fit:
    """A normalisation whose range a tensor's fits.

    `unseen` is the part of the full range by which the tensor's is narrower (0: none). `raw_steps` is how many steps
    the tensor's integers are off, at most, where a caller feeds the pixel's byte itself (uint8) or the byte − 128
    (int8); None where that is no sensible thing to do: three different channels, int16.
    """

    name: str
    short: str
    formula: str
    order: str | None
    unseen: float
    raw_steps: float | None


def real_range(dtype: str, scale: float, zero_point: int) -> tuple[float, float] | None:
    """Smallest and largest real value that a tensor of one scale can hold; None where the numbers make no sense."""
    if dtype not in LIMITS or not (math.isfinite(scale) and scale > 0):
        return None
    qmin, qmax = LIMITS[dtype]
    if not qmin <= zero_point <= qmax:
        return None
    return (qmin - zero_point) * scale, (qmax - zero_point) * scale


def fits(dtype: str, scale: float, zero_point: int) -> tuple[Fit, ...]:
    """The known normalisations that a tensor's range fits; those that it fits wholly, else those with a part unseen."""
    found = [
        Fit(known.name, known.short, known.formula, known.order, unseen, _raw_steps(known, dtype, scale, zero_point))
        for known in known_normalizations()
        if (unseen := unseen_part(known.low, known.high, dtype, scale, zero_point)) is not None
    ]
    exact = [fit for fit in found if fit.unseen == 0]
    return tuple(exact or sorted(found, key=lambda fit: fit.unseen))


def unseen_part(low: float, high: float, dtype: str, scale: float, zero_point: int) -> float | None:
    """The part of [low, high] that a tensor's range lacks, 0 where it fits wholly; None where it does not fit."""
    own = real_range(dtype, scale, zero_point)
    if own is None:
        return None
    low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        return None
    symmetric = _unseen_of_symmetric(low, high, dtype, scale) if zero_point == 0 else None
    if dtype == "INT16" and zero_point == 0:
        return symmetric
    unseen = 1 - (own[1] - own[0]) / (high - low)
    if abs(unseen) <= EXACT_WIDTH:
        return 0.0 if abs(own[0] - low) <= HALF_STEP * scale else symmetric
    inside = own[0] >= low - HALF_STEP * scale and own[1] <= high + HALF_STEP * scale
    return unseen if inside and 0 < unseen <= OBSERVED_WIDTH else symmetric


def _unseen_of_symmetric(low: float, high: float, dtype: str, scale: float) -> float | None:
    """The same for a scale that stands for the larger of both ends; of int8, where that is rare, exact ones only."""
    if dtype == "UINT8":
        return None
    unseen = 1 - LIMITS[dtype][1] * scale / max(-low, high)
    if abs(unseen) <= EXACT_WIDTH:
        return 0.0
    return unseen if dtype == "INT16" and 0 < unseen <= OBSERVED_WIDTH else None


def _raw_steps(known: Normalization, dtype: str, scale: float, zero_point: int) -> float | None:
    """How far the byte itself is from what the normalisation gives; both are linear, so that their ends decide."""
    if dtype == "INT16" or len(known.mean) > 1:
        return None
    ((mean, std),) = known.channels
    qmin, qmax = LIMITS[dtype]
    wanted = [(value - mean) / std / scale + zero_point for value in (0.0, known.one)]
    return max(abs(wanted[0] - qmin), abs(wanted[1] - qmax))
