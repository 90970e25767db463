"""Checks the column that a plugin's function returns: its type, its number of rows, and its indices.

A column that passes is as safe to read as one of tflint's own. For an invalid column, `check_column` raises `TypeError`
or `ValueError`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    ABSENT,
    PRESENT,
    UNKNOWN,
    Column,
    Lists,
    References,
    Scalars,
    State,
    Strings,
    lists_by_counts,
)
from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING, ColumnType
from tflint.values import replace

#: Kinds of numpy dtypes (`dtype.kind`) that may hold the elements of a column.
_KINDS = {NUMBER: "iuf", BOOL: "b", REFERENCE: "iu", STRING: "iu"}


def check_column(result: object, type_: ColumnType, n_rows: int, n_targets: int, budget: int) -> Column:
    """Return a checked copy of a plugin's column. Raises `TypeError` or `ValueError` if the column is invalid.

    `n_targets` is the number of rows of the table that references point to. `budget` is the largest allowed number of
    list elements in the whole column.
    """
    column = _require_kind(result, type_)
    if len(column) != n_rows:
        raise ValueError(f"the function returned {len(column):,} values for {n_rows:,} rows")
    state = _check_state(column.state, n_rows)
    if isinstance(column, Lists):
        return _check_lists(column, type_, state, n_targets, budget)
    if isinstance(column, Strings):
        labels = _check_labels(column.labels)
        return Strings(_check_elements(column.codes, type_, len(labels)), labels, state)
    if isinstance(column, References):
        return References(_check_elements(column.rows, type_, n_targets), state)
    return Scalars(_check_elements(column.values, type_, 0), state)


def _require_kind(result: object, type_: ColumnType) -> Scalars | Strings | References | Lists:
    expected = Lists if type_.is_list else {STRING: Strings, REFERENCE: References}.get(type_.kind, Scalars)
    if isinstance(result, Scalars | Strings | References | Lists) and isinstance(result, expected):
        return result
    raise TypeError(
        f"the function returned a {type(result).__name__}, but the type '{type_}' needs {expected.__name__}"
    )


def _check_state(state: object, n_rows: int) -> State:
    if state is None:
        return None
    if not isinstance(state, np.ndarray) or state.shape != (n_rows,) or state.dtype.kind not in "iu":
        raise TypeError(f"the state must be an array of {n_rows:,} integers")
    if not np.isin(state, (PRESENT, ABSENT, UNKNOWN)).all():
        raise ValueError("the state must be PRESENT, ABSENT or UNKNOWN for each row")
    return state.astype(np.uint8)


def _check_lists(column: Lists, type_: ColumnType, state: State, n_targets: int, budget: int) -> Lists:
    # Reads all elements now: `column.take` is the plugin's code and could fail later.
    lengths = _require_array(column.lengths, "iu", "list lengths").astype(np.int64)
    if len(lengths) and lengths.min() < 0:
        raise ValueError("a list has a negative length")
    if int(lengths.sum()) > budget:
        raise ValueError(f"the lists have {int(lengths.sum()):,} elements, more than the limit of {budget:,}")
    elements, _ = Lists(column.starts, lengths, column.take, column.stride).flatten(np.arange(len(lengths)))
    if type_.kind != STRING:
        return lists_by_counts(_check_elements(elements, type_.element(), n_targets), lengths, state)
    labels = _check_labels(column.labels)
    lists = lists_by_counts(_check_elements(elements, type_.element(), len(labels)), lengths, state)
    return replace(lists, labels=labels)


def _check_elements(values: object, type_: ColumnType, n: int) -> NDArray[Any]:
    """Return the elements of a column if they are valid.

    For references, `n` is the number of rows of the table that they point to. For codes, `n` is the number of labels.
    """
    array = _require_array(values, _KINDS[type_.kind], f"the type '{type_}'")
    if type_.kind in (REFERENCE, STRING) and len(array):
        # -1 is an absent reference. Code 0 is valid even if there are no labels: absent strings have code 0.
        least, most = (-1, n - 1) if type_.kind == REFERENCE else (0, max(n - 1, 0))
        if array.min() < least or array.max() > most:
            targets = f"rows of {type_.table}" if type_.kind == REFERENCE else "labels"
            raise ValueError(f"indices from {array.min()} to {array.max()} are out of range for {n:,} {targets}")
    return array


def _require_array(values: object, kinds: str, what: str) -> NDArray[Any]:
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in kinds:
        return values
    actual = f"{values.dtype} {list(values.shape)}" if isinstance(values, np.ndarray) else type(values).__name__
    raise TypeError(f"{what} needs a one-dimensional array with a dtype of kind '{kinds}', not {actual}")


def _check_labels(labels: object) -> list[str]:
    if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
        raise TypeError("the labels must be a list of strings")
    return list(labels)
