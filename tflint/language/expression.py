"""Checked expressions and templates. The checker creates them; they are then stored or evaluated."""

from __future__ import annotations

from typing import Any, TypeAlias

from tflint.columns.column_types import ColumnType
from tflint.values import frozen

#: A compiled expression: nested tuples `(operation, …)`.
Program: TypeAlias = tuple[Any, ...]

_interned: dict[str, Program] = {}


def intern_program(program: Program) -> Program:
    """Return the same object for all equal programs, so that evaluators can cache values by the program's identity.

    Programs are compared by their `repr`, because 0.0 and -0.0 are equal numbers, but different programs.
    """
    interned_program = tuple(intern_program(part) if isinstance(part, tuple) else part for part in program)
    return _interned.setdefault(repr(interned_program), interned_program)


@frozen
class Expression:
    """A checked expression: its text, type and program, and the columns that it reads, as pairs (table, column)."""

    text: str
    type: ColumnType
    program: Program
    reads: tuple[tuple[str, str], ...]
    records: tuple[str, ...]


@frozen
class Part:
    """A piece of a template: plain text, or an expression with its format."""

    text: str = ""
    expression: Expression | None = None
    format: str = ""
