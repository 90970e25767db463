"""`tflint contract`: one module per verb; drafts, imports, checks, shows, observes and exports contracts."""

from __future__ import annotations

from typing import Any

from tflint.cli.commands import (
    contract_check,
    contract_export,
    contract_import,
    contract_init,
    contract_observe,
    contract_show,
)


def add_parser(commands: Any) -> None:
    """Add the command's parser and those of its verbs."""
    parser = commands.add_parser(
        "contract",
        help="draft, inspect and export preprocessing contracts",
        description="Contracts: what client code does before and after a model.",
    )
    verbs = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for verb in (contract_init, contract_import, contract_check, contract_show, contract_export, contract_observe):
        verb.add_parser(verbs)
