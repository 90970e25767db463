"""Checks literals and names in expressions: columns, paths along references, records and knowledge tables."""

from __future__ import annotations

import ast
import difflib
import math
from typing import Any, NoReturn

from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING, ColumnType
from tflint.language.expression import Program
from tflint.language.scope import Scope
from tflint.language.syntax import MAX_DEPTH, ExpressionError, span

_NUM = ColumnType(NUMBER)
_TRUTH = ColumnType(BOOL)
_TEXT = ColumnType(STRING)


class Names:
    """The part of the checker that handles literals and names. `type_check` handles operators and calls."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.reads: set[tuple[str, str]] = set()
        self.records: set[str] = set()

    def visit(self, node: ast.expr, depth: int) -> tuple[ColumnType, Program]:
        """Return the type and the program of a syntax node at a nesting depth."""
        if depth > MAX_DEPTH:
            self.fail(node, f"the expression is nested deeper than {MAX_DEPTH}")
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            self.fail(node, f"{describe(node)} is not part of the rule language", "see 'tflint facts --language'")
        type_, program = method(node, depth + 1)
        return type_, program

    def fail(self, node: ast.expr, message: str, hint: str = "") -> NoReturn:
        """Raise `ExpressionError` with the position of a syntax node in the text."""
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
        except OverflowError:  # an integer larger than any float
            number = math.inf
        if not math.isfinite(number):
            self.fail(node, "the number is too large")
        return number

    def _name(self, node: ast.Name, _depth: int) -> tuple[ColumnType, Program]:
        return self._resolve_names(node, [node.id])

    def _attribute(self, node: ast.Attribute, depth: int) -> tuple[ColumnType, Program]:
        names: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        if depth + len(names) > MAX_DEPTH:  # each name adds a level to the program
            self.fail(node, f"the expression is nested deeper than {MAX_DEPTH}")
        if isinstance(base, ast.Name):
            return self._resolve_names(node, [base.id, *reversed(names)])
        type_, program = self.visit(base, depth + len(names))
        if type_.kind != REFERENCE:
            self.fail(node, f"a {type_} has no fields")
        return self._follow_path(node, type_, program, list(reversed(names)))

    def _resolve_names(self, node: ast.expr, names: list[str]) -> tuple[ColumnType, Program]:
        row = self.scope.row
        if self._match_column(row, names):
            return self._follow_path(node, ColumnType(REFERENCE, False, row), ("row",), names)
        if names[0] in self.scope.records:
            return self._record(node, names)
        if names[0] in self.scope.constants:
            return self._constant_list(node, names)
        known = [*self.scope.tables[row].columns, *self.scope.records, *self.scope.constants]
        self._unknown_field(node, names, row, known)

    def _match_column(self, table: str, names: list[str]) -> int:
        columns = self.scope.tables[table].columns
        for length in range(len(names), 0, -1):
            if ".".join(names[:length]) in columns:
                return length
        return 0

    def _follow_path(
        self, node: ast.expr, type_: ColumnType, program: Program, names: list[str]
    ) -> tuple[ColumnType, Program]:
        """Return the type and program of a path of names that begins at a reference.

        The first name is a column of the referenced table. Each further name is a column of the table that the column
        before it references.
        """
        while names:
            if type_.kind != REFERENCE:
                self.fail(node, f"a {type_} has no field '{names[0]}'")
            length = self._match_column(type_.table, names)
            if not length:
                self._unknown_field(node, names, type_.table, list(self.scope.tables[type_.table].columns))
            column = self.scope.tables[type_.table].columns[".".join(names[:length])]
            if type_.is_list and column.type.is_list:
                self.fail(
                    node,
                    f"'{column.name}' is a list for each of several rows; lists of lists are not supported",
                    "write the rule with for-each = 'operand', or use a column with a single value",
                )
            self.reads.add((type_.table, column.name))
            program = ("column", program, type_.table, column.name, column.type.kind)
            type_ = ColumnType(column.type.kind, type_.is_list or column.type.is_list, column.type.table)
            names = names[length:]
        return type_, program

    def _unknown_field(self, node: ast.expr, names: list[str], table: str, known: list[str]) -> NoReturn:
        name = ".".join(names)
        self.fail(node, f"unknown field '{name}' of {table}", self.scope.hint(names) or self.nearest_hint(name, known))

    def _record(self, node: ast.expr, names: list[str]) -> tuple[ColumnType, Program]:
        fields = self.scope.records[names[0]]
        if len(names) == 1:
            self.fail(node, f"{names[0]} is not a value", f"write {names[0]}.{next(iter(fields), '…')}")
        if len(names) != 2 or names[1] not in fields:
            hint = self.nearest_hint(".".join(names[1:]), list(fields))
            self.fail(node, f"unknown field '{'.'.join(names[1:])}' of {names[0]}", hint)
        type_ = fields[names[1]]
        if type_ is None:
            self.fail(node, f"{'.'.join(names)} is a table", f"write lookup({'.'.join(names)}, …)")
        self.records.add(names[0])
        return type_, ("record", names[0], names[1], type_.kind, type_.is_list)

    def _constant_list(self, node: ast.expr, names: list[str]) -> tuple[ColumnType, Program]:
        value = self._constant_value(node, names)
        if isinstance(value, list):
            return self._constants(node, value)
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
                self.fail(node, f"{'.'.join(names[:depth])} has no '{name}'", self.nearest_hint(name, known))
            value = value[name]
        return value

    def _list(self, node: ast.List, _depth: int) -> tuple[ColumnType, Program]:
        values = []
        for element in node.elts:
            negative = isinstance(element, ast.UnaryOp) and isinstance(element.op, ast.USub)
            inner = element.operand if isinstance(element, ast.UnaryOp) and negative else element
            if not isinstance(inner, ast.Constant) or not isinstance(inner.value, bool | int | float | str):
                self.fail(element, "a list may contain only constants")
            value = inner.value
            if negative:
                if isinstance(value, bool | str):
                    self.fail(element, "only a number can be negative")
                value = -value
            values.append(value)
        return self._constants(node, values)

    _tuple = _list

    def _constants(self, node: ast.expr, values: list[Any]) -> tuple[ColumnType, Program]:
        if not values:
            self.fail(node, "an empty list has no type")
        if all(isinstance(value, str) for value in values):
            return ColumnType(STRING, True), ("constants", tuple(values))
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            return ColumnType(NUMBER, True), ("constants", tuple(self._finite(node, value) for value in values))
        self.fail(node, "the elements of a list must all be numbers, or all strings")

    def nearest_hint(self, name: str, known: list[str]) -> str:
        """Return a hint with the most similar known name, or an empty string if no known name is similar."""
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        last = name.rsplit(".", 1)[-1]
        near = near or difflib.get_close_matches(last, known, n=1, cutoff=0.6)
        return f"did you mean '{near[0]}'?" if near else ""


def describe(node: ast.AST) -> str:
    """Return the name, for messages, of a kind of syntax that the rule language does not have."""
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
