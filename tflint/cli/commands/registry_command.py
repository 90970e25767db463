"""`tflint registry`: the lint stage of a model registry, one module per subcommand."""

from __future__ import annotations

from typing import Any

from tflint.cli.commands import registry_add, registry_init, registry_lint, registry_policy, registry_promote


def add_parser(commands: Any) -> None:
    """Add the parser of the command and those of its subcommands."""
    parser = commands.add_parser(
        "registry",
        help="lint and promote models in a registry",
        description="Lint the versions of models in a registry, and move an alias only to a version that passes.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for module in (registry_init, registry_add, registry_lint, registry_promote, registry_policy):
        module.add_parser(actions)
