"""The names that an expression may use: columns of its rows' table and of referenced tables, and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tflint.columns.column_types import ColumnType, TableDeclaration
from tflint.values import EMPTY, frozen


@frozen
class Scope:
    """Names that an expression may use.

    `tables` are all tables with their columns. `row` is the name of the table for whose rows the expression is
    evaluated. `constants` are the knowledge tables by name; an expression uses them as `name.key` or
    `lookup(name.key, …)`. `records` are groups of values that are fixed per run, such as `target`, with the types of
    their fields (None: the field is a table for `lookup`). `hint` returns advice about an unknown dotted name, or an
    empty string.
    """

    tables: Mapping[str, TableDeclaration]
    row: str
    constants: Mapping[str, Mapping[str, Any]] = EMPTY
    records: Mapping[str, Mapping[str, ColumnType | None]] = EMPTY
    hint: Callable[[Sequence[str]], str] = lambda _names: ""
