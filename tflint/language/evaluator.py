"""Evaluates a checked program over the columns of some rows, within a budget of list elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

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
    Texts,
    flat_positions,
)
from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING
from tflint.errors import TflintError
from tflint.language import list_folds
from tflint.language.expression import Program
from tflint.language.expression_value import (
    Array,
    Value,
    align,
    clear_missing_lists,
    constant,
    expand_constant,
    join_states,
    row_numbers,
    take_rows,
    to_common_codes,
)
from tflint.language.table_lookup import look_up
from tflint.values import replace
from tflint.wildcards import text_matches


class BudgetError(TflintError):
    """An expression would produce more list elements than the budget allows."""


class Columns(Protocol):
    """What provides the evaluator with columns."""

    def column(self, table: str, name: str) -> Column:
        """Return a column by the names of its table and column."""
        ...


class Meter:
    """Counts the list elements that expressions produce."""

    def __init__(self) -> None:
        self.elements = 0


#: Values with more elements are not cached for reuse by other programs.
MAX_CACHED_ELEMENTS = 1 << 16
_NO_ELEMENTS = np.zeros(0)


class Evaluator:
    """Evaluates programs over a set of rows of one table.

    `records` and `constants` are the values of the records and knowledge tables that the scope declares. A subprogram
    that several programs share as the same object (see `intern_program`) is evaluated once.
    """

    def __init__(
        self,
        columns: Columns,
        rows: Array,
        *,
        records: Mapping[str, Mapping[str, Any]] | None = None,
        constants: Mapping[str, Mapping[str, Any]] | None = None,
        budget: int = 20_000_000,
        meter: Meter | None = None,
    ) -> None:
        self._columns = columns
        self.rows = rows
        self._records = records or {}
        self._constant_tables = constants or {}
        self._budget = budget
        self._meter = meter or Meter()
        # By id of the program; the program is kept so that its id stays valid.
        self._cache: dict[int, tuple[Program, Value]] = {}
        self._parent: tuple[Evaluator, Array] | None = None

    def value(self, program: Program) -> Value:
        """Return the value of a program for every row.

        The language uses IEEE arithmetic. The caller disables numpy's warnings, because that takes longer than most
        operations on a few rows.
        """
        return expand_constant(self._run(program), len(self.rows))

    def small_value(self, program: Program) -> Value | None:
        """Return the value of a program for every row, or None if its lists are too large to cache."""
        budget, self._budget = self._budget, min(self._budget, MAX_CACHED_ELEMENTS)
        try:
            return self.value(program)
        except BudgetError:
            return None
        finally:
            self._budget = budget

    def narrow(self, selected: Array) -> Evaluator:
        """Return an evaluator for some of the rows; `selected` holds the indexes of these rows, ascending."""
        if len(selected) == len(self.rows):
            return self
        narrowed = Evaluator(
            self._columns,
            self.rows[selected],
            records=self._records,
            constants=self._constant_tables,
            budget=self._budget,
            meter=self._meter,
        )
        narrowed._parent = (self, selected)
        return narrowed

    def _run(self, program: Program) -> Value:
        cached = self._cache.get(id(program))
        if cached is not None:
            return cached[1]
        value = self._take_from_parent(program) or _OPERATIONS[program[0]](self, program)
        if len(value.values) <= MAX_CACHED_ELEMENTS:
            self._cache[id(program)] = (program, value)
        return value

    def _take_from_parent(self, program: Program) -> Value | None:
        """Return the value that the evaluator of more rows has cached, for this evaluator's rows.

        Returns None if it has cached no value, or the value is a list: selecting rows of lists would save no work.
        """
        if self._parent is None:
            return None
        parent, selected = self._parent
        cached = parent._cache.get(id(program))
        if cached is None or cached[1].is_list:
            return None
        return cached[1] if cached[1].is_constant else take_rows(cached[1], selected)

    def _row(self, _program: Program) -> Value:
        return Value(self.rows)

    def _column(self, program: Program) -> Value:
        _, base, table, name, kind = program
        return self._follow(self._run(base), self._columns.column(table, name), kind)

    def _run_for_lengths(self, program: Program) -> Value:
        """Return the value of a program, for a list column without the elements: most lists are only counted.

        Lists of references are read, because absent references do not count.
        """
        if program[0] == "column" and program[4] != REFERENCE and id(program) not in self._cache:
            _, base, table, name, kind = program
            column = self._columns.column(table, name)
            if isinstance(column, Lists):
                return self._follow(self._run(base), column, kind, has_elements=False)
        return self._run(program)

    def _follow(self, base: Value, column: Column, kind: str, *, has_elements: bool = True) -> Value:
        """Return the values of a column in the rows that `base` references."""
        if not len(column):
            return _value_from_empty_table(base, column, kind)
        rows: Array | slice = base.values
        if rows is self.rows and len(rows) == len(column):  # rows are distinct and ascending, so these are all rows
            rows = slice(None)
        state = base.state
        if column.state is not None:  # an absent reference points to row 0, whose state does not count
            column_state = column.state[rows]
            state = column_state if base.state is None else np.where(base.state == PRESENT, column_state, base.state)
        if isinstance(column, Lists):
            return self._lists(column, rows, state, kind, has_elements=has_elements)
        gathered = _gather(column, rows)
        if gathered.state is not None:
            state = join_states(state, gathered.state)
        return Value(gathered.values, state, base.lengths, base.row_state, gathered.labels)

    def _lists(self, column: Lists, rows: Array | slice, row_state: State, kind: str, *, has_elements: bool) -> Value:
        lengths = column.lengths[rows]
        if row_state is not None:
            lengths = np.where(row_state == PRESENT, lengths, 0)
        if not has_elements:
            return Value(_NO_ELEMENTS, None, lengths, row_state)
        self._spend(int(lengths.sum()))
        values = column.take(flat_positions(column.starts[rows], lengths, column.stride))
        if kind == NUMBER:
            return Value(values.astype(np.float64), None, lengths, row_state)
        if kind == STRING:
            return Value(values.astype(np.int64), None, lengths, row_state, _nonempty_labels(column.labels))
        if kind == REFERENCE and len(values) and values.min() < 0:
            owners = row_numbers(lengths)[values >= 0]
            return Value(values[values >= 0], None, np.bincount(owners, minlength=len(lengths)), row_state)
        return Value(values, None, lengths, row_state)

    def _spend(self, elements: int) -> None:
        if elements > self._budget:
            raise BudgetError(f"the expression produces {elements:,} list elements, more than {self._budget:,}")
        self._meter.elements += elements

    # -- constants -----------------------------------------------------------------------------------------------------

    def _literal(self, program: Program) -> Value:
        return constant(program[1])

    def _record(self, program: Program) -> Value:
        _, record, name, kind, is_list = program
        value = self._records[record][name]
        if is_list:
            return self._repeat_list(value or (), kind, UNKNOWN if value is None else PRESENT)
        if value is None:
            n = len(self.rows)
            labels = [""] if kind == STRING else None
            return Value(np.zeros(n, dtype=_dtype(kind)), np.full(n, UNKNOWN, dtype=np.uint8), labels=labels)
        return constant(float(value) if kind == NUMBER else value)

    # -- operators -----------------------------------------------------------------------------------------------------

    def _arithmetic(self, program: Program) -> Value:
        return self._apply_binary(program, _ARITHMETIC[program[0]])

    def _apply_binary(self, program: Program, apply: Callable[[Array, Array], Array]) -> Value:
        left, right, lengths, row_state = self._align_operands(program)
        values = apply(left.values, right.values)
        state = join_states(left.state, right.state)
        return Value(values, state, lengths, row_state, is_constant=left.is_constant and right.is_constant)

    def _align_operands(self, program: Program) -> tuple[Value, Value, Array | None, State]:
        sides = align(self._run(program[1]), self._run(program[2]))
        if sides[2] is not None:
            self._spend(int(sides[2].sum()))
        return sides

    def _equality(self, program: Program) -> Value:
        left, right, lengths, row_state = self._align_operands(program)
        a, b = (left.values, right.values) if left.labels is None else to_common_codes(left, right)
        values = a == b if program[0] == "==" else a != b
        state = join_states(left.state, right.state)
        return Value(values, state, lengths, row_state, is_constant=left.is_constant and right.is_constant)

    def _close(self, program: Program) -> Value:
        rtol, atol = program[3], program[4]

        def apply(a: Array, b: Array) -> Array:
            near: Array = np.abs(a - b) <= np.maximum(rtol * np.maximum(np.abs(a), np.abs(b)), atol)
            near &= np.isfinite(a) & np.isfinite(b)  # rtol times infinity is infinite
            near |= a == b
            return near

        return self._apply_binary(program, apply)

    def _logic(self, program: Program) -> Value:
        """Evaluate `and` or `or` of single values; stop as soon as the result of every row is decided."""
        decisive = program[0] == "or"
        result = self._run(program[1])
        for part in program[2:]:
            if result.state is None and np.count_nonzero(result.values) == (len(result.values) if decisive else 0):
                return result
            result = _kleene(result, self._run(part), decisive=decisive)
        return result

    def _logic_of_lists(self, program: Program) -> Value:
        result = self._run(program[1])
        for part in program[2:]:
            result = _kleene(result, self._run(part), decisive=program[0] == "each_or")
        return result

    def _not(self, program: Program) -> Value:
        value = self._run(program[1])
        return Value(~value.values, value.state, value.lengths, value.row_state, is_constant=value.is_constant)

    def _map(self, program: Program) -> Value:
        value = self._run(program[1])
        values = np.isfinite(value.values) if program[0] == "isfinite" else np.abs(value.values)
        return Value(values, value.state, value.lengths, value.row_state, is_constant=value.is_constant)

    def _in(self, program: Program) -> Value:
        if program[2][0] == "constants":
            value = self._run(program[1])
            values = _is_one_of(value, program[2][1])
            return Value(values, value.state, value.lengths, value.row_state, is_constant=value.is_constant)
        is_equal = self._equality(("==", program[1], program[2]))
        return list_folds.any_true(is_equal)

    def _constants(self, program: Program) -> Value:
        return self._repeat_list(program[1], STRING if isinstance(program[1][0], str) else NUMBER)

    def _repeat_list(self, members: Sequence[Any], kind: str, row_state: int = PRESENT) -> Value:
        """Return a constant list, once for every row."""
        n = len(self.rows)
        self._spend(n * len(members))
        labels = _nonempty_labels(list(dict.fromkeys(members))) if kind == STRING else None
        codes = members if labels is None else [labels.index(text) for text in members]
        values = np.tile(np.array(codes, dtype=_dtype(kind)), n)
        state = None if row_state == PRESENT else np.full(n, row_state, dtype=np.uint8)
        return Value(values, None, np.full(n, len(members)), state, labels)

    def _glob(self, program: Program) -> Value:
        value = self._run(program[1])
        assert value.labels is not None
        distinct, inverse = np.unique(value.values, return_inverse=True)
        matches = np.array([text_matches(value.labels[int(k)], program[2]) for k in distinct], dtype=np.bool_)
        return Value(matches[inverse] if len(distinct) else np.zeros(0, np.bool_), value.state, value.lengths,
                     value.row_state, is_constant=value.is_constant)  # fmt: skip

    def _lookup(self, program: Program) -> Value:
        _, kind, source, *parts = program
        table: Any = self._table(source)
        keys, joint = self._align_keys([self._run(part) for part in parts])
        return look_up(table, kind, [expand_constant(key, len(joint.values)) for key in keys], joint)

    def _align_keys(self, keys: list[Value]) -> tuple[list[Value], Value]:
        """Return the keys, repeated to equal numbers of elements, and a value with their joint lengths and state."""
        joint = expand_constant(replace(keys[0], labels=None), len(self.rows))
        for key in keys[1:]:
            a, b, lengths, row_state = align(joint, key)
            joint = Value(a.values, join_states(a.state, b.state), lengths, row_state)
        joint = clear_missing_lists(joint)  # otherwise keys would be repeated for lists that are missing
        return [align(joint, key)[1] for key in keys], joint

    def _table(self, program: Program) -> Any:
        if program[0] == "record":
            return self._records[program[1]][program[2]]
        value: Any = self._constant_tables
        for name in program[1:]:
            value = value[name]
        return value

    def _count(self, program: Program) -> Value:
        return list_folds.count(self._run_for_lengths(program[1]))

    def _fold(self, program: Program) -> Value:
        return list_folds.FOLDS[program[0]](self._run(program[1]))

    def _index(self, program: Program) -> Value:
        base, index = self._run(program[1]), expand_constant(self._run(program[2]), len(self.rows))
        return list_folds.element(base, index)

    def _has(self, program: Program) -> Value:
        value = self._run_for_lengths(program[1])
        if value.is_list:
            return list_folds.has_elements(value)
        if value.is_constant:
            return constant(True)
        n = len(value.values)
        return Value(np.ones(n, dtype=np.bool_) if value.state is None else value.state != ABSENT)


def _kleene(left: Value, right: Value, *, decisive: bool) -> Value:
    """Apply `or` (`decisive` is True) or `and` (`decisive` is False).

    A present operand that equals `decisive` decides the result, even if the other operand is absent or unknown.
    """
    a, b, lengths, row_state = align(left, right)
    values = a.values | b.values if decisive else a.values & b.values
    state = join_states(a.state, b.state)
    if state is not None:
        is_decisive = _is_decisive(a, decisive) | _is_decisive(b, decisive)
        state = state * ~is_decisive
        values = values | is_decisive if decisive else values & ~is_decisive
        if not np.count_nonzero(state):
            state = None
    if left.is_list != right.is_list:  # a missing single value affects each element, not the whole list
        row_state = left.row_state if left.is_list else right.row_state
    return Value(values, state, lengths, row_state, is_constant=left.is_constant and right.is_constant)


def _is_decisive(value: Value, decisive: bool) -> Array:
    is_decisive: Array = value.values == decisive
    return is_decisive if value.state is None else is_decisive & (value.state == PRESENT)


def _dtype(kind: str) -> type[np.generic]:
    return np.float64 if kind == NUMBER else np.bool_ if kind == BOOL else np.int64


def _nonempty_labels(labels: Sequence[str] | None) -> Sequence[str]:
    """Return the labels, or one empty label if there are none: absent strings have code 0, which needs a label."""
    return labels if labels is not None and len(labels) else [""]


def _value_from_empty_table(base: Value, column: Column, kind: str) -> Value:
    """Return the values of a column of a table without rows: each is unknown if the base is unknown, else absent."""
    n = len(base.values)
    state = np.full(n, ABSENT, dtype=np.uint8) if base.state is None else base.state
    dtype = _dtype(kind)
    labels = [""] if kind == STRING else None
    if isinstance(column, Lists):
        return Value(np.zeros(0, dtype=dtype), None, np.zeros(n, dtype=np.int64), state, labels)
    return Value(np.zeros(n, dtype=dtype), state if n else None, base.lengths, base.row_state, labels)


def _gather(column: Column, rows: Array | slice) -> Value:
    if isinstance(column, Scalars):
        values = column.values[rows]
        return Value(values if values.dtype == np.bool_ else values.astype(np.float64))
    if isinstance(column, Strings):
        return Value(column.codes[rows].astype(np.int64), labels=_nonempty_labels(column.labels))
    if isinstance(column, References):
        return _reference_values(column.rows[rows])
    assert isinstance(column, Texts)
    return _decode_texts(column, np.arange(len(column)) if isinstance(rows, slice) else rows)


def _reference_values(rows: Array) -> Value:
    """Return references as a value of row numbers. Absent references (-1) get row 0, so that they are valid indexes."""
    negative = rows < 0
    if not np.count_nonzero(negative):
        return Value(rows)
    return Value(np.maximum(rows, 0), negative.astype(np.uint8) * np.uint8(ABSENT))


def _decode_texts(column: Texts, rows: Array) -> Value:
    distinct, inverse = np.unique(rows, return_inverse=True)
    labels: dict[str, int] = {}
    codes = [labels.setdefault(column.text(int(row)), len(labels)) for row in distinct]
    return Value(np.array(codes, dtype=np.int64)[inverse], labels=list(labels) or [""])


def _is_one_of(value: Value, members: tuple[Any, ...]) -> Array:
    if value.labels is None:
        is_equal: Array = value.values == members[0]  # np.isin takes as long as comparing with 20 members
        for member in members[1:]:
            is_equal |= value.values == member
        return is_equal
    accepted_texts = set(members)
    accepted = np.array([label in accepted_texts for label in value.labels], dtype=np.bool_)
    return accepted[value.values] if len(accepted) else np.zeros(len(value.values), dtype=np.bool_)


_ARITHMETIC: dict[str, Callable[[Array, Array], Array]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.mod,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "min2": np.minimum, "max2": np.maximum,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[[Evaluator, Program], Value]] = {
    "row": Evaluator._row,
    "number": Evaluator._literal,
    "bool": Evaluator._literal,
    "string": Evaluator._literal,
    "constants": Evaluator._constants,
    "record": Evaluator._record,
    "==": Evaluator._equality,
    "!=": Evaluator._equality,
    "close": Evaluator._close,
    "column": Evaluator._column,
    "and": Evaluator._logic,
    "or": Evaluator._logic,
    "each_and": Evaluator._logic_of_lists,
    "each_or": Evaluator._logic_of_lists,
    "not": Evaluator._not,
    "isfinite": Evaluator._map,
    "abs": Evaluator._map,
    "in": Evaluator._in,
    "glob": Evaluator._glob,
    "lookup": Evaluator._lookup,
    "index": Evaluator._index,
    "has": Evaluator._has,
    **dict.fromkeys(_ARITHMETIC, Evaluator._arithmetic),
    **dict.fromkeys(list_folds.FOLDS, Evaluator._fold),
    "count": Evaluator._count,
}
