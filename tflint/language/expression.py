"""Checked expressions and templates as values: what checking gives, and evaluation and storage take."""

from __future__ import annotations

from typing import Any, TypeAlias

from tflint.columns.types import ColumnType
from tflint.values import frozen

#: Nested tuples `(operation, …)`: what a checked expression compiles to.
Program: TypeAlias = tuple[Any, ...]


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
