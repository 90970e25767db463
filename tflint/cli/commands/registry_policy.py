"""`tflint registry policy`: prints the conditions that a gate in a server must require."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tflint.cli import console, registry_options
from tflint.cli.exit_codes import OK


def add_parser(actions: Any) -> None:
    """Add the parser of the subcommand."""
    parser = actions.add_parser("policy", help="print the policy file for the gate of a server")
    registry_options.add_plan_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the policy; return the exit code."""
    conditions = registry_options.make_plan(options).conditions
    policy = {"rules": [conditions.rules], "targets": [list(conditions.targets)], "config": [conditions.config]}
    console.print_json(json.dumps(policy, indent=2) + "\n")
    return OK
