"""`tflint cache`: shows or empties the cache."""

from __future__ import annotations

import argparse
from typing import Any

from tflint.cli import console
from tflint.cli.exit_codes import OK
from tflint.errors import UserError


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "cache",
        help="show or empty the cache",
        description="Show or empty the cache, in which 'tflint check' stores results for unchanged files.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, prog=parser.prog)
    for name, help_text, action in (
        ("info", "print the folder and the size of the cache", _print_info),
        ("clear", "remove all stored results", _clear),
        ("prune", "remove the stored results of other versions of tflint", _prune),
    ):
        actions.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.").set_defaults(
            run=action
        )


def _print_info(_options: argparse.Namespace) -> int:
    from tflint.cache.cache_folder import find_path, find_problem
    from tflint.cache.cache_summary import MAX_TOTAL_BYTES, summarize
    from tflint.report.display_names import format_size, plural

    problem = find_problem()
    if problem:
        console.print_lines([f"no cache: {problem}"])
        return OK
    summaries = summarize()
    console.print_lines(
        [
            f"folder   {find_path()}",
            f"limit    {format_size(MAX_TOTAL_BYTES)} per version of tflint",
            *(f"tflint {one.version}: {plural(one.n_runs, 'run')}, {format_size(one.n_bytes)}" for one in summaries),
            *([] if summaries else ["empty"]),
        ]
    )
    return OK


def _clear(_options: argparse.Namespace) -> int:
    from tflint.cache.cache_summary import clear

    return _report("removed all stored results", clear())


def _prune(_options: argparse.Namespace) -> int:
    from tflint.cache.cache_summary import prune

    return _report("removed the stored results of other versions", prune())


def _report(what: str, path: str) -> int:
    from tflint.cache.cache_folder import find_problem

    problem = find_problem()
    if problem:
        raise UserError(f"there is no usable cache: {problem}")
    console.print_lines([f"{what} in {path}"])
    return OK
