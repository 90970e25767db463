"""Test the rule language: values against a row-by-row oracle, errors, limits and message templates."""

from __future__ import annotations

import functools
import itertools
import math
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.helpers.language_oracle import ABSENT, UNKNOWN, Oracle, State, UnspecifiedError
from tflint.columns import column as columns_module
from tflint.columns.column import PRESENT, Column, Lists, References, Scalars, Strings, Texts
from tflint.columns.column_types import (
    BOOL,
    NUMBER,
    REFERENCE,
    STRING,
    ColumnDeclaration,
    ColumnType,
    TableDeclaration,
    reference,
)
from tflint.language.evaluator import BudgetError, Evaluator
from tflint.language.expression_value import Value
from tflint.language.message_template import compile_template
from tflint.language.message_text import fill
from tflint.language.scope import Scope
from tflint.language.syntax import MAX_CHARACTERS, ExpressionError
from tflint.language.type_check import check, check_condition

NUM, TRUTH, TEXT = ColumnType(NUMBER), ColumnType(BOOL), ColumnType(STRING)
NUMS, TRUTHS, TEXTS = NUM.list_of(), TRUTH.list_of(), TEXT.list_of()

Types = dict[str, dict[str, ColumnType]]
Cells = dict[str, list[dict[str, Any]]]


def declared(types: Types) -> dict[str, TableDeclaration]:
    return {
        table: TableDeclaration(table, "", {name: ColumnDeclaration(name, type_, "") for name, type_ in row.items()})
        for table, row in types.items()
    }


# --- from plain cells to columns --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PlainColumns:
    """Columns made of plain cells. `noise` chooses what lies in storage where a cell has no value, and whether lists
    lie in an array or, with a stride, in a file: no answer may depend on it.
    """

    types: Types
    cells: Cells
    noise: int = 0

    def column(self, table: str, name: str) -> Column:
        type_ = self.types[table][name]
        cells = [row[name] for row in self.cells[table]]
        n_rows = len(self.cells[type_.table]) if type_.kind == REFERENCE else 0
        number = {ABSENT: columns_module.ABSENT, UNKNOWN: columns_module.UNKNOWN}
        state = np.array([number[c] if isinstance(c, State) else PRESENT for c in cells], dtype=np.uint8)
        make = self._lists if type_.is_list else self._singles
        return make(type_.kind, cells, n_rows, state if state.any() else None)

    def _singles(self, kind: str, cells: list[Any], n_rows: int, state: Any) -> Column:
        junk: dict[str, Any] = {NUMBER: (0.0, math.nan, 2.0)[self.noise % 3], BOOL: self.noise % 2 == 1}
        if kind == REFERENCE:
            rows = [(-1, n_rows - 1)[self.noise % 2] if isinstance(c, State) else c for c in cells]
            return References(np.array(rows, dtype=np.int32), state)
        if kind != STRING:
            values = [junk[kind] if isinstance(c, State) else c for c in cells]
            return Scalars(np.array(values, dtype=np.bool_ if kind == BOOL else np.float64), state)
        if self.noise % 2:
            texts = [b"" if isinstance(c, State) else c.encode() for c in cells]
            ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
            lengths = np.array([len(text) for text in texts], dtype=np.int64)
            joined = b"".join(texts)
            return Texts(ends - lengths, lengths, lambda begin, end: joined[begin:end].decode(), state)
        labels = sorted({c for c in cells if not isinstance(c, State)})
        codes = [0 if isinstance(c, State) else labels.index(c) for c in cells]
        return Strings(np.array(codes, dtype=np.int32), labels, state)

    def _lists(self, kind: str, cells: list[Any], _n_rows: int, state: Any) -> Lists:
        labels = sorted({x for c in cells if not isinstance(c, State) for x in c}) if kind == STRING else None
        stored: list[Any] = []
        places: dict[str, int] = {}  # equal lists are stored once
        starts, lengths = [], []
        for cell in cells:
            items = [] if isinstance(cell, State) else cell
            if repr(items) not in places:
                places[repr(items)] = len(stored)
                stored += items if labels is None else [labels.index(x) for x in items]
            starts.append(places[repr(items)])
            lengths.append(len(items))
        dtype = {NUMBER: np.float64, BOOL: np.bool_}.get(kind, np.int32)
        array = np.array(stored, dtype=dtype)
        # A list that is not there may have any place in storage.
        junk = len(stored) if self.noise >= 2 else 0
        lengths = [junk if isinstance(c, State) else n for c, n in zip(cells, lengths, strict=True)]
        starts = [0 if isinstance(c, State) else start for c, start in zip(cells, starts, strict=True)]
        stride = 4 if self.noise % 2 else 1
        return Lists(
            np.array(starts, dtype=np.int64) * stride,
            np.array(lengths, dtype=np.int64),
            lambda positions: array[positions // stride],
            stride,
            labels,
            state,
        )


def plain(value: Value, n_rows: int) -> list[Any]:
    """What an evaluator gives, as plain values of each row."""
    states = {columns_module.ABSENT: ABSENT, columns_module.UNKNOWN: UNKNOWN}
    values = value.values.tolist()
    if value.labels is not None:
        values = [value.labels[code] if 0 <= code < len(value.labels) else None for code in values]
    if value.state is not None:
        assert len(value.state) == len(values)
        values = [states.get(state, one) for one, state in zip(values, value.state.tolist(), strict=True)]
    if value.lengths is None:
        assert len(values) == n_rows
        return values
    assert len(value.lengths) == n_rows
    assert len(values) == value.lengths.sum()
    each = iter(values)
    rows: list[Any] = [list(itertools.islice(each, length)) for length in value.lengths.tolist()]
    if value.row_state is not None:
        rows = [states.get(state, row) for row, state in zip(rows, value.row_state.tolist(), strict=True)]
    return rows


def same(a: Any, b: Any, tolerance: float = 0.0) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=tolerance)
    return type(a) is type(b) and bool(a == b)


# --- well-typed expressions over random tables ------------------------------------------------------------------------

COLUMNS = {
    "n": NUM, "m": NUM, "q.n": NUM, "ns": NUMS, "q.ns": NUMS, "b": TRUTH, "bs": TRUTHS, "s": TEXT, "ss": TEXTS,
}  # fmt: skip
NUMBERS_TRIED = (0.0, 1.0, -0.0, -1.0, 2.0, 0.5, 3.0, -2.5, 127.0, math.nan, math.inf, -math.inf, 1e308)
STRINGS_TRIED = ("a", "b", "", "ab", "é*")
CONSTANTS: dict[str, dict[str, Any]] = {
    "known": {
        "limit": 3,
        "names": ["a", "ab"],
        "sizes": [1, 2.5, 127],
        "grid": {"a": {"1": 5, "2": 0.5}, "ab": {"3": 7}, "b": 1},
        "words": {"a": "b", "b": "b", "1": "é*"},
    }
}
RECORD_TYPES: dict[str, dict[str, ColumnType | None]] = {
    "target": {"line": TEXT, "number": NUM, "fast": TRUTH, "names": TEXTS, "sizes": NUMS, "table": None},
}


@dataclass(frozen=True)
class Case:
    """Expressions over the rows of a table."""

    texts: list[str]
    row_table: str
    types: Types
    cells: Cells
    record: dict[str, Any]
    noise: int

    def __repr__(self) -> str:
        lines = [f"for each {self.row_table}:", *(f"    {text}" for text in self.texts)]
        for table, rows in self.cells.items():
            lines.append(f"  {table}: {', '.join(f'{name}: {type_}' for name, type_ in self.types[table].items())}")
            lines += [f"    {number}: {row}" for number, row in enumerate(rows)]
        return "\n".join([*lines, f"  target: {self.record}", f"  noise: {self.noise}"])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(f"\n{self!r}\n")  # Hypothesis would write a dataclass out field by field

    @property
    def scope(self) -> Scope:
        return Scope(declared(self.types), self.row_table, CONSTANTS, RECORD_TYPES)

    @property
    def n_rows(self) -> int:
        return len(self.cells[self.row_table])

    @property
    def oracle(self) -> Oracle:
        records = {"target": self.record}
        return Oracle(declared(self.types), self.cells, self.row_table, CONSTANTS, records, RECORD_TYPES)

    def evaluator(self, rows: Any = None) -> Evaluator:
        rows = np.arange(self.n_rows) if rows is None else rows
        columns = PlainColumns(self.types, self.cells, self.noise)
        return Evaluator(columns, rows, records={"target": self.record}, constants=CONSTANTS)


@pytest.fixture(autouse=True, scope="module")
def ieee_arithmetic() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


class Writer:
    """Writes random expressions of a wanted type."""

    def __init__(self, draw: Callable[..., Any], types: Types, row_table: str) -> None:
        self.draw = draw
        self.types = types
        self.paths = self._paths(row_table)
        self.references = [type_ for type_ in self.paths if type_.kind == REFERENCE]
        self.targets = [type_ for type_ in self.references if not type_.is_list]

    def _paths(self, row_table: str) -> dict[ColumnType, list[str]]:
        """Every way over up to two references, by the type it ends in."""
        found: dict[ColumnType, list[str]] = {}
        ways = [("", ColumnType(REFERENCE, False, row_table))]
        for _ in range(3):
            longer = []
            for way, base in ways:
                for name, type_ in self.types[base.table].items():
                    if base.is_list and type_.is_list:
                        continue
                    end = type_.list_of() if base.is_list else type_
                    found.setdefault(end, []).append(way + name)
                    if type_.kind == REFERENCE:
                        longer.append((f"{way}{name}.", end))
            ways = longer
        return found

    def one_of(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def write(self, type_: ColumnType, depth: int) -> str:
        leaves = list(self.paths.get(type_, ())) + self._literals(type_)
        if depth > 0 and (not leaves or self.draw(st.integers(0, 4))):
            makers = [functools.partial(make, self, type_, depth - 1) for make in _MAKERS[type_.kind, type_.is_list]]
            if type_.kind != REFERENCE:
                makers += self._steps(type_, depth - 1)
            if makers:
                text: str = self.one_of(makers)()
                return text
        return str(self.one_of(leaves)) if leaves else "[1, 2] == 1"

    def _literals(self, type_: ColumnType) -> list[str]:
        if type_ == NUM:
            return ["0", "1", "2.5", "-1", "0.0", "127", "1e300", "known.limit", "target.number"]
        if type_ == TRUTH:
            return ["True", "False", "target.fast"]
        if type_ == TEXT:
            return ["'a'", '"é*"', "''", "target.line"]
        if type_ == NUMS:
            return ["[1, 2]", "(0, -1, 2.5)", "[127]", "known.sizes", "target.sizes"]
        return ["['a', 'b']", "['']", "known.names", "target.names"] if type_ == TEXTS else []

    def _steps(self, type_: ColumnType, depth: int) -> list[Callable[[], str]]:
        """Fields of a reference that is itself an expression."""
        return [
            lambda target=target, name=name: f"({self.write(target, depth)}).{name}"
            for target in self.references
            for name, field in self.types[target.table].items()
            if not (target.is_list and field.is_list) and (field.list_of() if target.is_list else field) == type_
        ]

    def sides(self, kind: ColumnType, is_list: bool, depth: int) -> tuple[str, str]:
        """Two operands whose operation is, or is not, a list."""
        which = self.one_of([(True, False), (False, True), (True, True)]) if is_list else (False, False)
        left, right = (self.write(kind.list_of() if one else kind, depth) for one in which)
        return left, right

    def any_type(self) -> ColumnType:
        types: ColumnType = self.one_of([NUM, NUMS, TEXT, TRUTH, TRUTHS, TEXTS, TRUTHS, *self.references])
        return types

    def comparable(self) -> ColumnType:
        """A type that can be compared both single and as a list."""
        both = [type_ for type_ in self.targets if type_.list_of() in self.paths]
        kind: ColumnType = self.one_of([NUM, TEXT, TRUTH, *both])
        return kind


def _binary(w: Writer, type_: ColumnType, depth: int) -> str:
    left, right = w.sides(NUM, type_.is_list, depth)
    return f"(({left}) {w.one_of('+-*/%')} ({right}))"


def _minus(w: Writer, type_: ColumnType, depth: int) -> str:
    return f"-({w.write(type_, depth)})"


def _absolute(w: Writer, type_: ColumnType, depth: int) -> str:
    return f"abs({w.write(type_, depth)})"


def _smaller(w: Writer, type_: ColumnType, depth: int) -> str:
    left, right = w.sides(NUM, type_.is_list, depth)
    return f"{w.one_of(['min', 'max'])}({left}, {right})"


def _found(w: Writer, type_: ColumnType, depth: int) -> str:
    if type_.kind == STRING:
        return f"lookup(known.words, {w.write(w.one_of([TEXT, NUM]).list_of() if type_.is_list else TEXT, depth)})"
    which = w.one_of([(True, False), (False, True), (True, True)]) if type_.is_list else (False, False)
    first, second = (w.write(ColumnType(k, one), depth) for k, one in zip((STRING, NUMBER), which, strict=True))
    third = w.one_of(["", f", {w.write(NUM, 0)}"])
    return f"lookup({w.one_of(['known.grid', 'target.table'])}, {first}, {second}{third})"


def _number_fold(w: Writer, _type: ColumnType, depth: int) -> str:
    return f"{w.one_of(['sum', 'min', 'max', 'median'])}({w.write(NUMS, depth)})"


def _counted(w: Writer, _type: ColumnType, depth: int) -> str:
    lists = [NUMS, TRUTHS, TEXTS, *(t for t in w.references if t.is_list)]
    return w.one_of([f"share({w.write(TRUTHS, depth)})", f"count({w.write(w.one_of(lists), depth)})"])


def _element(w: Writer, type_: ColumnType, depth: int) -> str:
    if type_.list_of() not in w.paths and type_.kind == REFERENCE:
        return w.write(type_, 0)
    whole = w.write(type_.list_of(), depth)
    index = w.one_of(["0", "1", "-1", w.write(NUM, min(depth, 1))])
    return w.one_of([f"first({whole})", f"({whole})[{index}]"])


def _compared(w: Writer, type_: ColumnType, depth: int) -> str:
    left, right = w.sides(NUM, type_.is_list, depth)
    return f"(({left}) {w.one_of(['<', '<=', '>', '>='])} ({right}))"


def _chained(w: Writer, type_: ColumnType, depth: int) -> str:
    left, right = w.sides(NUM, type_.is_list, depth)
    middle = w.write(w.one_of([NUM, NUMS]) if type_.is_list else NUM, 0)
    return f"(({left}) <= {middle} {w.one_of(['<', '!='])} ({right}))"


def _equal(w: Writer, type_: ColumnType, depth: int) -> str:
    left, right = w.sides(w.comparable(), type_.is_list, depth)
    return f"(({left}) {w.one_of(['==', '!='])} ({right}))"


def _contained(w: Writer, type_: ColumnType, depth: int) -> str:
    operator = w.one_of(["in", "not in"])
    if type_.is_list or w.draw(st.booleans()):
        kind, members = w.one_of([(NUM, "[1, 2.5, -1]"), (TEXT, "['a', '']"), (TEXT, "known.names")])
        return f"(({w.write(kind.list_of() if type_.is_list else kind, depth)}) {operator} {members})"
    kind = w.comparable()
    return f"(({w.write(kind, depth)}) {operator} ({w.write(kind.list_of(), depth)}))"


def _joined(w: Writer, type_: ColumnType, depth: int) -> str:
    operator = w.one_of(["and", "or"])
    parts = [*w.sides(TRUTH, type_.is_list, depth), *w.one_of([[], [TRUTH]])]
    return "(" + f" {operator} ".join(f"({p if isinstance(p, str) else w.write(p, depth)})" for p in parts) + ")"


def _negated(w: Writer, type_: ColumnType, depth: int) -> str:
    return f"(not ({w.write(type_, depth)}))"


def _near(w: Writer, type_: ColumnType, depth: int) -> str:
    left, right = w.sides(NUM, type_.is_list, depth)
    return f"close({left}, {right}{w.one_of(['', ', rtol=0.5', ', atol=1', ', rtol=0, atol=2.5'])})"


def _finite(w: Writer, type_: ColumnType, depth: int) -> str:
    return f"isfinite({w.write(ColumnType(NUMBER, type_.is_list), depth)})"


def _like(w: Writer, type_: ColumnType, depth: int) -> str:
    pattern = w.one_of(["'a*'", "'*'", "''", "'[!a]'", "'?'"])
    return f"glob({w.write(ColumnType(STRING, type_.is_list), depth)}, {pattern})"


def _there(w: Writer, _type: ColumnType, depth: int) -> str:
    return f"has({w.write(w.any_type(), depth)})"


def _decided(w: Writer, _type: ColumnType, depth: int) -> str:
    return f"{w.one_of(['all', 'any'])}({w.write(TRUTHS, depth)})"


_MAKERS: dict[tuple[str, bool], list[Callable[[Writer, ColumnType, int], str]]] = {
    (NUMBER, False): [_binary, _number_fold, _counted, _element, _minus, _absolute, _smaller, _found],
    (NUMBER, True): [_binary, _minus, _absolute, _smaller, _found],
    (BOOL, False): [_compared, _equal, _joined, _decided, _there, _contained, _negated, _chained, _near, _finite, _like,
                    _element],
    (BOOL, True): [_compared, _equal, _joined, _contained, _negated, _chained, _near, _finite, _like],
    (STRING, False): [_element, _found],
    (STRING, True): [_found],
    (REFERENCE, False): [_element],
    (REFERENCE, True): [],
}  # fmt: skip


def _cell(type_: ColumnType, n_rows: int) -> st.SearchStrategy[Any]:
    pool = {NUMBER: NUMBERS_TRIED, BOOL: (False, True), STRING: STRINGS_TRIED}.get(type_.kind, range(-1, n_rows))
    if type_.is_list:
        return st.one_of(st.lists(st.sampled_from(pool), max_size=3), st.sampled_from([ABSENT, UNKNOWN]))
    return st.sampled_from([*pool, ABSENT, UNKNOWN])


@st.composite
def cases(draw: Callable[..., Any]) -> Case:
    names = ["op", "tensor", "buffer"][: draw(st.integers(2, 3))]
    possible = COLUMNS | {f"to_{name}": reference(name) for name in names}
    possible |= {f"all_{name}": reference(name, many=True) for name in names}
    sizes = {name: draw(st.sampled_from([3, 1, 2, 5, 0])) for name in names}
    types: Types = {}
    for name in names:
        wanted = draw(st.sets(st.sampled_from(list(possible)), min_size=3))
        types[name] = {column: possible[column] for column in possible if column in wanted}
    cells = {
        name: [
            {column: draw(_cell(type_, sizes.get(type_.table, 0))) for column, type_ in types[name].items()}
            for _ in range(sizes[name])
        ]
        for name in names
    }
    record = {
        "line": draw(st.sampled_from([None, "a"])),
        "number": draw(st.sampled_from([None, 2, 0.5])),
        "fast": draw(st.sampled_from([None, False, True])),
        "names": draw(st.sampled_from([None, [], ["b"], ["a", "b", "a"]])),
        "sizes": draw(st.sampled_from([None, [], [1], [2, 2, 0.5]])),
        "table": draw(st.sampled_from([None, {"a": {"1": 1}, "b": {"1": 2.5}}])),
    }
    row_table = draw(st.sampled_from(names))
    writer = Writer(draw, types, row_table)
    texts = [writer.write(writer.any_type(), draw(st.integers(1, 4))) for _ in range(draw(st.sampled_from([1, 8, 6])))]
    assume(all(len(text) <= MAX_CHARACTERS for text in texts))
    return Case(texts, row_table, types, cells, record, draw(st.integers(0, 3)))


def thoroughly(examples: int) -> Callable[[Any], Any]:
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow, report_multiple_bugs=False)


@thoroughly(100)
@given(cases())
def test_an_evaluator_says_what_the_oracle_says(case: Case) -> None:
    evaluator = case.evaluator()
    for text in case.texts:
        given_ = plain(evaluator.value(check(text, case.scope).program), case.n_rows)
        tolerance = 1e-9 if "sum(" in text or "median(" in text else 0.0
        for row in range(case.n_rows):
            try:
                expected = case.oracle.value(text, row)
            except UnspecifiedError:
                continue
            assert same(given_[row], expected, tolerance), f"row {row} of {text}: {given_[row]}, not {expected}"


@thoroughly(100)
@given(cases())
def test_rows_in_two_halves_give_what_all_rows_give(case: Case) -> None:
    whole, half = case.evaluator(), case.n_rows // 2
    rows = np.arange(case.n_rows)
    for text in case.texts:
        program = check(text, case.scope).program
        parts = [plain(case.evaluator(part).value(program), len(part)) for part in (rows[:half], rows[half:])]
        assert same(plain(whole.value(program), case.n_rows), [*parts[0], *parts[1]])
        narrowed = whole.narrow(np.flatnonzero(rows % 2 == 1)).value(program)
        assert same(plain(narrowed, len(rows[1::2])), [*parts[0], *parts[1]][1::2])


# --- values by example ------------------------------------------------------------------------------------------------

OPS: Types = {
    "op": {
        "name": TEXT, "scale": NUM, "is_float": TRUTH, "shape": NUMS, "flags": TRUTHS, "bias": reference("tensor"),
        "input": reference("tensor"), "inputs": reference("tensor", many=True), "previous": reference("op"),
    },
    "tensor": {
        "dtype": TEXT, "shape": NUMS, "zero": NUM, "quantization.scale": NUMS,
        "consumers": reference("op", many=True),
    },
}  # fmt: skip
ONE_OP: Cells = {
    "op": [
        {"name": "conv", "scale": 0.0, "is_float": UNKNOWN, "shape": [1.0, 2.0], "flags": [True, False], "bias": -1,
         "input": 1, "inputs": [1, -1, 0], "previous": 0},
    ],
    "tensor": [
        {"dtype": UNKNOWN, "shape": UNKNOWN, "zero": UNKNOWN, "quantization.scale": [0.5], "consumers": []},
        {"dtype": "INT8", "shape": [], "zero": 3.0, "quantization.scale": ABSENT, "consumers": [0]},
    ],
}  # fmt: skip
SCOPE = Scope(declared(OPS), "op", CONSTANTS, RECORD_TYPES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / scale", math.inf),
        ("1 / -scale", -math.inf),
        ("-5 % 3", 1.0),
        ("5 % -3", -1.0),
        ("close(1 / 0, 1)", False),
        ("close(1 / 0, 1 / 0)", True),
        ("close(0, 1e-9)", False),
        # A missing bias is absent although the tensor in row 0, stored in its place, is unknown.
        ("bias.zero", ABSENT),
        ("bias.shape", ABSENT),
        ("has(bias)", False),
        ("has(is_float)", True),
        ("bias.zero > 1 and scale > 1", False),
        ("bias.zero > 1 and scale == 0", ABSENT),
        ("bias.zero > 1 or is_float", UNKNOWN),
        # A single value stands for each element of a list, one that is not there too.
        ("is_float and flags", [UNKNOWN, False]),
        ("all(is_float and flags)", False),
        ("bias.zero + shape", ABSENT),
        # Unequal lengths: unknown, but not where a list is absent.
        ("shape == [1, 2, 3]", UNKNOWN),
        ("bias.shape == [1, 2, 3]", ABSENT),
        ("(bias.zero + shape) == [1, 2, 3]", ABSENT),
        ("shape == [1]", [True, False]),
        ("input.shape == [1]", []),
        ("all(input.shape == 1)", True),
        ("max(input.shape)", ABSENT),
        ("sum(input.shape)", 0.0),
        ("median([4, 1])", 2.5),
        ("inputs.dtype", ["INT8", UNKNOWN]),
        ("count(inputs.dtype)", 2.0),
        ("first(inputs.dtype)", "INT8"),
        ("median(inputs.zero)", UNKNOWN),
        ("count(flags)", 1.0),
        ("share(flags)", 0.5),
        ("'INT8' in inputs.dtype", True),
        ("'INT4' in inputs.dtype", UNKNOWN),
        ("shape[-1]", 2.0),
        ("shape[0.5]", ABSENT),
        ("shape[2]", ABSENT),
        ("inputs.dtype[bias.zero]", ABSENT),
        ("inputs.dtype[bias.zero + 1]", ABSENT),
        ("lookup(known.grid, 'a', 2)", 0.5),
        ("lookup(known.grid, 'a', 9)", UNKNOWN),
        ("lookup(known.grid, 'nowhere', bias.zero)", ABSENT),
        ("lookup(known.grid, 'a', shape)", [5.0, 0.5]),
        ("lookup(known.grid, name, shape, scale)", [UNKNOWN, UNKNOWN]),
        ("lookup(known.grid, ['a'], shape, bias.zero)", ABSENT),
        ("lookup(known.words, 'a') == lookup(known.words, 'b')", True),
        ("lookup(known.words, ['a', 'b', 'a']) == 'b'", [True, True, True]),
        ("glob(lookup(known.words, name), '*')", UNKNOWN),
        ("has(lookup(known.words, name))", True),
        ("count(lookup(known.words, name) == known.names)", UNKNOWN),
        ("count(target.names)", UNKNOWN),
        ("target.number > 1", UNKNOWN),
        ("name == \"\\\")\"", False),
        ("1 < 2 != 3 in shape", False),
    ],
)  # fmt: skip
def test_values_by_example(text: str, expected: Any) -> None:
    record = dict.fromkeys(RECORD_TYPES["target"])
    case = Case([text], "op", OPS, ONE_OP, record, 3)
    assert same(plain(case.evaluator().value(check(text, SCOPE).program), 1)[0], expected)
    assert same(case.oracle.value(text, 0), expected)


def test_a_program_reads_and_says_what_it_names() -> None:
    expression = check("all(inputs.zero < target.number)", SCOPE)
    assert expression.type == TRUTH
    assert expression.reads == (("op", "inputs"), ("tensor", "zero"))
    assert expression.records == ("target",)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at", "message", "hint"),
    [
        ("scael < 1", "scael", "unknown field 'scael' of op", "did you mean 'scale'?"),
        ("scale < 1\n  and nmae == 'x'", "nmae", "unknown field 'nmae' of op", "did you mean 'name'?"),
        ("scale < 1\r\n  and nmae == 'x'", "nmae", "unknown field 'nmae' of op", "did you mean 'name'?"),
        ("scale < 1\r  and nmae == 'x'", "nmae", "unknown field 'nmae' of op", "did you mean 'name'?"),
        ("name == 'é×' and\n 'é' == 'ü' and nmae", "nmae", "unknown field 'nmae' of op", "did you mean 'name'?"),
        ("scale + input.zreo", "input.zreo", "unknown field 'zreo' of tensor", "did you mean 'zero'?"),
        ("sum(first(inputs).shap)", "first(inputs).shap", "unknown field 'shap' of tensor", "did you mean 'shape'?"),
        ("target.lime == 'x'", "target.lime", "unknown field 'lime' of target", "did you mean 'line'?"),
        ("known.limt > 1", "known.limt", "known has no 'limt'", "did you mean 'limit'?"),
        ("target", "target", "target is not a value", "write target.line"),
        ("count(known.words)", "known.words", "known.words is a table", "write lookup(known.words, …)"),
        ("scale.x", "scale.x", "a number has no field 'x'", ""),
        ("shape[0].x", "shape[0].x", "a number has no fields", ""),
        ("'a'.x", "'a'.x", "a string has no fields", ""),
        ("scale.__class__", "scale.__class__", "a number has no field '__class__'", ""),
        ("__builtins__", "__builtins__", "unknown field '__builtins__' of op", ""),
        ("__import__('os')", "__import__", "unknown function '__import__'", ""),
        ("name == 1", "name == 1", "cannot compare a string with a number", ""),
        ("input == previous", "input == previous", "cannot compare a reference to tensor with a reference to op", ""),
        ("name < 'a'", "name < 'a'", "'<' compares numbers, not a string", ""),
        ("1 in name", "name", "'in' requires a list, but this is a string", ""),
        ("1 in inputs.dtype", "1 in inputs.dtype", "cannot look for a number in a list of string", ""),
        ("shape in inputs.zero", "shape", "the left side of 'in' must be a single value, but this is a list",
         "use any(… == …)"),
        ("not scale", "scale", "this must be a bool, but it is a number", ""),
        ("scale > 1 and name", "name", "this must be a bool, but it is a string", ""),
        ("1 + name", "name", "this must be a number, but it is a string", ""),
        ("inputs.shape", "inputs.shape", "'shape' is a list for each of several rows; lists of lists are not supported",
         "write the rule with for-each = 'operand', or use a column with a single value"),
        ("all(shape)", "shape", "this must be a bool, but it is a list of number", ""),
        ("sum(scale)", "scale", "sum() folds a list, but this is a number", ""),
        ("scale[0]", "scale[0]", "a number has no elements", ""),
        ("shape['a']", "shape['a']", "an index must be a number, not a string", ""),
        ("shape[0:1]", "shape[0:1]", "slices are not part of the rule language", ""),
        ("smu(shape)", "smu", "unknown function 'smu'", "did you mean 'sum'?"),
        ("has(name, name)", "has(name, name)", "has() takes 1 argument, not 2", ""),
        ("sum(shape, axis=0)", "sum(shape, axis=0)", "sum() takes no named arguments", ""),
        ("close(1, 2, tol=1)", "close(1, 2, tol=1)", "close() does not accept 'tol' here",
         "it accepts rtol and atol, once each"),
        ("close(1, 2, atol=1, atol=1)", "close(1, 2, atol=1, atol=1)", "close() does not accept 'atol' here",
         "it accepts rtol and atol, once each"),
        ("close(1, 2, atol=...)", "...", "a tolerance must be a number", ""),
        ("glob(name, name)", "name", "the pattern of glob() must be a string in quotes", ""),
        ("lookup(known.words)", "lookup(known.words)", "lookup() takes a table and one or more keys", ""),
        ("lookup(knwon.words, 1)", "knwon.words", "there is no table 'knwon'", "did you mean 'known'?"),
        ("lookup(known.limit, 1)", "known.limit", "known.limit is not a table", ""),
        ("lookup(known.words, input)", "input", "a key must be a number or a string, not a reference to tensor", ""),
        ("[1, 'a']", "[1, 'a']", "the elements of a list must all be numbers, or all strings", ""),
        ("[scale]", "scale", "a list may contain only constants", ""),
        ("[1, -'a']", "-'a'", "only a number can be negative", ""),
        ("[-True]", "-True", "only a number can be negative", ""),
        ("[]", "[]", "an empty list has no type", ""),
        ("scale is None", "None", "None is not part of the rule language", "write has(…)"),
        ("scale = 1", "=", "'=' is not a comparison", "write '=='"),
        ("scale >= 1 and\n  name = 'x'", "=", "'=' is not a comparison", "write '=='"),
        ("scale ** 2", "scale ** 2", "the operator '**' is not part of the rule language", ""),
        ("scale // 2", "scale // 2", "the operator '//' is not part of the rule language", ""),
        ("+scale", "+scale", "the operator '+' is not part of the rule language", ""),
        ("(x := 1)", "x := 1", "':=' is not part of the rule language", "see 'tflint facts --language'"),
        ("lambda: 1", "lambda: 1", "a function is not part of the rule language", "see 'tflint facts --language'"),
        ("all(x > 1 for x in shape)", "(x > 1", "a comprehension is not part of the rule language",
         "see 'tflint facts --language'"),
        ("f'{name}'", "f'{name}'", "an f-string is not part of the rule language", "see 'tflint facts --language'"),
        ("1 if is_float else 2", "1 if", "'if … else' is not part of the rule language",
         "see 'tflint facts --language'"),
        ("name.upper()", "name.upper()", "methods are not part of the rule language", ""),
        ("scale < (1 < 2 < 3) < 4", "1 < 2 < 3", "a chained comparison cannot contain another chained comparison",
         "write 'and' between them"),
        ("(scale))", ")", "unmatched ')'", ""),
        ("", "", "the expression is empty", ""),
        (" \n", " ", "the expression is empty", ""),
    ],
)  # fmt: skip
def test_an_error_says_what_where_and_what_to_do(text: str, at: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check(text, SCOPE)
    error = caught.value
    assert (error.message, error.hint) == (message, hint)
    assert error.length >= 1
    # The last place where the marked text stands is the wrong one: what comes before it is right.
    assert error.offset == text.rindex(at)
    assert text[error.offset : error.offset + error.length].startswith(at)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("flags", "this must be true or false, but it is a list of bool", "write all(…) or any(…) over the list"),
        ("scale\n + 1", "this must be true or false, but it is a number", "write a comparison"),
    ],
)
def test_a_condition_is_one_truth_a_row(text: str, message: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_condition(text, SCOPE)
    assert (caught.value.message, caught.value.offset, caught.value.length, caught.value.hint) == (message, 0, 5, hint)
    assert check_condition("all(flags)", SCOPE).type == TRUTH


HOSTILE = {
    "three hundred parentheses": "(" * 300 + "1" + ")" * 300,
    "parentheses behind an escaped quote": "'\\'' + " + "(" * 300 + "1" + ")" * 300,
    "parentheses that are never closed": "(" * 1999,
    "brackets and braces": "[{(" * 600,
    "closing ones first": "1) + (1",
    "unary minus": "-" * 1500 + "1",
    "not": "not " * 490 + "is_float",
    "await": "await " * 300 + "x",
    "lambda": "lambda:" * 280 + "1",
    "conditions": "1 if 1 else " * 160 + "1",
    "a long sum": "1" + "+1" * 900,
    "a long string": "'" + "a" * 3000 + "'",
    "a long name": "a" * 1999,
    "long names": "a." * 999 + "a",
    "a long way": "previous." * 200 + "scale",
    "ways after ways": "first(input.consumers." + "previous." * 30 + "inputs).consumers[0]" + ".previous" * 30,
    "indexes": "shape" + "[0]" * 600,
    "calls": "has" + "()" * 900,
    "a power of ten": "'a' * 10**9",
    "a huge integer": "9" * 1900,
    "a huge integer in a list": "[1, " + "9" * 1900 + "]",
    "a huge hexadecimal": "0x" + "f" * 1900,
    "a huge tolerance": "close(1, 2, rtol=" + "9" * 1900 + ")",
    "an infinite number": "1e999",
    "an infinite number in a list": "[1e999]",
    "a NUL": "scale\0 == 1",
    "half a surrogate pair": "name == '\ud800'",
    "a byte order mark": "\ufeffscale",
    "a line separator": "scale\u2028+ x",
    "an open string": "name == 'a",
    "open triple quotes": "'''",
    "nested f-strings": "f\"{f'{1}'}\"",
    "a forbidden escape": "name == '\\d'",
    "a number that runs into a word": "1if is_float else 2",
    "a doubling": "True == (" * 30 + "True" + " == True) == True" * 30,
    "a statement": "import os",
    "a semicolon": "1; 2",
    "a decorator": "@x",
    "only a comment": "# 1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_an_error_of_the_expression(name: str) -> None:
    text = HOSTILE[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ExpressionError) as caught:
            check(text, SCOPE)
    assert 0 <= caught.value.offset < len(text)
    assert caught.value.message.isprintable()


_PIECES = st.sampled_from(
    ["scale", "shape", "input", ".", "has", "close", "lookup", "known", "words", "target", "(", ")", "[", "]", "{", "}",
     ",", ":", "=", "==", "<", "-", "*", "**", " in ", " not ", " and ", " if ", " else ", " for ", "lambda ", "'", '"',
     "'a'", "\\", "1", "0x", "1e9", "#", "\n", "\r", "\t", "\f", "\0", "é", "\ud800", "f'", "rtol", " is ",
     "await ", ";"]
)  # fmt: skip


@thoroughly(600)
@given(st.one_of(st.text(max_size=30), st.lists(_PIECES, max_size=14).map("".join)))
def test_any_text_is_an_expression_or_an_error_with_a_place_in_it(text: str) -> None:
    try:
        expression = check(text, SCOPE)
    except ExpressionError as error:
        assert 0 <= error.offset <= max(0, len(text) - 1)
        assert 1 <= error.length <= max(1, len(text) - error.offset)
    else:
        assert expression.text == text


@pytest.mark.parametrize(
    "text",
    ["name == \"\\\")\"", "name == ')' # (", "(\n scale # one :-)\n < 2)", "  scale", "scale \\\n", "'a' # '\n",
     "'''(\n'''"],
)  # fmt: skip
def test_brackets_in_strings_and_comments_bracket_nothing(text: str) -> None:
    assert check(text, SCOPE)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_a_hub_is_refused_before_anything_is_gathered() -> None:
    n = 20_000

    class Hub:
        def column(self, table: str, name: str) -> Column:
            if name == "input":
                return References(np.zeros(n, dtype=np.int32))
            assert (table, name) == ("tensor", "consumers")
            return Lists(np.zeros(1, dtype=np.int64), np.array([n]), lambda _: pytest.fail("a list was read"))

    evaluator = Evaluator(Hub(), np.arange(n))
    with pytest.raises(BudgetError, match="400,000,000 list elements, more than 20,000,000"):
        evaluator.value(check("count(input.consumers)", SCOPE).program)


@pytest.mark.parametrize("text", ["[1, 2, 3] == 1", "target.names == 'a'", "flags == flags", "all(shape[0] == [1, 2])"])
def test_every_list_is_paid_for(text: str) -> None:
    n = 1000
    cells = {"op": ONE_OP["op"] * n, "tensor": ONE_OP["tensor"]}
    records = {"target": {"names": ["a", "b"]}}
    program = check(text, SCOPE).program
    value = Evaluator(PlainColumns(OPS, cells), np.arange(n), records=records, budget=3 * n).value(program)
    assert len(value.values) in (n, 2 * n, 3 * n)
    with pytest.raises(BudgetError):
        Evaluator(PlainColumns(OPS, cells), np.arange(n), records=records, budget=2 * n - 1).value(program)


def test_what_is_nested_is_computed_once() -> None:
    columns = PlainColumns(OPS, ONE_OP)
    text = "(" * 35 + "True" + " in flags)" * 35
    assert plain(Evaluator(columns, np.arange(1)).value(check(text, SCOPE).program), 1) == [True]


def test_checking_needs_no_numpy() -> None:
    modules = [
        "language.type_check",
        "language.scope",
        "language.message_template",
        "language.syntax",
        "columns.column_types",
    ]
    imports = "".join(f"import tflint.{module}\n" for module in modules)
    script = f"import sys\n{imports}print('numpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "False"


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("no expression", [], "no expression"),
        ("", [], ""),
        ("{{{name}}} }}{{", ["conv"], "{conv} }{"),
        ("it isn't {scale}, it's {name}", [1.0, "x"], "it isn't 1, it's x"),
        ("{name}", [None], "none"),
        ("{scale}", [0.1 + 0.2], "0.3"),
        ("{scale}", [1e20], "1e+20"),
        ("{scale}", [-0.0], "0"),
        ("{scale}", [math.nan], "nan"),
        ("{scale:,d}", [math.inf], "inf"),
        ("{scale:,d}", [1234567.0], "1,234,567"),
        ("{scale:d}", [2.6], "3"),
        ("{scale:.3e}", [1234.5], "1.234e+03"),
        ("{scale:.1%}", [0.125], "12.5%"),
        ("{scale:.2}", [1.239], "1.2"),
        ("{scale:}", [3.0], "3"),
        ("{is_float}/{is_float}", [True, False], "yes/no"),
        ("{shape}", [[1.0, None, 2.5]], "[1, none, 2.5]"),
        ("{shape:.2f}", [[1.0] * 8], "[" + ", ".join(["1.00"] * 8) + "]"),
        ("{shape}", [[1.0] * 9], "[" + ", ".join("1" * 8) + ", …]"),
        ("{shape}", [[]], "[]"),
        ("{shape}", [[3]], "[3]"),
        ("{shape:.6g}", [[127.5]], "127.5"),
        ("{shape:.3g}", [[0.4854, 0.456]], "[0.485, 0.456]"),
        ("{bias.consumers.name}", [[]], "none"),
        ("{lookup(known.words, 'a:}b')}", ["x"], "x"),
        ("{name == '\\'}'}", [False], "no"),
    ],
)
def test_a_template_is_filled(template: str, values: list[Any], text: str) -> None:
    assert fill(compile_template(template, SCOPE), values) == text


@pytest.mark.parametrize(
    ("template", "at", "message"),
    [
        ("tensor {scael:.2f}", "scael", "unknown field 'scael' of op"),
        ("é {scale} {shape[0] + nmae}", "nmae", "unknown field 'nmae' of op"),
        ("scale {scale:>9}", ">9", "'>9' is not a valid format for a number"),
        ("scale {scale:.2d}", ".2d", "'.2d' is not a valid format for a number"),
        ("scale {scale:.999f}", ".999f", "'.999f' is not a valid format for a number"),
        ("scale {scale:99}", "99", "'99' is not a valid format for a number"),
        ("name {name:.2f}", ".2f", "'.2f' is not a valid format for a string"),
        ("shape {shape:x}", "x", "'x' is not a valid format for a number"),
        ("input {input}", "input}", "a message cannot show a reference to tensor"),
        ("input {inputs:d}", "inputs:", "a message cannot show a list of reference to tensor"),
        ("nothing {}", "}", "the expression is empty"),
        ("open {name", "{name", "'{' is never closed"),
        ("open {name == '}'", "{name", "'{' is never closed"),
        ("open {name == '}", "'}", None),
        ("closed }", "}", "unmatched '}'"),
        ("{name!r}", "!r", None),
        ("{{{name}} {", "} {", "unmatched '}'"),
        ("{name}" * 20 + "and {scale}", "{scale}", "a message shows at most 20 values"),
    ],
)
def test_an_error_in_a_template_has_its_place_in_the_whole_text(template: str, at: str, message: str | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(template, SCOPE)
    assert message in (None, caught.value.message)
    assert caught.value.offset == template.rindex(at)


@pytest.mark.parametrize("format_", ["", ",", ",d", "d", ".3", ".9e", ",.2f", ".99g", "%", ",.1%"])
@pytest.mark.parametrize("number", [0.0, -0.0, 1.5, -1e308, 5e-324, math.nan, -math.inf, 1e15])
def test_every_format_that_is_taken_can_show_every_number(format_: str, number: float) -> None:
    parts = compile_template("{scale:" + format_ + "}", SCOPE)
    assert 1 <= len(fill(parts, [number])) < 600
