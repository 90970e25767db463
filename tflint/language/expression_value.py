"""Values of expressions over many rows: one a row, or a list a row, each present, absent or unknown."""

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

    Without `lengths` it is one value a row. With `lengths` it is a list a row: `values` and `state` are those of all
    elements one after the other, `row_state` says which lists as a whole are absent or unknown. `labels` decode
    `values` of strings. A constant has one element, always present, that stands for every row or element.
    """

    values: Array
    state: State = None
    lengths: Array | None = None
    row_state: State = None
    labels: Sequence[str] | None = None
    is_constant: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it is a list a row."""
        return self.lengths is not None


def constant(value: float | bool | str) -> Value:
    """A value that is the same for every row."""
    if isinstance(value, str):
        return Value(np.zeros(1, dtype=np.int64), labels=[value], is_constant=True)
    return Value(np.array([value]), is_constant=True)


def expanded(value: Value, n_rows: int) -> Value:
    """A constant as one value a row; anything else as it is."""
    if not value.is_constant:
        return value
    return Value(value.values.repeat(n_rows), labels=value.labels)


def at_rows(value: Value, rows: Array) -> Value:
    """One value a row, for some of the rows."""
    state = None if value.state is None else value.state[rows]
    return Value(value.values[rows], state, labels=value.labels)


def joined_state(*states: State) -> State:
    """The state of an operation's result: unknown where an operand is, else absent where one is."""
    result: State = None
    for state in states:
        if state is not None:
            result = state if result is None else np.maximum(result, state)  # UNKNOWN > ABSENT > PRESENT
    return result


def row_numbers(lengths: Array) -> Array:
    """For each element the number of its row."""
    numbers: Array = np.arange(len(lengths)).repeat(lengths)
    return numbers


def aligned(left: Value, right: Value) -> tuple[Value, Value, Array | None, State]:
    """Both sides with equally many elements, and the lengths and row state of the result (None: one value a row)."""
    if left.lengths is None and right.lengths is None:
        return left, right, None, None
    if left.lengths is None:
        right, left, lengths, row_state = aligned(right, left)
        return left, right, lengths, row_state
    if right.lengths is not None:
        return _align_lists(left, right)
    if right.is_constant:
        return left, right, left.lengths, left.row_state
    state = None if right.state is None else right.state.repeat(left.lengths)
    spread = Value(right.values.repeat(left.lengths), state, labels=right.labels)
    return left, spread, left.lengths, joined_state(left.row_state, right.state)


def _align_lists(left: Value, right: Value) -> tuple[Value, Value, Array, State]:
    assert left.lengths is not None
    assert right.lengths is not None
    row_state = joined_state(left.row_state, right.row_state)
    equal = left.lengths == right.lengths
    if np.count_nonzero(equal) == len(equal):
        return left, right, left.lengths, row_state
    # What a list that is not there holds, nobody may compare: it is emptied, and its length says nothing.
    there = np.ones(len(left.lengths), dtype=np.bool_) if row_state is None else row_state == PRESENT
    lengths = np.where(equal | (right.lengths == 1), left.lengths, np.where(left.lengths == 1, right.lengths, 0))
    lengths = np.where(there, lengths, 0)
    odd = there & ~equal & (left.lengths != 1) & (right.lengths != 1)
    if odd.any():
        row_state = joined_state(row_state, (odd * UNKNOWN).astype(np.uint8))
    return _stretched(left, lengths), _stretched(right, lengths), lengths, row_state


def _stretched(value: Value, lengths: Array) -> Value:
    """A list with its single elements repeated to the given lengths; rows of other lengths must fit already."""
    assert value.lengths is not None
    starts = np.cumsum(value.lengths) - value.lengths
    rows = row_numbers(lengths)
    before = np.cumsum(lengths) - lengths
    inner = np.arange(len(rows)) - before[rows]
    index = starts[rows] + np.where(value.lengths[rows] == 1, 0, inner)
    state = None if value.state is None else value.state[index]
    return Value(value.values[index], state, lengths, value.row_state, value.labels)


def emptied(value: Value) -> Value:
    """A list without the elements it may have where it is not there as a whole."""
    if value.lengths is None or value.row_state is None:
        return value
    return _stretched(value, np.where(value.row_state == PRESENT, value.lengths, 0))


def same_labels(left: Value, right: Value) -> tuple[Array, Array]:
    """Codes of two strings that can be compared."""
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


def present_only(value: Value) -> tuple[Array, Array]:
    """Elements of a list that are not absent, with the rows they are of."""
    assert value.lengths is not None
    rows = row_numbers(value.lengths)
    if value.state is None:
        return value.values, rows
    kept = value.state != ABSENT
    return value.values[kept], rows[kept]
