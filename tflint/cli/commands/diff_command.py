"""`tflint diff`: compares two versions of models: files, bundles, folders, or paths and their versions in Git."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tflint.cli import plugin_option, report_outputs
from tflint.cli.config_options import add_rule_options, add_verdict_options, read_configurations
from tflint.cli.exit_codes import exit_code_of
from tflint.errors import UserError

if TYPE_CHECKING:
    from tflint.findings import Report
    from tflint.runner.version_pairs import VersionPair
    from tflint.source.model_search import Walker

_USAGE = "%(prog)s [options] OLD NEW\n       %(prog)s [options] --git REV PATH [PATH ...]"


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "diff",
        help="compare two versions of models",
        description="Report the differences between two versions of a model that affect client code.",
        usage=_USAGE,
    )
    parser.add_argument(
        "models",
        nargs="+",
        metavar="PATH",
        help="old and new version: two models, two bundles or two folders; with --git, models, bundles, folders and "
        "globs of the new version",
    )
    parser.add_argument("--git", metavar="REV", help="compare with the versions in a Git revision, such as HEAD~1")
    add_rule_options(parser)
    report_outputs.add_options(parser)
    add_verdict_options(parser.add_argument_group("run options"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    _require_model_count(options)
    reports = report_outputs.plan_reports(options)
    configurations = read_configurations(options)
    from tflint.api import compare_pairs
    from tflint.catalog.rule_loader import Catalogs
    from tflint.source.model_search import Walker

    walker = Walker(configurations.reason_to_skip)
    catalogs = Catalogs(plugin_option.load_allowed(options))
    report = compare_pairs(
        _find_pairs(options, walker),
        walker,
        configurations=configurations,
        has_baselines=True,
        plugins=options.allow_plugin,
        catalogs=catalogs,
    )
    report_outputs.write(report, reports, options, catalogs.rules())
    code = exit_code_of(report, options)
    is_compared = any(file.kind == "pair" for file in report.files)
    if code == 0 and not is_compared and not options.exit_zero and not _never_fails(report):
        raise UserError("nothing was compared: a model is not readable", hint="the report has the reason")
    return code


def _never_fails(report: Report) -> bool:
    return all(file.fail_on == "never" for file in report.files)


def _require_model_count(options: argparse.Namespace) -> None:
    count = len(options.models)
    if count == 2 or options.git is not None:
        return
    hint = "tflint diff OLD NEW, or tflint diff --git REV PATH" if count == 1 else "compare two folders"
    raise UserError(f"diff takes two models, bundles or folders, not {count}", hint=hint)


def _find_pairs(options: argparse.Namespace, walker: Walker) -> Iterator[VersionPair]:
    from tflint.runner.version_pairs import pair_sources, pair_with_revision

    if options.git is not None:
        return pair_with_revision(options.git, options.models, walker)
    old, new = options.models
    return pair_sources(old, new, walker)
