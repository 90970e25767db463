"""What a file may repeat: tables and elements of vectors count as often as they are named, not as they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.bounds_checks import Spots, dotted
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.source_pages import Offsets

#: Tables per file, shared ones counted as often as they are named: the limit of the C++ verifier, which LiteRT runs
#: before it loads a file.
MAX_TABLES = 1_000_000
#: Tables of all files of a batch: many small files that repeat themselves must not add up.
MAX_BATCH_TABLES = MAX_TABLES // 4
#: Elements of all vectors of one field in one file, vectors that are shared or stand in a shared table counted as often
#: as they are used. Unshared vectors cannot hold more elements than the file has bytes; the allowance lets small files
#: share freely; it is one for all files of a batch.
RAGGED_ALLOWANCE = 100_000


class Budgets:
    """Counts what the files of a window name, and raises `FlatbufferError` where it is more than they can mean.

    `max_tables` is how many tables several files may name together.
    """

    def __init__(self, window: Window, max_tables: int = MAX_BATCH_TABLES) -> None:
        self._max_tables = max_tables
        self._n_files = window.n_files
        self._sizes = window.ends - window.starts
        self._n_tables = np.zeros(window.n_files)

    def add_tables(
        self, path: str, roots: NDArray[np.int32], amounts: Offsets | None, uses: NDArray[np.int64] | None
    ) -> None:
        """Count the tables that rows name: so many each (None: one), as often as the row itself is named."""
        self._n_tables += self._totals(roots, amounts, uses)
        if self._n_tables.max(initial=0) > MAX_TABLES:
            root = int(np.argmax(self._n_tables > MAX_TABLES))
            raise FlatbufferError(
                f"the file names {int(self._n_tables[root]):,} tables, more than the {MAX_TABLES:,} that the"
                " FlatBuffers verifier allows",
                path=dotted(path),
                root=root,
            )
        if self._n_files > 1 and self._n_tables.sum() > self._max_tables:
            raise FlatbufferError(f"the batch names more than {self._max_tables:,} tables", path=dotted(path))

    @property
    def n_tables(self) -> int:
        """How many tables all files have named so far."""
        return int(self._n_tables.sum())

    def require_elements(self, spots: Spots, lengths: Offsets, uses: NDArray[np.int64] | None) -> None:
        """The vectors at each place, of these lengths, have no more elements than allowed."""
        if self._are_few(self._totals(spots.roots, lengths, uses)):
            return  # all places together; only else each of them is looked at
        for path, rows in zip(spots.paths, spots.slices(), strict=True):
            totals = self._totals(spots.roots[rows], lengths[rows], None if uses is None else uses[rows])
            if not self._are_few(totals):
                raise self._too_many(path, totals)

    def _are_few(self, totals: NDArray[Any]) -> bool:
        if (totals > self._sizes + RAGGED_ALLOWANCE).any():
            return False
        return self._n_files == 1 or bool(totals.sum() <= self._sizes.sum() + RAGGED_ALLOWANCE)

    def _too_many(self, path: str, totals: NDArray[Any]) -> FlatbufferError:
        over = np.flatnonzero(totals > self._sizes + RAGGED_ALLOWANCE)
        if not len(over):
            return FlatbufferError("the batch's shared vectors repeat to more elements than allowed", path=dotted(path))
        return FlatbufferError(
            f"shared vectors repeat to {int(totals[over[0]]):,} elements, more than a file of"
            f" {int(self._sizes[over[0]]):,} bytes can mean",
            path=dotted(path),
            root=int(over[0]),
        )

    def _totals(
        self, roots: NDArray[np.int32], amounts: Offsets | None, uses: NDArray[np.int64] | None
    ) -> NDArray[Any]:
        """For each file the sum over its rows of an amount (None: 1), each row as often as it is used."""
        weights = uses if amounts is None else amounts if uses is None else amounts * uses
        if self._n_files == 1:
            return np.array([len(roots) if weights is None else weights.sum(dtype=np.float64)])
        return np.bincount(roots, weights=weights, minlength=self._n_files)
