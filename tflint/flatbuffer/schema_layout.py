"""What the reader must know of a schema: tables, their fields and slots. Plain data, made by whoever owns a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tflint.values import EMPTY, frozen

#: Width in bytes of the scalar types of the FlatBuffers schema language.
SCALAR_WIDTHS = {
    "bool": 1, "byte": 1, "ubyte": 1, "int8": 1, "uint8": 1,
    "short": 2, "ushort": 2,
    "int": 4, "uint": 4, "int32": 4, "uint32": 4, "float": 4,
    "long": 8, "ulong": 8, "double": 8,
}  # fmt: skip


@frozen
class Field:
    """One field of a table.

    `type` is a scalar or enum name, `string`, a table name, `[…]` of these, or the name of a union (then `is_union`
    and `type_slot` says in which slot the member's number lies). `default` is None for anything that is not a scalar.
    `align` is the alignment that a writer must give a vector's elements, in bytes (0: their own width).
    """

    name: str
    type: str
    slot: int
    default: int | float | bool | None = None
    added_in: str = ""
    deprecated: bool = False
    is_union: bool = False
    type_slot: int = -1
    align: int = 0

    @property
    def is_vector(self) -> bool:
        """Whether the field is a vector of scalars, strings or tables."""
        return self.type.startswith("[")

    @property
    def element(self) -> str:
        """The type of an element of a vector; the type itself where the field is none."""
        return self.type[1:-1] if self.is_vector else self.type


@frozen
class TableLayout:
    """A table: its fields in slot order, and how many vtable slots this version of the schema knows.

    `scalars` gives the scalar type of each field that is no offset, `widths` for each slot its bytes (0: an offset).
    """

    name: str
    fields: tuple[Field, ...]
    n_slots: int
    added_in: str = ""
    scalars: Mapping[str, str] = EMPTY
    widths: tuple[int, ...] = ()

    def field(self, name: str) -> Field:
        """The field of that name; KeyError where there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"table {self.name} has no field {name}")


class Layouts(Protocol):
    """A schema as the reader needs it."""

    unions: dict[str, list[str]]

    def table(self, name: str) -> TableLayout:
        """The layout of a table."""
        ...

    def is_table(self, type_name: str) -> bool:
        """Whether a type name names a table."""
        ...

    def scalar(self, type_name: str) -> str:
        """The scalar type behind a scalar or enum name."""
        ...
