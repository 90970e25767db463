"""The statistics of a weight scan: how they are computed for a piece of elements and combined across pieces."""

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

#: Names of the results of each statistic. A result has one number per group: a key for "smallest" and "largest", a
#: count for all other results.
RESULTS = {
    RANGE: ("smallest", "largest"),
    ZEROS: ("zeros",),
    SATURATION: ("saturated",),
    ODDITIES: ("nan", "inf", "denormal", "extreme"),
}
_JOIN_FUNCTIONS: Mapping[str, np.ufunc] = {"smallest": np.minimum, "largest": np.maximum}


def applies(statistic: str, type_: ElementType) -> bool:
    """Return whether a statistic applies to a type.

    Saturation applies to integers of at least 4 bits, because three of the four 2-bit integers are limits. Oddities
    apply to floats. The other statistics apply to all types.
    """
    if statistic == SATURATION:
        return not type_.is_float and type_.bits >= 4
    return statistic != ODDITIES or type_.is_float


def join_function(result: str) -> np.ufunc:
    """Return the function that combines the results of two pieces of the same group."""
    return _JOIN_FUNCTIONS.get(result, np.add)


class Scratch:
    """Memory for intermediate arrays, which the next piece reuses.

    For new arrays, the operating system would clear the memory pages, which takes longer than all the arithmetic.
    """

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def like(self, elements: Array, name: str, dtype: Any = None) -> Array:
        """Return the array called `name`, with the shape of `elements` and the type `dtype` (None: their type)."""
        return self.array(name, elements.size, elements.dtype if dtype is None else dtype).reshape(elements.shape)

    def array(self, name: str, n: int, dtype: Any) -> Array:
        """Return the array called `name` with `n` elements of a type. Its content is undefined."""
        n_bytes = n * np.dtype(dtype).itemsize
        memory = self._memory.get(name)
        if memory is None or len(memory) < n_bytes:
            memory = self._memory[name] = np.empty(n_bytes, dtype=np.uint8)
        return memory[:n_bytes].view(dtype)


class PieceStatistics:
    """Computes statistics of pieces of elements of one type.

    `zero` is the stored integer that represents zero: one number, or one per element. If `is_symmetric`, −qmax is a
    limit as well as qmin. `scratch` holds intermediate arrays.
    """

    def __init__(
        self, type_: ElementType, statistics: Collection[str], zero: Array | int, is_symmetric: bool, scratch: Scratch
    ) -> None:
        self.type = type_
        self._zero = zero
        self._is_symmetric = is_symmetric
        self._statistics = [name for name in statistics if applies(name, type_)]
        self._scratch = scratch

    def compute(self, elements: Array, groups: Groups) -> dict[str, Array]:
        """Return the results of all statistics, one number per group. numpy warns if an element is NaN."""
        results: dict[str, Array] = {}
        elements = groups.arrange(elements)
        for name in self._statistics:
            if name == RANGE:
                results["smallest"], results["largest"] = self._range(elements, groups)
            elif name == ZEROS:
                results["zeros"] = self._zeros(elements, groups)
            elif name == SATURATION:
                results["saturated"] = groups.count(self._extremes(elements))
            else:
                results |= self._oddities(elements, groups)
        return results

    def _range(self, elements: Array, groups: Groups) -> tuple[Array, Array]:
        """Return the smallest and the largest key of the finite values in each group.

        For a group without finite values, the keys are those of `ElementType.sentinels`, the largest one first.
        """
        type_ = self.type
        keys = type_.keys(elements, self._scratch.like(elements, "keys")) if type_.has_keys else elements
        smallest, largest = groups.reduce(np.minimum, keys), groups.reduce(np.maximum, keys)
        if not type_.is_float or (type_.is_finite(smallest).all() and type_.is_finite(largest).all()):
            return smallest, largest
        below, above = (keys.dtype.type(key) for key in type_.sentinels())
        is_finite = type_.is_finite(keys)
        return (
            groups.reduce(np.minimum, np.where(is_finite, keys, above)),
            groups.reduce(np.maximum, np.where(is_finite, keys, below)),
        )

    def _zeros(self, elements: Array, groups: Groups) -> Array:
        """Return the number of elements that represent zero, per group."""
        if self.type.is_float:
            elements = self._magnitudes(elements)
        elif isinstance(self._zero, int) and self._zero == 0 and (zeros := groups.count_zeros(elements)) is not None:
            return zeros
        return groups.count(np.equal(elements, self._zero, out=self._scratch.like(elements, "marks", np.bool_)))

    def _extremes(self, elements: Array) -> Truths:
        """Return whether each element is at a limit of its type."""
        marks = self._scratch.like(elements, "marks", np.bool_)
        if self._is_symmetric:
            # numpy returns the smallest integer as its own absolute value. Read as unsigned, the result is correct.
            sizes = np.abs(elements, out=self._scratch.like(elements, "sizes"))
            np.greater_equal(sizes.view(f"<u{elements.itemsize}"), self.type.high, out=marks)
            return marks
        np.equal(elements, self.type.high, out=marks)
        marks |= np.equal(elements, self.type.low, out=self._scratch.like(elements, "other marks", np.bool_))
        return marks

    def _oddities(self, elements: Array, groups: Groups) -> dict[str, Array]:
        magnitudes = self._magnitudes(elements)
        marks, others = (self._scratch.like(elements, name, np.bool_) for name in ("marks", "other marks"))
        exponent = magnitudes.dtype.type(self.type.exponent)
        one = magnitudes.dtype.type(1)
        smallest_normal = exponent & (~exponent + one)  # the lowest bit of the exponent
        results = {
            "denormal": groups.count(
                np.logical_and(
                    np.less(magnitudes, smallest_normal, out=marks), np.not_equal(magnitudes, 0, out=others), out=marks
                )
            ),
        }
        is_large = np.greater_equal(magnitudes, exponent - one, out=marks)  # at least the largest finite value
        has_large = bool(is_large.any())
        results["extreme"] = groups.count(np.equal(magnitudes, exponent - one, out=marks) if has_large else is_large)
        results["inf"] = groups.count(np.equal(magnitudes, exponent, out=marks)) if has_large else results["extreme"]
        results["nan"] = groups.count(np.greater(magnitudes, exponent, out=marks)) if has_large else results["extreme"]
        return results

    def _magnitudes(self, elements: Array) -> Array:
        return self.type.magnitudes(elements, self._scratch.like(elements, "magnitudes"))
