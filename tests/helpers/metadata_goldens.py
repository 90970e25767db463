"""Reads the decoded metadata of the corpus."""

from __future__ import annotations

from typing import Any


def from_golden(value: Any) -> Any:
    """The goldens' JSON, that of flatbuffers, in the form that `pack` takes: `x_type` beside `x` becomes its `type`."""
    if isinstance(value, list):
        return [from_golden(item) for item in value]
    if not isinstance(value, dict):
        return value
    table = {name: from_golden(item) for name, item in value.items()}
    for name in ("content_properties", "options"):
        if (member := table.pop(f"{name}_type", None)) is not None:
            fields = {"type_" if key == "type" else key: item for key, item in table.get(name, {}).items()}
            table[name] = {"type": member, **fields}
    return table
