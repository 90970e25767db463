"""`tflint contract check`: validates contracts without their models."""

from __future__ import annotations

import argparse
from typing import Any

from tflint.cli import console
from tflint.program_name import program_name
from tflint.report.display_names import plural


def add_parser(verbs: Any) -> None:
    """Add the parser of the subcommand."""
    parser = verbs.add_parser("check", help="validate contracts without their models")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Validate contracts; return the exit code. An invalid contract raises `UserError`."""
    from tflint.contract import load_contract

    for path in options.files:
        contract = load_contract(path)
        entries = f"{plural(len(contract.inputs), 'input')}, {plural(len(contract.outputs), 'output')}"
        console.print_lines([f"{path}: valid ({entries}); '{program_name()} check {path}' compares it with its model"])
    return 0
