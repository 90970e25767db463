"""Groups of elements that are reduced to one number each, as fast as memory gives them.

numpy reduces long contiguous runs, and columns of wide matrices, at tens of gigabytes a second, and short runs or
narrow matrices a hundred times slower. So runs go through `reduceat`, and narrow matrices are folded to wide ones.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Counts = NDArray[np.integer[Any]]

#: So many marks can be counted in a byte.
_MAX_IN_BYTE = 255
#: Eight marks at a time are counted in the eight bytes of a word.
_LANES = 8
#: Runs of marks are counted in pieces of so many bytes or words: below what a byte holds.
_PIECE = 224
#: In runs of this many elements and more, zeros are counted faster without marks.
_LONG = 4096


class Groups(Protocol):
    """Tells which elements belong together; `n` is the number of results."""

    n: int

    def arranged(self, elements: Array) -> Array:
        """The elements in the order in which `reduced` and `counted` take them."""
        ...

    def reduced(self, ufunc: np.ufunc, elements: Array) -> Array:
        """One number a group, of the elements' type."""
        ...

    def counted(self, marks: NDArray[np.bool_]) -> Counts:
        """How many elements of each group are marked."""
        ...

    def zeros(self, integers: Array, /) -> Counts | None:
        """How many integers of each group are 0; None where it is faster to mark these and to count the marks."""
        ...


class Runs:
    """Contiguous runs of at least one element each. Of several times `n` runs every n-th is of the same group."""

    def __init__(self, lengths: Array, n: int) -> None:
        self.n = n
        self._lengths = lengths
        self._starts = np.cumsum(lengths) - lengths
        self._lanes = 1 if (lengths % _LANES).any() else _LANES
        self._pieces: tuple[Array, Array] | None = None

    def arranged(self, elements: Array) -> Array:
        """As they are."""
        return elements

    def reduced(self, ufunc: np.ufunc, elements: Array) -> Array:
        """Each run by itself, then the runs of a group."""
        return _folded(ufunc, ufunc.reduceat(elements, self._starts), self.n)

    def counted(self, marks: NDArray[np.bool_]) -> Counts:
        """In bytes side by side, piece by piece, then the bytes of all pieces of a run."""
        if self._pieces is None:
            self._pieces = self._cut()
        starts, firsts = self._pieces
        words = marks.view(f"u{self._lanes}")
        counts = np.add.reduceat(words, starts, dtype=words.dtype).view(np.uint8)
        return _folded(np.add, np.add.reduceat(counts, firsts, dtype=np.int64), self.n)

    def zeros(self, integers: Array) -> Counts | None:
        """Of long runs one by one."""
        if len(integers) < _LONG * len(self._lengths):
            return None
        ends = (self._starts + self._lengths).tolist()
        spans = zip(self._starts.tolist(), ends, strict=True)
        others = [np.count_nonzero(integers[start:end]) for start, end in spans]
        return _folded(np.add, self._lengths - np.array(others), self.n)

    def _cut(self) -> tuple[Array, Array]:
        """The first word of each piece, and for each run where the counts of its pieces begin."""
        n_pieces = -(-self._lengths // (_PIECE * self._lanes))
        firsts = np.cumsum(n_pieces) - n_pieces
        within = np.arange(int(n_pieces.sum())) - np.repeat(firsts, n_pieces)
        return np.repeat(self._starts // self._lanes, n_pieces) + within * _PIECE, firsts * self._lanes


class Columns:
    """Columns of a matrix of `n`. `is_transposed`: the elements come as the transposed matrix, row by row."""

    def __init__(self, n: int, *, is_transposed: bool = False) -> None:
        self.n = n
        self._is_transposed = is_transposed

    def arranged(self, elements: Array) -> Array:
        """As rows of the matrix."""
        if self._is_transposed:
            return np.ascontiguousarray(elements.reshape(self.n, -1).T)
        return elements.reshape(-1, self.n)

    def reduced(self, ufunc: np.ufunc, elements: Array) -> Array:
        """Each column by itself."""
        return np.asarray(ufunc.reduce(elements, axis=0))

    def counted(self, marks: NDArray[np.bool_]) -> Counts:
        """In bytes, as many rows at a time as these can count."""
        bits = marks.view(np.uint8)
        if len(bits) <= _MAX_IN_BYTE:
            return np.asarray(np.add.reduce(bits, axis=0, dtype=np.uint8))
        totals = np.zeros(self.n, dtype=np.int64)
        for begin in range(0, len(bits), _MAX_IN_BYTE):
            totals += np.add.reduce(bits[begin : begin + _MAX_IN_BYTE], axis=0, dtype=np.uint8)
        return totals

    def zeros(self, _integers: Array) -> None:
        """Never."""


def _folded(ufunc: np.ufunc, results: Array, n: int) -> Array:
    return results if len(results) == n else ufunc.reduce(results.reshape(-1, n), axis=0)
