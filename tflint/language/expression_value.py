"""Values of expressions over many rows: per row, one single value or one list, which is present, absent or unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import ABSENT, PRESENT, UNKNOWN, State
from tflint.values import frozen

Array = NDArray[Any]


@frozen(eq=False)
class Value:
    """The value of an expression.

    If `lengths` is None, there is one single value per row. Otherwise, there is one list per row with this length:
    `values` and `state` hold the elements of all lists, concatenated, and `row_state` is the state of each list as a
    whole. For strings, `values` are indexes into `labels`. A state is None if everything is present. If `is_constant`
    is true, there is a single present element, which is the value of every row.
    """

    values: Array
    state: State = None
    lengths: Array | None = None
    row_state: State = None
    labels: Sequence[str] | None = None
    is_constant: bool = False

    @property
    def is_list(self) -> bool:
        """Whether there is one list per row."""
        return self.lengths is not None


def constant(value: float | bool | str) -> Value:
    """Return a value that is the same for every row."""
    if isinstance(value, str):
        return Value(np.zeros(1, dtype=np.int64), labels=[value], is_constant=True)
    return Value(np.array([value]), is_constant=True)


def expand_constant(value: Value, n_rows: int) -> Value:
    """Return a constant as one value per row; return other values unchanged."""
    if not value.is_constant:
        return value
    return Value(value.values.repeat(n_rows), labels=value.labels)


def take_rows(value: Value, rows: Array) -> Value:
    """Return the single values of some of the rows."""
    state = None if value.state is None else value.state[rows]
    return Value(value.values[rows], state, labels=value.labels)


def join_states(*states: State) -> State:
    """Return the state of a result: unknown if an operand is unknown, else absent if an operand is absent."""
    result: State = None
    for state in states:
        if state is not None:
            result = state if result is None else np.maximum(result, state)  # UNKNOWN > ABSENT > PRESENT
    return result


def row_numbers(lengths: Array) -> Array:
    """Return, for each element of all lists, the number of its row; `lengths` are the lengths of the lists."""
    numbers: Array = np.arange(len(lengths)).repeat(lengths)
    return numbers


def align(left: Value, right: Value) -> tuple[Value, Value, Array | None, State]:
    """Return two operands with equal numbers of elements, and the lengths and row state of their result.

    Lengths and row state are None if both operands are single values.
    """
    if left.lengths is None and right.lengths is None:
        return left, right, None, None
    if left.lengths is None:
        right, left, lengths, row_state = align(right, left)
        return left, right, lengths, row_state
    if right.lengths is not None:
        return _align_lists(left, right)
    if right.is_constant:
        return left, right, left.lengths, left.row_state
    state = None if right.state is None else right.state.repeat(left.lengths)
    repeated = Value(right.values.repeat(left.lengths), state, labels=right.labels)
    return left, repeated, left.lengths, join_states(left.row_state, right.state)


def _align_lists(left: Value, right: Value) -> tuple[Value, Value, Array, State]:
    assert left.lengths is not None
    assert right.lengths is not None
    row_state = join_states(left.row_state, right.row_state)
    equal = left.lengths == right.lengths
    if np.count_nonzero(equal) == len(equal):
        return left, right, left.lengths, row_state
    # Lists that are absent or unknown as a whole become empty, so that their lengths are not compared.
    is_present = np.ones(len(left.lengths), dtype=np.bool_) if row_state is None else row_state == PRESENT
    lengths = np.where(equal | (right.lengths == 1), left.lengths, np.where(left.lengths == 1, right.lengths, 0))
    lengths = np.where(is_present, lengths, 0)
    is_mismatch = is_present & ~equal & (left.lengths != 1) & (right.lengths != 1)
    if is_mismatch.any():
        row_state = join_states(row_state, (is_mismatch * UNKNOWN).astype(np.uint8))
    return _repeat_elements(left, lengths), _repeat_elements(right, lengths), lengths, row_state


def _repeat_elements(value: Value, lengths: Array) -> Value:
    """Repeat the element of lists of length one to the requested lengths. Other lists must have these lengths."""
    assert value.lengths is not None
    starts = np.cumsum(value.lengths) - value.lengths
    rows = row_numbers(lengths)
    before = np.cumsum(lengths) - lengths
    inner = np.arange(len(rows)) - before[rows]
    index = starts[rows] + np.where(value.lengths[rows] == 1, 0, inner)
    state = None if value.state is None else value.state[index]
    return Value(value.values[index], state, lengths, value.row_state, value.labels)


def clear_missing_lists(value: Value) -> Value:
    """Remove the elements of lists that are absent or unknown as a whole."""
    if value.lengths is None or value.row_state is None:
        return value
    return _repeat_elements(value, np.where(value.row_state == PRESENT, value.lengths, 0))


def to_common_codes(left: Value, right: Value) -> tuple[Array, Array]:
    """Return the values of two string operands as numbers that are equal if and only if the strings are."""
    assert left.labels is not None
    assert right.labels is not None
    if left.labels is right.labels:
        return left.values, right.values
    if right.is_constant:
        return left.values, np.array([_code(left.labels, right.labels[0])])
    if left.is_constant:
        return np.array([_code(right.labels, left.labels[0])]), right.values
    numbers = {label: number for number, label in enumerate(left.labels)}
    mapping = np.array([numbers.get(label, -1 - k) for k, label in enumerate(right.labels)], dtype=np.int64)
    return left.values, mapping[right.values] if len(mapping) else right.values


def _code(labels: Sequence[str], text: str) -> int:
    return labels.index(text) if text in labels else -1


def drop_absent(value: Value) -> tuple[Array, Array]:
    """Return the elements that are not absent, from all lists, and the row of each."""
    assert value.lengths is not None
    rows = row_numbers(value.lengths)
    if value.state is None:
        return value.values, rows
    is_not_absent = value.state != ABSENT
    return value.values[is_not_absent], rows[is_not_absent]
