"""Turns fields of flatbuffer nodes into columns: scalars, enums as strings, texts, vectors, followed links."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    ABSENT,
    Column,
    Lists,
    Scalars,
    State,
    Strings,
    Texts,
    lists_by_counts,
    state_of,
)
from tflint.flatbuffer.byte_window import DTYPES, Window
from tflint.flatbuffer.node import Node, Vector, empty_node
from tflint.schema import Enum, Schema

Makers = dict[str, Callable[[], Column]]


def node_at(root: Node, path: str, table: str, schema: Schema) -> Node:
    """The node at a path below the root; one without rows where no file has such tables."""
    found = root.at(path)
    return found if found is not None else no_node(path, table, root.window, schema)


def no_node(path: str, table: str, window: Window, schema: Schema) -> Node:
    """A node without rows."""
    return empty_node(path, schema.table(table), window)


def text(node: Node, name: str) -> Texts:
    """A string field; a row without the string is absent."""
    vector = node.vector(name)
    return Texts(vector.starts, vector.lengths, decoder(node.window), state_of(~vector.present))


def name_text(node: Node, name: str) -> Texts:
    """A string field of which an empty one means as little as none."""
    texts = text(node, name)
    return Texts(texts.starts, texts.lengths, texts.decode, state_of(texts.lengths == 0))


def always(lists: Lists) -> Lists:
    """A vector that means the same empty and missing (a shape): never absent."""
    return Lists(lists.starts, lists.lengths, lists.take, lists.stride, lists.labels)


def decoder(window: Window) -> Any:
    """A function that decodes the bytes between two offsets; what is no UTF-8 shows as escapes."""

    def decode(begin: int, end: int) -> str:
        return window.span(begin, end).decode("utf-8", "backslashreplace")

    return decode


def vector(node: Node, name: str, *, empty_is_absent: bool = False) -> Lists:
    """A vector field as lists whose elements stay in the file until asked for."""
    return lists_in_file(node.window, node.vector(name), empty_is_absent=empty_is_absent)


def lists_in_file(window: Window, spans: Vector, *, empty_is_absent: bool = False) -> Lists:
    """Spans of the file as lists."""
    absent = ~spans.present if not empty_is_absent else spans.lengths == 0
    scalar = spans.scalar
    return Lists(
        spans.starts,
        spans.lengths,
        lambda positions: _as_bool(window.take(positions, scalar), scalar),
        DTYPES[scalar].itemsize,
        state=state_of(absent),
    )


def enum_lists(window: Window, spans: Vector, enum: Enum) -> Lists:
    """Spans of numbers of an enumeration as lists of strings."""
    strings = enum_strings(window.take(spans.flat_offsets(), spans.scalar), enum)
    lists = lists_by_counts(np.asarray(strings.codes), spans.lengths)
    return Lists(lists.starts, lists.lengths, lists.take, labels=strings.labels, state=state_of(~spans.present))


def _as_bool(values: NDArray[Any], scalar: str) -> NDArray[Any]:
    return values.astype(np.bool_) if scalar == "bool" else values


def enum_strings(values: NDArray[Any], enum: Enum, state: State = None) -> Strings:
    """Numbers of an enumeration as strings; a number without a name stays a number, written as one.

    The labels are those in use: of two hundred operators a model has a dozen.
    """
    codes = values.astype(np.int64, copy=False)
    numbers: list[int] = []
    strange = (codes < 0) | (codes >= enum.limit)
    if strange.any():
        unnamed, inverse = np.unique(codes[strange], return_inverse=True)
        numbers = unnamed.tolist()
        codes = codes.copy()
        codes[strange] = enum.limit + inverse
    used = np.flatnonzero(np.bincount(codes))
    places = np.empty(enum.limit + len(numbers), dtype=np.int32)
    places[used] = np.arange(len(used))
    named = (code if code < enum.limit else numbers[code - enum.limit] for code in used.tolist())
    return Strings(places[codes], [enum.label(number) for number in named], state)


def followed(values: NDArray[Any], link: NDArray[np.int32], fill: Any = 0) -> NDArray[Any]:
    """Values of a linked node, one for each row of the linking node; `fill` where there is no link."""
    if not len(values):
        return np.full(len(link), fill, dtype=values.dtype)
    taken = values[np.maximum(link, 0)]
    taken[link < 0] = fill
    return taken


def linked_scalar(node: Node, link: str, name: str) -> Scalars:
    """A scalar field of a linked table; absent where there is no such table."""
    rows = node.link(link)
    child = node.children.get(link)
    if child is None:
        return Scalars(np.zeros(len(rows)), np.full(len(rows), ABSENT, dtype=np.uint8))
    return Scalars(followed(child.scalar(name), rows), state_of(rows < 0))


def linked_vector(node: Node, link: str, name: str, scalar: str, *, empty_is_absent: bool = False) -> Lists:
    """A vector field of a linked table; absent where there is no such table or vector."""
    return lists_in_file(node.window, linked_spans(node, link, name, scalar), empty_is_absent=empty_is_absent)


def linked_spans(node: Node, link: str, name: str, scalar: str) -> Vector:
    """The spans of a vector field of a linked table."""
    rows = node.link(link)
    child = node.children.get(link)
    if child is None:
        zeros = np.zeros(len(rows), dtype=np.int64)
        return Vector(zeros, zeros, np.zeros(len(rows), dtype=np.bool_), scalar)
    spans = child.vector(name)
    return Vector(
        followed(spans.starts, rows), followed(spans.lengths, rows), followed(spans.present, rows, False), scalar
    )
