"""Checks an expression against the types of columns and compiles it to a program. Needs no numpy.

A program consists of nested tuples `(operation, …)`, so that compiled rules can be stored. `Evaluator` runs programs.
"""

from __future__ import annotations

import ast
from typing import Any

from tflint.columns.column_types import BOOL, NUMBER, STRING, ColumnType
from tflint.language.expression import Expression, Program, intern_program
from tflint.language.name_resolution import Names
from tflint.language.scope import Scope
from tflint.language.syntax import ExpressionError, parse

_NUM = ColumnType(NUMBER)
_TRUTH = ColumnType(BOOL)
_TEXT = ColumnType(STRING)

_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%"}
_COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
#: Folds of a list, with the required kind of elements ("": any) and the kind of the result ("": the elements' kind).
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


def check(text: str, scope: Scope) -> Expression:
    """Check and compile an expression. Raises `ExpressionError` with a position and a hint if it is invalid."""
    checker = _Checker(text, scope)
    type_, program = checker.visit(parse(text), 0)
    return Expression(
        text, type_, intern_program(program), tuple(sorted(checker.reads)), tuple(sorted(checker.records))
    )


def check_condition(text: str, scope: Scope) -> Expression:
    """Check and compile an expression. Raises `ExpressionError` also if it is not one bool per row."""
    expression = check(text, scope)
    if expression.type == _TRUTH:
        return expression
    is_list = expression.type == ColumnType(BOOL, True)
    hint = "write all(…) or any(…) over the list" if is_list else "write a comparison"
    raise ExpressionError(
        f"this must be true or false, but it is a {expression.type}", 0, len(text.split("\n")[0]), hint
    )


class _Checker(Names):
    def _boolop(self, node: ast.BoolOp, depth: int) -> tuple[ColumnType, Program]:
        parts = []
        is_list = False
        for value in node.values:
            type_, program = self.visit(value, depth)
            self._require_kind(value, type_, BOOL)
            is_list = is_list or type_.is_list
            parts.append(program)
        operation = "and" if isinstance(node.op, ast.And) else "or"
        return ColumnType(BOOL, is_list), (f"each_{operation}" if is_list else operation, *parts)

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> tuple[ColumnType, Program]:
        type_, program = self.visit(node.operand, depth)
        if isinstance(node.op, ast.Not):
            self._require_kind(node.operand, type_, BOOL)
            return type_, ("not", program)
        if isinstance(node.op, ast.USub):
            self._require_kind(node.operand, type_, NUMBER)
            # Not 0 - x, which gives 0 for 0, while IEEE negation gives -0.
            return type_, ("number", -program[1]) if program[0] == "number" else ("*", ("number", -1.0), program)
        self.fail(node, f"the operator '{_symbol(node.op)}' is not part of the rule language")

    def _binop(self, node: ast.BinOp, depth: int) -> tuple[ColumnType, Program]:
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            self.fail(node, f"the operator '{_symbol(node.op)}' is not part of the rule language")
        left, a = self.visit(node.left, depth)
        right, b = self.visit(node.right, depth)
        self._require_kind(node.left, left, NUMBER)
        self._require_kind(node.right, right, NUMBER)
        return ColumnType(NUMBER, left.is_list or right.is_list), (operation, a, b)

    def _compare(self, node: ast.Compare, depth: int) -> tuple[ColumnType, Program]:
        operands = [node.left, *node.comparators]
        for middle in operands[1:-1]:  # it occurs twice in the program, so each nesting would double its size
            if any(isinstance(inner, ast.Compare) and len(inner.ops) > 1 for inner in ast.walk(middle)):
                self.fail(
                    middle, "a chained comparison cannot contain another chained comparison", "write 'and' between them"
                )
        checked = [self.visit(operand, depth) for operand in operands]
        parts: list[tuple[ColumnType, Program]] = []
        for index, operator in enumerate(node.ops):
            sides = checked[index : index + 2]
            self._require_known(operands[index : index + 2], sides)
            if isinstance(operator, ast.In | ast.NotIn):
                pair = operands[index : index + 2]
                parts.append(self._membership(node, isinstance(operator, ast.NotIn), pair, sides))
            else:
                parts.append(self._comparison(node, operator, sides))
        if len(parts) == 1:
            return parts[0]
        is_list = any(type_.is_list for type_, _ in parts)
        return ColumnType(BOOL, is_list), ("each_and" if is_list else "and", *(part for _, part in parts))

    def _require_known(self, nodes: list[ast.expr], sides: list[tuple[ColumnType, Program]]) -> None:
        """Raise an error if a column is compared with a string that it can never contain."""
        for (_, column), (_, other), node in zip(sides, reversed(sides), reversed(nodes), strict=True):
            if column[0] != "column" or other[0] not in ("string", "constants"):
                continue
            known = self.scope.tables[column[2]].columns[column[3]].domain
            texts = other[1:] if other[0] == "string" else other[1]
            unknown = next((text for text in texts if known and text not in known), None)
            if unknown is not None:
                hint = self.nearest_hint(unknown.upper(), list(known)) or self.nearest_hint(unknown, list(known))
                self.fail(node, f"'{column[3]}' is never '{unknown}'", hint)

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
            self.fail(nodes[1], f"'in' requires a list, but this is a {right}")
        if left.kind != right.kind or left.table != right.table:
            self.fail(node, f"cannot look for a {left.element()} in a {right}")
        if left.is_list and b[0] != "constants":
            self.fail(nodes[0], "the left side of 'in' must be a single value, but this is a list", "use any(… == …)")
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
            self.fail(node, f"an index must be a number, not a {index}")
        return base.element(), ("index", a, b)

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        if not isinstance(node.func, ast.Name):
            self.fail(node, "methods are not part of the rule language")
        name = node.func.id
        if name not in FUNCTIONS:
            self.fail(node.func, f"unknown function '{name}'", self.nearest_hint(name, list(FUNCTIONS)))
        if node.keywords and name != "close":
            self.fail(node, f"{name}() takes no named arguments")
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            self.fail(node, "'*' is not part of the rule language")
        if name in ("min", "max") and len(node.args) == 2:
            return self._two_argument_fold(node, name, depth)
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
        accepted, result = _FOLDS[name]
        if not type_.is_list:
            self.fail(argument, f"{name}() folds a list, but this is a {type_}")
        if accepted:
            self._require_kind(argument, type_, accepted)
        if name == "count" and type_.kind == BOOL:
            name = "count_true"
        return ColumnType(result) if result else type_.element(), (name, program)

    def _two_argument_fold(self, node: ast.Call, name: str, depth: int) -> tuple[ColumnType, Program]:
        (left, a), (right, b) = (self.visit(argument, depth) for argument in node.args)
        self._require_kind(node.args[0], left, NUMBER)
        self._require_kind(node.args[1], right, NUMBER)
        return ColumnType(NUMBER, left.is_list or right.is_list), (f"{name}2", a, b)

    def _call_isfinite(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        type_, program = self.visit(argument, depth)
        self._require_kind(argument, type_, NUMBER)
        return ColumnType(BOOL, type_.is_list), ("isfinite", program)

    def _call_abs(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        type_, program = self.visit(argument, depth)
        self._require_kind(argument, type_, NUMBER)
        return type_, ("abs", program)

    def _call_close(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        left, right = self._arguments(node, 2)
        tolerances = {"rtol": 1e-6, "atol": 0.0}
        accepted = set(tolerances)
        for keyword in node.keywords:
            value = keyword.value
            if keyword.arg not in accepted:
                self.fail(node, f"close() does not accept '{keyword.arg}' here", "it accepts rtol and atol, once each")
            accepted.remove(keyword.arg)
            if not isinstance(value, ast.Constant) or type(value.value) not in (int, float):
                self.fail(value, "a tolerance must be a number")
            tolerances[keyword.arg] = self._finite(value, value.value)  # type: ignore[arg-type]  # int or float
        (left_type, a), (right_type, b) = self.visit(left, depth), self.visit(right, depth)
        self._require_kind(left, left_type, NUMBER)
        self._require_kind(right, right_type, NUMBER)
        type_ = ColumnType(BOOL, left_type.is_list or right_type.is_list)
        return type_, ("close", a, b, tolerances["rtol"], tolerances["atol"])

    def _call_glob(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        text, pattern = self._arguments(node, 2)
        type_, program = self.visit(text, depth)
        self._require_kind(text, type_, STRING)
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str):
            self.fail(pattern, "the pattern of glob() must be a string in quotes")
        return ColumnType(BOOL, type_.is_list), ("glob", program, pattern.value)

    def _call_has(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        (argument,) = self._arguments(node, 1)
        _, program = self.visit(argument, depth)
        return _TRUTH, ("has", program)

    def _call_lookup(self, node: ast.Call, depth: int) -> tuple[ColumnType, Program]:
        if len(node.args) < 2:
            self.fail(node, "lookup() takes a table and one or more keys")
        kind, table = self._lookup_table(node.args[0])
        keys = []
        is_list = False
        for argument in node.args[1:]:
            type_, program = self.visit(argument, depth)
            if type_.kind not in (NUMBER, STRING):
                self.fail(argument, f"a key must be a number or a string, not a {type_}")
            is_list = is_list or type_.is_list
            keys.append(program)
        return ColumnType(kind, is_list), ("lookup", kind, table, *keys)

    def _lookup_table(self, node: ast.expr) -> tuple[str, Program]:
        names: list[str] = []
        base = node
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            self.fail(node, "the first argument of lookup() must be the name of a table")
        names = [base.id, *reversed(names)]
        if names[0] in self.scope.records:
            if len(names) != 2 or self.scope.records[names[0]].get(names[1], _NUM) is not None:
                self.fail(node, f"{'.'.join(names)} is not a table")
            self.records.add(names[0])
            return NUMBER, ("record", names[0], names[1])
        if names[0] not in self.scope.constants:
            self.fail(node, f"there is no table '{names[0]}'", self.nearest_hint(names[0], list(self.scope.constants)))
        value = self._constant_value(node, names)
        if not isinstance(value, dict):
            self.fail(node, f"{'.'.join(names)} is not a table")
        return _leaf_kind(value), ("table", *names)

    def _require_kind(self, node: ast.expr, type_: ColumnType, kind: str) -> None:
        if type_.kind != kind:
            self.fail(node, f"this must be a {kind}, but it is a {type_}")


def _leaf_kind(value: Any) -> str:
    while isinstance(value, dict) and value:
        value = next(iter(value.values()))
    return STRING if isinstance(value, str) else NUMBER


def _symbol(operator: ast.AST) -> str:
    symbols = {"Pow": "**", "FloorDiv": "//", "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitAnd": "&",
               "BitXor": "^", "MatMult": "@", "Is": "is", "IsNot": "is not", "UAdd": "+", "Invert": "~"}  # fmt: skip
    return symbols.get(type(operator).__name__, type(operator).__name__)
