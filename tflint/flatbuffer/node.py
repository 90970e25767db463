"""The reader's output: one `Node` per schema path, with the fields of its tables as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import flat_positions
from tflint.flatbuffer.byte_window import DTYPES, Offsets, Window
from tflint.flatbuffer.schema_layout import TableLayout
from tflint.values import frozen


@frozen(eq=False)
class Vector:
    """A vector field as columns: per row, the byte offset of the first element and the number of elements.

    `present` says which rows store the vector. A row without the vector has start 0 and length 0; an empty vector is
    present. `scalar` is the scalar type of the elements.
    """

    starts: Offsets
    lengths: Offsets
    present: NDArray[np.bool_]
    scalar: str

    def flat_offsets(self, rows: NDArray[Any] | slice = slice(None)) -> Offsets:
        """Return the byte offsets of all elements of the rows, concatenated."""
        return flat_positions(self.starts[rows], self.lengths[rows], DTYPES[self.scalar].itemsize)


class Node:
    """All tables at one schema path, such as `subgraphs.tensors`, as columns over rows.

    For each table, `positions` is its byte offset, `roots` the index of its file (ascending), and `parents` the first
    row of the parent node that references it. `ordinals` is its index in the parent's vector, or 0 if it is not in a
    vector. `sizes` is its size in bytes without the data that it references. `field_offsets` is the offset of each
    slot's field within the table, or 0 if the field is not stored. `uses` is how often the table is referenced; a
    reference from a shared parent counts once per use of the parent. It is None if no table is shared. `newer` are the
    rows whose vtable has slots that the schema does not know.

    By field name, `vectors` are vectors and strings, `texts` the elements of vectors of strings (concatenated over
    rows), and `union_types` the member numbers of unions. `children` are the nodes of referenced tables. If a field is
    a table or a union, `links` holds the child's row for each row of this node, or -1 if absent.
    """

    def __init__(
        self,
        path: str,
        layout: TableLayout,
        window: Window,
        positions: Offsets,
        roots: NDArray[np.int32],
        parents: NDArray[np.int32],
        ordinals: NDArray[np.int32],
        sizes: NDArray[np.int32],
        field_offsets: NDArray[np.uint16],
        newer: NDArray[np.intp],
        uses: NDArray[np.int64] | None = None,
    ) -> None:
        self.path = path
        self.layout = layout
        self.window = window
        self.positions = positions
        self.roots = roots
        self.parents = parents
        self.ordinals = ordinals
        self.sizes = sizes
        self.field_offsets = field_offsets
        self.newer = newer
        self.uses = uses
        self.vectors: dict[str, Vector] = {}
        self.children: dict[str, Node] = {}
        self.links: dict[str, NDArray[np.int32]] = {}
        self.union_types: dict[str, NDArray[np.uint8]] = {}
        self.texts: dict[str, Vector] = {}

    def __len__(self) -> int:
        return len(self.positions)

    def is_set(self, name: str) -> NDArray[np.bool_]:
        """Return a mask of the rows that store a field. Writers usually do not store a scalar equal to its default."""
        stored: NDArray[np.bool_] = self.field_offsets[:, self.layout.field(name).slot] != 0
        return stored

    def scalar(self, name: str) -> NDArray[Any]:
        """Return a scalar field as a column, with the default in rows that do not store it."""
        declared, scalar = self.layout.field(name), self.layout.scalars[name]
        offsets = self.field_offsets[:, declared.slot]
        rows = offsets.nonzero()[0]
        if len(rows) == len(self):
            values = self.window.take(self.positions + offsets, scalar)
        else:
            values = np.full(len(self), declared.default or 0, dtype=DTYPES[scalar])
            values[rows] = self.window.take(self.positions[rows] + offsets[rows], scalar)
        return values.astype(np.bool_) if declared.type == "bool" else values

    def vector(self, name: str) -> Vector:
        """Return a vector or string field as a column."""
        if name in self.vectors:
            return self.vectors[name]
        zeros = np.zeros(len(self), dtype=np.int64)
        return Vector(zeros, zeros, np.zeros(len(self), dtype=np.bool_), "ubyte")

    def link(self, name: str) -> NDArray[np.int32]:
        """Return, for each row, the row of the child node that a table field or union member links to; -1 if absent."""
        return self.links[name] if name in self.links else np.full(len(self), -1, dtype=np.int32)

    def at(self, path: str) -> Node | None:
        """Return the descendant at a dotted path, such as `subgraphs.tensors`, or None if no file has a table there."""
        node: Node | None = self
        for name in path.split(".") if path else ():
            node = node.children.get(name) if node else None
        return node


def empty_node(path: str, layout: TableLayout, window: Window) -> Node:
    """Return a node without rows, for a schema path at which no file has a table."""
    none = np.zeros(0, dtype=np.int32)
    return Node(
        path,
        layout,
        window,
        np.zeros(0, dtype=np.int64),
        none,
        none,
        none,
        none,
        np.zeros((0, layout.n_slots), dtype=np.uint16),
        np.zeros(0, dtype=np.intp),
    )
