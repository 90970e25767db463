"""The reports of `tflint check`: one to print or write, and any number beside it to files, all of one run."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tflint.cli import console, output_file, plugin_option
from tflint.config import Config
from tflint.errors import UserError
from tflint.report.report_formats import FORMATS, Options
from tflint.source.checkout_boundary import real_path
from tflint.userfiles.nearest_word import nearest

if TYPE_CHECKING:
    from tflint.findings import Report


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which reports are written, and how."""
    group = parser.add_argument_group("the report")
    add = group.add_argument
    add("--format", choices=tuple(FORMATS), default="text", help="format of the report (default: text)")
    add(
        "--sarif-profile",
        choices=("github", "spec"),
        default="github",
        help="regions as GitHub wants them, or as the standard does (default: github)",
    )
    add(
        "--sarif-max-level",
        choices=("error", "warning", "note"),
        default="error",
        help="no SARIF result is more severe: GitHub fails its own check on errors (default: error)",
    )
    add("--output", metavar="FILE", help="write the report to a file")
    add(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="write one more report of the same run to a file; may be given again",
    )
    add("--color", choices=("auto", "always", "never"), default="auto", help="colors (default: on a terminal)")
    add("--statistics", action="store_true", help="count findings by rule")
    amount = group.add_mutually_exclusive_group().add_argument
    amount("-v", "--verbose", action="store_true", help="list every finding, and the command that would allow it")
    amount("-q", "--quiet", action="store_true", help="text: print findings only")


#: A report's format, and the file that it goes to; None is standard output.
PlannedReport: TypeAlias = tuple[str, output_file.OutputFile | None]


def plan_reports(options: argparse.Namespace) -> list[PlannedReport]:
    """Return the reports of a run, the main one last; `UserError` before the work if one cannot be written."""
    reports = [*map(_beside, options.report), (options.format, options.output)]
    files = [_real(path) for _, path in reports if path and path != os.devnull]
    twice = next((path for path in files if files.count(path) > 1), None)
    if twice:
        raise UserError(f"two reports cannot be written to one file, '{twice}'")
    return [(form, _file(path)) for form, path in reports]


def _real(path: str) -> str:
    try:
        return str(real_path(path))
    except OSError:  # what is wrong with it is told when it is opened
        return path


def _file(path: str | None) -> output_file.OutputFile | None:
    if path is None or path == "-":
        console.require_stdout()
        return None
    return output_file.prepare_named(path, output_file.REPORT)


def _beside(text: str) -> tuple[str, str]:
    """Format and file of a report that is written beside the main one."""
    form, _, path = text.partition("=")
    if form not in FORMATS:
        hint = nearest(form, FORMATS) or f"formats: {', '.join(FORMATS)}"
        raise UserError(f"--report {text}: there is no format '{form}'", hint=hint)
    if path in ("", "-"):
        hint = f"write --report {form}=FILE; --format is for standard output"
        raise UserError(f"--report {text}: it does not name a file", hint=hint)
    return form, path


def write(report: Report, wanted: Sequence[PlannedReport], options: argparse.Namespace, config: Config) -> None:
    """Write all reports of a run; of each rule and file they list the first places only."""
    from tflint.findings.finding_limits import limit_findings

    shown = limit_findings(report)
    for form, file in wanted:
        decided = _decided(options, config, is_printed=file is None)
        text = FORMATS[form](shown, decided)
        made_safe = _MADE_SAFE.get(form) or functools.partial(console.safe_text, has_color=decided.style.color)
        if file is not None:
            file.write(text, made_safe)
        elif form in _MADE_SAFE:
            console.print_verbatim(made_safe(text))
        else:
            console.print_text(text, has_color=decided.style.color)


#: How formats that are not for people are made safe; the commands of the last are meant to be obeyed.
_MADE_SAFE: Mapping[str, Callable[[str], str]] = {
    "json": console.safe_json,
    "sarif": console.safe_json,
    "gitlab": console.safe_json,
    "junit": console.safe_xml,
    "github": str,
}


def _decided(options: argparse.Namespace, config: Config, *, is_printed: bool) -> Options:
    from tflint.report.text_layout import WIDTH, Style

    style = Style(
        color=console.wants_color(options.color, sys.stdout) if is_printed else options.color == "always",
        verbose=options.verbose,
        quiet=options.quiet,
        folds_notes=not options.verbose and config.fail_on != "note",
        width=console.output_width(sys.stdout) if is_printed else WIDTH,
        config=options.config or "",
    )
    return Options(
        style=style,
        statistics=options.statistics,
        fail_on=config.fail_on,
        rules=config.rules,
        plugins=plugin_option.load_allowed(options),
        sarif_profile=options.sarif_profile,
        sarif_max_level=options.sarif_max_level,
    )
