"""The reader's output: one `Node` per schema path, with the fields of its tables as columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import flat_positions
from tflint.flatbuffer.byte_window import DTYPES, Window
from tflint.flatbuffer.schema_layout import TableLayout
from tflint.flatbuffer.source_pages import Offsets
from tflint.values import frozen


@frozen(eq=False)
class Vector:
    """A vector field as columns: byte offset of the first element, number of elements, and presence per row.

    A row without the vector has start 0, length 0 and `present` False; an empty vector is present.
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

    `positions`: byte offset of each table. `roots`: index of its file, ascending. `parents`: row of the parent node
    that first references it. `ordinals`: its index in the parent's vector, 0 if it is not in a vector. `sizes`: bytes
    of the table itself. `field_offsets`: offset of each slot's field within the table, 0 if not stored. `uses`: how
    often each table is referenced, counting shared parents repeatedly; None if nothing is shared. `newer`: rows whose
    vtable has slots that the schema does not know.

    `links`, for a child in a table or union field: row of the child for each row of this node, -1 if absent. `texts`:
    the strings of a vector of strings, concatenated over rows.
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
        """Return a mask of the rows that store the field. A scalar equal to its default is usually not stored."""
        stored: NDArray[np.bool_] = self.field_offsets[:, self.layout.field(name).slot] != 0
        return stored

    def scalar(self, name: str) -> NDArray[Any]:
        """Return a scalar field as a column, with defaults filled in."""
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
        """Return the row of the child node for each row, -1 if absent, for a table field or a union member."""
        return self.links[name] if name in self.links else np.full(len(self), -1, dtype=np.int32)

    def at(self, path: str) -> Node | None:
        """Return the descendant at a dotted path, such as `subgraphs.tensors`, or None if no file has one."""
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
