"""`tflint rules`: lists rules, validates rule files (`check`) and runs their examples (`test`)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tflint.cli import console, plugin_option
from tflint.program_name import program_name

if TYPE_CHECKING:
    from tflint.catalog import Rule


def add_parser(commands: Any) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser("rules", help="list, check or test rules", description="List, check or test rules.")
    parser.set_defaults(run=run_list)
    _add_list_options(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    list_parser = actions.add_parser("list", help="list all rules")
    _add_list_options(list_parser, is_action=True)
    list_parser.set_defaults(run=run_list)
    check_parser = actions.add_parser("check", help="validate rule files")
    check_parser.add_argument("files", nargs="+", metavar="FILE")
    plugin_option.add_option(check_parser)
    check_parser.set_defaults(run=run_check)
    test_parser = actions.add_parser("test", help="run the examples of rule files")
    test_parser.add_argument("files", nargs="*", metavar="FILE", help="rule files (default: the built-in rules)")
    plugin_option.add_option(test_parser)
    test_parser.set_defaults(run=run_test)


def _add_list_options(parser: argparse.ArgumentParser, *, is_action: bool = False) -> None:
    # Options after `list` have no defaults: a default would replace the value of the same option before `list`.
    rules: Any = argparse.SUPPRESS if is_action else []
    format_ = argparse.SUPPRESS if is_action else "text"
    parser.add_argument(
        "--rules", action="append", default=rules, metavar="PATH", help="file or folder with additional rules"
    )
    plugin_option.add_option(parser, default=argparse.SUPPRESS if is_action else None)
    parser.add_argument("--format", choices=("text", "json"), default=format_, help="format (default: text)")


def run_list(options: argparse.Namespace) -> int:
    """Print all rules; return the exit code."""
    from tflint.catalog import load_catalog

    rules = load_catalog(options.rules, plugin_option.load_allowed(options)).rules
    if options.format == "json":
        console.print_json(to_json(rules))
        return 0
    console.print_lines([*_format_rules(rules), f"{len(rules)} rules; '{program_name()} explain RULE' shows details"])
    return 0


def _format_rules(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield one line per rule, or several on a narrow terminal."""
    from tflint.report.text_layout import wrap_beside

    width = console.output_width(sys.stdout, default=sys.maxsize)
    column = max(len(rule.name) for rule in rules)
    for rule in rules:
        yield from wrap_beside(f"{rule.id:<8} {rule.severity:<8} {rule.name:<{column}}  ", rule.summary, width)


def to_json(rules: Sequence[Rule]) -> str:
    """Return rules as JSON text."""
    return json.dumps([_to_data(rule) for rule in rules], indent=2, ensure_ascii=False) + "\n"


def _to_data(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "severity_by_runtime": dict(rule.severity_by_runtime),
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
    """Validate rule files; return the exit code. Raises `UserError` if a rule file is invalid."""
    from tflint.catalog import load_catalog
    from tflint.catalog.rule_compiler import compile_file
    from tflint.catalog.rule_loader import is_builtin_file, rule_files
    from tflint.report.display_names import plural

    files = list(rule_files(options.files))
    rules = [
        rule for rule in load_catalog(options.files, plugin_option.load_allowed(options)).rules if not rule.is_builtin
    ]
    rules += [rule for path in files if is_builtin_file(path) for rule in compile_file(path, builtin=True).rules]
    console.print_lines([f"{plural(len(rules), 'rule')} in {plural(len(files), 'file')}: no errors"])
    return 0


def run_test(options: argparse.Namespace) -> int:
    """Run the examples of rules; return 1 if an example fails, else 0."""
    from tflint.report.display_names import plural
    from tflint.rule_examples import run_examples

    results = list(run_examples(options.files, plugin_option.load_allowed(options)))
    failed = [result for result in results if result.problem]
    lines = [f"{result.rule} {result.example}: {result.problem}" for result in failed]
    n_rules = len({result.rule for result in results})
    lines.append(f"{plural(len(results), 'example')} of {plural(n_rules, 'rule')}: {len(failed)} failed")
    console.print_lines(lines)
    return 1 if failed else 0
