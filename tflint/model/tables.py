"""The tables of one or many models: made from a flatbuffer forest when first asked for."""

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

if TYPE_CHECKING:  # most batches hold no container
    from tflint.container import Contents

Ints = NDArray[Any]


@frozen
class FileFacts:
    """What is known of a file besides its tables: name, kind, size, why it could not be read, what it contains.

    `n_tables` is how many tables of a malformed one had been read when it broke off.
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
class Rooms:
    """The functions that make tables by name, and the one that reads what lies beside the graph."""

    tables: Mapping[str, Callable[[Tables], Table]]
    extras: Callable[[Tables], list[ModelExtras]]


class Tables:
    """The tables of a batch of files. `is_readable`: they are models; else the batch is one file that is none.

    A model's number in the batch is its file's number.
    """

    def __init__(self, files: Sequence[FileFacts], window: Window | None, forest: Forest | None, rooms: Rooms) -> None:
        self.files = files
        self.schema = tflite_schema()
        self.is_readable = forest is not None
        self.window = window if window is not None else Window.of_batch([])
        self.forest = forest if forest is not None else self._no_forest()
        self.root = self.forest.root
        self._rooms = rooms
        self._tables: dict[str, Table] = {}

    @property
    def n_files(self) -> int:
        """How many files the batch holds."""
        return len(self.files)

    @property
    def n_models(self) -> int:
        """How many models the batch holds: all its files, or none where it is one file that cannot be read."""
        return len(self.root)

    def table(self, name: str) -> Table:
        """A table by name, made on first use; all but those of files have no rows where the batch is no model."""
        if name not in self._tables:
            self._tables[name] = self._rooms.tables[name](self)
        return self._tables[name]

    def forget(self) -> None:
        """Let go of the tables that were made, which lead back here; one that is asked for again is made again."""
        self._tables.clear()

    def column(self, table: str, column: str) -> Column:
        """A column by table and name."""
        return self.table(table).column(column)

    @functools.cached_property
    def extras(self) -> list[ModelExtras]:
        """For each model what lies in its metadata buffers and after its flatbuffer."""
        return self._rooms.extras(self)

    def node(self, path: str, table: str) -> Node:
        """The raw tables at a place of the schema, such as `subgraphs.tensors`."""
        return node_columns.node_at(self.root, path, table, self.schema)

    def tensor_rows(self, indexes: Ints, subgraphs: Ints) -> Ints:
        """Rows of the tensor table for tensor indices within subgraphs; -1 where the index is out of range."""
        counts = self.node("subgraphs", "SubGraph").vector("tensors").lengths
        return _rows_in(counts, indexes, subgraphs)

    def model_rows(self, vector: str, indexes: Ints, models: Ints) -> Ints:
        """Rows of a vector of the model for indices into it; -1 where the index is out of range."""
        return _rows_in(self.root.vector(vector).lengths, indexes, models)

    def _no_forest(self) -> Forest:
        root = node_columns.no_node("", self.schema.root, self.window, self.schema)
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


def of_node(tables: Tables, name: str, node: Node, makers: node_columns.Makers) -> Table:
    """A table with one row for each table of a node."""
    offsets = node.positions - tables.window.starts[node.roots]
    return Table(name, node.roots, makers, offsets, node.sizes)
