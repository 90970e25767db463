"""Renders a report with one finding per line, for problem matchers, grep and editors: `file: severity rule name: …`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tflint.findings import FileReport, Finding, Report, severity_rank
from tflint.report.display_names import clean, format_location
from tflint.report.text_layout import Style, join_lines, shorten
from tflint.report.text_summary import format_closing

if TYPE_CHECKING:
    from tflint.report.report_options import Options


def render_report(report: Report, options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report, options.style)


def render(report: Report, style: Style) -> str:
    """Return a line per open finding and, unless the style is quiet, the notices and closing lines of the text report.

    The lines of findings are not wrapped and have no color. Per file, the most severe findings come first.
    """
    lines = [line for file in report.files for line in _format_file(file, with_target=len(report.targets) > 1)]
    if not style.quiet:
        lines += [clean(f"{notice.level}: {notice.message}") for notice in report.notices]
        lines += format_closing(report, style)
    return "".join(f"{line}\n" for line in lines)


def _format_file(file: FileReport, *, with_target: bool) -> Iterator[str]:
    for finding in sorted(file.open_findings, key=lambda finding: (-severity_rank(finding.severity), finding.rule)):
        yield _format_finding(finding, file.path, with_target=with_target)


def _format_finding(finding: Finding, path: str, *, with_target: bool) -> str:
    is_text = finding.location.text is not None
    position = format_location(finding.location) if is_text else clean(path)
    place = "" if is_text else format_location(finding.location)
    message = clean(shorten(join_lines(finding.message)))
    target = f" [for {clean(finding.target)}]" if with_target and finding.target else ""
    at = f" [at {place}]" if place else ""
    return f"{position}: {finding.severity} {finding.rule} {finding.name}: {message}{target}{at}"
