"""The contract keys that findings can point at, for each table about contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tflint.resources import json_schema

_DEFINITIONS = {"contract": "model", "contract_input": "input", "contract_output": "output"}


def contract_keys(table: str) -> list[str]:
    """Return the keys for a table about contracts, such as `mean` and `resize.mode`; empty for other tables."""
    if table not in _DEFINITIONS:
        return []
    schema = json_schema("contract")
    return list(_keys(schema["$defs"][_DEFINITIONS[table]], schema, ""))


def _keys(definition: Mapping[str, Any], schema: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, inner in definition.get("properties", {}).items():
        yield prefix + key
        referred = schema["$defs"][inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else inner
        yield from _keys(referred, schema, f"{prefix}{key}.")
