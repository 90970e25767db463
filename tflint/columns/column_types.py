"""Types and declarations of columns, without numpy: what the rule checker and the reference pages need."""

from __future__ import annotations

from tflint.values import frozen

NUMBER = "number"
BOOL = "bool"
STRING = "string"
REFERENCE = "reference"


@frozen
class ColumnType:
    """The type of a column or an expression: a kind, whether it is a list, and the table a reference leads to."""

    kind: str
    is_list: bool = False
    table: str = ""

    def __str__(self) -> str:
        base = f"reference to {self.table}" if self.kind == REFERENCE else self.kind
        return f"list of {base}" if self.is_list else base

    def element(self) -> ColumnType:
        """The type of one element of a list; the type itself where it is none."""
        return ColumnType(self.kind, False, self.table)

    def listed(self) -> ColumnType:
        """A list of this type."""
        return ColumnType(self.kind, True, self.table)


NUMBERS = ColumnType(NUMBER, True)


def reference(table: str, *, many: bool = False) -> ColumnType:
    """The type of a reference, or of a list of references, to rows of a table."""
    return ColumnType(REFERENCE, many, table)


@frozen
class ColumnDeclaration:
    """What is known of a column before any model is read.

    `meaning` is one line, with units; `absent` says when a row has no value, `unknown` when the value could not be
    determined (both empty: never). `needs` names the columns it is derived from; `compute` names the function that
    derives it (`module:function` below `tflint.facts`), empty for what the file itself holds. `values` says that the
    function reads constant data, not only structure. `domain` holds all strings the column can have, where they are
    known beforehand.
    """

    name: str
    type: ColumnType
    meaning: str
    absent: str = ""
    unknown: str = ""
    needs: tuple[str, ...] = ()
    compute: str = ""
    values: bool = False
    domain: tuple[str, ...] = ()


@frozen
class TableDeclaration:
    """A table's columns by name, and what one row of it is."""

    name: str
    row: str
    columns: dict[str, ColumnDeclaration]
    needs: tuple[str, ...] = ()
    compute: str = ""
