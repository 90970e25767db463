"""Folds: functions that reduce one list per row to one value per row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tflint.columns.column import ABSENT, PRESENT, UNKNOWN, State
from tflint.language.expression_value import Array, Value, drop_absent, join_states, row_numbers


def _n_rows(value: Value) -> int:
    assert value.lengths is not None
    return len(value.lengths)


def _count_where(value: Value, mask: Array) -> Array:
    assert value.lengths is not None
    return np.bincount(row_numbers(value.lengths)[mask], minlength=_n_rows(value))


def _only_present(value: Value, mask: Array) -> Array:
    """Return a mask of elements that is false for elements that are absent or unknown."""
    return mask if value.state is None else mask & (value.state == PRESENT)


def _n_not_absent(value: Value) -> Array:
    """Return, per row, the number of elements that are not absent."""
    assert value.lengths is not None
    if value.state is None:
        return value.lengths
    n_elements: Array = value.lengths - _count_where(value, value.state == ABSENT)
    return n_elements


def _fold_state(value: Value, is_decided: Array | None = None) -> State:
    """Return the state of a fold: unknown if an element is unknown, except in the rows of `is_decided`."""
    if value.state is None:
        return _with_list_state(value, None)
    unknown = _count_where(value, value.state == UNKNOWN) > 0
    if is_decided is not None:
        unknown &= ~is_decided
    return _with_list_state(value, (unknown * UNKNOWN).astype(np.uint8) if np.count_nonzero(unknown) else None)


def _with_list_state(value: Value, state: State) -> State:
    """Return the state of a fold, replaced by the list's state in rows whose list is absent or unknown as a whole."""
    if value.row_state is None:
        return state
    return value.row_state if state is None else np.where(value.row_state != PRESENT, value.row_state, state)


def all_true(value: Value) -> Value:
    """Return, per row, whether no element is false."""
    false = _count_where(value, _only_present(value, ~value.values)) > 0
    return Value(~false, _fold_state(value, false))


def any_true(value: Value) -> Value:
    """Return, per row, whether at least one element is true."""
    true = _count_where(value, _only_present(value, value.values)) > 0
    return Value(true, _fold_state(value, true))


def count(value: Value) -> Value:
    """Return, per row, the number of elements that are present or unknown."""
    return Value(_n_not_absent(value).astype(np.float64), _with_list_state(value, None))


def count_true(value: Value) -> Value:
    """Return, per row, the number of true elements."""
    true = _count_where(value, _only_present(value, value.values))
    return Value(true.astype(np.float64), _fold_state(value))


def share(value: Value) -> Value:
    """Return, per row, the fraction of true elements (0 to 1); absent if there are no elements."""
    true = _count_where(value, _only_present(value, value.values))
    total = _n_not_absent(value) if value.state is None else _count_where(value, value.state == PRESENT)
    return Value(true / np.maximum(total, 1), _state_if_needed(value))


def _state_if_needed(value: Value) -> State:
    """Return the state of a fold that needs at least one element.

    It is absent if there are no elements, and unknown if an element is unknown.
    """
    state: Array = np.where(_n_not_absent(value) == 0, np.uint8(ABSENT), np.uint8(PRESENT))
    if value.state is not None:
        state[(state == PRESENT) & (_count_where(value, value.state == UNKNOWN) > 0)] = UNKNOWN
    return _with_list_state(value, state if np.count_nonzero(state) else None)


def total(value: Value) -> Value:
    """Return, per row, the sum of the elements; 0 if there are no elements."""
    assert value.lengths is not None
    values, rows = value.values, row_numbers(value.lengths)
    if value.state is not None:
        is_present = value.state == PRESENT
        values, rows = values[is_present], rows[is_present]
    sums = np.bincount(rows, weights=values, minlength=_n_rows(value))
    return Value(sums.astype(np.float64), _fold_state(value))  # without any elements, numpy returns integers


def _row_begins(value: Value) -> tuple[Array, Array]:
    """Return the rows with elements that are not absent, and the index of each row's first such element among all."""
    counts = _n_not_absent(value)
    rows: Array = counts.nonzero()[0]
    return rows, (counts.cumsum() - counts)[rows]


def _reduce_rows(value: Value, reduce: np.ufunc) -> Value:
    rows, begins = _row_begins(value)
    values = value.values if value.state is None else value.values[value.state != ABSENT]
    result = np.zeros(_n_rows(value))
    if len(rows):
        result[rows] = reduce.reduceat(values, begins)
    return Value(result, _state_if_needed(value))


def smallest(value: Value) -> Value:
    """Return, per row, the smallest element; nan if an element is nan, absent if there are no elements."""
    return _reduce_rows(value, np.minimum)


def largest(value: Value) -> Value:
    """Return, per row, the largest element; nan if an element is nan, absent if there are no elements."""
    return _reduce_rows(value, np.maximum)


def median(value: Value) -> Value:
    """Return, per row, the median; nan if an element is nan, absent if there are no elements."""
    values, rows = drop_absent(value)
    counts = np.bincount(rows, minlength=_n_rows(value))
    starts = np.cumsum(counts) - counts
    result = np.zeros(len(counts))
    # Lists of the same length are the rows of one matrix. np.unique is not used because it imports numpy.ma.
    for length in set(counts.tolist()) - {0}:
        of_length = np.flatnonzero(counts == length)
        result[of_length] = _medians_of_rows(values[starts[of_length, None] + np.arange(length)])
    return Value(result, _state_if_needed(value))


def _medians_of_rows(matrix: Array) -> Array:
    """Return the median of each row of a matrix, which is sorted in place. Sorting all lists at once is slower."""
    matrix.sort(axis=1)
    n = matrix.shape[1]
    low, high = matrix[:, (n - 1) // 2], matrix[:, n // 2]
    # Halve before adding: the sum of two large numbers could overflow.
    middle = np.where(low == high, low, low / 2 + high / 2)
    medians: Array = np.where(np.isnan(matrix[:, -1]), np.nan, middle)  # nan sorts last
    return medians


def first(value: Value) -> Value:
    """Return, per row, the first element that is not absent; absent if all elements are absent."""
    rows, begins = _row_begins(value)
    is_not_absent = slice(None) if value.state is None else value.state != ABSENT
    result = np.zeros(_n_rows(value), dtype=value.values.dtype)
    state = np.full(_n_rows(value), ABSENT, dtype=np.uint8)
    result[rows] = value.values[is_not_absent][begins]
    state[rows] = PRESENT if value.state is None else value.state[is_not_absent][begins]
    return Value(result, _with_list_state(value, state if np.count_nonzero(state) else None), labels=value.labels)


def element(value: Value, index: Value) -> Value:
    """Return, per row, the element at an index, or absent if the index is out of range.

    Indexes count from 0; negative indexes count from the end.
    """
    assert value.lengths is not None
    n = len(value.lengths)
    position = np.where(np.isfinite(index.values), index.values, -1e18).astype(np.int64)
    is_whole = index.values == np.floor(index.values)
    position = np.where(position < 0, position + value.lengths, position)
    is_inside = is_whole & (position >= 0) & (position < value.lengths)
    at = np.where(is_inside, np.cumsum(value.lengths) - value.lengths + position, 0)
    elements = value.values[at] if len(value.values) else np.zeros(n, dtype=value.values.dtype)
    state = np.where(is_inside, PRESENT, ABSENT).astype(np.uint8)
    if value.state is not None and len(value.state):
        state = np.where(is_inside, value.state[at], state).astype(np.uint8)
    operands = join_states(value.row_state, index.state)
    if operands is not None:  # if the index is absent or unknown, its number has no meaning
        state = np.where(operands != PRESENT, operands, state)
    return Value(elements, state if np.count_nonzero(state) else None, labels=value.labels)


def has_elements(value: Value) -> Value:
    """Return, per row, whether the list has an element that is not absent; true if the whole list is unknown."""
    assert value.lengths is not None
    non_empty: Array = _n_not_absent(value) > 0
    if value.row_state is not None:
        non_empty = np.where(value.row_state == PRESENT, non_empty, value.row_state == UNKNOWN)
    return Value(non_empty)


FOLDS: dict[str, Callable[[Value], Value]] = {
    "all": all_true,
    "any": any_true,
    "count": count,
    "count_true": count_true,
    "share": share,
    "sum": total,
    "min": smallest,
    "max": largest,
    "median": median,
    "first": first,
}
