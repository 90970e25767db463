"""Scalars of the FlatBuffers schema language: their `struct` format, and names of enum values to numbers and back."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from tflint.schema import Schema

#: `struct` format character of each scalar type; all are written little-endian.
FORMATS = {
    "bool": "?", "byte": "b", "int8": "b", "ubyte": "B", "uint8": "B",
    "short": "h", "ushort": "H",
    "int": "i", "int32": "i", "uint": "I", "uint32": "I", "float": "f",
    "long": "q", "ulong": "Q", "double": "d",
}  # fmt: skip

#: Where nothing is near, the known names are listed only if they are this few.
_MAX_LISTED = 20

#: Key of a union's dict that names its member.
UNION_TAG = "type"


def is_scalar(schema: Schema, type_name: str) -> bool:
    """Whether a type is a scalar or an enumeration, and so lies in the table or vector itself."""
    return type_name in FORMATS or schema.is_enum(type_name)


def scalar_number(schema: Schema, type_name: str, value: Any) -> Any:
    """The number to write: a name of the enumeration gives its value, everything else stays what it is.

    Raises ValueError for a name that the enumeration does not have.
    """
    if not isinstance(value, str):
        return value
    if not schema.is_enum(type_name):
        raise ValueError(f"{value!r} is no {type_name}")
    values = schema.enum(type_name).values
    if value not in values:
        raise ValueError(f"enum {type_name} has no value {value!r}{did_you_mean(value, values)}")
    return values[value]


def scalar_label(schema: Schema, type_name: str, number: Any) -> Any:
    """The name of an enumeration's value where it is known, else the number itself."""
    if not schema.is_enum(type_name):
        return number
    label = schema.enum(type_name).label(number)
    return label if label in schema.enum(type_name).values else number


def member_key(field_name: str, *, in_union: bool) -> str:
    """The dict key of a field; a union member's own field `type` is written `type_`, since `type` names the member."""
    return UNION_TAG + "_" if in_union and field_name == UNION_TAG else field_name


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with up to three near names, or the few names there are, or nothing."""
    names = sorted({name for name in known if name})
    near = difflib.get_close_matches(word, names, n=3)
    if near:
        return f"; did you mean {' or '.join(repr(name) for name in near)}?"
    return f"; there are: {', '.join(names)}" if 0 < len(names) <= _MAX_LISTED else ""
