"""A table: rows of one kind, from one or several models. Its columns are built on first use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Column


class Table:
    """Named columns over the same rows.

    `model` is the index of each row's model, ascending. `byte_offset` and `byte_length` are the position and the size
    of the row's own flatbuffer table in its file (-1 and 0 if the row has none).
    """

    def __init__(
        self,
        name: str,
        model: NDArray[np.int32],
        columns: dict[str, Callable[[], Column]],
        byte_offset: NDArray[np.int64] | None = None,
        byte_length: NDArray[Any] | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self.byte_offset = np.full(len(model), -1, dtype=np.int64) if byte_offset is None else byte_offset
        self.byte_length = np.zeros(len(model), dtype=np.int64) if byte_length is None else byte_length
        self._builders = columns
        self._built: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.model)

    def __contains__(self, column: str) -> bool:
        return column in self._builders

    def column(self, name: str) -> Column:
        """Return a column by name. Raises KeyError if the table has no such column."""
        if name not in self._built:
            self._built[name] = self._builders[name]()
        return self._built[name]

    def rows_of(self, model: int) -> slice:
        """Return the rows of a model."""
        begin, end = np.searchsorted(self.model, [model, model + 1])
        return slice(int(begin), int(end))
