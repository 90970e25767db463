"""`tflint schema`: prints the JSON schema of a file that tflint reads or writes."""

from __future__ import annotations

import argparse
from typing import Any

from tflint import resources
from tflint.cli import console

#: The schemas in `schemas/`, those of files that users write first.
SCHEMAS = (
    "config",
    "contract",
    "rule",
    "waivers",
    "report",
    "show",
    "comparison",
    "registry",
    "baseline",
    "gate-policy",
)


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON schema of configurations, contracts, rules or reports",
        description="Print the JSON schema of a kind of file, for editors and other programs.",
    )
    parser.add_argument("name", choices=SCHEMAS, metavar="NAME", help=", ".join(SCHEMAS))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a schema; return the exit code."""
    path = resources.schemas_folder() / f"{options.name}.schema.json"
    console.print_verbatim(path.read_text(encoding="utf-8"))
    return 0
