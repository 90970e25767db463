"""The parts of a schema that the reader needs: tables, fields and slots. The caller provides them as plain data."""

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
    """A field of a table.

    `type` is the name of a scalar type, enum, table or union, or `string`; for a vector, it is the type of the elements
    in brackets. For a union, `is_union` is true and `type_slot` is the slot of the member's number. `default` is None
    for fields that are not scalars. `align` is the alignment in bytes that a writer must give the elements of a vector
    (0: their width).
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
        """Element type of a vector; for other fields, the type itself."""
        return self.type[1:-1] if self.is_vector else self.type


@frozen
class TableLayout:
    """A table: its fields in slot order and the number of vtable slots in this version of the schema.

    `scalars` maps the name of each scalar field to its scalar type. `widths` is the size in bytes of each slot's field
    (0: the field is not a scalar).
    """

    name: str
    fields: tuple[Field, ...]
    n_slots: int
    added_in: str = ""
    scalars: Mapping[str, str] = EMPTY
    widths: tuple[int, ...] = ()

    def field(self, name: str) -> Field:
        """Return the field with this name. Raises KeyError if the table has none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"table {self.name} has no field {name}")


class Layouts(Protocol):
    """The schema interface that the reader uses."""

    unions: dict[str, list[str]]

    def table(self, name: str) -> TableLayout:
        """Return the layout of a table."""
        ...

    def is_table(self, type_name: str) -> bool:
        """Return whether a type name is the name of a table."""
        ...

    def scalar(self, type_name: str) -> str:
        """Return the underlying scalar type of an enum; for a scalar type, return it unchanged."""
        ...
