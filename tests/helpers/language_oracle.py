"""Reference implementation of the rule language: one row at a time, over plain Python data, without numpy.

Takes the text of a well-typed expression, the declarations of tables and their cells; returns the value for one row.
Shares no code with `tflint.language`; both implement its documentation.
"""

from __future__ import annotations

import ast
import enum
import fnmatch
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING, ColumnType, TableDeclaration


class State(enum.Enum):
    """A marker for a missing value."""

    ABSENT = 1
    UNKNOWN = 2

    def __repr__(self) -> str:
        return self.name


ABSENT, UNKNOWN = State.ABSENT, State.UNKNOWN


class UnspecifiedError(Exception):
    """Raised if IEEE 754 leaves the result open: whether 0 or -0 is smaller."""


@dataclass(frozen=True)
class Typed:
    """A value of one row (a float, bool, str, row number, a list of these or a `State`) and its type."""

    value: Any
    type: ColumnType


@dataclass(frozen=True)
class Oracle:
    """Tables as lists of rows by column name; a reference is a row number, or -1 for none."""

    declarations: Mapping[str, TableDeclaration]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    row_table: str
    constants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    record_types: Mapping[str, Mapping[str, ColumnType | None]] = field(default_factory=dict)

    def value(self, text: str, row: int) -> Any:
        """Return the value of an expression for one row."""
        return self._visit(ast.parse(f"({text}\n)", mode="eval").body, row).value

    def _visit(self, node: ast.expr, row: int) -> Typed:
        match node:
            case ast.Constant():
                return _literal(node.value)
            case ast.List() | ast.Tuple():
                return _literal([ast.literal_eval(element) for element in node.elts])
            case ast.Name() | ast.Attribute():
                return self._names(node, row)
            case ast.Subscript():
                return _index(self._visit(node.value, row), self._visit(node.slice, row))
            case ast.UnaryOp(op=ast.USub()):
                return _map(self._visit(node.operand, row), lambda x: -x, NUMBER)
            case ast.UnaryOp(op=ast.Not()):
                return _map(self._visit(node.operand, row), lambda x: not x, BOOL)
            case ast.BinOp():
                operation = _ARITHMETIC[type(node.op)]
                return _pair(self._visit(node.left, row), self._visit(node.right, row), operation, NUMBER)
            case ast.BoolOp():
                decisive = isinstance(node.op, ast.Or)
                parts = [self._visit(value, row) for value in node.values]
                return functools.reduce(lambda a, b: _logic(a, b, decisive), parts)
            case ast.Compare():
                sides = [self._visit(side, row) for side in (node.left, *node.comparators)]
                parts = [_compare(op, a, b) for op, a, b in zip(node.ops, sides, sides[1:], strict=False)]
                return functools.reduce(lambda a, b: _logic(a, b, False), parts)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node, row)
        raise NotImplementedError(ast.dump(node))

    def _call(self, name: str, node: ast.Call, row: int) -> Typed:
        if name == "lookup":
            return self._lookup(node, row)
        first = self._visit(node.args[0], row)
        if name in ("min", "max") and len(node.args) == 2:
            choose = functools.partial(_choose, smallest=name == "min")
            return _pair(first, self._visit(node.args[1], row), lambda a, b: choose([a, b]), NUMBER)
        if name == "close":
            tolerances = {"rtol": 1e-6, "atol": 0.0} | {k.arg: ast.literal_eval(k.value) for k in node.keywords}
            near = functools.partial(math.isclose, rel_tol=tolerances["rtol"], abs_tol=tolerances["atol"])
            return _pair(first, self._visit(node.args[1], row), near, BOOL)
        if name == "glob":
            pattern = ast.literal_eval(node.args[1])
            return _map(first, lambda x: fnmatch.fnmatchcase(x, pattern), BOOL)
        if name == "has":
            value = first.value
            some = any(x is not ABSENT for x in value) if isinstance(value, list) else value is not ABSENT
            return Typed(some, ColumnType(BOOL))
        if name in ("abs", "isfinite"):
            return _map(first, {"abs": abs, "isfinite": math.isfinite}[name], {"abs": NUMBER, "isfinite": BOOL}[name])
        return _fold(name, first)

    # -- names ---------------------------------------------------------------------------------------------------------

    def _names(self, node: ast.expr, row: int) -> Typed:
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return self._path(self._visit(node, row), names)
        names.insert(0, node.id)
        if self._longest(self.row_table, names):
            return self._path(Typed(row, ColumnType(REFERENCE, False, self.row_table)), names)
        if names[0] in self.records:
            type_ = self.record_types[names[0]][names[1]]
            value = self.records[names[0]][names[1]]
            return Typed(UNKNOWN if value is None else _exact(value), type_)
        return _literal(functools.reduce(lambda table, name: table[name], names, self.constants))

    def _longest(self, table: str, names: list[str]) -> int:
        lengths = range(len(names), 0, -1)
        return next((n for n in lengths if ".".join(names[:n]) in self.declarations[table].columns), 0)

    def _path(self, base: Typed, names: list[str]) -> Typed:
        while names:
            length = self._longest(base.type.table, names)
            column = ".".join(names[:length])
            base, names = self._follow(base, column), names[length:]
        return base

    def _follow(self, base: Typed, name: str) -> Typed:
        type_ = self.declarations[base.type.table].columns[name].type
        rows = self.tables[base.type.table]

        def cell(row: int) -> Any:
            value = rows[row][name]
            if type_.kind != REFERENCE or isinstance(value, State):
                return value
            if isinstance(value, list):
                return [other for other in value if other >= 0]
            return value if value >= 0 else ABSENT

        mapped = _map(base, cell, type_.kind)
        return Typed(mapped.value, ColumnType(type_.kind, base.type.is_list or type_.is_list, type_.table))

    def _lookup(self, node: ast.Call, row: int) -> Typed:
        names = ast.unparse(node.args[0]).split(".")
        source = self.records if names[0] in self.records else self.constants
        table = functools.reduce(lambda value, name: value[name], names, source)
        kind = _leaf_kind(table)
        keys = [self._visit(argument, row) for argument in node.args[1:]]
        paths = _map(keys[0], lambda key: (key,), kind)
        for key in keys[1:]:
            paths = _pair(paths, key, lambda path, one: (*path, one), kind)
        return _map(paths, lambda path: _find(table, path), kind)


def _leaf_kind(table: Any) -> str:
    while isinstance(table, dict):
        table = next(iter(table.values()))
    return STRING if isinstance(table, str) else NUMBER


def _find(table: Any, path: tuple[Any, ...]) -> Any:
    """Look up a path of keys in a nested table. Whole numbers also match string keys, because JSON keys are strings."""
    for key in path:
        if isinstance(key, float) and key.is_integer():
            key = int(key)
        if not isinstance(table, dict) or (key not in table and str(key) not in table):
            return UNKNOWN
        table = table[key] if key in table else table[str(key)]
    return UNKNOWN if isinstance(table, dict) else _exact(table)


def _exact(value: Any) -> Any:
    """Return a value of a knowledge table or record with every number as a float."""
    if isinstance(value, list):
        return [_exact(element) for element in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _literal(value: Any) -> Typed:
    if isinstance(value, list):
        elements = [_literal(element) for element in value]
        return Typed([element.value for element in elements], elements[0].type.list_of())
    if isinstance(value, bool):
        return Typed(value, ColumnType(BOOL))
    return Typed(value, ColumnType(STRING)) if isinstance(value, str) else Typed(float(value), ColumnType(NUMBER))


# -- operations over lists and states --------------------------------------------------------------------------------


def _worst(*values: Any) -> State | None:
    return UNKNOWN if UNKNOWN in values else ABSENT if ABSENT in values else None


def _strict(apply: Callable[..., Any], *values: Any) -> Any:
    return _worst(*(v for v in values if isinstance(v, State))) or apply(*values)


def _map(typed: Typed, apply: Callable[[Any], Any], kind: str) -> Typed:
    type_ = ColumnType(kind, typed.type.is_list)
    if isinstance(typed.value, list):
        return Typed([_strict(apply, element) for element in typed.value], type_)
    return Typed(_strict(apply, typed.value), type_)


def _pair(a: Typed, b: Typed, apply: Callable[[Any, Any], Any], kind: str) -> Typed:
    type_ = ColumnType(kind, a.type.is_list or b.type.is_list)
    state = _worst(*(side.value for side in (a, b) if isinstance(side.value, State)))
    if state:
        return Typed(state, type_)
    return Typed(_zipped(a.value, b.value, functools.partial(_strict, apply)), type_)


def _zipped(a: Any, b: Any, apply: Callable[[Any, Any], Any]) -> Any:
    if not isinstance(a, list) and not isinstance(b, list):
        return apply(a, b)
    if not isinstance(a, list) or not isinstance(b, list):
        return [apply(a, x) for x in b] if isinstance(b, list) else [apply(x, b) for x in a]
    if len(a) == len(b):
        return [apply(x, y) for x, y in zip(a, b, strict=True)]
    if len(a) == 1 or len(b) == 1:
        return [apply(x, y) for x in a for y in b]
    return UNKNOWN


def _logic(a: Typed, b: Typed, decisive: bool) -> Typed:
    """Apply Kleene's `or` (`decisive` is True) or `and`.

    A missing list stays missing. A missing single value counts as a missing value of each element.
    """

    def kleene(x: Any, y: Any) -> Any:
        if decisive in (x, y):
            return decisive
        return _worst(x, y) or (not decisive)

    type_ = ColumnType(BOOL, a.type.is_list or b.type.is_list)
    lists = [side.value for side in (a, b) if side.type.is_list]
    state = _worst(*(value for value in lists if isinstance(value, State)))
    return Typed(state or _zipped(a.value, b.value, kleene), type_)


def _compare(operator: ast.cmpop, a: Typed, b: Typed) -> Typed:
    if isinstance(operator, ast.In | ast.NotIn):
        # In a list written down each element is looked for on its own; only a single value in a list of the model.
        if a.type.is_list:
            found = _map(a, lambda x: x in b.value, BOOL)
        else:
            found = _fold("any", _pair(a, b, lambda x, y: x == y, BOOL))
        return found if isinstance(operator, ast.In) else _map(found, lambda x: not x, BOOL)
    return _pair(a, b, _COMPARISONS[type(operator)], BOOL)


def _index(base: Typed, index: Typed) -> Typed:
    def element(values: list[Any]) -> Any:
        at = index.value
        if not math.isfinite(at) or not at.is_integer():
            return ABSENT
        return values[int(at)] if -len(values) <= at < len(values) else ABSENT

    state = _worst(*(side.value for side in (base, index) if isinstance(side.value, State)))
    return Typed(state or element(base.value), base.type.element())


def _fold(name: str, typed: Typed) -> Typed:
    kinds = dict.fromkeys(("all", "any"), BOOL) | {"first": typed.type.kind}
    type_ = ColumnType(kinds.get(name, NUMBER), False, typed.type.table)
    if isinstance(typed.value, State):
        return Typed(typed.value, type_)
    values = [value for value in typed.value if value is not ABSENT]
    return Typed(_folded(name, values, typed.type.kind), type_)


def _folded(name: str, values: list[Any], kind: str) -> Any:
    if name == "all" and False in values:
        return False
    if name == "any" and True in values:
        return True
    if name == "count" and kind != BOOL:
        return float(len(values))
    if name == "first":
        return values[0] if values else ABSENT
    if UNKNOWN in values:
        return UNKNOWN
    if name in ("all", "any"):
        return name == "all"
    if name in ("count", "sum"):
        return float(functools.reduce(lambda a, b: a + b, values, 0.0))
    if not values:
        return ABSENT
    if name == "share":
        return sum(values) / len(values)
    return _median(values) if name == "median" else _choose(values, smallest=name == "min")


def _choose(values: list[float], *, smallest: bool) -> float:
    if any(math.isnan(value) for value in values):
        return math.nan
    chosen = min(values) if smallest else max(values)
    if chosen == 0 and len({math.copysign(1, value) for value in values if value == 0}) == 2:
        raise UnspecifiedError
    return chosen


def _median(values: list[float]) -> float:
    if any(math.isnan(value) for value in values):
        return math.nan
    ordered = sorted(values)
    low, high = ordered[(len(values) - 1) // 2], ordered[len(values) // 2]
    return low if len(values) % 2 else low / 2 + high / 2


def _divide(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def _modulo(a: float, b: float) -> float:
    """Return the remainder with the sign of the divisor."""
    return math.nan if b == 0 or math.isinf(a) else a % b


_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: _divide,
    ast.Mod: _modulo,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
}
