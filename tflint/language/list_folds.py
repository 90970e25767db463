"""Folds: what makes one value a row out of a list a row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tflint.columns.column import ABSENT, PRESENT, UNKNOWN, State
from tflint.language.expression_value import Array, Value, joined_state, present_only, row_numbers


def _rows(value: Value) -> int:
    assert value.lengths is not None
    return len(value.lengths)


def _count_where(value: Value, mask: Array) -> Array:
    assert value.lengths is not None
    return np.bincount(row_numbers(value.lengths)[mask], minlength=_rows(value))


def _present(value: Value, mask: Array) -> Array:
    """Elements of a mask that are present."""
    return mask if value.state is None else mask & (value.state == PRESENT)


def _n_left(value: Value) -> Array:
    """For each row how many elements are not absent."""
    assert value.lengths is not None
    if value.state is None:
        return value.lengths
    left: Array = value.lengths - _count_where(value, value.state == ABSENT)
    return left


def _undecided(value: Value, decided: Array | None = None) -> State:
    """The state of a fold that some rows decide by one element: else unknown where an element is."""
    if value.state is None:
        return _of_list(value, None)
    unknown = _count_where(value, value.state == UNKNOWN) > 0
    if decided is not None:
        unknown &= ~decided
    return _of_list(value, (unknown * UNKNOWN).astype(np.uint8) if np.count_nonzero(unknown) else None)


def _of_list(value: Value, state: State) -> State:
    """A fold's state, with that of the list as a whole first: there is no element to decide anything."""
    if value.row_state is None:
        return state
    return value.row_state if state is None else np.where(value.row_state != PRESENT, value.row_state, state)


def all_true(value: Value) -> Value:
    """Whether no element is false."""
    false = _count_where(value, _present(value, ~value.values)) > 0
    return Value(~false, _undecided(value, false))


def any_true(value: Value) -> Value:
    """Whether an element is true."""
    true = _count_where(value, _present(value, value.values)) > 0
    return Value(true, _undecided(value, true))


def count(value: Value) -> Value:
    """How many elements there are; absent ones do not count, unknown ones do."""
    return Value(_n_left(value).astype(np.float64), _of_list(value, None))


def count_true(value: Value) -> Value:
    """How many elements are true."""
    true = _count_where(value, _present(value, value.values))
    return Value(true.astype(np.float64), _undecided(value))


def share(value: Value) -> Value:
    """Which part of the elements is true, 0 to 1; absent where there are none."""
    true = _count_where(value, _present(value, value.values))
    total = _n_left(value) if value.state is None else _count_where(value, value.state == PRESENT)
    return Value(true / np.maximum(total, 1), _needs_one(value))


def _needs_one(value: Value) -> State:
    """The state of a fold that needs an element: absent where there is none, unknown where one is."""
    state: Array = np.where(_n_left(value) == 0, np.uint8(ABSENT), np.uint8(PRESENT))
    if value.state is not None:
        state[(state == PRESENT) & (_count_where(value, value.state == UNKNOWN) > 0)] = UNKNOWN
    return _of_list(value, state if np.count_nonzero(state) else None)


def total(value: Value) -> Value:
    """The sum of the elements; 0 where there are none."""
    assert value.lengths is not None
    values, rows = value.values, row_numbers(value.lengths)
    if value.state is not None:
        kept = value.state == PRESENT
        values, rows = values[kept], rows[kept]
    sums = np.bincount(rows, weights=values, minlength=_rows(value))
    return Value(sums.astype(np.float64), _undecided(value))  # of no elements at all numpy makes integers


def _begins(value: Value) -> tuple[Array, Array]:
    """The rows that have an element that is not absent, and where among all such elements theirs begin."""
    counts = _n_left(value)
    rows: Array = counts.nonzero()[0]
    return rows, (counts.cumsum() - counts)[rows]


def _reduced(value: Value, reduce: np.ufunc) -> Value:
    rows, begins = _begins(value)
    values = value.values if value.state is None else value.values[value.state != ABSENT]
    result = np.zeros(_rows(value))
    if len(rows):
        result[rows] = reduce.reduceat(values, begins)
    return Value(result, _needs_one(value))


def smallest(value: Value) -> Value:
    """The smallest element (nan where one is); absent where there are none."""
    return _reduced(value, np.minimum)


def largest(value: Value) -> Value:
    """The largest element (nan where one is); absent where there are none."""
    return _reduced(value, np.maximum)


def median(value: Value) -> Value:
    """The middle element, or the mean of the two middle ones (nan where one is); absent where there are none."""
    values, rows = present_only(value)
    order = np.lexsort((values, rows))
    values = values[order]
    counts = np.bincount(rows, minlength=_rows(value))
    starts = np.cumsum(counts) - counts
    some = np.flatnonzero(counts)
    low, high = starts[some] + (counts[some] - 1) // 2, starts[some] + counts[some] // 2
    result = np.zeros(len(counts))
    # Half of each first: the sum of two large numbers would not fit.
    middle = np.where(low == high, values[low], values[low] / 2 + values[high] / 2)
    last = values[starts[some] + counts[some] - 1]  # a nan sorts last
    result[some] = np.where(np.isnan(last), np.nan, middle)
    return Value(result, _needs_one(value))


def first(value: Value) -> Value:
    """The first element that is not absent; absent where there is none."""
    rows, begins = _begins(value)
    kept = slice(None) if value.state is None else value.state != ABSENT
    result = np.zeros(_rows(value), dtype=value.values.dtype)
    state = np.full(_rows(value), ABSENT, dtype=np.uint8)
    result[rows] = value.values[kept][begins]
    state[rows] = PRESENT if value.state is None else value.state[kept][begins]
    return Value(result, _of_list(value, state if np.count_nonzero(state) else None), labels=value.labels)


def element(value: Value, index: Value) -> Value:
    """The element at an index, counted from 0 (or from the end, where negative); out of range is absent."""
    assert value.lengths is not None
    n = len(value.lengths)
    position = np.where(np.isfinite(index.values), index.values, -1e18).astype(np.int64)
    whole = index.values == np.floor(index.values)
    position = np.where(position < 0, position + value.lengths, position)
    inside = whole & (position >= 0) & (position < value.lengths)
    at = np.where(inside, np.cumsum(value.lengths) - value.lengths + position, 0)
    taken = value.values[at] if len(value.values) else np.zeros(n, dtype=value.values.dtype)
    state = np.where(inside, PRESENT, ABSENT).astype(np.uint8)
    if value.state is not None and len(value.state):
        state = np.where(inside, value.state[at], state).astype(np.uint8)
    operands = joined_state(value.row_state, index.state)
    if operands is not None:  # an index that is not there points at no element, whatever is stored for it
        state = np.where(operands != PRESENT, operands, state)
    return Value(taken, state if np.count_nonzero(state) else None, labels=value.labels)


def has_elements(value: Value) -> Value:
    """Whether the list is there and has an element that is not absent."""
    assert value.lengths is not None
    some: Array = _n_left(value) > 0
    if value.row_state is not None:
        some = np.where(value.row_state == PRESENT, some, value.row_state == UNKNOWN)
    return Value(some)


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
