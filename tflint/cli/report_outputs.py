"""Writes the reports of a run: the main report, to standard output or a file, and any number of additional files."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from tflint.cli import console
from tflint.errors import UserError
from tflint.report.report_formats import FORMATS
from tflint.report.report_options import Options
from tflint.source.checkout_boundary import real_path
from tflint.userfiles.nearest_word import nearest
from tflint.values import replace

if TYPE_CHECKING:
    from tflint.catalog import Rule
    from tflint.cli.output_file import OutputFile
    from tflint.findings import Report

    #: The format of a report, and the file to write it to. If the file is None, the report goes to standard output.
    PlannedReport: TypeAlias = tuple[str, OutputFile | None]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for reports."""
    group = parser.add_argument_group("reports")
    add = group.add_argument
    add("--format", choices=tuple(FORMATS), default="text", help="format of the report (default: text)")
    add(
        "--sarif-profile",
        choices=("github", "spec"),
        default="github",
        help="write SARIF regions as GitHub requires them, or as the standard defines them (default: github)",
    )
    add(
        "--sarif-max-level",
        choices=("error", "warning", "note"),
        default="error",
        help="highest level of SARIF results; lower it if GitHub's own check must not fail (default: error)",
    )
    add("--output", metavar="FILE", help="write the report to a file")
    add(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="write an additional report to a file; may be repeated",
    )
    add("--color", choices=("auto", "always", "never"), default="auto", help="use colors (default: on a terminal)")
    add("--statistics", action="store_true", help="count findings per rule and per file")
    amount = group.add_mutually_exclusive_group().add_argument
    amount("-v", "--verbose", action="store_true", help="list every finding with the command that suppresses it")
    amount("-q", "--quiet", action="store_true", help="print findings only")


def plan_reports(options: argparse.Namespace) -> list[PlannedReport]:
    """Return the reports to write; the main report is the last. Raises `UserError` if a report cannot be written."""
    reports = [*map(_parse_report, options.report), (options.format, options.output)]
    files = [_resolve(path) for _, path in reports if path and path != os.devnull]
    duplicate = next((path for path in files if files.count(path) > 1), None)
    if duplicate:
        raise UserError(f"two reports cannot be written to the same file '{duplicate}'")
    return [(form, _prepare_file(path)) for form, path in reports]


def _resolve(path: str) -> str:
    try:
        return str(real_path(path))
    except OSError:  # reported when the file is prepared
        return path


def _prepare_file(path: str | None) -> OutputFile | None:
    if path is None or path == "-":
        console.require_stdout()
        return None
    from tflint.cli.output_file import REPORT, prepare_named  # most reports go to standard output

    return prepare_named(path, REPORT)


def _parse_report(text: str) -> tuple[str, str]:
    """Return the format and file of a --report option."""
    form, _, path = text.partition("=")
    if form not in FORMATS:
        hint = nearest(form, FORMATS) or f"formats: {', '.join(FORMATS)}"
        raise UserError(f"--report {text}: unknown format '{form}'", hint=hint)
    if path in ("", "-"):
        hint = f"write --report {form}=FILE; --format is for standard output"
        raise UserError(f"--report {text}: no file given", hint=hint)
    return form, path


def write(
    report: Report,
    reports: Sequence[PlannedReport],
    options: argparse.Namespace,
    rules: tuple[Rule, ...],
) -> None:
    """Write all reports of a run, with at most `MAX_LISTED` findings per rule, target and file.

    `rules` are the rules of the run.
    """
    from tflint.findings.finding_limits import limit_findings

    shown = limit_findings(report)
    for form, file in reports:
        text, make_safe, has_color = _render(shown, form, options, rules, is_printed=file is None)
        if file is not None:
            file.write(text, make_safe)
        elif FORMATS[form].escape in _ESCAPES:
            console.print_verbatim(make_safe(text))
        else:
            console.print_text(text, has_color=has_color)


def encode_cached(report: Report, options: argparse.Namespace, rules: tuple[Rule, ...]) -> bytes:
    """Return what a later run prints on standard output if the report of this run is still valid."""
    from tflint.findings.finding_limits import limit_findings

    shown = replace(limit_findings(report), elapsed=0.0, is_cached=True)
    text, make_safe, has_color = _render(shown, options.format, options, rules, is_printed=True)
    if FORMATS[options.format].escape in _ESCAPES:
        return console.encode_verbatim(make_safe(text))
    return console.encode_text(text, has_color=has_color)


def _render(
    report: Report, form: str, options: argparse.Namespace, rules: tuple[Rule, ...], *, is_printed: bool
) -> tuple[str, Callable[[str], str], bool]:
    """Return a report as text, the function that makes the text safe to print, and whether it has colors."""
    fails_on_notes = any(file.fail_on == "note" for file in report.files)
    format_options = _build_options(options, rules, folds_notes=not fails_on_notes, is_printed=is_printed)
    has_color = format_options.style.color
    make_safe = _ESCAPES.get(FORMATS[form].escape) or functools.partial(console.safe_text, has_color=has_color)
    return FORMATS[form].render(report, format_options), make_safe, has_color


#: Functions that make the text of a machine-readable format safe to print, by the value of `Format.escape`.
_ESCAPES: Mapping[str, Callable[[str], str]] = {"json": console.safe_json, "xml": console.safe_xml, "none": str}


def _build_options(
    options: argparse.Namespace, rules: tuple[Rule, ...], *, folds_notes: bool, is_printed: bool
) -> Options:
    from tflint.report.text_layout import WIDTH, Style

    style = Style(
        color=console.wants_color(options.color, sys.stdout) if is_printed else options.color == "always",
        verbose=options.verbose,
        quiet=options.quiet,
        folds_notes=not options.verbose and folds_notes,
        width=console.output_width(sys.stdout) if is_printed else WIDTH,
        config=options.config or "",
    )
    return Options(
        style=style,
        statistics=options.statistics,
        rules=rules,
        sarif_profile=options.sarif_profile,
        sarif_max_level=options.sarif_max_level,
    )
