"""Work items of the reader: fields whose offsets it must follow, and tables that it must read next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.byte_window import Offsets
from tflint.flatbuffer.node import Node, Vector
from tflint.flatbuffer.schema_layout import Field
from tflint.values import frozen

#: Tables of different types are read together up to this many rows. With more rows, padding all tables to the same
#: number of slots takes more time than reading them together saves.
JOINT_ROWS = 4096
#: Minimum number of tables for which looking for shared vtables saves time. Writers store equal vtables once.
SHARING_ROWS = 256


@frozen(eq=False)
class PendingTables:
    """Tables at one schema path that are read next and become the child `name` of the node `parent`.

    `table` is their type. `Node` describes the other fields.
    """

    path: str
    table: str
    positions: Offsets
    roots: NDArray[np.int32]
    parents: NDArray[np.int32]
    ordinals: NDArray[np.int32]
    uses: NDArray[np.int64] | None
    parent: Node | None = None
    name: str = ""


@frozen(eq=False)
class Link:
    """A field that holds an offset: the rows of `node` that store the field, and where they store it."""

    node: Node
    field: Field
    path: str
    rows: NDArray[np.int32]
    offsets: Offsets

    @property
    def roots(self) -> NDArray[np.int32]:
        """File index of each row."""
        return self.node.roots[self.rows]

    @property
    def uses(self) -> NDArray[np.int64] | None:
        """How often each row is referenced; None if nothing is shared."""
        return None if self.node.uses is None else self.node.uses[self.rows]


def group_pending(pending: Sequence[PendingTables]) -> Iterator[list[PendingTables]]:
    """Yield groups of pending tables to read together, of up to `JOINT_ROWS` rows if possible."""
    group: list[PendingTables] = []
    n_rows = 0
    for tables in pending:
        if group and n_rows + len(tables.positions) > JOINT_ROWS:
            yield group
            group, n_rows = [], 0
        group.append(tables)
        n_rows += len(tables.positions)
    if group:
        yield group


def find_links(node: Node) -> Iterator[Link]:
    """Yield the fields of a node that hold offsets and are stored in at least one row."""
    stored = np.logical_or.reduce(node.field_offsets, axis=0).tolist()
    for declared in node.layout.fields:
        is_used = stored[declared.slot] or (declared.is_union and stored[declared.type_slot])
        if is_used and declared.name not in node.layout.scalars:
            offsets = node.field_offsets[:, declared.slot]
            rows = offsets.nonzero()[0].astype(np.int32)
            path = join_path(node.path, declared.name)
            yield Link(node, declared, path, rows, node.positions[rows] + offsets[rows])


def use_counts(links: Sequence[Link]) -> NDArray[np.int64] | None:
    """Return how often each row of the links is referenced, or None if nothing is shared."""
    if all(link.node.uses is None for link in links):
        return None
    return np.concatenate([np.ones(len(link.rows), np.int64) if link.uses is None else link.uses for link in links])


def expand_vector(link: Link, begins: Offsets, lengths: Offsets, scalar: str) -> Vector:
    """Return a vector field for all rows of a node; `begins` and `lengths` are those of the rows that store it."""
    n = len(link.node)
    if len(link.rows) == n:
        return Vector(begins, lengths, np.ones(n, np.bool_), scalar)
    starts, counts, present = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_)
    starts[link.rows], counts[link.rows], present[link.rows] = begins, lengths, True
    return Vector(starts, counts, present, scalar)


def pending_elements(link: Link, positions: Offsets, roots: NDArray[np.int32]) -> PendingTables:
    """Return the elements of a vector of tables as pending tables, one row per element."""
    node, name = link.node, link.field.name
    lengths = node.vectors[name].lengths
    parents = np.arange(len(node), dtype=np.int32).repeat(lengths)
    before = lengths.cumsum() - lengths
    ordinals = (np.arange(len(parents)) - before.repeat(lengths)).astype(np.int32)
    uses = None if node.uses is None else node.uses.repeat(lengths)
    return PendingTables(link.path, link.field.element, positions, roots, parents, ordinals, uses, node, name)


def join_path(path: str, name: str) -> str:
    """Append a field name to a schema path."""
    return f"{path}.{name}" if path else name


def group_by_vtable(vtables: Offsets) -> tuple[Offsets, NDArray[np.intp]]:
    """Return the vtable of each run of consecutive tables with the same vtable, and the lengths of the runs.

    If there are fewer than `SHARING_ROWS` tables, every run has length 1.
    """
    if len(vtables) < SHARING_ROWS:
        return vtables, np.ones(len(vtables), dtype=np.intp)
    heads = np.flatnonzero(np.diff(vtables, prepend=-1))
    return vtables[heads], np.diff(heads, append=len(vtables))


def distinct_values(numbers: NDArray[Any]) -> list[int]:
    """Return the distinct values of small integers. `np.unique` would import numpy.ma on its first call (12 ms)."""
    values: list[int] = np.flatnonzero(np.bincount(numbers)).tolist()
    return values


def group_by_target(targets: Offsets) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the first row of each distinct target, and for each row the index of its target among these.

    Distinct targets are in the order of their first rows.
    """
    steps = np.diff(targets)
    if not len(steps) or (steps > 0).all() or (steps < 0).all():  # the usual layout: nothing is shared
        identity = np.arange(len(targets))
        return identity, identity.astype(np.int32)
    _, first, inverse = np.unique(targets, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return first[order], rank[inverse]
