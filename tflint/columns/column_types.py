"""Types and declarations of columns, without numpy, for the rule checker and the reference pages."""

from __future__ import annotations

from tflint.values import frozen

NUMBER = "number"
BOOL = "bool"
STRING = "string"
REFERENCE = "reference"


@frozen
class ColumnType:
    """Type of a column or an expression: its kind, whether it is a list, and the table that a reference points to."""

    kind: str
    is_list: bool = False
    table: str = ""

    def __str__(self) -> str:
        base = f"reference to {self.table}" if self.kind == REFERENCE else self.kind
        return f"list of {base}" if self.is_list else base

    def element(self) -> ColumnType:
        """Return the element type of a list; for other types, the type itself."""
        return ColumnType(self.kind, False, self.table)

    def list_of(self) -> ColumnType:
        """Return the type of a list whose elements have this type."""
        return ColumnType(self.kind, True, self.table)


NUMBERS = ColumnType(NUMBER, True)


def reference(table: str, *, many: bool = False) -> ColumnType:
    """Return the type of a reference, or of a list of references, to rows of a table."""
    return ColumnType(REFERENCE, many, table)


@frozen
class ColumnDeclaration:
    """Declaration of a column, independent of any model.

    `meaning` describes the values in one line, with units. `absent` describes when a row has no value, and `unknown`
    when its value cannot be determined; either is empty if this never happens. `needs` are the columns that this column
    is derived from. `compute` names the function that derives it (`module:function` below `tflint.facts`); it is empty
    for values stored in the file. `values` is true if the function reads the values of constants and not only the
    structure of the model. `domain` lists all strings that the column can contain, if they are known in advance.
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
    """A table: the meaning of a row, and its columns by name."""

    name: str
    row: str
    columns: dict[str, ColumnDeclaration]
    needs: tuple[str, ...] = ()
    compute: str = ""
