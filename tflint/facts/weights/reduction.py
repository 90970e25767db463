"""Reduces each group of elements to one number, at the speed of memory.

numpy reduces long contiguous runs and columns of wide matrices at tens of gigabytes per second, but short runs and
narrow matrices a hundred times slower. Runs are therefore reduced with `reduceat`, and narrow matrices are folded.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Counts = NDArray[np.integer[Any]]

#: Largest number of marks that a byte can count.
_MAX_IN_BYTE = 255
#: Eight marks are counted at once, in the eight bytes of a word.
LANES = 8
#: Runs of marks are counted in pieces of this many bytes or words. A byte can count the marks of one piece.
_PIECE = 224
#: In runs of at least this many elements, counting zeros is faster without marks.
_LONG = 4096


class Groups(Protocol):
    """An assignment of elements to groups; `n` is the number of groups."""

    n: int

    def arrange(self, elements: Array) -> Array:
        """Return the elements in the order that `reduce` and `count` expect."""
        ...

    def reduce(self, ufunc: np.ufunc, elements: Array) -> Array:
        """Return one number per group. The numbers have the type of the elements."""
        ...

    def count(self, marks: NDArray[np.bool_]) -> Counts:
        """Return the number of marked elements per group."""
        ...

    def count_zeros(self, integers: Array, /) -> Counts | None:
        """Return the number of zeros per group, or None if marking them and calling `count` is faster."""
        ...


class Runs:
    """Contiguous runs of at least one element. With more than `n` runs, every n-th run is in the same group."""

    def __init__(self, lengths: Array, n: int) -> None:
        self.n = n
        self._lengths = lengths
        self._starts = np.cumsum(lengths) - lengths
        self._lanes = 1 if np.bitwise_or.reduce(lengths) % LANES else LANES  # 1 if any length has a remainder
        self._pieces: tuple[Array, Array | None] | None = None

    def arrange(self, elements: Array) -> Array:
        """Return the elements unchanged."""
        return elements

    def reduce(self, ufunc: np.ufunc, elements: Array) -> Array:
        """Reduce each run, then the runs of each group."""
        return _fold(ufunc, ufunc.reduceat(elements, self._starts), self.n)

    def count(self, marks: NDArray[np.bool_]) -> Counts:
        """Count the marks of each piece in parallel byte counters, then add the counters of each run."""
        if len(marks) == len(self._lengths):  # every run has one element, such as the channels of a bias
            return _fold(np.add, marks.astype(np.int64), self.n)
        if self._pieces is None:
            self._pieces = self._cut_pieces()
        starts, firsts = self._pieces
        words = marks.view(f"u{self._lanes}")
        counters = np.add.reduceat(words, starts, dtype=words.dtype)
        counts = _sum_lanes(counters) if self._lanes == LANES else counters.astype(np.int64)
        return _fold(np.add, counts if firsts is None else np.add.reduceat(counts, firsts), self.n)

    def count_zeros(self, integers: Array) -> Counts | None:
        """Return the number of zeros per group if the runs are long, otherwise None."""
        if len(integers) < _LONG * len(self._lengths):
            return None
        ends = (self._starts + self._lengths).tolist()
        spans = zip(self._starts.tolist(), ends, strict=True)
        n_nonzero = [np.count_nonzero(integers[start:end]) for start, end in spans]
        return _fold(np.add, self._lengths - np.array(n_nonzero), self.n)

    def _cut_pieces(self) -> tuple[Array, Array | None]:
        """Return the first word of each piece, and the first piece of each run (None: each run is one piece)."""
        if self._lengths.max() <= _PIECE * self._lanes:
            return self._starts // self._lanes, None
        n_pieces = -(-self._lengths // (_PIECE * self._lanes))
        firsts = np.cumsum(n_pieces) - n_pieces
        within = np.arange(int(n_pieces.sum())) - np.repeat(firsts, n_pieces)
        return np.repeat(self._starts // self._lanes, n_pieces) + within * _PIECE, firsts


class Columns:
    """The columns of a matrix with `n` columns. If `is_transposed`, the elements are stored column by column."""

    def __init__(self, n: int, *, is_transposed: bool = False) -> None:
        self.n = n
        self._is_transposed = is_transposed

    def arrange(self, elements: Array) -> Array:
        """Return the elements as a matrix."""
        if self._is_transposed:
            return np.ascontiguousarray(elements.reshape(self.n, -1).T)
        return elements.reshape(-1, self.n)

    def reduce(self, ufunc: np.ufunc, elements: Array) -> Array:
        """Reduce each column."""
        return np.asarray(ufunc.reduce(elements, axis=0))

    def count(self, marks: NDArray[np.bool_]) -> Counts:
        """Count the marks of each column in byte counters. A block has only as many rows as a byte can count."""
        bits = marks.view(np.uint8)
        if len(bits) <= _MAX_IN_BYTE:
            return np.asarray(np.add.reduce(bits, axis=0, dtype=np.uint8))
        totals = np.zeros(self.n, dtype=np.int64)
        for begin in range(0, len(bits), _MAX_IN_BYTE):
            totals += np.add.reduce(bits[begin : begin + _MAX_IN_BYTE], axis=0, dtype=np.uint8)
        return totals

    def count_zeros(self, _integers: Array) -> None:
        """Return None: counting marks is always faster."""


def _sum_lanes(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the sum of the eight byte counters in each word."""
    low_bytes = np.uint64(0x00FF_00FF_00FF_00FF)
    pairs = (words & low_bytes) + ((words >> np.uint64(8)) & low_bytes)  # four counters of 16 bits
    # The product adds all four to the highest 16 bits; a sum has at most 11 bits.
    sums: NDArray[np.int64] = ((pairs * np.uint64(0x0001_0001_0001_0001)) >> np.uint64(48)).view(np.int64)
    return sums


def _fold(ufunc: np.ufunc, results: Array, n: int) -> Array:
    return results if len(results) == n else ufunc.reduce(results.reshape(-1, n), axis=0)
