"""An array that is read in runs of values, so that its memory use does not depend on its size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.errors import UserError
from tflint.values import frozen

Array = NDArray[Any]

#: Maximum number of values per run: 8 MB as float64, which is copied a few times. Longer runs are not faster.
RUN_VALUES = 1 << 20


@frozen(eq=False)
class Numbers:
    """The values of an input: their name in errors, dtype, shape, and a function that reads their bytes.

    The bytes are in C order, or in Fortran order if `is_fortran` is true. `read` returns the next n bytes, or fewer at
    the end.
    """

    what: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_fortran: bool
    read: Callable[[int], bytearray]

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    def runs(self, axis: int | None) -> Iterator[tuple[int, Array]]:
        """Yield all values in runs: the index of the first channel of a run, and an array [outer, channels, inner].

        `axis` is the channel axis. If it is None, all values belong to channel 0.
        """
        for channel, shape in _run_shapes(*self._split(axis)):
            n_bytes = math.prod(shape) * self.dtype.itemsize
            content = self.read(n_bytes)
            if len(content) != n_bytes:
                raise UserError(f"'{self.what}' is truncated")
            yield channel, np.frombuffer(content, self.dtype).reshape(shape)

    def _split(self, axis: int | None) -> tuple[int, int, int]:
        """Return the sizes before, at and after the channel axis, in memory order."""
        if axis is None:
            return self.size, 1, 1
        before, behind = math.prod(self.shape[:axis]), math.prod(self.shape[axis + 1 :])
        return (behind, self.shape[axis], before) if self.is_fortran else (before, self.shape[axis], behind)


def _run_shapes(n_outer: int, n_channels: int, n_inner: int) -> Iterator[tuple[int, tuple[int, int, int]]]:
    """Yield the first channel and the shape of each run: many samples, some planes of one, or part of a plane."""
    if n_channels * n_inner <= RUN_VALUES:
        n_samples = RUN_VALUES // (n_channels * n_inner)
        for begin in range(0, n_outer, n_samples):
            yield 0, (min(n_samples, n_outer - begin), n_channels, n_inner)
        return
    n_planes, n_values = max(RUN_VALUES // n_inner, 1), min(n_inner, RUN_VALUES)
    for _ in range(n_outer):
        for channel in range(0, n_channels, n_planes):
            for begin in range(0, n_inner, n_values):
                yield channel, (1, min(n_planes, n_channels - channel), min(n_values, n_inner - begin))


def wrap_array(array: Array, what: str) -> Numbers:
    """Return an array in memory as `Numbers`."""
    content = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return Numbers(what, array.dtype, array.shape, False, make_reader([content]))


def make_reader(pieces: Iterable[bytes | memoryview]) -> Callable[[int], bytearray]:
    """Return a function that takes n and returns the next n bytes of the pieces, or fewer at their end."""
    iterator = iter(pieces)
    pending = memoryview(b"")

    def read(n_bytes: int) -> bytearray:
        nonlocal pending
        content = bytearray(n_bytes)
        filled = 0
        while filled < n_bytes:
            if not pending:
                piece = next(iterator, None)
                if piece is None:
                    return content[:filled]
                pending = memoryview(piece)
            n_taken = min(len(pending), n_bytes - filled)
            content[filled : filled + n_taken] = pending[:n_taken]
            filled += n_taken
            pending = pending[n_taken:]
        return content

    return read
