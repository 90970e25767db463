"""What the reader is about to follow: fields that hold offsets, and tables that wait to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.node import Node, Vector
from tflint.flatbuffer.schema_layout import Field
from tflint.flatbuffer.source_pages import Offsets
from tflint.values import frozen

#: Tables of different kinds are read together up to this many; a matrix for more of them costs more than it saves.
JOINT_ROWS = 4096
#: From this many tables on it pays to see which of them share a vtable: writers store equal ones once.
SHARING_ROWS = 256


@frozen(eq=False)
class Waiting:
    """Tables at one place of the schema that are still to be read, and the node below which they hang, by a name."""

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
    """A field of a node's tables that holds an offset: which rows store it, and where."""

    node: Node
    field: Field
    path: str
    rows: NDArray[np.int32]
    offsets: Offsets

    @property
    def roots(self) -> NDArray[np.int32]:
        """Which file each row is of."""
        return self.node.roots[self.rows]

    @property
    def uses(self) -> NDArray[np.int64] | None:
        """How often each row is named; None where nothing is shared."""
        return None if self.node.uses is None else self.node.uses[self.rows]


def groups_of(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """What is read together: as many places as there are few tables at each."""
    group: list[Waiting] = []
    n_rows = 0
    for one in waiting:
        if group and n_rows + len(one.positions) > JOINT_ROWS:
            yield group
            group, n_rows = [], 0
        group.append(one)
        n_rows += len(one.positions)
    if group:
        yield group


def links_of(node: Node) -> Iterator[Link]:
    """The fields of a node that hold offsets and are stored in some row."""
    stored = np.logical_or.reduce(node.field_offsets, axis=0).tolist()
    for declared in node.layout.fields:
        is_used = stored[declared.slot] or (declared.is_union and stored[declared.type_slot])
        if is_used and declared.name not in node.layout.scalars:
            offsets = node.field_offsets[:, declared.slot]
            rows = offsets.nonzero()[0].astype(np.int32)
            path = joined_path(node.path, declared.name)
            yield Link(node, declared, path, rows, node.positions[rows] + offsets[rows])


def uses_of(links: Sequence[Link]) -> NDArray[np.int64] | None:
    """How often the rows of some links are named; None where nothing is shared."""
    if all(link.node.uses is None for link in links):
        return None
    return np.concatenate([np.ones(len(link.rows), np.int64) if link.uses is None else link.uses for link in links])


def vector_of(link: Link, begins: Offsets, lengths: Offsets, scalar: str) -> Vector:
    """A vector field of all rows of a node, from what the rows have that store it."""
    n = len(link.node)
    if len(link.rows) == n:
        return Vector(begins, lengths, np.ones(n, np.bool_), scalar)
    starts, counts, present = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.bool_)
    starts[link.rows], counts[link.rows], present[link.rows] = begins, lengths, True
    return Vector(starts, counts, present, scalar)


def children_of(link: Link, positions: Offsets, roots: NDArray[np.int32]) -> Waiting:
    """The tables that a vector of tables holds, one row an element."""
    node, name = link.node, link.field.name
    lengths = node.vectors[name].lengths
    parents = np.arange(len(node), dtype=np.int32).repeat(lengths)
    before = lengths.cumsum() - lengths
    ordinals = (np.arange(len(parents)) - before.repeat(lengths)).astype(np.int32)
    uses = None if node.uses is None else node.uses.repeat(lengths)
    return Waiting(link.path, link.field.element, positions, roots, parents, ordinals, uses, node, name)


def joined_path(path: str, name: str) -> str:
    """A field's place in the schema."""
    return f"{path}.{name}" if path else name


def runs_of(vtables: Offsets) -> tuple[Offsets, NDArray[np.intp]]:
    """Each vtable once for all tables in a row that share it, and how many these are; of few tables each by itself."""
    if len(vtables) < SHARING_ROWS:
        return vtables, np.ones(len(vtables), dtype=np.intp)
    heads = np.flatnonzero(np.diff(vtables, prepend=-1))
    return vtables[heads], np.diff(heads, append=len(vtables))


def used_numbers(numbers: NDArray[Any]) -> list[int]:
    """The distinct values of small whole numbers. Not `np.unique`, whose first call imports numpy.ma (12 ms)."""
    used: list[int] = np.flatnonzero(np.bincount(numbers)).tolist()
    return used


def distinct_rows(targets: Offsets) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
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
