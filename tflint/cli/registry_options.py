"""Options that the subcommands of `tflint registry` have in common, and the plan that they describe."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tflint.cli import console
from tflint.cli.config_options import add_fail_on, add_rule_options, read_config
from tflint.cli.exit_codes import FINDINGS, NOT_FETCHED
from tflint.errors import UserError
from tflint.program_name import rename_commands

_Found = TypeVar("_Found")

if TYPE_CHECKING:
    from tflint.confirm import ConfirmOptions
    from tflint.registry.model_registry import RegistryError
    from tflint.registry.promotion import Promotion
    from tflint.registry.version_lint import LintPlan, VersionResult


def add_address(parser: argparse.ArgumentParser) -> None:
    """Add the option with the address of the registry."""
    parser.add_argument(
        "--registry",
        metavar="DIR|URL",
        help="folder of a registry, or URL of an MLflow server (default: $TFLITE_LINT_REGISTRY, then the variables of "
        "MLflow)",
    )


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide how versions are linted."""
    add_rule_options(parser, has_plugins=False)
    group = parser.add_argument_group("lint options")
    add_fail_on(group)
    group.add_argument(
        "--contracts",
        action="append",
        default=[],
        metavar="DIR|GLOB",
        help="contracts of registered models: NAME.contract.toml, or NAME/STEM.contract.toml for one artifact of "
        "several; may be repeated",
    )
    group.add_argument(
        "--waivers", metavar="FILE", help="file of waivers (default: tflint-waivers.toml next to the configuration)"
    )


def add_lint_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide which registry is read, and how versions are linted and printed."""
    add_address(parser)
    add_plan_options(parser)
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=("text", "json"), default="text", help="format (default: text)")
    group.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="use colors (default: on a terminal)"
    )


def make_plan(options: argparse.Namespace, confirm: ConfirmOptions | None = None) -> LintPlan:
    """Read configuration, rules, contracts and waivers; return the plan."""
    from tflint.catalog.rule_loader import Catalogs
    from tflint.registry.contract_choice import ContractSource
    from tflint.registry.version_lint import LintPlan
    from tflint.registry.waivers import FILE_NAME, load_waivers

    config = read_config(options)
    path = options.waivers or str(Path(config.folder) / FILE_NAME)
    catalogs = Catalogs()
    rules = catalogs.of(config.rules).rules
    waivers = load_waivers(path, rules) if options.waivers or Path(path).is_file() else ()
    return LintPlan(config, ContractSource(options.contracts, config), waivers, confirm, catalogs)


def print_results(
    options: argparse.Namespace, registry: str, results: Sequence[VersionResult], promotion: Promotion | None = None
) -> None:
    """Print the results of versions and, if there is one, of a promotion."""
    from tflint.registry import version_table
    from tflint.registry.reports import merge_reports
    from tflint.report.report_options import Options
    from tflint.report.text_layout import Style
    from tflint.values import replace

    if options.format == "json":
        data = version_table.to_json_data(registry, results, promotion)
        console.print_json(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        return
    has_color = console.wants_color(options.color, sys.stdout)
    style = Style(color=has_color, width=console.output_width(sys.stdout))
    diff = promotion.diff if promotion is not None else None
    shown = [replace(result, report=merge_reports(result, diff)) for result in results]
    console.print_text(version_table.format_findings(shown, Options(style=style)), has_color=has_color)
    console.print_lines(version_table.format_table(results))
    if promotion is not None:
        console.print_lines(version_table.format_promotion(promotion))


def fail(error: RegistryError) -> int:
    """Print an error of a registry; return the exit code."""
    hint = f"\n  hint: {console.escape_newlines(rename_commands(error.hint))}" if error.hint else ""
    console.print_notice(f"{console.escape_newlines(error.reason)}{hint}")
    from tflint.registry.model_registry import UnreachableError

    return NOT_FETCHED if isinstance(error, UnreachableError) else FINDINGS


def find(action: Callable[[], _Found]) -> _Found:
    """Return what a user named. If it does not exist, this is a usage error."""
    from tflint.registry.model_registry import MissingVersionError

    try:
        return action()
    except MissingVersionError as error:
        raise UserError(
            error.reason, hint=error.hint or "tflint registry lint --scope all lists all versions"
        ) from None


def run_guarded(action: Callable[[], int]) -> int:
    """Run a subcommand; print an error of the registry and return its exit code."""
    from tflint.registry.model_registry import RegistryError

    try:
        return action()
    except RegistryError as error:
        return fail(error)
