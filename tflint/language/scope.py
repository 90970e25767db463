"""What names mean in an expression: the columns of the row's table and of the tables it leads to, and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tflint.columns.column_types import ColumnType, TableDeclaration
from tflint.values import EMPTY, frozen


@frozen
class Scope:
    """Names an expression may use.

    `tables`: all tables with their columns; `row`: the table whose rows the expression is about; `constants`: knowledge
    tables by name (read as `name.key`, or by `lookup(name.key, …)`); `records`: named values that one run fixes, such
    as `target`, with the types of their fields (None: a table for `lookup`). `hint` says what to do about a name with
    dots that nobody knows; empty where it knows nothing.
    """

    tables: Mapping[str, TableDeclaration]
    row: str
    constants: Mapping[str, Mapping[str, Any]] = EMPTY
    records: Mapping[str, Mapping[str, ColumnType | None]] = EMPTY
    hint: Callable[[Sequence[str]], str] = lambda _names: ""
