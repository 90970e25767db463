"""Budgets for tables and vector elements.

Both are counted once per reference, because a small file can reference the same large structure many times.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.bounds_checks import Locations, display_path
from tflint.flatbuffer.byte_window import Offsets, Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError

#: Maximum number of tables per file, counted once per reference: the limit of the C++ verifier, which LiteRT runs
#: before it loads a file.
MAX_TABLES = 1_000_000
#: Maximum number of tables per batch: limits the memory that many small files with repeated tables take together.
MAX_BATCH_TABLES = MAX_TABLES // 4
#: All vectors of one field may have as many elements as their file has bytes, plus this many. Elements are counted once
#: per reference, so only shared vectors can exceed the number of bytes. A batch gets the allowance once in total.
RAGGED_ALLOWANCE = 100_000


class Budgets:
    """Counts the references in the files of a window and raises `FlatbufferError` if they exceed a budget.

    `max_tables` is the limit for all files together.
    """

    def __init__(self, window: Window, max_tables: int = MAX_BATCH_TABLES) -> None:
        self._max_tables = max_tables
        self._n_files = window.n_files
        self._sizes = window.ends - window.starts
        self._n_tables = np.zeros(window.n_files)

    def add_tables(
        self, path: str, roots: NDArray[np.int32], amounts: Offsets | None, uses: NDArray[np.int64] | None
    ) -> None:
        """Count the tables that rows reference: for each row, its amount (None: 1) times its uses (None: 1)."""
        self._n_tables += self._totals(roots, amounts, uses)
        if self._n_tables.max(initial=0) > MAX_TABLES:
            root = int(np.argmax(self._n_tables > MAX_TABLES))
            raise FlatbufferError(
                f"the file references {int(self._n_tables[root]):,} tables, more than the {MAX_TABLES:,} that the"
                " FlatBuffers verifier allows",
                path=display_path(path),
                root=root,
            )
        if self._n_files > 1 and self._n_tables.sum() > self._max_tables:
            raise FlatbufferError(
                f"the batch references more than {self._max_tables:,} tables", path=display_path(path)
            )

    @property
    def n_tables(self) -> int:
        """Number of tables that all files have referenced so far."""
        return int(self._n_tables.sum())

    def require_elements(self, locations: Locations, lengths: Offsets, uses: NDArray[np.int64] | None) -> None:
        """Raise an error if the vectors at one of the schema paths have more elements than the budget allows."""
        if self._are_within_budget(self._totals(locations.roots, lengths, uses)):
            return  # if all paths together are within the budget, each path is
        for path, rows in zip(locations.paths, locations.slices(), strict=True):
            totals = self._totals(locations.roots[rows], lengths[rows], None if uses is None else uses[rows])
            if not self._are_within_budget(totals):
                raise self._elements_error(path, totals)

    def _are_within_budget(self, totals: NDArray[Any]) -> bool:
        if (totals > self._sizes + RAGGED_ALLOWANCE).any():
            return False
        return self._n_files == 1 or bool(totals.sum() <= self._sizes.sum() + RAGGED_ALLOWANCE)

    def _elements_error(self, path: str, totals: NDArray[Any]) -> FlatbufferError:
        exceeding = np.flatnonzero(totals > self._sizes + RAGGED_ALLOWANCE)
        if not len(exceeding):
            return FlatbufferError(
                "with repetitions, the vectors of the batch have more elements than allowed", path=display_path(path)
            )
        return FlatbufferError(
            f"with repetitions, shared vectors have {int(totals[exceeding[0]]):,} elements, too many for a file of"
            f" {int(self._sizes[exceeding[0]]):,} bytes",
            path=display_path(path),
            root=int(exceeding[0]),
        )

    def _totals(
        self, roots: NDArray[np.int32], amounts: Offsets | None, uses: NDArray[np.int64] | None
    ) -> NDArray[Any]:
        """Return, per file, the sum of amount (None: 1) times uses (None: 1) over its rows."""
        weights = uses if amounts is None else amounts if uses is None else amounts * uses
        if self._n_files == 1:
            return np.array([len(roots) if weights is None else weights.sum(dtype=np.float64)])
        return np.bincount(roots, weights=weights, minlength=self._n_files)
