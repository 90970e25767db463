"""Converts fields of flatbuffer nodes to columns: scalars, enums as strings, texts, vectors, linked fields."""

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

Builders = dict[str, Callable[[], Column]]


def node_at(root: Node, path: str, table: str, schema: Schema) -> Node:
    """Return the node at a path below the root. If no file has a table at this path, the node has no rows."""
    node = root.at(path)
    return node if node is not None else node_without_rows(path, table, root.window, schema)


def node_without_rows(path: str, table: str, window: Window, schema: Schema) -> Node:
    """Return a node without rows."""
    return empty_node(path, schema.table(table), window)


def text(node: Node, name: str) -> Texts:
    """Return a string field as a column. Its value is absent if the row does not store the string."""
    vector = node.vector(name)
    return Texts(vector.starts, vector.lengths, decoder(node.window), state_of(~vector.present))


def name_text(node: Node, name: str) -> Texts:
    """Return a string field as a column. Its value is absent if the string is missing or empty."""
    texts = text(node, name)
    return Texts(texts.starts, texts.lengths, texts.decode, state_of(texts.lengths == 0))


def never_absent(lists: Lists) -> Lists:
    """Return a vector column without absent values, for a field whose missing and empty vectors mean the same."""
    return Lists(lists.starts, lists.lengths, lists.take, lists.stride, lists.labels)


def decoder(window: Window) -> Any:
    """Return a function that decodes the bytes between two offsets. Bytes that are not UTF-8 become escapes."""

    def decode(begin: int, end: int) -> str:
        return window.span(begin, end).decode("utf-8", "backslashreplace")

    return decode


def vector(node: Node, name: str, *, empty_is_absent: bool = False) -> Lists:
    """Return a vector field as lists whose elements are read from the file on demand."""
    return lists_in_file(node.window, node.vector(name), empty_is_absent=empty_is_absent)


def lists_in_file(window: Window, spans: Vector, *, empty_is_absent: bool = False) -> Lists:
    """Return a list column whose elements are byte ranges of the file, read on demand."""
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
    """Return a list column of strings: the names of the enum values in byte ranges of the file."""
    strings = enum_strings(window.take(spans.flat_offsets(), spans.scalar), enum)
    lists = lists_by_counts(np.asarray(strings.codes), spans.lengths)
    return Lists(lists.starts, lists.lengths, lists.take, labels=strings.labels, state=state_of(~spans.present))


def _as_bool(values: NDArray[Any], scalar: str) -> NDArray[Any]:
    return values.astype(np.bool_) if scalar == "bool" else values


def enum_strings(values: NDArray[Any], enum: Enum, state: State = None) -> Strings:
    """Return enum values as a column of their names. A value without a name becomes its number.

    The column's labels include only the values in use: a model uses about a dozen of two hundred operators.
    """
    codes = values.astype(np.int64, copy=False)
    numbers: list[int] = []
    is_unnamed = (codes < 0) | (codes >= enum.limit)
    if is_unnamed.any():
        unnamed, inverse = np.unique(codes[is_unnamed], return_inverse=True)
        numbers = unnamed.tolist()
        codes = codes.copy()
        codes[is_unnamed] = enum.limit + inverse
    used = np.flatnonzero(np.bincount(codes))
    new_codes = np.empty(enum.limit + len(numbers), dtype=np.int32)
    new_codes[used] = np.arange(len(used))
    used_numbers = (code if code < enum.limit else numbers[code - enum.limit] for code in used.tolist())
    return Strings(new_codes[codes], [enum.label(number) for number in used_numbers], state)


def follow_link(values: NDArray[Any], link: NDArray[np.int32], fill: Any = 0) -> NDArray[Any]:
    """Return, for each row of the linking node, the value of the row it links to, or `fill` if it has no link."""
    if not len(values):
        return np.full(len(link), fill, dtype=values.dtype)
    result = values[np.maximum(link, 0)]
    result[link < 0] = fill
    return result


def linked_scalar(node: Node, link: str, name: str) -> Scalars:
    """Return a scalar field of a linked table as a column. Its value is absent if the linked table is missing."""
    rows = node.link(link)
    child = node.children.get(link)
    if child is None:
        return Scalars(np.zeros(len(rows)), np.full(len(rows), ABSENT, dtype=np.uint8))
    return Scalars(follow_link(child.scalar(name), rows), state_of(rows < 0))


def linked_vector(node: Node, link: str, name: str, scalar: str, *, empty_is_absent: bool = False) -> Lists:
    """Return a column with a vector field of the table that each row refers to.

    A row is absent if it refers to no table, or if that table does not have the vector.
    """
    return lists_in_file(node.window, linked_spans(node, link, name, scalar), empty_is_absent=empty_is_absent)


def linked_spans(node: Node, link: str, name: str, scalar: str) -> Vector:
    """Return, for each row of the linking node, the byte range of a vector field in the table it links to."""
    rows = node.link(link)
    child = node.children.get(link)
    if child is None:
        zeros = np.zeros(len(rows), dtype=np.int64)
        return Vector(zeros, zeros, np.zeros(len(rows), dtype=np.bool_), scalar)
    spans = child.vector(name)
    return Vector(
        follow_link(spans.starts, rows),
        follow_link(spans.lengths, rows),
        follow_link(spans.present, rows, False),
        scalar,
    )
