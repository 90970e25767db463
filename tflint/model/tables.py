"""The tables of a batch of files. Each table is built from the flatbuffer forest on first use."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Column
from tflint.columns.table import Table
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.forest_reader import Forest
from tflint.flatbuffer.node import Node
from tflint.model import node_columns
from tflint.model.model_extras import ModelExtras
from tflint.schema import tflite_schema
from tflint.source.file_kind import FileKind
from tflint.values import frozen

if TYPE_CHECKING:  # most batches have no container
    from tflint.container import Contents

Ints = NDArray[Any]


@frozen
class FileFacts:
    """Facts about a file that are known before its tables are built.

    `reason` says why the file could not be read, at which byte offset and which schema path; it is None for a readable
    file. `contents` is None if the file is not a container. `n_tables` is the number of flatbuffer tables read from a
    malformed file before the error.
    """

    kind: FileKind
    size: int
    name: str = ""
    reason: str | None = None
    reason_offset: int | None = None
    reason_path: str | None = None
    contents: Contents | None = None
    n_tables: int = 0


@frozen
class TableBuilders:
    """The functions that build tables, by table name, and the function that reads the data outside of the graph."""

    tables: Mapping[str, Callable[[Tables], Table]]
    extras: Callable[[Tables], list[ModelExtras]]


class Tables:
    """The tables of a batch of files.

    If `is_readable` is true, all files are models. Otherwise the batch is a single file that is not a readable model. A
    model and its file have the same index in the batch.
    """

    def __init__(
        self, files: Sequence[FileFacts], window: Window | None, forest: Forest | None, builders: TableBuilders
    ) -> None:
        self.files = files
        self.schema = tflite_schema()
        self.is_readable = forest is not None
        self.window = window if window is not None else Window.of_batch([])
        self.forest = forest if forest is not None else self._empty_forest()
        self.root = self.forest.root
        self._builders = builders
        self._tables: dict[str, Table] = {}

    @property
    def n_files(self) -> int:
        """Number of files in the batch."""
        return len(self.files)

    @property
    def n_models(self) -> int:
        """Number of models in the batch: the number of files, or 0 if the only file is not a readable model."""
        return len(self.root)

    def table(self, name: str) -> Table:
        """Return a table by name, built on first use. If `is_readable` is false, only tables about files have rows."""
        if name not in self._tables:
            self._tables[name] = self._builders.tables[name](self)
        return self._tables[name]

    def forget(self) -> None:
        """Release the tables built so far, which reference this object. A table is built again when it is needed."""
        self._tables.clear()

    def column(self, table: str, column: str) -> Column:
        """Return a column by the names of its table and column."""
        return self.table(table).column(column)

    @functools.cached_property
    def extras(self) -> list[ModelExtras]:
        """Data outside of the graph for each model."""
        return self._builders.extras(self)

    def node(self, path: str, table: str) -> Node:
        """Return the node at a schema path, such as `subgraphs.tensors`."""
        return node_columns.node_at(self.root, path, table, self.schema)

    def tensor_rows(self, indexes: Ints, subgraphs: Ints) -> Ints:
        """Return the rows of tensors, from their indices and the rows of their subgraphs; -1 if out of range."""
        counts = self.node("subgraphs", "SubGraph").vector("tensors").lengths
        return _rows_in(counts, indexes, subgraphs)

    def model_rows(self, vector: str, indexes: Ints, models: Ints) -> Ints:
        """Return the rows of elements of a vector of Model, from their indices and models; -1 if out of range."""
        return _rows_in(self.root.vector(vector).lengths, indexes, models)

    def _empty_forest(self) -> Forest:
        root = node_columns.node_without_rows("", self.schema.root, self.window, self.schema)
        return Forest(root, np.zeros(0, dtype=np.int64), {})


def _rows_in(counts: Ints, indexes: Ints, owners: Ints) -> Ints:
    if not len(counts):
        return np.full(len(indexes), -1, dtype=np.int32)
    first = np.cumsum(counts) - counts
    wide = indexes.astype(np.int64)
    known = owners >= 0
    owners = np.maximum(owners, 0)
    inside = known & (wide >= 0) & (wide < counts[owners])
    return np.where(inside, first[owners] + wide, -1).astype(np.int32)


def table_of_node(tables: Tables, name: str, node: Node, builders: node_columns.Builders) -> Table:
    """Return a table with one row per flatbuffer table of a node, located by the position of that table."""
    offsets = node.positions - tables.window.starts[node.roots]
    return Table(name, node.roots, builders, offsets, node.sizes)
