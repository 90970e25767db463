"""Checks the column that a plugin's function gave: its type, a value for each row, nothing that leads out of a table.

What passes is as safe to read as a column of tflint's own; else `TypeError` or `ValueError` says what is wrong.
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

#: Kinds of numpy's types that hold the elements of a column.
_KINDS = {NUMBER: "iuf", BOOL: "b", REFERENCE: "iu", STRING: "iu"}


def checked(given: object, type_: ColumnType, n_rows: int, n_targets: int, budget: int) -> Column:
    """The column as it may be used.

    `n_targets` is the number of rows of the table that references lead to, `budget` the most elements that lists
    may have together.
    """
    column = _of_kind(given, type_)
    if len(column) != n_rows:
        raise ValueError(f"it gave {len(column):,} values for {n_rows:,} rows")
    state = _state(column.state, n_rows)
    if isinstance(column, Lists):
        return _lists(column, type_, state, n_targets, budget)
    if isinstance(column, Strings):
        labels = _labels(column.labels)
        return Strings(_elements(column.codes, type_, len(labels)), labels, state)
    if isinstance(column, References):
        return References(_elements(column.rows, type_, n_targets), state)
    return Scalars(_elements(column.values, type_, 0), state)


def _of_kind(given: object, type_: ColumnType) -> Scalars | Strings | References | Lists:
    wanted = Lists if type_.is_list else {STRING: Strings, REFERENCE: References}.get(type_.kind, Scalars)
    if isinstance(given, Scalars | Strings | References | Lists) and isinstance(given, wanted):
        return given
    raise TypeError(f"it gave a {type(given).__name__}, but a {type_} is made of {wanted.__name__}")


def _state(state: object, n_rows: int) -> State:
    if state is None:
        return None
    if not isinstance(state, np.ndarray) or state.shape != (n_rows,) or state.dtype.kind not in "iu":
        raise TypeError(f"its state must be an array of {n_rows:,} integers")
    if not np.isin(state, (PRESENT, ABSENT, UNKNOWN)).all():
        raise ValueError("its state must hold PRESENT, ABSENT or UNKNOWN for each row")
    return state.astype(np.uint8)


def _lists(column: Lists, type_: ColumnType, state: State, n_targets: int, budget: int) -> Lists:
    """Lists whose elements were all taken once, so that none is missing later."""
    lengths = _array(column.lengths, "iu", "a list's length").astype(np.int64)
    if len(lengths) and lengths.min() < 0:
        raise ValueError("a list cannot have fewer than no elements")
    if int(lengths.sum()) > budget:
        raise ValueError(f"its lists have {int(lengths.sum()):,} elements, more than {budget:,}")
    taken, _ = Lists(column.starts, lengths, column.take, column.stride).flatten(np.arange(len(lengths)))
    if type_.kind != STRING:
        return lists_by_counts(_elements(taken, type_.element(), n_targets), lengths, state)
    labels = _labels(column.labels)
    made = lists_by_counts(_elements(taken, type_.element(), len(labels)), lengths, state)
    return replace(made, labels=labels)


def _elements(values: object, type_: ColumnType, n: int) -> NDArray[Any]:
    """The elements of a column; of row numbers and codes none beyond the last."""
    array = _array(values, _KINDS[type_.kind], f"a {type_}")
    if type_.kind in (REFERENCE, STRING) and len(array):
        # -1 is a reference that leads nowhere; code 0 stands in where there is no label at all.
        least, most = (-1, n - 1) if type_.kind == REFERENCE else (0, max(n - 1, 0))
        if array.min() < least or array.max() > most:
            raise ValueError(f"{array.min()} to {array.max()} lead beyond the {n:,} that there are")
    return array


def _array(values: object, kinds: str, what: str) -> NDArray[Any]:
    """An array of one dimension, of one of some kinds of numpy's types."""
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in kinds:
        return values
    given = f"{values.dtype} {list(values.shape)}" if isinstance(values, np.ndarray) else type(values).__name__
    raise TypeError(f"{what} wants an array of one dimension and of kind '{kinds}', not {given}")


def _labels(labels: object) -> list[str]:
    if not isinstance(labels, list | tuple) or not all(isinstance(label, str) for label in labels):
        raise TypeError("its labels must be a list of texts")
    return list(labels)
