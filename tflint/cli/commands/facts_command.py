"""`tflint facts`: prints the reference of tables and columns, and of the expression language."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tflint.cli import console, plugin_option
from tflint.errors import UserError
from tflint.userfiles.nearest_word import nearest

if TYPE_CHECKING:
    from tflint.columns.column_types import ColumnDeclaration, TableDeclaration

_FUNCTIONS = {
    "all(list)": "whether no element is false",
    "any(list)": "whether at least one element is true",
    "count(list)": "number of elements; in a list of bools, only of the true ones",
    "share(list)": "fraction of true elements in a list of bools, 0 to 1",
    "sum min max median first (list)": "the aggregate; for an empty list, sum is 0 and the others are absent",
    "min(a, b)  max(a, b)": "smaller or larger of two numbers",
    "abs(x)  isfinite(x)": "for a number, or for each element of a list",
    "close(a, b, rtol=1e-6, atol=0)": "whether two numbers are equal within a tolerance",
    "glob(text, 'pattern')": "whether a text matches: * any characters, ? one character, [a-z] one of these",
    "has(x)": "whether a value is present; for a list, whether it has elements",
    "lookup(TABLE.key, k, …)": "entry of a knowledge table; unknown if there is none",
    "a.b  a[i]": "column b of the row that a refers to; element i of a list, absent if out of range",
}


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "facts",
        help="list the tables and columns that rules can use",
        description="List the tables and columns that rules can use.",
    )
    parser.add_argument("table", nargs="?", metavar="TABLE", help="table to list (default: all)")
    plugin_option.add_option(parser)
    parser.add_argument("--language", action="store_true", help="describe the expression language")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the reference; return the exit code."""
    if options.language:
        console.print_text(_describe_language())
        return 0
    from tflint.facts.fact_registry import all_tables
    from tflint.report.text_layout import wrap_line

    more = plugin_option.load_allowed(options)
    tables = more.tables if more else all_tables()
    if options.table:
        if options.table not in tables:
            hint = nearest(options.table, tables) or "tables: " + ", ".join(tables)
            raise UserError(f"unknown table '{options.table}'", hint=hint)
        tables = {options.table: tables[options.table]}
    if options.format == "json":
        console.print_json(json.dumps({name: _to_data(table) for name, table in tables.items()}, indent=2) + "\n")
    else:
        legend = "-> refers to a row of a table, [ ] is a list; options.* is absent if an operator has no such option"
        texts = ["\n".join(_format_table(table)) + "\n" for table in tables.values()]
        console.print_text("\n".join([*wrap_line(legend, console.output_width(sys.stdout), 0), "", *texts]))
    return 0


def _format_table(table: TableDeclaration) -> Iterator[str]:
    from tflint.report.text_layout import wrap_beside, wrap_line

    columns = table.columns.values()
    name_width = max(len(column.name) for column in columns) + 2
    type_width = max(len(_format_type(column)) for column in columns) + 2
    width = console.output_width(sys.stdout, default=max(name_width + type_width + 60, 120))
    yield from wrap_line(f"{table.name}: each row is {table.row}", width)
    for column in columns:
        head = f"  {column.name:<{name_width}}{_format_type(column):<{type_width}}"
        yield from wrap_beside(head, _describe_column(column), width)


def _format_type(column: ColumnDeclaration) -> str:
    type_ = column.type
    base = f"-> {type_.table}" if type_.table else type_.kind
    return f"[{base}]" if type_.is_list else base


def _describe_column(column: ColumnDeclaration) -> str:
    parts = [column.meaning]
    if column.absent and not column.name.startswith("options."):  # the legend explains absent options
        parts.append(f"absent: {column.absent}")
    if column.unknown:
        parts.append(f"unknown: {column.unknown}")
    if column.needs:
        parts.append(f"derived from {', '.join(column.needs)}")
    return "; ".join(parts)


def _to_data(table: TableDeclaration) -> dict[str, Any]:
    return {
        "row": table.row,
        "columns": {
            column.name: {
                "type": str(column.type),
                "meaning": column.meaning,
                "absent": column.absent,
                "unknown": column.unknown,
                "needs": list(column.needs),
                "derived": bool(column.compute),
                "reads_values": column.values,
            }
            for column in table.columns.values()
        },
    }


def _describe_language() -> str:
    import tflint.language
    from tflint.report.text_layout import wrap_beside
    from tflint.resources import table_names
    from tflint.targets.target_fields import TARGET_MEANINGS

    _, _, semantics = (tflint.language.__doc__ or "").partition("Semantics:\n")
    width = console.output_width(sys.stdout, default=120)
    texts = [
        ("", "Expressions use a small subset of the Python syntax; no Python code is executed."),
        ("", ""),
        *(("- ", " ".join(entry.split())) for entry in semantics.strip().removeprefix("- ").split("\n- ")),
        ("", ""),
        ("", "Operators: + - * / %  < <= > >= == !=  in  not in  and or not"),
        *((f"  {name:<34} ", meaning) for name, meaning in _FUNCTIONS.items()),
        ("", ""),
        ("", "Declared target:"),
        *((f"  target.{name:<27} ", meaning) for name, meaning in TARGET_MEANINGS.items()),
        ("", ""),
        ("", "Knowledge tables: " + ", ".join(table_names())),
    ]
    lines = [line for head, text in texts for line in wrap_beside(head, text, width)]
    return "\n".join(lines) + "\n"
