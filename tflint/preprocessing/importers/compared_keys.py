"""Shows keys that a contract and a source both have, with the values of each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.preprocessing.importers.effects import conflicting_keys
from tflint.values import frozen


@frozen
class ComparedKeys:
    """Keys of an entry, such as `inputs[0]`, that both sides have: their values in the contract and in the source."""

    entry: str
    keys: tuple[str, ...]
    own: str
    imported: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.own} in the contract, {self.imported} in the source"


def compare_keys(name: str, keys: Sequence[str], current: Mapping[str, Any], entry: Mapping[str, Any]) -> ComparedKeys:
    """Return keys of an entry, with the values in a contract and the imported ones."""
    return ComparedKeys(name, tuple(keys), _format_keys(keys, current, entry), _format_keys(keys, entry, current))


def _format_keys(keys: Sequence[str], entry: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return the values of keys as in TOML. Of a table, return only the keys whose effects differ from `other`."""
    parts = []
    for key in keys:
        value, opposite = entry.get(key), other.get(key)
        if isinstance(value, Mapping) and isinstance(opposite, Mapping):
            inner = conflicting_keys(value, opposite) or [name for name in value if value[name] != opposite.get(name)]
            parts += [f"{key}.{name} = {_format_value(value[name])}" for name in inner if name in opposite]
        elif value is not None:
            parts.append(f"{key} = {_format_value(value)}")
    return ", ".join(parts) or "nothing"


def _format_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_format_value, value))}]"
    if isinstance(value, float):
        return f"{value:.7g}"
    return json.dumps(value, default=str)
