"""`tflint diff`: compares two versions of a model: two files, or a file and its version in Git."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import plugin_option, report_outputs
from tflint.cli.config_options import add_rule_options, add_verdict_options, read_configurations
from tflint.cli.exit_codes import exit_code_of
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER

if TYPE_CHECKING:
    from tflint.api import Checkable

_USAGE = "%(prog)s [options] OLD NEW\n       %(prog)s [options] MODEL --git REV"


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "diff",
        help="compare two versions of a model",
        description="Report the differences between two versions of a model that affect client code.",
        usage=_USAGE,
    )
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="old and new version; with --git only the new version"
    )
    parser.add_argument("--git", metavar="REV", help="compare with the file in a Git revision, such as HEAD~1")
    add_rule_options(parser)
    report_outputs.add_options(parser)
    add_verdict_options(parser.add_argument_group("run options"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; return the exit code."""
    _require_model_count(options)
    reports = report_outputs.plan_reports(options)
    new = options.models[-1]
    config = read_configurations(options).of(new)
    from tflint.api import compare
    from tflint.catalog import load_catalog
    from tflint.findings.baseline import read_baseline

    known = read_baseline(config.baseline) if config.baseline else None
    old = options.models[0] if options.git is None else _load_from_git(options.git, new)
    catalog = load_catalog(config.rules, plugin_option.load_allowed(options))
    report = compare(old, new, config=config, baseline=known, plugins=options.allow_plugin, catalog=catalog)
    report_outputs.write(report, reports, options, catalog.rules)
    code = exit_code_of(report, options)
    is_compared = any(file.kind == "pair" for file in report.files)
    if code == 0 and not is_compared and not options.exit_zero and config.fail_on != "never":
        raise UserError("nothing was compared: a model is not readable", hint="the report has the reason")
    return code


def _require_model_count(options: argparse.Namespace) -> None:
    count, expected = len(options.models), 2 if options.git is None else 1
    if count == expected:
        return
    if options.git is not None:
        raise UserError(f"diff --git takes one model, not {count}", hint="tflint diff MODEL --git REV")
    hint = "tflint diff OLD NEW, or tflint diff MODEL --git REV" if count == 1 else "compare two models at a time"
    raise UserError(f"diff takes two models, not {count}", hint=hint)


def _load_from_git(revision: str, path: str) -> Checkable:
    """Load a model from a Git revision. Its name is `revision:path`, as in Git."""
    from tflint.api import load
    from tflint.source.git_revision import read_revision

    file = Path(path)
    if MEMBER in path and not file.exists():
        hint = "write the old container to a file and compare the members: tflint diff OLD NEW"
        raise UserError("--git cannot compare a member of a container", hint=hint)
    return load(read_revision(revision, path), name=f"{revision}:{file.as_posix()}")
