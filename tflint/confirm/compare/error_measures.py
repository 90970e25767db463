"""Numbers that describe an error: noise-to-signal ratio, SQNR in dB, cosine, bias."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Largest absolute value whose square fits into a double, with a margin for sums.
_MAX_VALUE = 1e100
#: SQNR of a tensor without any error, and the limit of all others.
MAX_SQNR = 120.0
#: SQNR of a tensor whose reference is zero everywhere, and the noise-to-signal ratio of it.
MIN_SQNR, MAX_NOISE = -120.0, 1e12


def is_usable(values: Array) -> NDArray[np.bool_]:
    """Return whether each value is finite and its power can be summed up."""
    usable: NDArray[np.bool_] = np.abs(values) <= _MAX_VALUE  # false for NaN
    return usable


def noise_ratio(error_power: float, signal_power: float) -> float:
    """Return the ratio of the power of an error and that of the signal, at most `MAX_NOISE`."""
    if error_power <= 0:
        return 0.0
    return min(error_power / signal_power, MAX_NOISE) if signal_power > 0 else MAX_NOISE


def to_decibels(ratio: float) -> float:
    """Return the SQNR in dB of a noise-to-signal ratio."""
    if ratio <= 0:
        return MAX_SQNR
    return min(max(-10.0 * math.log10(ratio), MIN_SQNR), MAX_SQNR)


def cosine(product: float, one_power: float, other_power: float) -> float:
    """Return the cosine of the angle between two tensors from sums of products; 1 if both are zero."""
    norm = math.sqrt(one_power) * math.sqrt(other_power)
    if norm <= 0:
        return 1.0 if one_power == other_power else 0.0
    return min(max(product / norm, -1.0), 1.0)
