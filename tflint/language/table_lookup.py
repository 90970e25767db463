"""Looks keys up in nested knowledge tables: each distinct combination of keys once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tflint.columns.column import PRESENT, UNKNOWN
from tflint.columns.column_types import STRING
from tflint.language.expression_value import Array, Value
from tflint.values import replace


def look_up(table: Any, kind: str, keys: list[Value], joint: Value) -> Value:
    """The entries of a table of texts or numbers; what it does not have is unknown.

    `keys` have equally many elements; `joint` says how many, and which of them are absent or unknown.
    """
    n = len(joint.values)
    which, paths = _distinct_paths(keys, n)
    found = [_find(table, path) for path in paths]
    missing = np.array([value is None for value in found], dtype=np.bool_)[which]
    state = joint.state
    if missing.any():  # a key that is not there is looked for nowhere
        unfound = (missing * UNKNOWN).astype(np.uint8)
        state = unfound if state is None else np.where(state == PRESENT, unfound, state)
    if kind == STRING:
        texts = ["" if value is None else str(value) for value in found]
        labels = list(dict.fromkeys(texts)) or [""]
        codes = np.array([labels.index(text) for text in texts], dtype=np.int64)
        return replace(joint, values=codes[which], state=state, labels=labels)
    numbers = np.array([0.0 if value is None else float(value) for value in found])
    return replace(joint, values=numbers[which], state=state)


def _distinct_paths(keys: list[Value], n: int) -> tuple[Array, list[tuple[Any, ...]]]:
    """For each element which of the distinct combinations of keys it has, and these combinations."""
    combined = np.zeros(n, dtype=np.int64)
    for key in keys:
        _, codes = np.unique(key.values, return_inverse=True)
        combined = combined * (int(codes.max(initial=0)) + 1) + codes
        _, combined = np.unique(combined, return_inverse=True)  # counted anew: no product of many keys overflows
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
        table = table.get(key, table.get(str(key)))  # JSON has string keys only
    return None if isinstance(table, Mapping) else table
