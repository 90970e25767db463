"""`tflint rules`: lists the rules; `check` looks at rule files, `test` runs their examples."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tflint.cli import console, plugin_option

if TYPE_CHECKING:
    from tflint.catalog import Rule


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("rules", help="list, check or test rules", description="List, check or test rules.")
    parser.set_defaults(run=run_list)
    _add_list_options(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="list all rules")
    _add_list_options(listing, is_action=True)
    listing.set_defaults(run=run_list)
    checking = actions.add_parser("check", help="check rule files: their form, fields and expressions")
    checking.add_argument("files", nargs="+", metavar="FILE")
    plugin_option.add_option(checking)
    checking.set_defaults(run=run_check)
    testing = actions.add_parser("test", help="run the examples of rule files (none: of the built-in rules)")
    testing.add_argument("files", nargs="*", metavar="FILE")
    plugin_option.add_option(testing)
    testing.set_defaults(run=run_test)


def _add_list_options(parser: argparse.ArgumentParser, *, is_action: bool = False) -> None:
    """Add the options of a list; those of the action have no defaults, which would undo what stands before it."""
    rules: Any = argparse.SUPPRESS if is_action else []
    format_ = argparse.SUPPRESS if is_action else "text"
    parser.add_argument(
        "--rules", action="append", default=rules, metavar="PATH", help="rule file or folder of your own"
    )
    plugin_option.add_option(parser, default=argparse.SUPPRESS if is_action else None)
    parser.add_argument("--format", choices=("text", "json"), default=format_)


def run_list(options: argparse.Namespace) -> int:
    """Print all rules; returns the exit code."""
    from tflint.catalog import load_catalog

    rules = load_catalog(options.rules, plugin_option.load_allowed(options)).rules
    if options.format == "json":
        console.print_json(to_json(rules))
        return 0
    console.print_lines([*_lines(rules), f"{len(rules)} rules; tflint explain RULE says more"])
    return 0


def _lines(rules: Sequence[Rule]) -> Iterator[str]:
    """A line for each rule; on a terminal that is too narrow for that, as many as it takes."""
    from tflint.report.text_layout import wrap_beside

    width = console.output_width(sys.stdout, otherwise=sys.maxsize)
    column = max(len(rule.name) for rule in rules)
    for rule in rules:
        yield from wrap_beside(f"{rule.id:<8} {rule.severity:<8} {rule.name:<{column}}  ", rule.summary, width)


def to_json(rules: Sequence[Rule]) -> str:
    """Rules as JSON text."""
    return json.dumps([_plain(rule) for rule in rules], indent=2, ensure_ascii=False) + "\n"


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "category": rule.category,
        "failure_class": rule.failure_class,
        "since": rule.since,
        "status": rule.status,
        "for_each": rule.for_each,
        "where": rule.where.text if rule.where else None,
        "require": rule.require.text,
        "summary": rule.summary,
        "why": rule.why,
        "fix": rule.fix,
        "limits": rule.limits,
        "refused_by": list(rule.refused_by),
        "runs_on": list(rule.runs_on),
        "references": list(rule.references),
    }


def run_check(options: argparse.Namespace) -> int:
    """Check rule files; returns the exit code. What is wrong is an error of the run."""
    from tflint.catalog import load_catalog
    from tflint.catalog.rule_loader import rule_files
    from tflint.report.display_names import plural

    rules = [
        rule for rule in load_catalog(options.files, plugin_option.load_allowed(options)).rules if not rule.is_builtin
    ]
    files = list(rule_files(options.files))
    console.print_lines([f"{plural(len(rules), 'rule')} in {plural(len(files), 'file')}: no errors"])
    return 0


def run_test(options: argparse.Namespace) -> int:
    """Run the examples of rules; returns 1 where one fails."""
    from tflint.report.display_names import plural
    from tflint.rule_examples import try_files

    trials = list(try_files(options.files, plugin_option.load_allowed(options)))
    failed = [trial for trial in trials if trial.problem]
    lines = [f"{trial.rule} {trial.example}: {trial.problem}" for trial in failed]
    rules = len({trial.rule for trial in trials})
    lines.append(f"{plural(len(trials), 'example')} of {plural(rules, 'rule')}: {len(failed)} failed")
    console.print_lines(lines)
    return 1 if failed else 0
