"""`tflint registry add`: copies files into a new version of a model in a folder registry."""

from __future__ import annotations

import argparse
from typing import Any

from tflint.cli import console
from tflint.cli.exit_codes import OK
from tflint.cli.registry_options import add_address
from tflint.errors import UserError


def add_parser(actions: Any) -> None:
    """Add the parser of the subcommand."""
    parser = actions.add_parser("add", help="add a version to a registry in a folder")
    parser.add_argument("name", metavar="NAME", help="name of the model")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files and folders of the version")
    add_address(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Add the version; return the exit code."""
    from tflint.registry.adapters.folder_registry import FolderRegistry
    from tflint.registry.locations import open_registry

    registry = open_registry(options.registry)
    if not isinstance(registry, FolderRegistry):
        raise UserError(f"'{registry.label}' is not a folder", hint="use the registry's own client to add a version")
    version = registry.add_version(options.name, options.paths)
    console.print_lines([f"added {version.label}"])
    return OK
