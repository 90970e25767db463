"""Reads all tables of one or several flatbuffers, level by level, and checks every offset.

The tables of one level are read together in a few gathers, even if they have different types. The checks match those of
the C++ FlatBuffers verifier (bounds, alignment, terminated strings, nesting depth, number of tables), and each check
covers many tables at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.bounds_checks import Checks, Locations
from tflint.flatbuffer.byte_window import DTYPES, Offsets, Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.node import Node, Vector
from tflint.flatbuffer.offset_links import (
    Link,
    PendingTables,
    distinct_values,
    expand_vector,
    find_links,
    group_by_target,
    group_by_vtable,
    group_pending,
    join_path,
    pending_elements,
    use_counts,
)
from tflint.flatbuffer.read_budgets import MAX_BATCH_TABLES, Budgets
from tflint.flatbuffer.schema_layout import Field, Layouts, TableLayout
from tflint.values import frozen

#: Maximum nesting depth of tables, root included; the limit of the C++ verifier.
MAX_DEPTH = 64
#: Maximum size of a vector: it must fit a signed 32-bit offset.
MAX_VECTOR_BYTES = 2**31 - 1
#: Size of the root offset and the file identifier, with which a file begins.
MIN_FILE_BYTES = 8


@frozen(eq=False)
class Forest:
    """The tables of one or several files.

    `ends` holds, per file, the offset in the window just past its last table or vector. `newer` describes, by file
    index, the fields and union members of the file that this version of the schema does not know.
    """

    root: Node
    ends: Offsets
    newer: dict[int, list[str]]


def read_forest(window: Window, layouts: Layouts, root_table: str, max_tables: int = MAX_BATCH_TABLES) -> Forest:
    """Read every table in the files of a window. Raises `FlatbufferError` for the first violation.

    Some budgets, such as `max_tables`, limit all files of the window together. If such a budget is exceeded although no
    file exceeds its own, read fewer files at a time.
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
        starts = Locations.concatenate([(self.window.starts, roots, "")])
        self.require(
            starts, self.bounds_condition(starts, starts.offsets + MIN_FILE_BYTES, "the root offset and identifier")
        )
        distances = self.window.take(starts.offsets, "int")
        self.require(starts, (distances > 0, "the root offset is zero or negative", False))
        tables = starts.with_offsets(starts.offsets + distances)
        self.require(
            tables,
            self.bounds_condition(tables, tables.offsets + 4, "a table"),
            self.alignment_condition(tables, 4, "a table"),
        )
        self.budgets.add_tables("", roots, None, None)
        parents = np.zeros(len(roots), dtype=np.int32)
        root, *_ = self._read_levels([PendingTables("", root_table, tables.offsets, roots, parents, parents, None)])
        return Forest(root, self.extents, self.newer)

    def _read_levels(self, pending: list[PendingTables]) -> list[Node]:
        """Read pending tables and their descendants, level by level. Return the nodes of the first level."""
        first: list[Node] = []
        depth = 0
        while pending:
            depth += 1
            below: list[PendingTables] = []
            for group in group_pending(pending):
                nodes = self._build_nodes(group, depth)
                first += nodes if depth == 1 else ()
                below += self._follow_fields(nodes)
            pending = below
        return first

    # -- tables --------------------------------------------------------------------------------------------------------

    def _build_nodes(self, pending: Sequence[PendingTables], depth: int) -> list[Node]:
        """Build the nodes of pending tables and attach them to their parents."""
        layouts = [self.layouts.table(tables.table) for tables in pending]
        locations = Locations.concatenate([(tables.positions, tables.roots, tables.path) for tables in pending])
        if depth > MAX_DEPTH and len(locations.offsets):
            raise self.error_at(locations, 0, f"tables are nested deeper than {MAX_DEPTH}")
        sizes, field_offsets, n_slots = self._read_vtables(locations, max(layout.n_slots for layout in layouts))
        self._require_scalars(locations, layouts, sizes, field_offsets)
        nodes = []
        for tables, layout, rows in zip(pending, layouts, locations.slices(), strict=True):
            newer = np.flatnonzero(n_slots[rows] > layout.n_slots)
            for root in distinct_values(tables.roots[newer]):
                self._note_newer(root, f"{layout.name} has unknown fields")
            node = Node(
                tables.path, layout, self.window, tables.positions, tables.roots, tables.parents, tables.ordinals,
                sizes[rows], field_offsets[rows, : layout.n_slots], newer, tables.uses,
            )  # fmt: skip
            if tables.parent is not None:
                tables.parent.children[tables.name] = node
            nodes.append(node)
        return nodes

    def _read_vtables(
        self, locations: Locations, n_slots: int
    ) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int64]]:
        """Return, per table: size in bytes, offset of the field in each slot (0: not stored), and number of slots."""
        window = self.window
        positions = locations.offsets
        vtables = locations.with_offsets(positions - window.take(positions, "int"))
        begins = window.starts[locations.roots] if window.n_files > 1 else int(window.starts[0])
        inside = self.bounds_condition(vtables, vtables.offsets + 4, "the vtable")
        self.require(
            locations,
            ((vtables.offsets >= begins) & inside[0], *inside[1:]),
            self.alignment_condition(vtables, 2, "the vtable"),
        )
        heads, lengths = group_by_vtable(vtables.offsets)
        vtable_bytes = window.take(heads, "ushort").astype(np.int64)
        table_bytes = window.take(heads + 2, "ushort").astype(np.int32)
        slots = (vtable_bytes - 4) >> 1
        ends = heads + vtable_bytes
        fits = (vtable_bytes >= 4) & (vtable_bytes & 1 == 0)
        fits, ends, table_bytes = fits.repeat(lengths), ends.repeat(lengths), table_bytes.repeat(lengths)
        self.require(
            locations,
            (fits, "the vtable's size is below 4 or odd", False),
            self.bounds_condition(locations, ends, "the vtable"),
            self.bounds_condition(locations, positions + table_bytes, "the table"),
        )
        self.extend(locations.roots, np.maximum(ends, positions + table_bytes))
        field_offsets = self._read_slot_offsets(heads, slots, n_slots).repeat(lengths, axis=0)
        return table_bytes, field_offsets, slots.repeat(lengths)

    def _read_slot_offsets(self, vtables: Offsets, slots: Offsets, n_slots: int) -> NDArray[np.uint16]:
        slot_numbers = np.arange(n_slots)
        is_stored = slot_numbers < slots[:, None]
        # For slots past the vtable's end, read any number in the vtable and then set it to zero, so that one gather is
        # enough.
        positions = vtables[:, None] + (slot_numbers * 2 + 4) * is_stored
        offsets = self.window.take(positions, "ushort")
        offsets *= is_stored
        return offsets

    def _require_scalars(
        self,
        locations: Locations,
        layouts: Sequence[TableLayout],
        sizes: NDArray[np.int32],
        field_offsets: NDArray[np.uint16],
    ) -> None:
        """Require that scalars are aligned and lie within their files.

        First, all fields are tested at once: a scalar that ends within its table ends within the file, and tables are
        known to be aligned to four bytes. Only if this test fails is each field checked separately.
        """
        widths = np.zeros((len(layouts), field_offsets.shape[1]), dtype=np.int32)
        for row, layout in zip(widths, layouts, strict=True):
            row[: len(layout.widths)] = layout.widths
        # The alignment of 8-byte scalars also depends on the table's position, so they always fail this test.
        misalignment = np.where(widths == 8, 0xFFFF, np.maximum(widths - 1, 0))
        if len(layouts) > 1:
            counts = [rows.stop - rows.start for rows in locations.slices()]
            widths, misalignment = widths.repeat(counts, axis=0), misalignment.repeat(counts, axis=0)
        is_good = (field_offsets + widths <= sizes[:, None]) & (field_offsets & misalignment == 0)
        if not (is_good | (field_offsets == 0)).all():
            for path, layout, rows in zip(locations.paths, layouts, locations.slices(), strict=True):
                self._require_each_scalar(
                    path, layout, locations.offsets[rows], locations.roots[rows], field_offsets[rows]
                )

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
                locations = Locations.concatenate([(at, roots[stored], join_path(path, declared.name))])
                width = layout.widths[declared.slot]
                self.require(
                    locations,
                    self.bounds_condition(locations, at + width, "a field"),
                    self.alignment_condition(locations, width, "a field"),
                )

    # -- fields that are offsets ---------------------------------------------------------------------------------------

    def _follow_fields(self, nodes: Sequence[Node]) -> list[PendingTables]:
        """Follow the fields that hold offsets. Return the tables to read next."""
        links = [link for node in nodes for link in find_links(node)]
        if not links:
            return []
        locations = Locations.concatenate([(link.offsets, link.roots, link.path) for link in links])
        targets = self._follow_offsets(locations)
        followed = [(link, targets[rows]) for link, rows in zip(links, locations.slices(), strict=True)]
        pending: list[PendingTables] = []
        vectors = []
        for link, link_targets in followed:
            if link.field.is_union:
                pending += self._pending_members(link, link_targets)
            elif self.layouts.is_table(link.field.type):
                pending.append(self._pending_table(link, link_targets, link.field.type, link.field.name))
            else:
                vectors.append((link, link_targets))
        return pending + self._read_vectors(vectors)

    def _follow_offsets(self, locations: Locations) -> Offsets:
        """Return the targets of the unsigned forward offsets stored at these locations."""
        self.require(
            locations,
            self.bounds_condition(locations, locations.offsets + 4, "an offset"),
            self.alignment_condition(locations, 4, "an offset"),
        )
        distances = self.window.take(locations.offsets, "int")  # signed: like the C++ verifier, reject 2 GB and more
        targets = locations.with_offsets(locations.offsets + distances)
        self.require(locations, (distances > 0, "an offset is zero or negative", False))
        what = "the target of an offset"
        self.require(
            targets,
            self.bounds_condition(targets, targets.offsets + 4, what),
            self.alignment_condition(targets, 4, what),
        )
        return targets.offsets

    def _pending_table(self, link: Link, targets: Offsets, table: str, name: str) -> PendingTables:
        """Return the pending tables of a field with a table. A table that several rows reference is read once."""
        node = link.node
        first, inverse = group_by_target(targets)
        links = np.full(len(node), -1, dtype=np.int32)
        links[link.rows] = inverse
        node.links[name] = links
        parents = link.rows[first]
        uses = link.uses
        self.budgets.add_tables(link.path, link.roots, None, uses)
        if uses is not None or len(first) < len(link.rows):
            uses = np.bincount(inverse, weights=uses, minlength=len(first)).astype(np.int64)
        ordinals = np.zeros(len(first), dtype=np.int32)
        return PendingTables(link.path, table, targets[first], node.roots[parents], parents, ordinals, uses, node, name)

    def _pending_members(self, link: Link, targets: Offsets) -> Iterator[PendingTables]:
        """Yield the pending tables of a union field, one batch per member type."""
        node, declared = link.node, link.field
        at = node.field_offsets[:, declared.type_slot]
        has_type = np.flatnonzero(at)
        locations = Locations.concatenate([(node.positions[has_type] + at[has_type], node.roots[has_type], link.path)])
        self.require(locations, self.bounds_condition(locations, locations.offsets + 1, "a union's type"))
        types = np.zeros(len(node), dtype=np.uint8)
        types[has_type] = self.window.take(locations.offsets, "ubyte")
        node.union_types[declared.name] = types
        members = self.layouts.unions[declared.type]
        for number in distinct_values(types[link.rows]):
            chosen = types[link.rows] == number
            if number >= len(members):
                for root in distinct_values(link.roots[chosen]):
                    self._note_newer(root, f"{declared.type} has an unknown member {number}")
            elif number > 0:
                part = Link(node, declared, link.path, link.rows[chosen], link.offsets[chosen])
                yield self._pending_table(part, targets[chosen], members[number], f"{declared.name}.{members[number]}")

    # -- vectors -------------------------------------------------------------------------------------------------------

    def _read_vectors(self, links: Sequence[tuple[Link, Offsets]]) -> list[PendingTables]:
        """Read vectors and strings. Return the elements of vectors of tables, which are to be read next."""
        if not links:
            return []
        locations = Locations.concatenate([(targets, link.roots, link.path) for link, targets in links])
        lengths = self.window.take(locations.offsets, "uint").astype(np.int64)
        scalars = [self._scalar_of(link.field) for link, _ in links]
        widths = np.repeat([DTYPES[scalar].itemsize for scalar in scalars], [len(targets) for _, targets in links])
        sizes = lengths * widths
        begins = locations.offsets + 4
        self.require(
            locations,
            (sizes <= MAX_VECTOR_BYTES, "a vector takes more than 2 GiB", True),
            self.bounds_condition(locations, begins + sizes, "a vector"),
        )
        self.budgets.require_elements(locations, lengths, use_counts([link for link, _ in links]))
        self.extend(locations.roots, begins + sizes)
        texts = []
        for (link, _), scalar, rows in zip(links, scalars, locations.slices(), strict=True):
            link.node.vectors[link.field.name] = expand_vector(link, begins[rows], lengths[rows], scalar)
            if link.field.type == "string":
                texts.append((begins[rows] + lengths[rows], link.roots, link.path))
        if texts:
            self.require_terminated(Locations.concatenate(texts))
        return self._follow_elements([link for link, _ in links if self._holds_offsets(link.field)])

    def _scalar_of(self, declared: Field) -> str:
        """Return the scalar type of a vector's elements: `uint` for strings and tables, which are stored as offsets."""
        if self._holds_offsets(declared):
            return "uint"
        return "ubyte" if declared.type == "string" else self.layouts.scalar(declared.element)

    def _holds_offsets(self, declared: Field) -> bool:
        return declared.is_vector and (declared.element == "string" or self.layouts.is_table(declared.element))

    def _follow_elements(self, links: Sequence[Link]) -> list[PendingTables]:
        """Follow the offsets in vectors of tables and of strings. Return the tables to read next."""
        if not links:
            return []
        parts = []
        for link in links:
            node, vector = link.node, link.node.vectors[link.field.name]
            if link.field.element != "string":  # check the budget before allocating per element
                self.budgets.add_tables(link.path, node.roots, vector.lengths, node.uses)
            parts.append((vector.flat_offsets(), node.roots.repeat(vector.lengths), link.path))
        locations = Locations.concatenate(parts)
        targets = self._follow_offsets(locations)
        pending = []
        for link, rows in zip(links, locations.slices(), strict=True):
            if link.field.element == "string":
                self._read_strings(link, targets[rows], locations.roots[rows])
            else:
                pending.append(pending_elements(link, targets[rows], locations.roots[rows]))
        return pending

    def _read_strings(self, link: Link, targets: Offsets, roots: NDArray[np.int32]) -> None:
        """Read the elements of a vector of strings."""
        node = link.node
        locations = Locations.concatenate([(targets, roots, link.path)])
        begins = targets + 4
        lengths = self.window.take(targets, "uint").astype(np.int64)
        self.require(locations, self.bounds_condition(locations, begins + lengths, "a string"))
        uses = None if node.uses is None else node.uses.repeat(node.vectors[link.field.name].lengths)
        self.budgets.require_elements(locations, lengths, uses)
        self.require_terminated(locations.with_offsets(begins + lengths))
        node.texts[link.field.name] = Vector(begins, lengths, np.ones(len(begins), np.bool_), "ubyte")

    def _note_newer(self, root: int, what: str) -> None:
        notes = self.newer.setdefault(root, [])
        if what not in notes:
            notes.append(what)
