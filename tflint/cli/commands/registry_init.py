"""`tflint registry init`: creates an empty registry in a folder."""

from __future__ import annotations

import argparse
from typing import Any

from tflint.cli import console
from tflint.cli.exit_codes import OK


def add_parser(actions: Any) -> None:
    """Add the parser of the subcommand."""
    parser = actions.add_parser("init", help="create an empty registry in a folder")
    parser.add_argument("folder", metavar="DIR", help="new or empty folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Create the registry; return the exit code."""
    from tflint.registry.adapters.folder_registry import create

    create(options.folder)
    console.print_lines([f"created a registry in {options.folder}"])
    return OK
