"""The integer types of schema.fbs, with their smallest and largest values, and the real ranges of quantized values."""

from __future__ import annotations

import math

#: Smallest and largest value of each integer type.
INTEGER_RANGES = {
    "INT2": (-2, 1),
    "INT4": (-8, 7),
    "UINT4": (0, 15),
    "INT8": (-128, 127),
    "UINT8": (0, 255),
    "INT16": (-(2**15), 2**15 - 1),
    "UINT16": (0, 2**16 - 1),
    "INT32": (-(2**31), 2**31 - 1),
    "UINT32": (0, 2**32 - 1),
    "INT64": (-(2**63), 2**63 - 1),
    "UINT64": (0, 2**64 - 1),
}


def real_range(dtype: str, scale: float, zero_point: int) -> tuple[float, float] | None:
    """Return the smallest and largest real value that a tensor with one scale and zero point can hold.

    Returns None if `dtype` is not an integer type, or if the scale or the zero point is invalid for the type.
    """
    if dtype not in INTEGER_RANGES or not (math.isfinite(scale) and scale > 0):
        return None
    qmin, qmax = INTEGER_RANGES[dtype]
    if not qmin <= zero_point <= qmax:
        return None
    return (qmin - zero_point) * scale, (qmax - zero_point) * scale
