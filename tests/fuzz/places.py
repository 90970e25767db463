"""Find the parts of a flatbuffer in its bytes, for format-aware mutations.

Takes bytes and a schema, returns byte offsets by kind, or None if tflint's reader rejects the bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tflint.flatbuffer.byte_window import DTYPES, Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import read_forest
from tflint.flatbuffer.node import Node
from tflint.schema import Schema, tflite_schema

#: Places of one field in one kind of table that are listed: a model has thousands of alike ones.
MAX_ALIKE = 64


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number in the file: its offset, its scalar type, and the number of values of its enumeration (0 for none)."""

    offset: int
    type: str
    n_values: int = 0

    @property
    def width(self) -> int:
        """Width in bytes."""
        return DTYPES[self.type].itemsize


@dataclass(slots=True)
class Places:
    """Byte offsets of the parts of a flatbuffer.

    `tables`: tables (the distance to the vtable); `slots`: entries of vtables; `offsets`: references to tables, vectors
    and strings; `lengths`: lengths of vectors and strings; `scalars`: fields of tables and elements of vectors; `end`:
    just past the last part; `n_parts`: tables and elements of vectors, with shared ones counted per use.
    """

    tables: list[int] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    scalars: list[Scalar] = field(default_factory=list)
    end: int = 0
    n_parts: int = 0


@functools.lru_cache(maxsize=64)
def places_of(content: bytes, schema: Schema | None = None) -> Places | None:
    """Return the places of the parts of a flatbuffer, or None if the reader rejects the bytes."""
    schema = schema or tflite_schema()
    try:
        forest = read_forest(Window.of_bytes(content), schema, schema.root)
    except FlatbufferError:
        return None
    places = Places(offsets=[0], end=int(forest.ends[0]))
    for node in _nodes(forest.root):
        _add_node(places, node, schema)
    return places


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children.values():
        yield from _nodes(child)


def _add_node(places: Places, node: Node, schema: Schema) -> None:
    uses = node.uses if node.uses is not None else np.ones(len(node), dtype=np.int64)
    places.n_parts += int(uses.sum()) + sum(int((vector.lengths * uses).sum()) for vector in node.vectors.values())
    positions = node.positions[:MAX_ALIKE].tolist()
    vtables = [at - int(back) for at, back in zip(positions, _ints(node.window, positions), strict=True)]
    places.tables += positions
    for vtable in vtables:
        places.slots += range(vtable, vtable + 4 + 2 * node.layout.n_slots, 2)
    for declared in node.layout.fields:
        stored = node.field_offsets[:MAX_ALIKE, declared.slot].tolist()
        at = [position + offset for position, offset in zip(positions, stored, strict=True) if offset]
        if declared.name in node.layout.scalars:
            places.scalars += [_scalar(offset, declared.type, schema) for offset in at]
        else:
            places.offsets += at
    for name, vector in node.vectors.items():
        element = node.layout.field(name).element
        _add_vector(places, vector.starts.tolist(), vector.lengths.tolist(), element, vector.scalar, schema)
    for texts in node.texts.values():
        _add_vector(places, texts.starts.tolist(), texts.lengths.tolist(), "ubyte", "ubyte", schema)


def _add_vector(
    places: Places, starts: list[int], lengths: list[int], element: str, scalar: str, schema: Schema
) -> None:
    is_offsets = schema.is_table(element) or (element == "string" and scalar == "uint")
    width = DTYPES[scalar].itemsize
    for start, length in list(zip(starts, lengths, strict=True))[:MAX_ALIKE]:
        if not start:
            continue
        places.lengths.append(start - 4)
        elements = range(start, start + min(length, MAX_ALIKE) * width, width)
        if is_offsets:
            places.offsets += elements
        else:
            type_name = "ubyte" if element == "string" else element
            places.scalars += [_scalar(offset, type_name, schema) for offset in elements]


def _scalar(offset: int, type_name: str, schema: Schema) -> Scalar:
    n_values = max(schema.enum(type_name).values.values(), default=0) + 1 if schema.is_enum(type_name) else 0
    return Scalar(offset, schema.scalar(type_name), n_values)


def _ints(window: Window, offsets: list[int]) -> list[int]:
    return [int.from_bytes(window.span(at, at + 4), "little", signed=True) for at in offsets]
