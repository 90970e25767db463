"""`tflint registry promote`: moves an alias to a version that passes and does not change the interface."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from tflint.cli import registry_options
from tflint.cli.exit_codes import FINDINGS, OK
from tflint.errors import UserError

if TYPE_CHECKING:
    from tflint.confirm import ConfirmOptions
    from tflint.registry.version_diff import Acceptance


def add_parser(actions: Any) -> None:
    """Add the parser of the subcommand."""
    parser = actions.add_parser("promote", help="lint a version and move an alias to it if it passes")
    parser.add_argument("model", metavar="MODEL", help="models:/NAME/VERSION or models:/NAME@ALIAS")
    parser.add_argument("--alias", required=True, metavar="ALIAS", help="alias to move")
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="RULE",
        help="accept a difference from the present holder of the alias: id or name of a rule of 'tflint diff', "
        "contract-changed, model-removed or holder-unreadable; needs --reason; may be repeated",
    )
    parser.add_argument(
        "--reason", action="append", default=[], metavar="TEXT", help="reason for each --accept, in the same order"
    )
    parser.add_argument("--confirm", action="store_true", help="run the models to confirm findings")
    registry_options.add_lint_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Promote the version; return the exit code."""
    return registry_options.run_guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from tflint.registry.locations import find_aliased, open_registry, parse_target
    from tflint.registry.promotion import promote
    from tflint.registry.version_table import exit_code

    accepted = _read_accepted(options)
    target = parse_target(options.model)
    if not (target.number or target.alias):
        raise UserError(f"'{options.model}' does not name a version", hint="models:/NAME/VERSION or models:/NAME@ALIAS")
    if not options.alias.strip():
        raise UserError("--alias needs a name")
    registry = open_registry(options.registry)
    confirm = _confirm_options() if options.confirm else None
    is_numbered = bool(target.number)
    version = registry_options.find(
        lambda: registry.find_version(target.name, target.number) if is_numbered else find_aliased(registry, target)
    )
    promotion = promote(
        registry, version, options.alias, lambda: registry_options.make_plan(options, confirm), accepted
    )
    registry_options.print_results(options, registry.label, [promotion.result], promotion)
    if not promotion.refusal:
        return OK
    return exit_code([promotion.result]) or FINDINGS


def _read_accepted(options: argparse.Namespace) -> list[Acceptance]:
    from tflint.registry.version_diff import Acceptance

    if len(options.accept) != len(options.reason):
        missing = (
            "--accept needs a --reason" if len(options.accept) > len(options.reason) else "--reason needs an --accept"
        )
        raise UserError(f"each {missing}", hint="--accept RULE --reason TEXT")
    if not all(reason.strip() for reason in options.reason):
        raise UserError("--reason needs a text")
    return [Acceptance(rule, reason) for rule, reason in zip(options.accept, options.reason, strict=True)]


def _confirm_options() -> ConfirmOptions:
    from tflint.confirm.confirm_options import MAX_SECONDS, ConfirmOptions

    return ConfirmOptions(None, MAX_SECONDS, os.cpu_count() or 1)
