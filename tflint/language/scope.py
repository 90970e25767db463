"""The names an expression may use: columns of the row's table and of tables it references, and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tflint.columns.column_types import ColumnType, TableDeclaration
from tflint.values import EMPTY, frozen


@frozen
class Scope:
    """Names that an expression may use.

    `tables`: all tables with their columns. `row`: the table whose rows the expression is evaluated for. `constants`:
    knowledge tables by name (used as `name.key` or `lookup(name.key, …)`). `records`: named values that are fixed per
    run, such as `target`, with the types of their fields (None: a table for `lookup`). `hint` returns advice for an
    unknown dotted name, empty if it has none.
    """

    tables: Mapping[str, TableDeclaration]
    row: str
    constants: Mapping[str, Mapping[str, Any]] = EMPTY
    records: Mapping[str, Mapping[str, ColumnType | None]] = EMPTY
    hint: Callable[[Sequence[str]], str] = lambda _names: ""
