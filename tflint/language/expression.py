"""Checked expressions and templates as values: what checking gives, and evaluation and storage take."""

from __future__ import annotations

from typing import Any, TypeAlias

from tflint.columns.column_types import ColumnType
from tflint.values import frozen

#: Nested tuples `(operation, …)`: what a checked expression compiles to.
Program: TypeAlias = tuple[Any, ...]

_known: dict[str, Program] = {}


def interned(program: Program) -> Program:
    """The one object for all programs that are equal to this one, so that an evaluator knows what it did by identity.

    The text is what is compared: 0.0 and -0.0 are equal, but no program may take the place of the other.
    """
    whole = tuple(interned(part) if isinstance(part, tuple) else part for part in program)
    return _known.setdefault(repr(whole), whole)


@frozen
class Expression:
    """A checked expression: its text, the type of its value, its program, and the columns it reads (table, column)."""

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
