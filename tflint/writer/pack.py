"""Converts nested dicts with the names of the schema to a flatbuffer, with the official builder.

Works with any `Schema` of tables, vectors, strings, enumerations and unions. Must not know the meaning of fields.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.schema import SCALAR_WIDTHS, Field, Schema, TableLayout, tflite_schema
from tflint.writer.flatbuffers_package import import_flatbuffers
from tflint.writer.scalar_types import FORMATS, UNION_TAG, did_you_mean, is_scalar, member_key, scalar_number


def pack(
    model: Mapping[str, Any],
    schema: Schema | None = None,
    *,
    force_defaults: bool = False,
    share: bool = False,
) -> bytes:
    """Return the flatbuffer of `model`, with the schema's file identifier, if it has one. The default schema is TFLite.

    A table is a dict with the field names as keys; the value None means that the field is absent. A vector is a list;
    a `[ubyte]` vector may also be bytes. An enum value is a name or a number. A union is a dict whose key `type` names
    the member; if the member has its own field `type`, its key is `type_`. Scalars equal to their default are not
    stored, unless `force_defaults` is true. If `share` is true, a dict or list that occurs repeatedly as the same
    object is written once. Raises ValueError with the place in `model` that violates the schema, and
    `MissingExtraError` if the `flatbuffers` package is not installed.
    """
    schema = schema or tflite_schema()
    builder = import_flatbuffers("builder").Builder(1024)
    packer = _Packer(builder, schema, force_defaults=force_defaults, share=share)
    root = packer.table(model, schema.table(schema.root), schema.root)
    builder.Finish(root, file_identifier=schema.identifier or None)
    return bytes(builder.Output())


class _Packer:
    """Writes one flatbuffer, children before parents.

    Offsets are relative to the end of the buffer. `place` is the position in the nested dicts, for error messages.
    """

    def __init__(self, builder: Any, schema: Schema, *, force_defaults: bool, share: bool) -> None:
        self._builder = builder
        self._schema = schema
        self._force_defaults = force_defaults
        self._offsets: dict[tuple[int, str, int], int] | None = {} if share else None

    def table(self, value: Mapping[str, Any], layout: TableLayout, place: str, *, in_union: bool = False) -> int:
        """Write a table and its descendants. Return its offset."""
        fields = self._present_fields(value, layout, place, in_union=in_union)
        inline: list[tuple[int, str, int, Any]] = []  # width, scalar type (or offset), slot, value
        for field, content in reversed(fields):
            inline += self._inline(field, content, f"{place}.{field.name}")
        self._builder.StartObject(layout.n_slots)
        for width, kind, slot, number in sorted(inline, key=lambda entry: (-entry[0], entry[2])):
            if kind == "offset":
                self._builder.PrependUOffsetTRelative(number)
            else:
                self._place(width, number)
            self._builder.Slot(slot)
        return int(self._builder.EndObject())

    def _present_fields(
        self, value: Mapping[str, Any], layout: TableLayout, place: str, *, in_union: bool
    ) -> list[tuple[Field, Any]]:
        if not isinstance(value, Mapping):
            raise ValueError(f"{place}: a table {layout.name} is a dict, not {type(value).__name__}")
        keys = {member_key(field.name, in_union=in_union): field for field in layout.fields}
        for key in value:
            if key not in keys and not (in_union and key == UNION_TAG):
                raise ValueError(f"{place}: table {layout.name} has no field {key!r}{did_you_mean(key, keys)}")
        return [(field, value[key]) for key, field in keys.items() if value.get(key) is not None]

    def _inline(self, field: Field, content: Any, place: str) -> list[tuple[int, str, int, Any]]:
        """Return what a table stores for a field: nothing for a default, two items for a union, else one item.

        An item consists of width, scalar type or "offset", slot, and value. The items of a union are offset and type.
        """
        if field.is_union:
            return self._union(field, content, place)
        if field.is_vector or not is_scalar(self._schema, field.type):
            return [(4, "offset", field.slot, self._child(field, content, place))]
        number = self._numbers(field.type, [content], place)
        if _is_default(number, field, self._schema) and not self._force_defaults:
            return []
        return [(len(number), field.type, field.slot, number)]

    def _union(self, field: Field, content: Any, place: str) -> list[tuple[int, str, int, Any]]:
        if not isinstance(content, Mapping) or UNION_TAG not in content:
            raise ValueError(f"{place}: a union is a dict whose '{UNION_TAG}' names the member")
        members = self._schema.unions[field.type]
        tag = content[UNION_TAG]
        if isinstance(tag, str) and tag not in members:
            raise ValueError(f"{place}: union {field.type} has no member {tag!r}{did_you_mean(tag, members)}")
        number = members.index(tag) if isinstance(tag, str) else int(tag)
        if number == 0:
            return []
        is_known = number < len(members)
        layout = self._schema.table(members[number]) if is_known else TableLayout(f"member {number}", (), 0)
        offset = self.table(content, layout, place, in_union=True)
        return [(4, "offset", field.slot, offset), (1, "ubyte", field.type_slot, struct.pack("<B", number))]

    def _child(self, field: Field, content: Any, place: str) -> int:
        """Write a string, vector or table that a field references. Return its offset."""
        key = (id(content), field.type, field.align)
        is_shareable = self._offsets is not None and isinstance(content, dict | list)
        if is_shareable and self._offsets is not None and key in self._offsets:
            return self._offsets[key]
        offset = self._vector(field, content, place) if field.is_vector else self._object(field.type, content, place)
        if is_shareable and self._offsets is not None:
            self._offsets[key] = offset
        return offset

    def _object(self, type_name: str, content: Any, place: str) -> int:
        if type_name != "string":
            return self.table(content, self._schema.table(type_name), place)
        if not isinstance(content, str | bytes):
            raise ValueError(f"{place}: a string is str or bytes, not {type(content).__name__}")
        return int(self._builder.CreateString(content, "utf-8", "surrogateescape"))

    def _vector(self, field: Field, content: Any, place: str) -> int:
        if isinstance(content, str) or not isinstance(content, Sequence):
            raise ValueError(f"{place}: a vector is a list, not {type(content).__name__}")
        element = field.element
        if is_scalar(self._schema, element):
            width = SCALAR_WIDTHS[self._schema.scalar(element)]
            self._builder.StartVector(width, len(content), max(width, field.align))
            self._place_raw(self._numbers(element, content, place))
            return int(self._builder.EndVector())
        element_field = Field(field.name, element, field.slot)
        backwards = range(len(content) - 1, -1, -1)
        offsets = [self._child(element_field, content[i], f"{place}[{i}]") for i in backwards]
        self._builder.StartVector(4, len(content), max(4, field.align))
        for offset in offsets:
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())

    def _numbers(self, type_name: str, values: Sequence[Any], place: str) -> bytes:
        """Return the little-endian bytes of scalars or enum values."""
        if isinstance(values, bytes | bytearray) and type_name == "ubyte":
            return bytes(values)
        code = FORMATS[self._schema.scalar(type_name)]
        try:
            numbers = [scalar_number(self._schema, type_name, value) for value in values]
            return struct.pack(f"<{len(numbers)}{code}", *numbers)
        except (ValueError, OverflowError, struct.error) as error:
            raise ValueError(f"{place}: {error}") from None

    def _place(self, width: int, raw: bytes) -> None:
        self._builder.Prep(width, 0)
        self._place_raw(raw)

    def _place_raw(self, raw: bytes) -> None:
        """Prepend bytes to the buffer, in which `Prep` or `StartVector` has reserved aligned space for them."""
        start = self._builder.head - len(raw)
        self._builder.Bytes[start : self._builder.head] = raw
        self._builder.head = start


def _is_default(raw: bytes, field: Field, schema: Schema) -> bool:
    return raw == struct.pack("<" + FORMATS[schema.scalar(field.type)], field.default or 0)
