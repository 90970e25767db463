"""Looks up keys in nested knowledge tables: each distinct combination of keys is looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tflint.columns.column import PRESENT, UNKNOWN
from tflint.columns.column_types import STRING
from tflint.language.expression_value import Array, Value
from tflint.values import replace


def look_up(table: Any, kind: str, keys: list[Value], joint: Value) -> Value:
    """Return the values that a knowledge table has for keys. A value is unknown if the table does not have its keys.

    All `keys` have the same number of elements; `joint` holds their joint lengths and state.
    """
    n = len(joint.values)
    indexes, paths = _distinct_paths(keys, n)
    entries = [_find(table, path) for path in paths]
    is_missing = np.array([value is None for value in entries], dtype=np.bool_)[indexes]
    state = joint.state
    if is_missing.any():  # absent and unknown keys keep their state
        unknown = (is_missing * UNKNOWN).astype(np.uint8)
        state = unknown if state is None else np.where(state == PRESENT, unknown, state)
    if kind == STRING:
        texts = ["" if value is None else str(value) for value in entries]
        labels = list(dict.fromkeys(texts)) or [""]
        codes = np.array([labels.index(text) for text in texts], dtype=np.int64)
        return replace(joint, values=codes[indexes], state=state, labels=labels)
    numbers = np.array([0.0 if value is None else float(value) for value in entries])
    return replace(joint, values=numbers[indexes], state=state)


def _distinct_paths(keys: list[Value], n: int) -> tuple[Array, list[tuple[Any, ...]]]:
    """Return, for each element, the index of its combination of keys, and the distinct combinations."""
    combined = np.zeros(n, dtype=np.int64)
    for key in keys:
        _, codes = np.unique(key.values, return_inverse=True)
        combined = combined * (int(codes.max(initial=0)) + 1) + codes
        _, combined = np.unique(combined, return_inverse=True)  # renumber the combinations to avoid overflow
    _, first = np.unique(combined, return_index=True)
    return combined, [tuple(_plain_key(key, int(at)) for key in keys) for at in first]


def _plain_key(key: Value, at: int) -> Any:
    if key.labels is not None:
        return key.labels[int(key.values[at])]
    number = float(key.values[at])
    return int(number) if number.is_integer() else number


def _find(table: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        if not isinstance(table, Mapping):
            return None
        table = table.get(key, table.get(str(key)))  # JSON has only string keys
    return None if isinstance(table, Mapping) else table
