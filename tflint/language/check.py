"""Checks an expression against the types of columns and compiles it to a program of plain tuples. Needs no numpy.

A program is nested tuples `(operation, …)`, so that compiled rules can be stored; `evaluate` runs it.
"""

from __future__ import annotations

import ast
import difflib
import math
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from tflint.columns.types import BOOL, NUMBER, REFERENCE, STRING, ColumnType
from tflint.language.scope import Scope
from tflint.language.syntax import MAX_DEPTH, ExpressionError, parse, span

Program: TypeAlias = tuple[Any, ...]

_NUM = ColumnType(NUMBER)
_TRUTH = ColumnType(BOOL)
_TEXT = ColumnType(STRING)

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
#: Folds of a list: the kind they want ("" any) and what they give ("" the element).
_FOLDS = {
    "all": (BOOL, BOOL),
    "any": (BOOL, BOOL),
    "share": (BOOL, NUMBER),
    "count": ("", NUMBER),
    "sum": (NUMBER, NUMBER),
    "min": (NUMBER, NUMBER),
    "max": (NUMBER, NUMBER),
    "median": (NUMBER, NUMBER),
    "first": ("", ""),
}
FUNCTIONS = (*_FOLDS, "isfinite", "abs", "close", "glob", "has", "lookup")


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression: its text, the type of its value, its program, and the columns it reads (table, column)."""

    text: str
    type: ColumnType
    program: Program
    reads: tuple[tuple[str, str], ...]
    records: tuple[str, ...]


def check(text: str, scope: Scope) -> Expression:
    """Check an expression; `ExpressionError` with position and hint where it is wrong."""
    checker = _Checker(text, scope)
    type_, program = checker.visit(parse(text), 0)
    return Expression(text, type_, program, tuple(sorted(checker.reads)), tuple(sorted(checker.records)))


def check_condition(text: str, scope: Scope) -> Expression:
    """Check an expression that must be true or false for each row."""
    expression = check(text, scope)
    if expression.type == _TRUTH:
        return expression
    is_list = expression.type == ColumnType(BOOL, True)
    hint = "write all(…) or any(…) over the list" if is_list else "write a comparison"
    raise ExpressionError(
        f"this must be true or false, but it is a {expression.type}", 0, len(text.split("\n")[0]), hint
    )


class _Checker:
    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.reads: set[tuple[str, str]] = set()
        self.records: set[str] = set()

    def visit(self, node: ast.expr, depth: int) -> tuple[ColumnType, Program]:
        if depth > MAX_DEPTH:
            self.fail(node, f"the expression is nested deeper than {MAX_DEPTH}")
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            self.fail(node, f"{_describe(node)} is not part of the rule language", "see 'tflint facts --language'")
        type_, program = method(node, depth + 1)
        return type_, program

    def fail(self, node: ast.expr, message: str, hint: str = "") -> NoReturn:
        offset, length = span(self.text, node)
        raise ExpressionError(message, offset, length, hint)

    # -- constants and names -------------------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant, _depth: int) -> tuple[ColumnType, Program]:
        value = node.value
        if isinstance(value, bool):
            return _TRUTH, ("bool", value)
        if isinstance(value, int | float):
            return _NUM, ("number", self._finite(node, value))
        if isinstance(value, str):
            return _TEXT, ("string", value)
        if value is None:
            self.fail(node, "None is not part of the rule language", "write has(…)")
        self.fail(node, f"{type(value).__name__} is not part of the rule language")

    def _finite(self, node: ast.expr, value: float) -> float:
        try:
            number = float(value)
        except OverflowError:  # an integer beyond all floats
            number = math.inf
        if not math.isfinite(number):
            self.fail(node, "the number is too large")
        return number

    def _name(self, node: ast.Name, _depth: int) -> tuple[ColumnType, Program]:
        return self._chain(node, [node.id])

    def _attribute(self, node: ast.Attribute, depth: int) -> tuple[ColumnType, Program]:
        names: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        if depth + len(names) > MAX_DEPTH:  # each name is a level of the program
            self.fail(node, f"the expression is nested deeper than {MAX_DEPTH}")
        if isinstance(base, ast.Name):
            return self._chain(node, [base.id, *reversed(names)])
        type_, program = self.visit(base, depth + len(names))
        if type_.kind != REFERENCE:
            self.fail(node, f"a {type_} has no fields")
        return self._path(node, type_, program, list(reversed(names)))

    def _chain(self, node: ast.expr, names: list[str]) -> tuple[ColumnType, Program]:
        row = self.scope.row
        if self._longest(row, names):
            return self._path(node, ColumnType(REFERENCE, False, row), ("row",), names)
        if names[0] in self.scope.records:
            return self._record(node, names)
        if names[0] in self.scope.constants:
            return self._constant_list(node, names)
        known = [*self.scope.tables[row].columns, *self.scope.records, *self.scope.constants]
        self.fail(node, f"unknown field '{'.'.join(names)}' of {row}", self._nearest(".".join(names), known))

    def _longest(self, table: str, names: list[str]) -> int:
        columns = self.scope.tables[table].columns
        for length in range(len(names), 0, -1):
            if ".".join(names[:length]) in columns:
                return length
        return 0

    def _path(
        self, node: ast.expr, type_: ColumnType, program: Program, names: list[str]
    ) -> tuple[ColumnType, Program]:
        """Follow names from a reference: columns of its table, then of the tables these lead to."""
        while names:
            if type_.kind != REFERENCE:
                self.fail(node, f"a {type_} has no field '{names[0]}'")
            length = self._longest(type_.table, names)
            if not length:
                columns = self.scope.tables[type_.table].columns
                hint = self._nearest(".".join(names), list(columns))
                self.fail(node, f"unknown field '{'.'.join(names)}' of {type_.table}", hint)
            column = self.scope.tables[type_.table].columns[".".join(names[:length])]
            if type_.is_list and column.type.is_list:
                self.fail(
                    node,
                    f"'{column.name}' is a list, and so is what it is asked of: a list of lists",
                    "write a rule for-each operand, or use a column that has one value",
                )
            self.reads.add((type_.table, column.name))
            program = ("column", program, type_.table, column.name, column.type.kind)
            type_ = ColumnType(column.type.kind, type_.is_list or column.type.is_list, column.type.table)
            names = names[length:]
        return type_, program

    def _record(self, node: ast.expr, names: list[str]) -> tuple[ColumnType, Program]:
        fields = self.scope.records[names[0]]
        if len(names) == 1:
            self.fail(node, f"{names[0]} is no value", f"write {names[0]}.{next(iter(fields), '…')}")
        if len(names) != 2 or names[1] not in fields:
            hint = self._nearest(".".join(names[1:]), list(fields))
            self.fail(node, f"unknown field '{'.'.join(names[1:])}' of {names[0]}", hint)
        type_ = fields[names[1]]
        if type_ is None:
            self.fail(node, f"{'.'.join(names)} is a table", f"write lookup({'.'.join(names)}, …)")
        self.records.add(names[0])
        return type_, ("record", names[0], names[1], type_.kind, type_.is_list)

    def _constant_list(self, node: ast.expr, names: list[str]) -> tuple[ColumnType, Program]:
        value = self._constant_value(node, names)
        if isinstance(value, list):
            return self._list_of(node, value)
        if isinstance(value, dict):
            self.fail(node, f"{'.'.join(names)} is a table", f"write lookup({'.'.join(names)}, …)")
        return self._constant(ast.copy_location(ast.Constant(value), node), 0)

    def _constant_value(self, node: ast.expr, names: list[str]) -> Any:
        value: Any = self.scope.constants
        for depth, name in enumerate(names):
            if not isinstance(value, dict) and depth > 1:
                self.fail(node, f"{'.'.join(names[:depth])} has no '{name}'")
            if name not in value:
                known = [str(key) for key in value]
                self.fail(node, f"{'.'.join(names[:depth])} has no '{name}'", self._nearest(name, known))
            value = value[name]
        return value

    def _list(self, node: ast.List, _depth: int) -> tuple[ColumnType, Program]:
        values = []
        for element in node.elts:
            negative = isinstance(element, ast.UnaryOp) and isinstance(element.op, ast.USub)
            inner = element.operand if isinstance(element, ast.UnaryOp) and negative else element
            if not isinstance(inner, ast.Constant) or not isinstance(inner.value, bool | int | float | str):
                self.fail(element, "a list may hold constants only")
            value = inner.value
            if negative:
                if isinstance(value, bool | str):
                    self.fail(element, "only a number can be negative")
                value = -value
            values.append(value)
        return self._list_of(node, values)

    _tuple = _list

    def _list_of(self, node: ast.expr, values: list[Any]) -> tuple[ColumnType, Program]:
        if not values:
            self.fail(node, "an empty list has no type")
        if all(isinstance(value, str) for value in values):
            return ColumnType(STRING, True), ("constants", tuple(values))
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return ColumnType(NUMBER, True), ("constants", tuple(self._finite(node, value) for value in values))
        self.fail(node, "the elements of a list must all be numbers, or all strings")

    def _nearest(self, name: str, known: list[str]) -> str:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        last = name.rsplit(".", 1)[-1]
        near = near or difflib.get_close_matches(last, known, n=1, cutoff=0.6)
        return f"did you mean '{near[0]}'?" if near else ""

    # -- operators -----------------------------------------------------------------------------------------------------

    def _boolop(self, node: ast.BoolOp, depth: int) -> tuple[ColumnType, Program]:
        parts = []
        is_list = False
        for value in node.values:
            type_, program = self.visit(value, depth)
            self._want(value, type_, BOOL)
            is_list = is_list or type_.is_list
            parts.append(program)
        return ColumnType(BOOL, is_list), ("and" if isinstance(node.op, ast.And) else "or", *parts)

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> tuple[ColumnType, Program]:
        type_, program = self.visit(node.operand, depth)
        if isinstance(node.op, ast.Not):
            self._want(node.operand, type_, BOOL)
            return type_, ("not", program)
        if isinstance(node.op, ast.USub):
            self._want(node.operand, type_, NUMBER)
            # Not 0 - x: that of 0 is 0, where IEEE negation gives -0.
            return type_, ("number", -program[1]) if program[0] == "number" else ("*", ("number", -1.0), program)
        self.fail(node, f"the operator '{_symbol(node.op)}' is not part of the rule language")

    def _binop(self, node: ast.BinOp, depth: int) -> tuple[ColumnType, Program]:
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            self.fail(node, f"the operator '{_symbol(node.op)}' is not part of the rule language")
        left, a = self.visit(node.left, depth)
        right, b = self.visit(node.right, depth)
        self._want(node.left, left, NUMBER)
        self._want(node.right, right, NUMBER)
        return ColumnType(NUMBER, left.is_list or right.is_list), (operation, a, b)

    def _compare(self, node: ast.Compare, depth: int) -> tuple[ColumnType, Program]:
        operands = [node.left, *node.comparators]
        for middle in operands[1:-1]:  # the program holds it twice, and what it holds itself doubled, doubled again
            if any(isinstance(inner, ast.Compare) and len(inner.ops) > 1 for inner in ast.walk(middle)):
                self.fail(middle, "a chain of comparisons cannot stand within another", "write 'and' between them")
        checked = [self.visit(operand, depth) for operand in operands]
        parts: list[tuple[ColumnType, Program]] = []
        for index, operator in enumerate(node.ops):
            sides = checked[index : index + 2]
            if isinstance(operator, ast.In | ast.NotIn):
                pair = operands[index : index + 2]
                parts.append(self._membership(node, isinstance(operator, ast.NotIn), pair, sides))
            else:
                parts.append(self._comparison(node, operator, sides))
        if len(parts) == 1:
            return parts[0]
        return ColumnType(BOOL, any(type_.is_list for type_, _ in parts)), ("and", *(part for _, part in parts))

    def _comparison(
        self, node: ast.Compare, operator: ast.cmpop, sides: list[tuple[ColumnType, Program]]
    ) -> tuple[ColumnType, Program]:
        symbol = _COMPARISONS.get(type(operator))
        if symbol is None:
            self.fail(node, f"the comparison '{_symbol(operator)}' is not part of the rule language")
        (left, a), (right, b) = sides
        if left.kind != right.kind or left.table != right.table:
            self.fail(node, f"cannot compare a {left.element()} with a {right.element()}")
        if symbol not in ("==", "!=") and left.kind != NUMBER:
            self.fail(node, f"'{symbol}' compares numbers, not a {left.element()}")
        return ColumnType(BOOL, left.is_list or right.is_list), (symbol, a, b)

    def _membership(
        self, node: ast.Compare, negated: bool, nodes: list[ast.expr], sides: list[tuple[ColumnType, Program]]
    ) -> tuple[ColumnType, Program]:
        (left, a), (right, b) = sides
        if not right.is_list:
            self.fail(nodes[1], f"'in' wants a list, but this is a {right}")
        if left.kind != right.kind or left.table != right.table:
            self.fail(node, f"cannot look for a {left.element()} in a {right}")
        if left.is_list and b[0] != "constants":
            self.fail(
                nodes[0], "'in' looks for one value in a list of the model, but this is a list", "use any(… == …)"
            )
        program: Program = ("in", a, b)
        return ColumnType(BOOL, left.is_list), ("not", program) if negated else program

    def _subscript(self, node: ast.Subscript, depth: int) -> tuple[ColumnType, Program]:
        base, a = self.visit(node.value, depth)
        if isinstance(node.slice, ast.Slice | ast.Tuple):
            self.fail(node, "slices are not part of the rule language")
        index, b = self.visit(node.slice, depth)
        if not base.is_list:
            self.fail(node, f"a {base} has no elements")
        if index != _NUM:
            self.fail(node, f"an index must be one number, not a {index}")
        return base.element(), ("index", a, b)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        if not isinstance(node.func, ast.Name):
            self.fail(node, "methods are not part of the rule language")
        name = node.func.id
        if name not in FUNCTIONS:
            self.fail(node.func, f"unknown function '{name}'", self._nearest(name, list(FUNCTIONS)))
        if node.keywords and name != "close":
            self.fail(node, f"{name}() takes no named arguments")
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            self.fail(node, "'*' is not part of the rule language")
        if name in ("min", "max") and len(node.args) == 2:
            return self._two(node, name, depth)
        if name in _FOLDS:
            return self._fold(node, name, depth)
        type_, program = getattr(self, f"_call_{name}")(node, depth)
        return type_, program

    def _arguments(self, node: ast.Call, n: int) -> list[ast.expr]:
        if len(node.args) != n:
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            self.fail(node, f"{name}() takes {n} argument{'s' if n > 1 else ''}, not {len(node.args)}")
        return node.args

    def _fold(self, node: ast.Call, name: str, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        type_, program = self.visit(argument, depth)
        wanted, gives = _FOLDS[name]
        if not type_.is_list:
            self.fail(argument, f"{name}() folds a list, but this is a {type_}")
        if wanted:
            self._want(argument, type_, wanted)
        if name == "count" and type_.kind == BOOL:
            name = "count_true"
        return ColumnType(gives) if gives else type_.element(), (name, program)

    def _two(self, node: ast.Call, name: str, depth: int) -> tuple[ColumnType, Program]:
        (left, a), (right, b) = (self.visit(argument, depth) for argument in node.args)
        self._want(node.args[0], left, NUMBER)
        self._want(node.args[1], right, NUMBER)
        return ColumnType(NUMBER, left.is_list or right.is_list), (f"{name}2", a, b)

    def _call_isfinite(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        type_, program = self.visit(argument, depth)
        self._want(argument, type_, NUMBER)
        return ColumnType(BOOL, type_.is_list), ("isfinite", program)

    def _call_abs(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        type_, program = self.visit(argument, depth)
        self._want(argument, type_, NUMBER)
        return type_, ("abs", program)

    def _call_close(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        left, right = self._arguments(node, 2)
        tolerances = {"rtol": 1e-6, "atol": 0.0}
        wanted = set(tolerances)
        for keyword in node.keywords:
            value = keyword.value
            if keyword.arg not in wanted:
                self.fail(node, f"close() cannot take '{keyword.arg}' here", "it takes rtol and atol, once each")
            wanted.remove(keyword.arg)
            if not isinstance(value, ast.Constant) or type(value.value) not in (int, float):
                self.fail(value, "a tolerance must be a number")
            tolerances[keyword.arg] = self._finite(value, value.value)  # type: ignore[arg-type]  # int or float
        (left_type, a), (right_type, b) = self.visit(left, depth), self.visit(right, depth)
        self._want(left, left_type, NUMBER)
        self._want(right, right_type, NUMBER)
        type_ = ColumnType(BOOL, left_type.is_list or right_type.is_list)
        return type_, ("close", a, b, tolerances["rtol"], tolerances["atol"])

    def _call_glob(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        text, pattern = self._arguments(node, 2)
        type_, program = self.visit(text, depth)
        self._want(text, type_, STRING)
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
            self.fail(pattern, "glob() wants its pattern as a string in quotes")
        return ColumnType(BOOL, type_.is_list), ("glob", program, pattern.value)

    def _call_has(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        _, program = self.visit(argument, depth)
        return _TRUTH, ("has", program)

    def _call_lookup(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        if len(node.args) < 2:
            self.fail(node, "lookup() takes a table and one or more keys")
        kind, table = self._table(node.args[0])
        keys = []
        is_list = False
        for argument in node.args[1:]:
            type_, program = self.visit(argument, depth)
            if type_.kind not in (NUMBER, STRING):
                self.fail(argument, f"a key must be a number or a string, not a {type_}")
            is_list = is_list or type_.is_list
            keys.append(program)
        return ColumnType(kind, is_list), ("lookup", kind, table, *keys)

    def _table(self, node: ast.expr) -> tuple[str, Program]:
        names: list[str] = []
        base = node
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            self.fail(node, "lookup() wants the name of a table")
        names = [base.id, *reversed(names)]
        if names[0] in self.scope.records:
            if len(names) != 2 or self.scope.records[names[0]].get(names[1], _NUM) is not None:
                self.fail(node, f"{'.'.join(names)} is no table")
            self.records.add(names[0])
            return NUMBER, ("record", names[0], names[1])
        if names[0] not in self.scope.constants:
            self.fail(node, f"there is no table '{names[0]}'", self._nearest(names[0], list(self.scope.constants)))
        value = self._constant_value(node, names)
        if not isinstance(value, dict):
            self.fail(node, f"{'.'.join(names)} is no table")
        return _leaf_kind(value), ("table", *names)

    def _want(self, node: ast.expr, type_: ColumnType, kind: str) -> None:
        if type_.kind != kind:
            self.fail(node, f"this must be a {kind}, but it is a {type_}")


def _leaf_kind(value: Any) -> str:
    while isinstance(value, dict) and value:
        value = next(iter(value.values()))
    return STRING if isinstance(value, str) else NUMBER


def _describe(node: ast.AST) -> str:
    names = {
        "Lambda": "a function",
        "ListComp": "a comprehension",
        "GeneratorExp": "a comprehension",
        "SetComp": "a comprehension",
        "DictComp": "a comprehension",
        "IfExp": "'if … else'",
        "JoinedStr": "an f-string",
        "Dict": "a dictionary",
        "Set": "a set",
        "NamedExpr": "':='",
        "Await": "'await'",
        "Starred": "'*'",
        "Yield": "'yield'",
        "YieldFrom": "'yield'",
    }
    return names.get(type(node).__name__, type(node).__name__)


def _symbol(operator: ast.AST) -> str:
    symbols = {"Pow": "**", "FloorDiv": "//", "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitAnd": "&",
               "BitXor": "^", "MatMult": "@", "Is": "is", "IsNot": "is not", "UAdd": "+", "Invert": "~"}  # fmt: skip
    return symbols.get(type(operator).__name__, type(operator).__name__)
