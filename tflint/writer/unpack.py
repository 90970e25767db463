"""Converts a flatbuffer to nested dicts with the names of the schema, with the official `flatbuffers` reader.

The inverse of `pack`. Only for trusted, valid bytes, such as tflint's own models: the official reader checks no bounds.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from tflint.schema import SCALAR_WIDTHS, Field, Schema, TableLayout, tflite_schema
from tflint.writer.flatbuffers_package import import_flatbuffers
from tflint.writer.scalar_types import FORMATS, UNION_TAG, is_scalar, member_key, scalar_label


def unpack(data: bytes, schema: Schema | None = None) -> dict[str, Any]:
    """Return the root table as a dict, in the form that `pack` accepts. The default schema is TFLite.

    The dict has no keys for fields that the flatbuffer does not store. A `[ubyte]` vector becomes bytes. An enum value
    becomes its name, or stays a number if the schema has no name for it. In the dict of a union, the key `type` names
    the member. Fields that the schema does not know are lost.
    """
    return unpack_with_end(data, schema)[0]


def unpack_with_end(data: bytes, schema: Schema | None = None) -> tuple[dict[str, Any], int]:
    """Return the root table as a dict, and the offset just past the flatbuffer's last table, vector or string."""
    unpacker = _Unpacker(data, schema or tflite_schema())
    return unpacker.root(), unpacker.end


class _Unpacker:
    """Reads one flatbuffer; `end` is the offset just past the furthest byte read."""

    def __init__(self, data: bytes, schema: Schema) -> None:
        self._data = data
        self._schema = schema
        self._table_at: Callable[[bytes, int], Any] = import_flatbuffers("table").Table
        self.end = 0

    def root(self) -> dict[str, Any]:
        (position,) = struct.unpack_from("<I", self._data, 0)
        return self._table(position, self._schema.table(self._schema.root))

    def _table(self, position: int, layout: TableLayout, *, in_union: bool = False) -> dict[str, Any]:
        table = self._table_at(self._data, position)
        (back,) = struct.unpack_from("<i", self._data, position)
        vtable_bytes, table_bytes = struct.unpack_from("<HH", self._data, position - back)
        self.end = max(self.end, position + table_bytes, position - back + vtable_bytes)
        value: dict[str, Any] = {}
        for field in layout.fields:
            offset = table.Offset(4 + 2 * field.slot)
            if offset:
                value[member_key(field.name, in_union=in_union)] = self._field(table, field, offset)
            elif field.is_union and (number := self._union_number(table, field)):
                value[field.name] = {UNION_TAG: self._member(field, number)}
        return value

    def _field(self, table: Any, field: Field, offset: int) -> Any:
        position = table.Pos + offset
        if field.is_union:
            return self._union(table, field, offset)
        if field.is_vector:
            return self._vector(field, table.Vector(offset), table.VectorLen(offset))
        if is_scalar(self._schema, field.type):
            return self._scalars(field.type, position, 1)[0]
        return self._object(field.type, position)

    def _union_number(self, table: Any, field: Field) -> int:
        offset = table.Offset(4 + 2 * field.type_slot)
        return int(self._data[table.Pos + offset]) if offset else 0

    def _member(self, field: Field, number: int) -> str | int:
        members = self._schema.unions[field.type]
        return members[number] if number < len(members) else number

    def _union(self, table: Any, field: Field, offset: int) -> dict[str, Any]:
        member = self._member(field, self._union_number(table, field))
        if not isinstance(member, str) or member == "NONE":
            return {UNION_TAG: member}
        position = table.Indirect(table.Pos + offset)
        return {UNION_TAG: member, **self._table(position, self._schema.table(member), in_union=True)}

    def _object(self, type_name: str, position: int) -> Any:
        """Return the string or table whose offset is stored at `position`."""
        table = self._table_at(self._data, position)
        target = table.Indirect(position)
        if type_name != "string":
            return self._table(target, self._schema.table(type_name))
        text: bytes = table.String(position)
        self.end = max(self.end, target + 4 + len(text) + 1)
        return text.decode("utf-8", "surrogateescape")

    def _vector(self, field: Field, start: int, length: int) -> Any:
        if field.element == "ubyte":
            self.end = max(self.end, start + length)
            return bytes(self._data[start : start + length])
        if is_scalar(self._schema, field.element):
            return self._scalars(field.element, start, length)
        self.end = max(self.end, start + 4 * length)
        return [self._object(field.element, start + 4 * i) for i in range(length)]

    def _scalars(self, type_name: str, start: int, length: int) -> list[Any]:
        scalar = self._schema.scalar(type_name)
        self.end = max(self.end, start + length * SCALAR_WIDTHS[scalar])
        numbers = struct.unpack_from(f"<{length}{FORMATS[scalar]}", self._data, start)
        return [scalar_label(self._schema, type_name, number) for number in numbers]
