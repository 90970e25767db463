"""The statistics that one pass can take: what each makes of a stretch of elements, and how stretches come together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts.weights.elements import ElementType
from tflint.facts.weights.reduction import Groups

Array = NDArray[Any]

RANGE, ZEROS, SATURATION, ODDITIES = "range", "zeros", "saturation", "oddities"

#: What each statistic finds, one number a group. Smallest and largest are keys of elements, the others are counts.
FOUND = {
    RANGE: ("smallest", "largest"),
    ZEROS: ("zeros",),
    SATURATION: ("saturated",),
    ODDITIES: ("nan", "inf", "denormal"),
}
_JOINING: Mapping[str, np.ufunc] = {"smallest": np.minimum, "largest": np.maximum}


def applies(statistic: str, type_: ElementType) -> bool:
    """Whether a statistic means something for a type: saturation for integers of at least 4 bits, oddities for floats.

    Three of the four integers of 2 bits are extremes.
    """
    if statistic == SATURATION:
        return not type_.is_float and type_.bits >= 4
    return statistic != ODDITIES or type_.is_float


def joining(found: str) -> np.ufunc:
    """What joins the numbers of two stretches of one group."""
    return _JOINING.get(found, np.add)


def measured(
    elements: Array, type_: ElementType, groups: Groups, zero: Any, is_symmetric: bool, statistics: Collection[str]
) -> dict[str, Array]:
    """What statistics find in elements; `zero` is the stored zero, one for all or one an element, of integers.

    Elements of `is_symmetric` types have -qmax as an extreme beside qmin.
    """
    found: dict[str, Array] = {}
    elements = groups.arranged(elements)
    with np.errstate(all="ignore"):  # NaN is a value here
        if RANGE in statistics:
            found["smallest"], found["largest"] = _range(type_.keys(elements), type_, groups)
        if ZEROS in statistics:
            marks = type_.magnitudes(elements) == 0 if type_.is_float else elements == zero
            found["zeros"] = groups.counted(marks)
        if SATURATION in statistics:
            found["saturated"] = groups.counted(_extremes(elements, type_, is_symmetric))
        if ODDITIES in statistics:
            found |= _oddities(type_.magnitudes(elements), type_, groups)
    return found


def _range(keys: Array, type_: ElementType, groups: Groups) -> tuple[Array, Array]:
    """Smallest and largest key of each group; of floats the finite ones, and where there are none keys beyond these."""
    smallest, largest = groups.reduced(np.minimum, keys), groups.reduced(np.maximum, keys)
    if not type_.is_float or (type_.is_finite(smallest).all() and type_.is_finite(largest).all()):
        return smallest, largest
    below, above = type_.beyond()
    is_finite = type_.is_finite(keys)
    return (
        groups.reduced(np.minimum, np.where(is_finite, keys, keys.dtype.type(above))),
        groups.reduced(np.maximum, np.where(is_finite, keys, keys.dtype.type(below))),
    )


def _extremes(elements: Array, type_: ElementType, is_symmetric: bool) -> NDArray[np.bool_]:
    """Which elements lie at an end of their type."""
    marks: NDArray[np.bool_]
    if not is_symmetric:
        marks = elements == type_.high
        marks |= elements == type_.low
        return marks
    # The absolute value of the smallest integer wraps around to itself: as an unsigned one it is right.
    marks = np.abs(elements).view(f"<u{elements.itemsize}") >= type_.high
    return marks


def _oddities(magnitudes: Array, type_: ElementType, groups: Groups) -> dict[str, Array]:
    exponent = magnitudes.dtype.type(type_.exponent)
    smallest_normal = exponent & (~exponent + magnitudes.dtype.type(1))  # the lowest bit of the exponent
    is_denormal = magnitudes < smallest_normal
    is_denormal &= magnitudes != 0
    return {
        "nan": groups.counted(magnitudes > exponent),
        "inf": groups.counted(magnitudes == exponent),
        "denormal": groups.counted(is_denormal),
    }
