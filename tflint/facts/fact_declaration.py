"""Shorthands for the declarations of facts: column types and the function `fact`. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import BOOL, NUMBER, STRING, ColumnDeclaration, ColumnType, reference

NUM = ColumnType(NUMBER)
TRUTH = ColumnType(BOOL)
TEXT = ColumnType(STRING)
TEXTS = ColumnType(STRING, True)
TENSOR = reference("tensor")
TENSORS = reference("tensor", many=True)


def fact(
    name: str,
    type_: ColumnType,
    meaning: str,
    compute: str,
    needs: str = "",
    *,
    absent: str = "",
    unknown: str = "",
    values: bool = False,
    domain: str = "",
) -> ColumnDeclaration:
    """Declare a derived column.

    `compute` names the function as `module:function` below `tflint.facts`. `needs` lists the columns that the function
    reads. `domain` lists all strings that the column can have. Both lists are separated by spaces. `absent` and
    `unknown` describe when a row is absent or unknown (empty: never). `values` is true if the function reads the bytes
    of constants.
    """
    return ColumnDeclaration(
        name, type_, meaning, absent, unknown, tuple(needs.split()), compute, values, tuple(domain.split())
    )
