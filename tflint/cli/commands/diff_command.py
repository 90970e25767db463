"""`tflint diff`: compares two versions of a model, two files or a file and its version in Git."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import report_outputs
from tflint.cli.config_options import add_rule_options, add_verdict_options, exit_code, read_config
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER

if TYPE_CHECKING:
    from tflint.api import Checkable

_USAGE = "tflint diff [options] OLD NEW\n       tflint diff [options] MODEL --git REV"


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "diff",
        help="compare two versions of a model",
        description="Compare two versions of a model: what somebody who calls it would notice.",
        usage=_USAGE,
    )
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="the old one and the new one; with --git the new one"
    )
    parser.add_argument("--git", metavar="REV", help="compare a file with what it is in a Git revision, such as HEAD~1")
    add_rule_options(parser)
    report_outputs.add_options(parser)
    add_verdict_options(parser.add_argument_group("the run"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    _require_number(options)
    wanted = report_outputs.plan_reports(options)
    config = read_config(options)
    from tflint.api import diff
    from tflint.findings.baseline import read_baseline

    known = read_baseline(config.baseline) if config.baseline else None
    new = options.models[-1]
    old = options.models[0] if options.git is None else _in_git(options.git, new)
    report = diff(old, new, config=config, baseline=known, plugins=options.allow_plugin)
    report_outputs.write(report, wanted, options, config)
    code = exit_code(report, options, config)
    is_compared = any(file.kind == "pair" for file in report.files)
    if code == 0 and not is_compared and not options.exit_zero and config.fail_on != "never":
        raise UserError("nothing was compared: a model cannot be read", hint="the report says which, and why")
    return code


def _require_number(options: argparse.Namespace) -> None:
    """`UserError` where there are more or fewer models than can be compared."""
    count, expected = len(options.models), 2 if options.git is None else 1
    if count == expected:
        return
    if options.git is not None:
        raise UserError(f"with --git one model is compared, not {count}", hint="tflint diff MODEL --git REV")
    hint = "tflint diff OLD NEW, or tflint diff MODEL --git REV" if count == 1 else "run it for each two of them"
    raise UserError(f"two models are compared, not {count}", hint=hint)


def _in_git(revision: str, path: str) -> Checkable:
    """The version of a file in a revision, under the name by which Git knows it."""
    from tflint.api import load
    from tflint.source.git_revision import read_revision

    file = Path(path)
    if MEMBER in path and not file.exists():
        hint = "write the old container to a file, and compare its member: tflint diff OLD NEW"
        raise UserError("--git compares a file, not a member of a container", hint=hint)
    return load(read_revision(revision, path), name=f"{revision}:{file.as_posix()}")
