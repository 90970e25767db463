"""`tflint contract`: drafts, imports, checks, shows, observes and exports contracts, one module per subcommand."""

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
    """Add the parser of the command and those of its subcommands."""
    parser = commands.add_parser(
        "contract",
        help="draft, inspect and export preprocessing contracts",
        description="Draft, inspect and export contracts, which describe what client code does before and after a "
        "model.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for module in (contract_init, contract_import, contract_check, contract_show, contract_export, contract_observe):
        module.add_parser(actions)
