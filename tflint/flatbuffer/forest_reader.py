"""Reads all tables of one or many flatbuffers, depth by depth, and checks every offset on the way.

The tables of one depth are read in a few gathers, whatever they are tables of. The checks are those of the FlatBuffers
verifier in C++ (bounds, alignment, terminated strings, depth, number of tables), for all rows at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.bounds_checks import Checks, Spots
from tflint.flatbuffer.byte_window import DTYPES, Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.node import Node, Vector
from tflint.flatbuffer.offset_links import (
    Link,
    Waiting,
    children_of,
    distinct_rows,
    groups_of,
    joined_path,
    links_of,
    runs_of,
    used_numbers,
    uses_of,
    vector_of,
)
from tflint.flatbuffer.read_budgets import MAX_BATCH_TABLES, Budgets
from tflint.flatbuffer.schema_layout import Field, Layouts, TableLayout
from tflint.flatbuffer.source_pages import Offsets
from tflint.values import frozen

#: Nesting of tables, the root table included; the limit of the C++ verifier.
MAX_DEPTH = 64
#: A vector's length must fit a signed 32-bit offset.
MAX_VECTOR_BYTES = 2**31 - 1
#: A file without a fixed part shorter than this cannot hold a root offset and an identifier.
MIN_FILE_BYTES = 8


@frozen(eq=False)
class Forest:
    """The tables of one or many files: the root node, and for each file the byte just past its last table or vector."""

    root: Node
    ends: Offsets
    newer: dict[int, list[str]]


def read_forest(window: Window, layouts: Layouts, root_table: str, max_tables: int = MAX_BATCH_TABLES) -> Forest:
    """Read every table that the files of a window hold; raise `FlatbufferError` for the first broken invariant.

    Budgets that several files exceed together (`max_tables` is one), and none by itself, raise it too: read fewer of
    them at a time.
    """
    reader = _Reader(window, layouts, max_tables)
    try:
        return reader.read(root_table)
    except FlatbufferError as error:
        error.n_tables = reader.budgets.n_tables
        raise


class _Reader(Checks):
    def __init__(self, window: Window, layouts: Layouts, max_tables: int) -> None:
        super().__init__(window)
        self.layouts = layouts
        self.budgets = Budgets(window, max_tables)
        self.newer: dict[int, list[str]] = {}

    def read(self, root_table: str) -> Forest:
        roots = np.arange(self.window.n_files, dtype=np.int32)
        starts = Spots.joined([(self.window.starts, roots, "")])
        self.require(starts, self.inside(starts, starts.offsets + MIN_FILE_BYTES, "the root offset and identifier"))
        distances = self.window.take(starts.offsets, "int")
        self.require(starts, (distances > 0, "the root offset is zero or negative", False))
        tables = starts.moved(starts.offsets + distances)
        self.require(tables, self.inside(tables, tables.offsets + 4, "a table"), self.aligned(tables, 4, "a table"))
        self.budgets.add_tables("", roots, None, None)
        parents = np.zeros(len(roots), dtype=np.int32)
        root, *_ = self._below([Waiting("", root_table, tables.offsets, roots, parents, parents, None)])
        return Forest(root, self.extents, self.newer)

    def _below(self, waiting: list[Waiting]) -> list[Node]:
        """Read waiting tables and all that hangs below them, one depth after the other; gives the first ones' nodes."""
        first: list[Node] = []
        depth = 0
        while waiting:
            depth += 1
            below: list[Waiting] = []
            for group in groups_of(waiting):
                nodes = self._nodes(group, depth)
                first += nodes if depth == 1 else ()
                below += self._fields(nodes)
            waiting = below
        return first

    # -- tables --------------------------------------------------------------------------------------------------------

    def _nodes(self, waiting: Sequence[Waiting], depth: int) -> list[Node]:
        """The nodes of some waiting tables, hung where they belong."""
        layouts = [self.layouts.table(one.table) for one in waiting]
        spots = Spots.joined([(one.positions, one.roots, one.path) for one in waiting])
        if depth > MAX_DEPTH and len(spots.offsets):
            raise self.error(spots, 0, f"tables are nested deeper than {MAX_DEPTH}")
        sizes, field_offsets, n_slots = self._vtables(spots, max(layout.n_slots for layout in layouts))
        self._require_scalars(spots, layouts, sizes, field_offsets)
        nodes = []
        for one, layout, rows in zip(waiting, layouts, spots.slices(), strict=True):
            newer = np.flatnonzero(n_slots[rows] > layout.n_slots)
            for root in used_numbers(one.roots[newer]):
                self._note_newer(root, f"{layout.name} has more fields than known")
            node = Node(
                one.path, layout, self.window, one.positions, one.roots, one.parents, one.ordinals, sizes[rows],
                field_offsets[rows, : layout.n_slots], newer, one.uses,
            )  # fmt: skip
            if one.parent is not None:
                one.parent.children[one.name] = node
            nodes.append(node)
        return nodes

    def _vtables(self, spots: Spots, n_slots: int) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int64]]:
        """Table sizes, the field offset of each of the first slots (0: not stored), how many slots each vtable has."""
        window = self.window
        positions = spots.offsets
        vtables = spots.moved(positions - window.take(positions, "int"))
        begins = window.starts[spots.roots] if window.n_files > 1 else int(window.starts[0])
        inside = self.inside(vtables, vtables.offsets + 4, "the vtable")
        self.require(
            spots,
            ((vtables.offsets >= begins) & inside[0], *inside[1:]),
            self.aligned(vtables, 2, "the vtable"),
        )
        heads, lengths = runs_of(vtables.offsets)
        vtable_bytes = window.take(heads, "ushort").astype(np.int64)
        table_bytes = window.take(heads + 2, "ushort").astype(np.int32)
        slots = (vtable_bytes - 4) >> 1
        ends = heads + vtable_bytes
        fits = (vtable_bytes >= 4) & (vtable_bytes & 1 == 0)
        fits, ends, table_bytes = fits.repeat(lengths), ends.repeat(lengths), table_bytes.repeat(lengths)
        self.require(
            spots,
            (fits, "the vtable's size is below 4 or odd", False),
            self.inside(spots, ends, "the vtable"),
            self.inside(spots, positions + table_bytes, "the table"),
        )
        self.extend(spots.roots, np.maximum(ends, positions + table_bytes))
        field_offsets = self._slot_offsets(heads, slots, n_slots).repeat(lengths, axis=0)
        return table_bytes, field_offsets, slots.repeat(lengths)

    def _slot_offsets(self, vtables: Offsets, slots: Offsets, n_slots: int) -> NDArray[np.uint16]:
        wanted = np.arange(n_slots)
        known = wanted < slots[:, None]
        # A slot past the vtable's end is read from the vtable's start instead and then blanked: one gather for all.
        where = vtables[:, None] + (wanted * 2 + 4) * known
        offsets = self.window.take(where, "ushort")
        offsets *= known
        return offsets

    def _require_scalars(
        self,
        spots: Spots,
        layouts: Sequence[TableLayout],
        sizes: NDArray[np.int32],
        field_offsets: NDArray[np.uint16],
    ) -> None:
        """Scalars lie within their files and are aligned; by a test that all good files pass, else one by one.

        What ends within its table ends within its file, and a table's start is aligned to four bytes.
        """
        widths = np.zeros((len(layouts), field_offsets.shape[1]), dtype=np.int32)
        for row, layout in zip(widths, layouts, strict=True):
            row[: len(layout.widths)] = layout.widths
        misalignment = np.where(widths == 8, 0xFFFF, np.maximum(widths - 1, 0))  # eight bytes: the table's start counts
        if len(layouts) > 1:
            counts = [rows.stop - rows.start for rows in spots.slices()]
            widths, misalignment = widths.repeat(counts, axis=0), misalignment.repeat(counts, axis=0)
        is_good = (field_offsets + widths <= sizes[:, None]) & (field_offsets & misalignment == 0)
        if not (is_good | (field_offsets == 0)).all():
            for path, layout, rows in zip(spots.paths, layouts, spots.slices(), strict=True):
                self._require_each_scalar(path, layout, spots.offsets[rows], spots.roots[rows], field_offsets[rows])

    def _require_each_scalar(
        self,
        path: str,
        layout: TableLayout,
        positions: Offsets,
        roots: NDArray[np.int32],
        field_offsets: NDArray[np.uint16],
    ) -> None:
        for declared in layout.fields:
            if declared.name in layout.scalars:
                stored = np.flatnonzero(field_offsets[:, declared.slot])
                at = positions[stored] + field_offsets[stored, declared.slot]
                spots = Spots.joined([(at, roots[stored], joined_path(path, declared.name))])
                width = layout.widths[declared.slot]
                self.require(spots, self.inside(spots, at + width, "a field"), self.aligned(spots, width, "a field"))

    # -- fields that are offsets ---------------------------------------------------------------------------------------

    def _fields(self, nodes: Sequence[Node]) -> list[Waiting]:
        """Follow the fields that are offsets; gives the tables that they lead to."""
        links = [link for node in nodes for link in links_of(node)]
        if not links:
            return []
        spots = Spots.joined([(link.offsets, link.roots, link.path) for link in links])
        targets = self._follow(spots)
        followed = [(link, targets[rows]) for link, rows in zip(links, spots.slices(), strict=True)]
        waiting: list[Waiting] = []
        vectors = []
        for link, its_targets in followed:
            if link.field.is_union:
                waiting += self._union(link, its_targets)
            elif self.layouts.is_table(link.field.type):
                waiting.append(self._single(link, its_targets, link.field.type, link.field.name))
            else:
                vectors.append((link, its_targets))
        return waiting + self._vectors(vectors)

    def _follow(self, spots: Spots) -> Offsets:
        """Where unsigned forward offsets lead that are stored at some spots."""
        self.require(spots, self.inside(spots, spots.offsets + 4, "an offset"), self.aligned(spots, 4, "an offset"))
        distances = self.window.take(spots.offsets, "int")  # the C++ verifier refuses an unsigned offset past 2 GB
        targets = spots.moved(spots.offsets + distances)
        self.require(spots, (distances > 0, "an offset is zero or negative", False))
        what = "what an offset points to"
        self.require(targets, self.inside(targets, targets.offsets + 4, what), self.aligned(targets, 4, what))
        return targets.offsets

    def _single(self, link: Link, targets: Offsets, table: str, name: str) -> Waiting:
        """Tables that fields hold, each once however many fields lead to it."""
        node = link.node
        first, inverse = distinct_rows(targets)
        links = np.full(len(node), -1, dtype=np.int32)
        links[link.rows] = inverse
        node.links[name] = links
        parents = link.rows[first]
        uses = link.uses
        self.budgets.add_tables(link.path, link.roots, None, uses)
        if uses is not None or len(first) < len(link.rows):
            uses = np.bincount(inverse, weights=uses, minlength=len(first)).astype(np.int64)
        ordinals = np.zeros(len(first), dtype=np.int32)
        return Waiting(link.path, table, targets[first], node.roots[parents], parents, ordinals, uses, node, name)

    def _union(self, link: Link, targets: Offsets) -> Iterator[Waiting]:
        """The members of a union, each kind by itself."""
        node, declared = link.node, link.field
        at = node.field_offsets[:, declared.type_slot]
        typed = np.flatnonzero(at)
        spots = Spots.joined([(node.positions[typed] + at[typed], node.roots[typed], link.path)])
        self.require(spots, self.inside(spots, spots.offsets + 1, "a union's type"))
        types = np.zeros(len(node), dtype=np.uint8)
        types[typed] = self.window.take(spots.offsets, "ubyte")
        node.union_types[declared.name] = types
        members = self.layouts.unions[declared.type]
        for number in used_numbers(types[link.rows]):
            chosen = types[link.rows] == number
            if number >= len(members):
                for root in used_numbers(link.roots[chosen]):
                    self._note_newer(root, f"{declared.type} has a member {number} that is not known")
            elif number > 0:
                part = Link(node, declared, link.path, link.rows[chosen], link.offsets[chosen])
                yield self._single(part, targets[chosen], members[number], f"{declared.name}.{members[number]}")

    # -- vectors -------------------------------------------------------------------------------------------------------

    def _vectors(self, links: Sequence[tuple[Link, Offsets]]) -> list[Waiting]:
        """Vectors and strings; gives the tables that vectors of tables hold."""
        if not links:
            return []
        spots = Spots.joined([(targets, link.roots, link.path) for link, targets in links])
        lengths = self.window.take(spots.offsets, "uint").astype(np.int64)
        scalars = [self._scalar_of(link.field) for link, _ in links]
        widths = np.repeat([DTYPES[scalar].itemsize for scalar in scalars], [len(targets) for _, targets in links])
        sizes = lengths * widths
        begins = spots.offsets + 4
        self.require(
            spots,
            (sizes <= MAX_VECTOR_BYTES, "a vector's length is impossible", True),
            self.inside(spots, begins + sizes, "a vector"),
        )
        self.budgets.require_elements(spots, lengths, uses_of([link for link, _ in links]))
        self.extend(spots.roots, begins + sizes)
        texts = []
        for (link, _), scalar, rows in zip(links, scalars, spots.slices(), strict=True):
            link.node.vectors[link.field.name] = vector_of(link, begins[rows], lengths[rows], scalar)
            if link.field.type == "string":
                texts.append((begins[rows] + lengths[rows], link.roots, link.path))
        if texts:
            self.require_terminated(Spots.joined(texts))
        return self._elements([link for link, _ in links if self._holds_offsets(link.field)])

    def _scalar_of(self, declared: Field) -> str:
        """The scalar type of what a vector or a string holds one after the other."""
        if self._holds_offsets(declared):
            return "uint"
        return "ubyte" if declared.type == "string" else self.layouts.scalar(declared.element)

    def _holds_offsets(self, declared: Field) -> bool:
        return declared.is_vector and (declared.element == "string" or self.layouts.is_table(declared.element))

    def _elements(self, links: Sequence[Link]) -> list[Waiting]:
        """Follow the elements of vectors of tables and of strings; gives the tables."""
        if not links:
            return []
        parts = []
        for link in links:
            node, vector = link.node, link.node.vectors[link.field.name]
            if link.field.element != "string":  # before anything is made for each element
                self.budgets.add_tables(link.path, node.roots, vector.lengths, node.uses)
            parts.append((vector.flat_offsets(), node.roots.repeat(vector.lengths), link.path))
        spots = Spots.joined(parts)
        targets = self._follow(spots)
        waiting = []
        for link, rows in zip(links, spots.slices(), strict=True):
            if link.field.element == "string":
                self._texts(link, targets[rows], spots.roots[rows])
            else:
                waiting.append(children_of(link, targets[rows], spots.roots[rows]))
        return waiting

    def _texts(self, link: Link, targets: Offsets, roots: NDArray[np.int32]) -> None:
        """The strings that vectors of strings hold."""
        node = link.node
        spots = Spots.joined([(targets, roots, link.path)])
        begins = targets + 4
        lengths = self.window.take(targets, "uint").astype(np.int64)
        self.require(spots, self.inside(spots, begins + lengths, "a string"))
        uses = None if node.uses is None else node.uses.repeat(node.vectors[link.field.name].lengths)
        self.budgets.require_elements(spots, lengths, uses)
        self.require_terminated(spots.moved(begins + lengths))
        node.texts[link.field.name] = Vector(begins, lengths, np.ones(len(begins), np.bool_), "ubyte")

    def _note_newer(self, root: int, what: str) -> None:
        notes = self.newer.setdefault(root, [])
        if what not in notes:
            notes.append(what)
