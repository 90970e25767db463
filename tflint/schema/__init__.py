"""The schemas of models, metadata and bundles as data: tables, slots, defaults, enums, and the release of each.

Output: `Schema` objects, loaded from the JSON files next to this module. Each JSON file names the schema's source. Must
not read other files.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from tflint.flatbuffer.schema_layout import SCALAR_WIDTHS, Field, TableLayout
from tflint.values import frozen

__all__ = [
    "SCALAR_WIDTHS",
    "Enum",
    "Field",
    "Schema",
    "TableLayout",
    "litertlm_schema",
    "metadata_schema",
    "tflite_schema",
]


@frozen
class Enum:
    """An enumeration: its values by name, its names by value, and its underlying scalar type.

    `added_in` maps names to the first release that has them. `limit` is the largest value plus one.
    """

    name: str
    underlying: str
    values: dict[str, int]
    added_in: dict[str, str]
    names: dict[int, str]
    limit: int

    def label(self, value: int) -> str:
        """Return the name of a value, or the number as text if the value is unknown."""
        return self.names.get(value, str(value))


class Schema:
    """A schema: TFLite, metadata, or the header of a .litertlm bundle."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.source: str = data["source"]
        self.identifier: bytes = data["identifier"].encode()
        self.root: str = data["root"]
        self.unions: dict[str, list[str]] = {name: list(members) for name, members in data["unions"].items()}
        self.op_options: dict[str, str | None] = data.get("op_options", {})
        self._tables: dict[str, TableLayout] = {}
        self._enums: dict[str, Enum] = {}

    @property
    def table_names(self) -> list[str]:
        """Names of all tables of the schema."""
        return list(self._data["tables"])

    def is_table(self, type_name: str) -> bool:
        """Return whether a type name is the name of a table."""
        return type_name in self._data["tables"]

    def is_enum(self, type_name: str) -> bool:
        """Return whether a type name is the name of an enumeration."""
        return type_name in self._data["enums"]

    def table(self, name: str) -> TableLayout:
        """Return the layout of a table. A layout is built on first use, because a model uses few of the tables."""
        if name not in self._tables:
            raw = self._data["tables"][name]
            fields = tuple(_field(entry) for entry in raw["fields"])
            scalars = {declared.name: self.scalar(declared.type) for declared in fields if self._is_scalar(declared)}
            widths = [0] * raw["n_slots"]
            for declared in fields:
                widths[declared.slot] = SCALAR_WIDTHS.get(scalars.get(declared.name, ""), 0)
            added_in = raw.get("added_in", "")
            self._tables[name] = TableLayout(name, fields, raw["n_slots"], added_in, scalars, tuple(widths))
        return self._tables[name]

    def field_types(self, table: str) -> list[tuple[str, str]]:
        """Return the name and type of each field of a table, without building its layout."""
        return [(entry["name"], entry["type"]) for entry in self._data["tables"][table]["fields"]]

    def _is_scalar(self, declared: Field) -> bool:
        return not (
            declared.is_union or declared.is_vector or declared.type == "string" or self.is_table(declared.type)
        )

    def enum(self, name: str) -> Enum:
        """Return an enumeration by name; for the name of a union, return the enumeration of its members' numbers."""
        if name not in self._enums:
            if name in self.unions:
                values = {member: number for number, member in enumerate(self.unions[name])}
                self._enums[name] = _enum(name, "ubyte", values, {})
            else:
                raw = self._data["enums"][name]
                self._enums[name] = _enum(name, raw["underlying"], raw["values"], raw.get("added_in", {}))
        return self._enums[name]

    def bits(self, enum_name: str) -> dict[str, int | None]:
        """Return the number of bits per element for each element type; None if the width is not fixed (STRING)."""
        return dict(self._data["enums"][enum_name]["bits"])

    def scalar(self, type_name: str) -> str:
        """Return the underlying scalar type of an enum; for a scalar type, return it unchanged."""
        return self.enum(type_name).underlying if self.is_enum(type_name) else type_name


def _enum(name: str, underlying: str, values: dict[str, int], added_in: dict[str, str]) -> Enum:
    names = {number: label for label, number in values.items()}
    return Enum(name, underlying, values, added_in, names, max(names, default=-1) + 1)


def _field(entry: dict[str, Any]) -> Field:
    return Field(
        entry["name"],
        entry["type"],
        entry["slot"],
        entry.get("default"),
        entry.get("added_in", ""),
        entry.get("deprecated", False),
        entry.get("union", False),
        entry.get("type_slot", -1),
        entry.get("align", 0),
    )


@functools.cache
def tflite_schema() -> Schema:
    """Return the schema of `.tflite` files, in the newest version that tflint knows."""
    return Schema(json.loads(Path(__file__).with_name("tflite.json").read_bytes()))


@functools.cache
def metadata_schema() -> Schema:
    """Return the schema of the `TFLITE_METADATA` buffer (identifier M001)."""
    return Schema(json.loads(Path(__file__).with_name("metadata.json").read_bytes()))


@functools.cache
def litertlm_schema() -> Schema:
    """Return the schema of the header of `.litertlm` files, which has no identifier."""
    return Schema(json.loads(Path(__file__).with_name("litertlm.json").read_bytes()))
