"""Resolves routes such as `tensors.bias.quantization.scale` in a model's nested dicts.

Input: the dicts, the schema and a route. Output: the dict or list to change, and the key in it. Changes nothing, except
that a missing table along the route is added as an empty dict.
"""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

from tflint.schema import Field, Schema
from tflint.values import frozen
from tflint.writer.scalar_types import UNION_TAG, did_you_mean, member_key

#: Fields that name an element of a vector of tables, in order of preference.
_NAME_FIELDS = ("name", "signature_key", "custom_code")

#: Prefix of routes that begin with a field of SubGraph that Model does not have.
_DEFAULT_SUBGRAPH = "subgraphs.0."


@frozen
class Target:
    """The target of a route: `container[key]`, where `container` is a dict or list.

    `field` is the schema field of the target; for an element of a vector, the field of the vector. `table` is the dict
    that has this field.
    """

    container: Any
    key: str | int
    field: Field
    table: dict[str, Any]


def find_target(model: dict[str, Any], route: str, schema: Schema) -> Target:
    """Resolve `route` in `model`. Raises ValueError with the part of the route that does not exist."""
    root = schema.table(schema.root)
    first = route.partition(".")[0]
    full = route
    if schema.is_table("SubGraph") and first not in {field.name for field in root.fields}:
        in_subgraph = {field.name for field in schema.table("SubGraph").fields}
        if first not in in_subgraph:
            known = in_subgraph | {field.name for field in root.fields}
            raise ValueError(f"{route!r}: a model has no {first!r}{did_you_mean(first, known)}")
        full = _DEFAULT_SUBGRAPH + route
    return _Walk(schema, route).in_table(model, schema.root, full, in_union=False)


class _Walk:
    """Follows one route, part by part. In all methods, `rest` is the part of the route that is not resolved yet."""

    def __init__(self, schema: Schema, route: str) -> None:
        self._schema = schema
        self._route = route

    def in_table(self, table: dict[str, Any], type_name: str, rest: str, *, in_union: bool) -> Target:
        """Resolve `rest` in a table; `in_union` says whether the table is a union's member."""
        part, _, rest = rest.partition(".")
        if in_union and part == UNION_TAG:
            return Target(table, part, Field(UNION_TAG, "string", -1), table)
        fields = {member_key(f.name, in_union=in_union): f for f in self._schema.table(type_name).fields}
        if part not in fields:
            raise self._error(f"table {type_name} has no field {part!r}{did_you_mean(part, fields)}")
        field = fields[part]
        if not rest:
            return Target(table, part, field, table)
        if field.is_vector:
            return self._in_vector(table, part, field, rest)
        if field.is_union:
            return self._in_union(table, part, field, rest)
        if not self._schema.is_table(field.type):
            raise self._error(f"{part!r} is a {field.type} and has no {rest!r}")
        return self.in_table(self._get_or_create(table, part), field.type, rest, in_union=False)

    def _in_union(self, table: dict[str, Any], key: str, field: Field, rest: str) -> Target:
        if rest == UNION_TAG:
            return self.in_table(self._get_or_create(table, key), "", rest, in_union=True)
        member = (table.get(key) or {}).get(UNION_TAG)
        if member not in self._schema.unions[field.type] or member == "NONE":
            raise self._error(f"{key!r} is absent or of an unknown type, so it has no {rest!r}")
        return self.in_table(table[key], member, rest, in_union=True)

    def _in_vector(self, table: dict[str, Any], key: str, field: Field, rest: str) -> Target:
        elements = self._elements(table, key, rest)
        index, rest = self._index(elements, key, rest)
        if not rest:
            return Target(elements, index, field, table)
        if not self._schema.is_table(field.element):
            raise self._error(f"an element of {key!r} has type {field.element} and no {rest!r}")
        if index == len(elements):
            raise self._error(f"{key!r} has {len(elements)} elements, but no element {index}")
        return self.in_table(elements[index], field.element, rest, in_union=False)

    def _elements(self, table: dict[str, Any], key: str, rest: str) -> MutableSequence[Any]:
        elements = table.get(key)
        if elements is None:
            raise self._error(f"{key!r} is absent, so it has no {rest!r}")
        if not isinstance(elements, MutableSequence):  # bytes and tuples are immutable
            elements = table[key] = bytearray(elements) if isinstance(elements, bytes) else list(elements)
        return elements

    def _index(self, elements: MutableSequence[Any], key: str, rest: str) -> tuple[int, str]:
        """Return the index of the element that `rest` begins with, and the part of `rest` after it.

        `rest` begins with a name of an element (the longest that matches) or with an index. The index after the last
        element is allowed, because it appends an element.
        """
        names = {name: i for i, element in reversed(list(enumerate(elements))) for name in _names(element)}
        matching = [name for name in names if rest == name or rest.startswith(name + ".")]
        name = max(matching, key=len, default="")
        part, _, after = rest.partition(".")
        is_number = part.removeprefix("-").isdecimal()
        if name and not (is_number and name == part):
            return names[name], rest[len(name) + 1 :]
        if not is_number:
            raise self._error(f"no element of {key!r} is named {part!r}{did_you_mean(part, names)}")
        index = int(part) if int(part) >= 0 else len(elements) + int(part)
        if not 0 <= index <= len(elements):
            raise self._error(f"{key!r} has {len(elements)} elements, but no element {part}")
        return index, after

    def _get_or_create(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        if table.get(key) is None:
            table[key] = {}
        sub_table: dict[str, Any] = table[key]
        return sub_table

    def _error(self, message: str) -> ValueError:
        return ValueError(f"{self._route!r}: {message}")


def _names(element: Any) -> list[str]:
    if not isinstance(element, dict):
        return []
    return [element[key] for key in _NAME_FIELDS if isinstance(element.get(key), str) and element[key]]
