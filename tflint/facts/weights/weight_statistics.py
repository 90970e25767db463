"""The statistics that one pass can take: what each makes of a stretch of elements, and how stretches come together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts.weights.element_types import ElementType
from tflint.facts.weights.reduction import Groups

Array = NDArray[Any]
Truths = NDArray[np.bool_]

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


class Measure:
    """Takes statistics of stretches of elements of one type.

    `zero` is the stored zero of integers: one for all, or one an element. Where `is_symmetric`, -qmax is an extreme as
    qmin. What is made on the way lies in arrays that the next stretch uses again: new ones would be
    cleared by the system page by page, which costs more than all arithmetic.
    """

    def __init__(self, type_: ElementType, statistics: Collection[str], zero: Array | int, is_symmetric: bool) -> None:
        self.type = type_
        self._zero = zero
        self._is_symmetric = is_symmetric
        self._statistics = [name for name in statistics if applies(name, type_)]
        self._rooms: dict[str, Array] = {}

    def of(self, elements: Array, groups: Groups) -> dict[str, Array]:
        """What the statistics find, one number a group. NaN among the elements makes numpy warn."""
        found: dict[str, Array] = {}
        elements = groups.arranged(elements)
        for name in self._statistics:
            if name == RANGE:
                found["smallest"], found["largest"] = self._range(elements, groups)
            elif name == ZEROS:
                found["zeros"] = self._zeros(elements, groups)
            elif name == SATURATION:
                found["saturated"] = groups.counted(self._extremes(elements))
            else:
                found |= self._oddities(elements, groups)
        return found

    def _range(self, elements: Array, groups: Groups) -> tuple[Array, Array]:
        """Smallest and largest key of each group; of floats the finite ones, where there are none keys beyond these."""
        type_ = self.type
        keys = type_.keys(elements, self._room("keys", elements)) if type_.has_keys else elements
        smallest, largest = groups.reduced(np.minimum, keys), groups.reduced(np.maximum, keys)
        if not type_.is_float or (type_.is_finite(smallest).all() and type_.is_finite(largest).all()):
            return smallest, largest
        below, above = (keys.dtype.type(key) for key in type_.beyond())
        is_finite = type_.is_finite(keys)
        return (
            groups.reduced(np.minimum, np.where(is_finite, keys, above)),
            groups.reduced(np.maximum, np.where(is_finite, keys, below)),
        )

    def _zeros(self, elements: Array, groups: Groups) -> Array:
        """How many elements mean zero."""
        if self.type.is_float:
            elements = self._magnitudes(elements)
        elif isinstance(self._zero, int) and self._zero == 0 and (zeros := groups.zeros(elements)) is not None:
            return zeros
        return groups.counted(np.equal(elements, self._zero, out=self._room("marks", elements, np.bool_)))

    def _extremes(self, elements: Array) -> Truths:
        """Which elements lie at an end of their type."""
        marks = self._room("marks", elements, np.bool_)
        if self._is_symmetric:
            # The absolute value of the smallest integer wraps around to itself: as an unsigned one it is right.
            sizes = np.abs(elements, out=self._room("sizes", elements))
            np.greater_equal(sizes.view(f"<u{elements.itemsize}"), self.type.high, out=marks)
            return marks
        np.equal(elements, self.type.high, out=marks)
        marks |= np.equal(elements, self.type.low, out=self._room("other marks", elements, np.bool_))
        return marks

    def _oddities(self, elements: Array, groups: Groups) -> dict[str, Array]:
        magnitudes = self._magnitudes(elements)
        marks, others = (self._room(name, elements, np.bool_) for name in ("marks", "other marks"))
        exponent = magnitudes.dtype.type(self.type.exponent)
        smallest_normal = exponent & (~exponent + magnitudes.dtype.type(1))  # the lowest bit of the exponent
        return {
            "nan": groups.counted(np.greater(magnitudes, exponent, out=marks)),
            "inf": groups.counted(np.equal(magnitudes, exponent, out=marks)),
            "denormal": groups.counted(
                np.logical_and(
                    np.less(magnitudes, smallest_normal, out=marks), np.not_equal(magnitudes, 0, out=others), out=marks
                )
            ),
        }

    def _magnitudes(self, elements: Array) -> Array:
        return self.type.magnitudes(elements, self._room("magnitudes", elements))

    def _room(self, name: str, like: Array, dtype: Any = None) -> Array:
        """An array of the shape (and, without `dtype`, of the type) of another, the same memory each time."""
        n = like.size
        room = self._rooms.get(name)
        if room is None or len(room) < n:
            room = self._rooms[name] = np.empty(n, dtype=like.dtype if dtype is None else dtype)
        return room[:n].reshape(like.shape)
