"""How facts are declared: the types of columns, and a declaration in a few words. No numpy."""

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
    """A derived column: what it is, its function, and the columns that this reads."""
    return ColumnDeclaration(
        name, type_, meaning, absent, unknown, tuple(needs.split()), compute, values, tuple(domain.split())
    )
