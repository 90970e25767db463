"""Scalars of the FlatBuffers schema language: `struct` formats, and conversion between enum names and numbers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from tflint.schema import Schema

#: `struct` format character of each scalar type, used as little-endian.
FORMATS = {
    "bool": "?", "byte": "b", "int8": "b", "ubyte": "B", "uint8": "B",
    "short": "h", "ushort": "H",
    "int": "i", "int32": "i", "uint": "I", "uint32": "I", "float": "f",
    "long": "q", "ulong": "Q", "double": "d",
}  # fmt: skip

#: If no known name is similar, an error message lists the known names, provided that there are at most this many.
_MAX_LISTED = 20

#: Dict key that names a union's member.
UNION_TAG = "type"


def is_scalar(schema: Schema, type_name: str) -> bool:
    """Return whether a type is a scalar or enumeration, which is stored inline."""
    return type_name in FORMATS or schema.is_enum(type_name)


def scalar_number(schema: Schema, type_name: str, value: Any) -> Any:
    """Return the number of an enum name; return a value that is not a string unchanged.

    Raises ValueError if the enumeration has no such name.
    """
    if not isinstance(value, str):
        return value
    if not schema.is_enum(type_name):
        raise ValueError(f"{value!r} is not of type {type_name}")
    values = schema.enum(type_name).values
    if value not in values:
        raise ValueError(f"enum {type_name} has no value {value!r}{did_you_mean(value, values)}")
    return values[value]


def scalar_label(schema: Schema, type_name: str, number: Any) -> Any:
    """Return the name of an enum value, or the number if it has none."""
    if not schema.is_enum(type_name):
        return number
    label = schema.enum(type_name).label(number)
    return label if label in schema.enum(type_name).values else number


def member_key(field_name: str, *, in_union: bool) -> str:
    """Return the dict key of a field: its name, but `type_` for the field `type` of a union's member.

    In the dict of a union's member, the key `type` is the member's name.
    """
    return UNION_TAG + "_" if in_union and field_name == UNION_TAG else field_name


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return text to append to an error message about an unknown name.

    It is `; did you mean 'x'?` with up to three similar names. If no known name is similar, it lists all known names,
    or is empty if they are more than `_MAX_LISTED`.
    """
    names = sorted({name for name in known if name})
    near = difflib.get_close_matches(word, names, n=3)
    if near:
        return f"; did you mean {' or '.join(repr(name) for name in near)}?"
    return f"; there are: {', '.join(names)}" if 0 < len(names) <= _MAX_LISTED else ""
