"""What the reader gives: a `Node` for each place of the schema where tables stand, with its fields as columns."""

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
    """A vector field of each row: the byte offset of the first element, the number of elements, and who has one.

    A row without the vector has start 0, length 0 and `present` False; an empty vector is present.
    """

    starts: Offsets
    lengths: Offsets
    present: NDArray[np.bool_]
    scalar: str

    def flat_offsets(self, rows: NDArray[Any] | slice = slice(None)) -> Offsets:
        """Byte offsets of all elements of the rows, one after the other."""
        return flat_positions(self.starts[rows], self.lengths[rows], DTYPES[self.scalar].itemsize)


class Node:
    """All tables that stand at one place of the schema, such as `subgraphs.tensors`, as columns over rows.

    `positions`: byte offset of each table; `roots`: which file it is of, ascending; `parents`: row of the parent node
    it was first reached from; `ordinals`: its index in the parent's vector (0 where it is no element of one);
    `sizes`: bytes of the table itself; `field_offsets`: for each slot where in the table that field is stored, 0 where
    it is not. `uses`: how often each table is named, once for each table that shares the one above it; None where
    nothing is shared. `links` of a child that is not a vector: row of the child for each row of this node, -1 for none.
    `newer`: rows whose vtable is longer than the schema knows. `texts`: the strings of a vector of strings, all rows'
    one after the other.
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
        """Which rows store the field (a scalar that equals its default usually is not stored)."""
        stored: NDArray[np.bool_] = self.field_offsets[:, self.layout.field(name).slot] != 0
        return stored

    def scalar(self, name: str) -> NDArray[Any]:
        """A scalar field as a column, defaults filled in."""
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
        """A vector or string field as a column."""
        if name in self.vectors:
            return self.vectors[name]
        zeros = np.zeros(len(self), dtype=np.int64)
        return Vector(zeros, zeros, np.zeros(len(self), dtype=np.bool_), "ubyte")

    def link(self, name: str) -> NDArray[np.int32]:
        """Row of the child node of each row, -1 for none, for a field that holds a table (or a union's member)."""
        return self.links[name] if name in self.links else np.full(len(self), -1, dtype=np.int32)

    def at(self, path: str) -> Node | None:
        """The node below this one at a dotted path, such as `subgraphs.tensors`; None where the files have none."""
        node: Node | None = self
        for name in path.split(".") if path else ():
            node = node.children.get(name) if node else None
        return node


def empty_node(path: str, layout: TableLayout, window: Window) -> Node:
    """A node without rows, for a place of the schema where no file has a table."""
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
