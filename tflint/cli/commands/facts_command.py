"""`tflint facts`: the reference of the tables and columns that rules can use, and of their language."""

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
    "any(list)": "whether an element is true",
    "count(list)": "how many elements there are; of a list of bools, how many are true",
    "share(list)": "which part of a list of bools is true, 0 to 1",
    "sum min max median first (list)": "what they say; but for sum, absent where there is no element",
    "min(a, b)  max(a, b)": "the smaller, the larger of two",
    "abs(x)  isfinite(x)": "of a number, or of each of a list",
    "close(a, b, rtol=1e-6, atol=0)": "whether two numbers differ by no more than a tolerance",
    "glob(text, 'pattern')": "whether a text matches: * any characters, ? one, [a-z] one of these",
    "has(x)": "whether the file has a value there; of a list, whether it has an element",
    "lookup(TABLE.key, k, …)": "an entry of a knowledge table; unknown where there is none",
    "a.b  a[i]": "what a reference leads to; an element, absent where out of range",
}


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "facts", help="tables and columns that rules can use", description="Tables and columns that rules can use."
    )
    parser.add_argument("table", nargs="?", metavar="TABLE", help="one table only")
    plugin_option.add_option(parser)
    parser.add_argument("--language", action="store_true", help="the language of expressions")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the reference; returns the exit code."""
    if options.language:
        console.print_text(_language())
        return 0
    from tflint.facts.fact_registry import all_tables
    from tflint.report.text_layout import wrap_line

    more = plugin_option.load_allowed(options)
    tables = more.tables if more else all_tables()
    if options.table:
        if options.table not in tables:
            hint = nearest(options.table, tables) or "tables: " + ", ".join(tables)
            raise UserError(f"there is no table '{options.table}'", hint=hint)
        tables = {options.table: tables[options.table]}
    if options.format == "json":
        console.print_json(json.dumps({name: _plain(table) for name, table in tables.items()}, indent=2) + "\n")
    else:
        legend = "-> leads to a row of a table, [ ] is a list; options.* is absent where an operator has no such option"
        texts = ["\n".join(_lines(table)) + "\n" for table in tables.values()]
        console.print_text("\n".join([*wrap_line(legend, console.output_width(sys.stdout), 0), "", *texts]))
    return 0


def _lines(table: TableDeclaration) -> Iterator[str]:
    """A table and its columns; those derived from others say from which."""
    from tflint.report.text_layout import wrap_beside, wrap_line

    columns = table.columns.values()
    names = max(len(column.name) for column in columns) + 2
    types = max(len(_type(column)) for column in columns) + 2
    width = console.output_width(sys.stdout, otherwise=max(names + types + 60, 120))
    yield from wrap_line(f"{table.name}: one row is {table.row}", width)
    for column in columns:
        yield from wrap_beside(f"  {column.name:<{names}}{_type(column):<{types}}", _meaning(column), width)


def _type(column: ColumnDeclaration) -> str:
    type_ = column.type
    base = f"-> {type_.table}" if type_.table else type_.kind
    return f"[{base}]" if type_.is_list else base


def _meaning(column: ColumnDeclaration) -> str:
    parts = [column.meaning]
    if column.absent and not column.name.startswith("options."):  # of all options the same
        parts.append(f"absent: {column.absent}")
    if column.unknown:
        parts.append(f"unknown: {column.unknown}")
    if column.needs:
        parts.append(f"from {', '.join(column.needs)}")
    return "; ".join(parts)


def _plain(table: TableDeclaration) -> dict[str, Any]:
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


def _language() -> str:
    import tflint.language
    from tflint.report.text_layout import wrap_beside
    from tflint.resources import table_names
    from tflint.targets.target_fields import TARGET_MEANINGS

    _, _, semantics = (tflint.language.__doc__ or "").partition("Semantics, in short. ")
    width = console.output_width(sys.stdout, otherwise=120)
    texts = [
        ("", "Expressions are written as in Python, in a small part of it; nothing is executed."),
        ("", ""),
        ("", " ".join(semantics.split())),
        ("", ""),
        ("", "Operators: + - * / %  < <= > >= == !=  in  not in  and or not"),
        *((f"  {name:<34} ", meaning) for name, meaning in _FUNCTIONS.items()),
        ("", ""),
        ("", "The declared target:"),
        *((f"  target.{name:<27} ", meaning) for name, meaning in TARGET_MEANINGS.items()),
        ("", ""),
        ("", "Knowledge tables: " + ", ".join(table_names())),
    ]
    lines = [line for head, text in texts for line in wrap_beside(head, text, width)]
    return "\n".join(lines) + "\n"
