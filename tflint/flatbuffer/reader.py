"""Reads all tables of one or many flatbuffers in a few gathers per kind of table, and checks every offset on the way.

The checks are those of the FlatBuffers verifier in C++ (bounds, alignment, terminated strings, depth, number of
tables), for all rows of a kind at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import flat_positions
from tflint.flatbuffer.checks import Checks, dotted
from tflint.flatbuffer.errors import FlatbufferError
from tflint.flatbuffer.layout import Field, Layouts
from tflint.flatbuffer.node import Node, Vector
from tflint.flatbuffer.window import DTYPES, Offsets, Window
from tflint.values import holder

#: Tables per file, shared ones counted as often as they are named: the limit of the C++ verifier, which LiteRT runs
#: before it loads a file.
MAX_TABLES = 1_000_000
#: Tables of all files of a batch: many small files that repeat themselves must not add up.
MAX_BATCH_TABLES = MAX_TABLES // 4
#: Nesting of tables, the root table included; the limit of the C++ verifier.
MAX_DEPTH = 64
#: A vector's length must fit a signed 32-bit offset.
MAX_VECTOR_BYTES = 2**31 - 1
#: A file without a fixed part shorter than this cannot hold a root offset and an identifier.
MIN_FILE_BYTES = 8
#: Elements of all vectors of one field in one file, vectors that are shared or stand in a shared table counted as often
#: as they are used. Unshared vectors cannot hold more elements than the file has bytes; the allowance lets small files
#: share freely; it is one for all files of a batch.
RAGGED_ALLOWANCE = 100_000


@holder
class Forest:
    """The tables of one or many files: the root node, and for each file the byte just past its last table or vector."""

    root: Node
    ends: Offsets
    newer: dict[int, list[str]]


def read_forest(window: Window, layouts: Layouts, root_table: str) -> Forest:
    """Read every table that the files of a window hold; raise `FlatbufferError` for the first broken invariant.

    Budgets that several files exceed together, and none by itself, raise it too: read fewer of them at a time.
    """
    return _Reader(window, layouts).read(root_table)


class _Reader(Checks):
    def __init__(self, window: Window, layouts: Layouts) -> None:
        super().__init__(window)
        self.layouts = layouts
        self.n_tables = np.zeros(window.n_files, dtype=np.int64)
        self.newer: dict[int, list[str]] = {}

    def read(self, root_table: str) -> Forest:
        roots = np.arange(self.window.n_files, dtype=np.int32)
        starts = self.window.starts
        self.require(starts + MIN_FILE_BYTES <= self.window.ends, starts, roots, "", "the file is too short", True)
        offsets = self.window.take(starts, "int")
        self.require(offsets > 0, starts, roots, "", "the root offset is zero or negative")
        parents = np.zeros(len(roots), dtype=np.int32)
        self._count(np.ones(len(roots), dtype=np.int64), "")
        root = self._node("", root_table, starts + offsets, roots, parents, parents, None, depth=1)
        return Forest(root, self.extents, self.newer)

    # -- one node ------------------------------------------------------------------------------------------------------

    def _node(
        self,
        path: str,
        table: str,
        positions: Offsets,
        roots: NDArray[np.int32],
        parents: NDArray[np.int32],
        ordinals: NDArray[np.int32],
        uses: NDArray[np.int64] | None,
        depth: int,
    ) -> Node:
        if depth > MAX_DEPTH and len(positions):
            raise self.error(f"tables are nested deeper than {MAX_DEPTH}", positions, roots, 0, path)
        layout = self.layouts.table(table)
        sizes, field_offsets, n_slots = self._vtables(path, positions, roots, layout.n_slots)
        newer = np.flatnonzero(n_slots > layout.n_slots)
        for root in _used(roots[newer]):
            self._note_newer(root, f"{table} has more fields than known")
        slots = [declared.slot for declared in layout.fields]
        node = Node(
            path, layout, self.window, positions, roots, parents, ordinals, sizes, field_offsets[:, slots], newer, uses
        )
        used: NDArray[np.bool_] = np.asarray(node.field_offsets.any(axis=0))
        self._scalars(node, used)
        for index, declared in enumerate(layout.fields):
            if declared.name in node.scalars:
                continue
            if used[index] or (declared.is_union and field_offsets[:, declared.type_slot].any()):
                self._field(node, declared, field_offsets, depth)
        return node

    def _count(self, n_tables: NDArray[Any], path: str) -> None:
        """Add to the number of tables of each file."""
        self.n_tables += n_tables.astype(np.int64)
        over = np.flatnonzero(self.n_tables > MAX_TABLES)
        if len(over):
            raise FlatbufferError(
                f"the file names {int(self.n_tables[over[0]]):,} tables, more than the {MAX_TABLES:,} that the"
                " FlatBuffers verifier allows",
                path=dotted(path),
                root=int(over[0]),
            )
        if self.window.n_files > 1 and int(self.n_tables.sum()) > MAX_BATCH_TABLES:
            raise FlatbufferError(f"the batch names more than {MAX_BATCH_TABLES:,} tables", path=dotted(path))

    def _vtables(
        self, path: str, positions: Offsets, roots: NDArray[np.int32], n_slots: int
    ) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int64]]:
        """Table sizes, the field offset of every known slot (0: not stored), and how many slots each vtable has."""
        window = self.window
        self.require_span(positions, 4, 4, roots, path, "a table")
        vtables = positions - window.take(positions, "int")
        bounds = window.bounds(roots)
        starts = window.starts[roots] if window.n_files > 1 else int(window.starts[0])
        self.require((vtables >= starts) & (vtables + 4 <= bounds), positions, roots, path, "the vtable", True)
        self.require(self.is_aligned(vtables, 2, roots), positions, roots, path, "the vtable is not aligned")
        vtable_bytes = window.take(vtables, "ushort").astype(np.int64)
        table_bytes = window.take(vtables + 2, "ushort").astype(np.int32)
        fits = (vtable_bytes >= 4) & (vtable_bytes & 1 == 0)
        self.require(fits, positions, roots, path, "the vtable's size is below 4 or odd")
        self.require(vtables + vtable_bytes <= bounds, positions, roots, path, "the vtable", True)
        self.require(positions + table_bytes <= bounds, positions, roots, path, "the table", True)
        slots = (vtable_bytes - 4) >> 1
        offsets = self._slot_offsets(vtables, slots, n_slots)
        self.extend(roots, np.maximum(vtables + vtable_bytes, positions + table_bytes))
        return table_bytes, offsets, slots

    def _slot_offsets(self, vtables: Offsets, slots: Offsets, n_slots: int) -> NDArray[np.uint16]:
        wanted = np.arange(n_slots, dtype=np.int64)
        known = wanted < slots[:, None]
        # A slot past the vtable's end is read from the vtable's start instead and then blanked: one gather for all.
        where = np.where(known, vtables[:, None] + 4 + wanted * 2, vtables[:, None])
        offsets = self.window.take(where, "ushort")
        offsets[~known] = 0
        return offsets

    def _scalars(self, node: Node, used: NDArray[np.bool_]) -> None:
        indexes, widths = [], []
        for index, declared in enumerate(node.layout.fields):
            if declared.is_union or declared.is_vector or declared.type == "string":
                continue
            if self.layouts.is_table(declared.type):
                continue
            node.scalars[declared.name] = self.layouts.scalar(declared.type)
            if used[index]:
                indexes.append(index)
                widths.append(DTYPES[node.scalars[declared.name]].itemsize)
        if not indexes:
            return
        width = np.array(widths, dtype=np.int64)
        offsets = node.field_offsets[:, indexes].astype(np.int64)
        at = node.positions[:, None] + offsets
        bounds = self.window.bounds(node.roots)
        limit = bounds[:, None] if isinstance(bounds, np.ndarray) else bounds
        inside, aligned, unset = at + width <= limit, self.is_aligned(at, width, node.roots), offsets == 0
        if (inside & aligned | unset).all():
            return
        self._require_fields(node, indexes, at, inside | unset, "a field", truncated=True)
        self._require_fields(node, indexes, at, aligned | unset, "a field is not aligned")

    def _require_fields(
        self,
        node: Node,
        indexes: list[int],
        at: Offsets,
        holds: NDArray[np.bool_],
        reason: str,
        truncated: bool = False,
    ) -> None:
        if holds.all():
            return
        row, column = (int(index[0]) for index in np.nonzero(~holds))
        path = self._join(node.path, node.layout.fields[indexes[column]].name)
        self.require(holds[row:, column], at[row:, column], node.roots[row:], path, reason, truncated)

    # -- fields that are offsets ---------------------------------------------------------------------------------------

    def _field(self, node: Node, declared: Field, all_offsets: NDArray[np.uint16], depth: int) -> None:
        rows = np.flatnonzero(node.is_set(declared.name)).astype(np.int32)
        path = self._join(node.path, declared.name)
        targets = self._follow(node.positions[rows] + all_offsets[rows, declared.slot], node.roots[rows], path)
        if declared.is_union:
            self._union(node, declared, rows, targets, all_offsets, depth)
        elif self.layouts.is_table(declared.type):
            self._single(node, declared.name, declared.type, path, rows, targets, depth)
        else:
            self._vector(node, declared, path, rows, targets, depth)

    def _follow(self, fields: Offsets, roots: NDArray[np.int32], path: str) -> Offsets:
        """Where unsigned forward offsets stored at `fields` lead."""
        self.require_span(fields, 4, 4, roots, path, "an offset")
        distance = self.window.take(fields, "int")  # the C++ verifier refuses an unsigned offset past 2 GB
        self.require(distance > 0, fields, roots, path, "an offset is zero or negative")
        targets: Offsets = fields + distance
        self.require_span(targets, 4, 4, roots, path, "what an offset points to")
        return targets

    def _single(
        self, node: Node, name: str, table: str, path: str, rows: NDArray[np.int32], targets: Offsets, depth: int
    ) -> None:
        first, inverse = _distinct(targets)
        link = np.full(len(node), -1, dtype=np.int32)
        link[rows] = inverse
        node.links[name] = link
        parents = rows[first]
        ordinals = np.zeros(len(first), dtype=np.int32)
        child_roots = node.roots[parents]
        row_uses = None if node.uses is None else node.uses[rows]
        self._count(self._totals(node.roots[rows], None, row_uses), path)
        uses = None
        if row_uses is not None or len(first) < len(rows):
            uses = np.bincount(inverse, weights=row_uses, minlength=len(first)).astype(np.int64)
        node.children[name] = self._node(path, table, targets[first], child_roots, parents, ordinals, uses, depth + 1)

    def _union(
        self,
        node: Node,
        declared: Field,
        rows: NDArray[np.int32],
        targets: Offsets,
        all_offsets: NDArray[np.uint16],
        depth: int,
    ) -> None:
        types = np.zeros(len(node), dtype=np.uint8)
        at = all_offsets[:, declared.type_slot]
        typed = np.flatnonzero(at)
        positions = node.positions[typed] + at[typed]
        path = self._join(node.path, declared.name)
        self.require_span(positions, 1, 1, node.roots[typed], path, "a union's type")
        types[typed] = self.window.take(positions, "ubyte")
        node.union_types[declared.name] = types
        members = self.layouts.unions[declared.type]
        for number in _used(types[rows]):
            chosen = types[rows] == number
            if number >= len(members):
                for root in _used(node.roots[rows[chosen]]):
                    self._note_newer(root, f"{declared.type} has a member {number} that is not known")
                continue
            if number == 0:
                continue
            member = members[number]
            self._single(node, f"{declared.name}.{member}", member, path, rows[chosen], targets[chosen], depth)

    def _vector(
        self, node: Node, declared: Field, path: str, rows: NDArray[np.int32], targets: Offsets, depth: int
    ) -> None:
        element = declared.element
        is_text = declared.type == "string"
        is_offsets = declared.is_vector and (element == "string" or self.layouts.is_table(element))
        scalar = "uint" if is_offsets else "ubyte" if is_text else self.layouts.scalar(element)
        lengths = self.window.take(targets, "uint").astype(np.int64)
        node.vectors[declared.name] = self._spans(node, path, rows, targets + 4, lengths, scalar)
        if is_text:
            self.require_terminated(targets + 4 + lengths, node.roots[rows], path)
        if is_offsets:
            self._elements(node, declared.name, element, path, depth)

    def _spans(
        self, node: Node, path: str, rows: NDArray[np.int32], begins: Offsets, lengths: Offsets, scalar: str
    ) -> Vector:
        roots = node.roots[rows]
        sizes = lengths * DTYPES[scalar].itemsize
        self.require(sizes <= MAX_VECTOR_BYTES, begins - 4, roots, path, "a vector's length is impossible", True)
        self.require(begins + sizes <= self.window.bounds(roots), begins - 4, roots, path, "a vector", True)
        self._require_budget(roots, lengths, None if node.uses is None else node.uses[rows], path)
        self.extend(roots, begins + sizes)
        n = len(node)
        starts, counts, present = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_)
        starts[rows], counts[rows], present[rows] = begins, lengths, True
        return Vector(starts, counts, present, scalar)

    def _totals(
        self, roots: NDArray[np.int32], amounts: Offsets | None, uses: NDArray[np.int64] | None
    ) -> NDArray[Any]:
        """For each file the sum over its rows of an amount (None: 1), each row as often as it is used."""
        weights = uses if amounts is None else amounts if uses is None else amounts * uses
        return np.bincount(roots, weights=weights, minlength=self.window.n_files)

    def _require_budget(
        self, roots: NDArray[np.int32], lengths: Offsets, uses: NDArray[np.int64] | None, path: str
    ) -> None:
        totals = self._totals(roots, lengths, uses)
        sizes = self.window.ends - self.window.starts
        over = np.flatnonzero(totals > sizes + RAGGED_ALLOWANCE)
        if len(over):
            raise FlatbufferError(
                f"shared vectors repeat to {int(totals[over[0]]):,} elements, more than a file of"
                f" {int(sizes[over[0]]):,} bytes can mean",
                path=dotted(path),
                root=int(over[0]),
            )
        if self.window.n_files > 1 and int(totals.sum()) > int(sizes.sum()) + RAGGED_ALLOWANCE:
            raise FlatbufferError("the batch's shared vectors repeat to more elements than allowed", path=dotted(path))

    def _elements(self, node: Node, name: str, element: str, path: str, depth: int) -> None:
        vector = node.vectors[name]
        lengths = vector.lengths
        if element != "string":  # before anything is made for each element
            self._count(self._totals(node.roots, lengths, node.uses), path)
        roots = np.repeat(node.roots, lengths)
        parents = np.repeat(np.arange(len(node), dtype=np.int32), lengths)
        before = np.cumsum(lengths) - lengths
        ordinals = (np.arange(len(parents), dtype=np.int64) - np.repeat(before, lengths)).astype(np.int32)
        targets = self._follow(flat_positions(vector.starts, lengths, 4), roots, path)
        uses = None if node.uses is None else np.repeat(node.uses, lengths)
        if element != "string":
            node.children[name] = self._node(path, element, targets, roots, parents, ordinals, uses, depth + 1)
            return
        begins = targets + 4
        text_lengths = self.window.take(targets, "uint").astype(np.int64)
        bounds = self.window.bounds(roots)
        self.require(begins + text_lengths <= bounds, targets, roots, path, "a string", True)
        self._require_budget(roots, text_lengths, uses, path)
        self.require_terminated(begins + text_lengths, roots, path)
        node.texts[name] = Vector(begins, text_lengths, np.ones(len(begins), np.bool_), "ubyte")

    # -- checks --------------------------------------------------------------------------------------------------------

    def _note_newer(self, root: int, what: str) -> None:
        notes = self.newer.setdefault(root, [])
        if what not in notes:
            notes.append(what)

    @staticmethod
    def _join(path: str, name: str) -> str:
        return f"{path}.{name}" if path else name


def _used(numbers: NDArray[Any]) -> list[int]:
    """The distinct values of small whole numbers. Not `np.unique`, whose first call imports numpy.ma (12 ms)."""
    used: list[int] = np.flatnonzero(np.bincount(numbers)).tolist()
    return used


def _distinct(targets: Offsets) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Index of the first row with each distinct target in row order, and for each row which of these it is."""
    steps = np.diff(targets)
    if not len(steps) or (steps > 0).all() or (steps < 0).all():  # how writers lay tables out: nothing is shared
        every = np.arange(len(targets))
        return every, every.astype(np.int32)
    _, first, inverse = np.unique(targets, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return first[order], rank[inverse]
