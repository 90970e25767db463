"""Runs a checked program over the columns of some rows, within a budget of list elements."""

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
    aligned,
    at_rows,
    constant,
    emptied,
    expanded,
    joined_state,
    row_numbers,
    same_labels,
)
from tflint.language.table_lookup import look_up
from tflint.values import replace
from tflint.wildcards import text_matches


class BudgetError(TflintError):
    """An expression would make more list elements than allowed."""


class Columns(Protocol):
    """Where the columns of tables come from."""

    def column(self, table: str, name: str) -> Column:
        """A column by table and name."""
        ...


class Meter:
    """Counts the list elements that expressions make."""

    def __init__(self) -> None:
        self.elements = 0


#: What has more elements than this is not kept for the next program that asks for it.
KEPT_ELEMENTS = 1 << 16


class Evaluator:
    """Evaluates programs over the same rows of one table.

    `records` and `constants` are the values behind the names that the scope declared. What several programs have in
    common (the same object, see `interned`) is evaluated once.
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
        self._knowledge = constants or {}
        self._budget = budget
        self._meter = meter or Meter()
        self._made: dict[int, tuple[Program, Value]] = {}  # by identity; with the program, so that it stays what it is
        self._wider: tuple[Evaluator, Array] | None = None

    def value(self, program: Program) -> Value:
        """The value of a program for every row."""
        with np.errstate(all="ignore"):  # IEEE arithmetic is what the language promises
            return expanded(self._run(program), len(self.rows))

    def small_value(self, program: Program) -> Value | None:
        """The value of a program for every row; None where its lists have more elements than would be kept."""
        budget, self._budget = self._budget, min(self._budget, KEPT_ELEMENTS)
        try:
            return self.value(program)
        except BudgetError:
            return None
        finally:
            self._budget = budget

    def narrowed(self, kept: Array) -> Evaluator:
        """An evaluator over some of the rows, by ascending index."""
        if len(kept) == len(self.rows):
            return self
        narrow = Evaluator(
            self._columns,
            self.rows[kept],
            records=self._records,
            constants=self._knowledge,
            budget=self._budget,
            meter=self._meter,
        )
        narrow._wider = (self, kept)
        return narrow

    def _run(self, program: Program) -> Value:
        made = self._made.get(id(program))
        if made is not None:
            return made[1]
        value = self._of_wider(program) or _OPERATIONS[program[0]](self, program)
        if len(value.values) <= KEPT_ELEMENTS:
            self._made[id(program)] = (program, value)
        return value

    def _of_wider(self, program: Program) -> Value | None:
        """What was evaluated for more rows already, for these rows; None for lists, of which that is no less work."""
        if self._wider is None:
            return None
        wider, kept = self._wider
        made = wider._made.get(id(program))
        if made is None or made[1].is_list:
            return None
        return made[1] if made[1].is_constant else at_rows(made[1], kept)

    def _row(self, _program: Program) -> Value:
        return Value(self.rows)

    def _column(self, program: Program) -> Value:
        _, base, table, name, kind = program
        return self._follow(self._run(base), self._columns.column(table, name), kind)

    def _follow(self, base: Value, column: Column, kind: str) -> Value:
        """A column of the rows that a reference leads to."""
        if not len(column):
            return _of_empty_table(base, column, kind)
        rows: Array | slice = base.values
        if rows is self.rows and len(rows) == len(column):  # ascending, and as many as there are: all of them
            rows = slice(None)
        state = base.state
        if column.state is not None:  # row 0 stands in for a reference that leads nowhere: its state says nothing
            there = column.state[rows]
            state = there if base.state is None else np.where(base.state == PRESENT, there, base.state)
        if isinstance(column, Lists):
            return self._lists(column, rows, state, kind)
        gathered = _gather(column, rows)
        if gathered.state is not None:
            state = joined_state(state, gathered.state)
        return Value(gathered.values, state, base.lengths, base.row_state, gathered.labels)

    def _lists(self, column: Lists, rows: Array | slice, row_state: State, kind: str) -> Value:
        lengths = column.lengths[rows]
        if row_state is not None:
            lengths = np.where(row_state == PRESENT, lengths, 0)
        self._spend(int(lengths.sum()))
        values = column.take(flat_positions(column.starts[rows], lengths, column.stride))
        if kind == NUMBER:
            return Value(values.astype(np.float64), None, lengths, row_state)
        if kind == STRING:
            return Value(values.astype(np.int64), None, lengths, row_state, _some(column.labels))
        if kind == REFERENCE and len(values) and values.min() < 0:
            owners = row_numbers(lengths)[values >= 0]
            return Value(values[values >= 0], None, np.bincount(owners, minlength=len(lengths)), row_state)
        return Value(values, None, lengths, row_state)

    def _spend(self, elements: int) -> None:
        if elements > self._budget:
            raise BudgetError(f"the expression makes {elements:,} list elements, more than {self._budget:,}")
        self._meter.elements += elements

    # -- constants -----------------------------------------------------------------------------------------------------

    def _literal(self, program: Program) -> Value:
        return constant(program[1])

    def _record(self, program: Program) -> Value:
        _, record, name, kind, is_list = program
        value = self._records[record][name]
        if is_list:
            return self._repeated(value or (), kind, UNKNOWN if value is None else PRESENT)
        if value is None:
            n = len(self.rows)
            labels = [""] if kind == STRING else None
            return Value(np.zeros(n, dtype=_dtype(kind)), np.full(n, UNKNOWN, dtype=np.uint8), labels=labels)
        return constant(float(value) if kind == NUMBER else value)

    # -- operators -----------------------------------------------------------------------------------------------------

    def _arithmetic(self, program: Program) -> Value:
        return self._paired(program, _ARITHMETIC[program[0]])

    def _paired(self, program: Program, apply: Callable[[Array, Array], Array]) -> Value:
        left, right, lengths, row_state = self._both(program)
        values = apply(left.values, right.values)
        state = joined_state(left.state, right.state)
        return Value(values, state, lengths, row_state, is_constant=left.is_constant and right.is_constant)

    def _both(self, program: Program) -> tuple[Value, Value, Array | None, State]:
        sides = aligned(self._run(program[1]), self._run(program[2]))
        if sides[2] is not None:
            self._spend(int(sides[2].sum()))
        return sides

    def _equality(self, program: Program) -> Value:
        left, right, lengths, row_state = self._both(program)
        a, b = (left.values, right.values) if left.labels is None else same_labels(left, right)
        values = a == b if program[0] == "==" else a != b
        state = joined_state(left.state, right.state)
        return Value(values, state, lengths, row_state, is_constant=left.is_constant and right.is_constant)

    def _close(self, program: Program) -> Value:
        rtol, atol = program[3], program[4]

        def apply(a: Array, b: Array) -> Array:
            near: Array = np.abs(a - b) <= np.maximum(rtol * np.maximum(np.abs(a), np.abs(b)), atol)
            near &= np.isfinite(a) & np.isfinite(b)  # about an infinity the tolerance is infinite
            near |= a == b
            return near

        return self._paired(program, apply)

    def _logic(self, program: Program) -> Value:
        """`and`, `or` of single values: once all rows are decided, what else there is need not be evaluated."""
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
        found = self._equality(("==", program[1], program[2]))
        return list_folds.any_true(found)

    def _constants(self, program: Program) -> Value:
        return self._repeated(program[1], STRING if isinstance(program[1][0], str) else NUMBER)

    def _repeated(self, members: Sequence[Any], kind: str, row_state: int = PRESENT) -> Value:
        """The same list for every row."""
        n = len(self.rows)
        self._spend(n * len(members))
        labels = _some(list(dict.fromkeys(members))) if kind == STRING else None
        codes = members if labels is None else [labels.index(text) for text in members]
        values = np.tile(np.array(codes, dtype=_dtype(kind)), n)
        state = None if row_state == PRESENT else np.full(n, row_state, dtype=np.uint8)
        return Value(values, None, np.full(n, len(members)), state, labels)

    def _glob(self, program: Program) -> Value:
        value = self._run(program[1])
        assert value.labels is not None
        used, inverse = np.unique(value.values, return_inverse=True)
        matches = np.array([text_matches(value.labels[int(k)], program[2]) for k in used], dtype=np.bool_)
        return Value(matches[inverse] if len(used) else np.zeros(0, np.bool_), value.state, value.lengths,
                     value.row_state, is_constant=value.is_constant)  # fmt: skip

    def _lookup(self, program: Program) -> Value:
        _, kind, source, *parts = program
        table: Any = self._table(source)
        keys, joint = self._together([self._run(part) for part in parts])
        return look_up(table, kind, [expanded(key, len(joint.values)) for key in keys], joint)

    def _together(self, keys: list[Value]) -> tuple[list[Value], Value]:
        """Keys with equally many elements, and what they have in common: how many, and their joint state."""
        joint = expanded(replace(keys[0], labels=None), len(self.rows))
        for key in keys[1:]:
            a, b, lengths, row_state = aligned(joint, key)
            joint = Value(a.values, joined_state(a.state, b.state), lengths, row_state)
        joint = emptied(joint)  # else a key would be stretched to elements that are none
        return [aligned(joint, key)[1] for key in keys], joint

    def _table(self, program: Program) -> Any:
        if program[0] == "record":
            return self._records[program[1]][program[2]]
        value: Any = self._knowledge
        for name in program[1:]:
            value = value[name]
        return value

    def _fold(self, program: Program) -> Value:
        return list_folds.FOLDS[program[0]](self._run(program[1]))

    def _index(self, program: Program) -> Value:
        base, index = self._run(program[1]), expanded(self._run(program[2]), len(self.rows))
        return list_folds.element(base, index)

    def _has(self, program: Program) -> Value:
        value = self._run(program[1])
        if value.is_list:
            return list_folds.has_elements(value)
        if value.is_constant:
            return constant(True)
        n = len(value.values)
        return Value(np.ones(n, dtype=np.bool_) if value.state is None else value.state != ABSENT)


def _kleene(left: Value, right: Value, *, decisive: bool) -> Value:
    """`or` (decisive True) and `and` (decisive False): a present decisive operand decides."""
    a, b, lengths, row_state = aligned(left, right)
    values = a.values | b.values if decisive else a.values & b.values
    state = joined_state(a.state, b.state)
    if state is not None:
        decides = _decides(a, decisive) | _decides(b, decisive)
        state = state * ~decides
        values = values | decides if decisive else values & ~decides
        if not np.count_nonzero(state):
            state = None
    if left.is_list != right.is_list:  # an undecided single value is undecided for each element, not for the list
        row_state = left.row_state if left.is_list else right.row_state
    return Value(values, state, lengths, row_state, is_constant=left.is_constant and right.is_constant)


def _decides(value: Value, decisive: bool) -> Array:
    decides: Array = value.values == decisive
    return decides if value.state is None else decides & (value.state == PRESENT)


def _dtype(kind: str) -> type[np.generic]:
    return np.float64 if kind == NUMBER else np.bool_ if kind == BOOL else np.int64


def _some(labels: Sequence[str] | None) -> Sequence[str]:
    """Labels of which there is a first one: codes of strings that are not there are 0."""
    return labels if labels is not None and len(labels) else [""]


def _of_empty_table(base: Value, column: Column, kind: str) -> Value:
    """A column of a table without rows: nothing can lead there, so every value is absent (or unknown, as the base)."""
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
        return Value(column.codes[rows].astype(np.int64), labels=_some(column.labels))
    if isinstance(column, References):
        return _reference(column.rows[rows])
    assert isinstance(column, Texts)
    return _decoded(column, np.arange(len(column)) if isinstance(rows, slice) else rows)


def _reference(rows: Array) -> Value:
    """References as row numbers that can be looked up; what leads nowhere (-1) is absent and stands at row 0."""
    negative = rows < 0
    if not np.count_nonzero(negative):
        return Value(rows)
    return Value(np.maximum(rows, 0), negative.astype(np.uint8) * np.uint8(ABSENT))


def _decoded(column: Texts, rows: Array) -> Value:
    used, inverse = np.unique(rows, return_inverse=True)
    labels: dict[str, int] = {}
    codes = [labels.setdefault(column.text(int(row)), len(labels)) for row in used]
    return Value(np.array(codes, dtype=np.int64)[inverse], labels=list(labels) or [""])


def _is_one_of(value: Value, members: tuple[Any, ...]) -> Array:
    if value.labels is None:
        found: Array = np.isin(value.values, np.array(members))
        return found
    wanted = set(members)
    accepted = np.array([label in wanted for label in value.labels], dtype=np.bool_)
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
}
