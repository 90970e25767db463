"""`tflint check`: lints models and prints or writes a report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import output
from tflint.config import Config, find_config, load_config
from tflint.errors import UserError

if TYPE_CHECKING:
    from tflint.findings import Report

FORMATS = ("text", "json", "sarif")


def add_parser(commands: Any) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("check", help="lint models", description="Lint models.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, folders, globs; - reads a list from standard input (default: .)")  # fmt: skip
    parser.add_argument("--select", action="append", metavar="RULES", help="run only these: ids, prefixes, names, categories, all")  # fmt: skip
    parser.add_argument("--ignore", action="append", metavar="RULES", help="do not run these")
    parser.add_argument("--target", action="append", metavar="TARGET", help="a runtime that must run the models: litert==X, tflite==X, tflm, or a name from the configuration")  # fmt: skip
    parser.add_argument("--fail-on", choices=("error", "warning", "note", "never"), help="exit with 1 from this severity on (default: error)")  # fmt: skip
    parser.add_argument("--format", choices=FORMATS, default="text", help="format of the report (default: text)")
    parser.add_argument("--sarif-profile", choices=("github", "spec"), default="github", help="regions as GitHub wants them, or as the standard does (default: github)")  # fmt: skip
    parser.add_argument("--output", metavar="FILE", help="write the report to a file")
    parser.add_argument("--config", metavar="FILE", help="configuration to use instead of the nearest tflint.toml or pyproject.toml")  # fmt: skip
    parser.add_argument("--rules", action="append", metavar="PATH", help="rule file or folder of your own")
    parser.add_argument("--baseline", metavar="FILE", help="known findings that do not count")
    parser.add_argument("--write-baseline", metavar="FILE", help="write all open findings as the baseline, and exit with 0")  # fmt: skip
    parser.add_argument("--jobs", type=int, metavar="N", help="processes (default: one, or all processors for many files)")  # fmt: skip
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default: on a terminal)")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    parser.add_argument("--statistics", action="store_true", help="count findings by rule")
    parser.add_argument("-v", "--verbose", action="store_true", help="list every finding, not only the first of a rule")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    config = read_config(options)
    if options.jobs is not None and options.jobs < 1:
        raise UserError(f"--jobs must be at least 1, not {options.jobs}")
    paths = _paths(options.paths, config)
    if not paths:
        folders = ", ".join(f"'{path}'" for path in options.paths or ["."])
        sys.stderr.write(f"tflint: no models in {folders}\n")
        if options.format == "text":
            return 0
    from tflint.api import check
    from tflint.cli.progress import Progress
    from tflint.findings.baseline import dump_baseline, read_baseline

    known = read_baseline(config.baseline) if config.baseline and not options.write_baseline else None
    with Progress() as progress:
        report = check(paths, config=config, baseline=known, progress=progress, jobs=options.jobs)
    if options.write_baseline:
        output.write(dump_baseline(report.files), options.write_baseline)
        n = sum(len(file.open_findings) for file in report.files)
        sys.stderr.write(f"tflint: wrote {n} findings to {options.write_baseline}\n")
        return 0
    output.write(_rendered(report, options, config), options.output)
    return _exit_code(report, options, config)


def _exit_code(report: Report, options: argparse.Namespace, config: Config) -> int:
    if options.exit_zero:
        return 0
    if report.fails(config.fail_on):
        return 1
    return 3 if report.crashes else 0


def _rendered(report: Report, options: argparse.Namespace, config: Config) -> str:
    if options.format == "json":
        from tflint.report import jsonreport

        return jsonreport.render(report)
    if options.format == "sarif":
        from tflint.catalog import load_catalog
        from tflint.report import sarif

        return sarif.render(report, load_catalog(config.rules).rules, options.sarif_profile)
    from tflint.report.text import Style, render

    color = options.output is None and output.wants_color(options.color, sys.stdout)
    return render(report, Style(color or options.color == "always", options.verbose), statistics=options.statistics)


def read_config(options: argparse.Namespace) -> Config:
    """The configuration that is named or nearest, with what the command line overrides."""
    found = Path(options.config) if options.config else find_config(Path.cwd())
    config = load_config(found) if found else Config()
    changes: dict[str, Any] = {}
    for name, value in (("select", options.select), ("ignore", options.ignore), ("targets", options.target)):
        if value:
            changes[name] = _split(value)
    if options.rules:
        changes["rules"] = tuple(options.rules)
    if options.fail_on:
        changes["fail_on"] = options.fail_on
    if options.baseline:
        changes["baseline"] = options.baseline
    return replace(config, **changes)


def _split(values: Sequence[str]) -> tuple[str, ...]:
    parts = [part.strip() for value in values for part in value.split(",")]
    if not all(parts):
        raise UserError("an empty name in a list of rules or targets", hint="separate names by single commas")
    return tuple(parts)


def _paths(given: Sequence[str], config: Config) -> list[str]:
    from tflint.source.walk import expand

    paths: list[str] = []
    for path in given or ["."]:
        if path == "-":
            paths += [line.rstrip("\r\n") for line in sys.stdin if line.strip()]
        elif not path:
            raise UserError("an empty path")
        else:
            paths.append(path)
    return expand(paths, config.exclude)
