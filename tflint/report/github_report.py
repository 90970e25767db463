"""Renders a report as workflow commands of GitHub Actions: annotations of files, most severe first.

GitHub shows ten annotations per level and step. If a level has more findings, the tenth annotation gives the number of
findings that are not shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tflint.findings import SEVERITIES, FileReport, Finding, Report
from tflint.report.display_names import clean, format_title, plural
from tflint.report.finding_sentences import describe_finding
from tflint.report.text_layout import Style
from tflint.report.text_summary import format_closing

if TYPE_CHECKING:
    from tflint.report.report_options import Options

#: Maximum number of annotations per level that GitHub shows for a step
#: (https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md#limitations).
MAX_ANNOTATIONS = 10
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render_report(report: Report, _options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report)


def render(report: Report) -> str:
    """Return the commands, followed by the closing lines of the text report, with a final newline."""
    lines: list[str] = []
    files = {file.path: file for file in report.files}
    for severity in reversed(SEVERITIES):
        findings = [finding for file in report.files for finding in file.open_findings if finding.severity == severity]
        lines += _annotate(severity, findings, files, with_target=len(report.targets) > 1)
    lines += [_escape_log_line(f"{notice.level}: {notice.message}") for notice in report.notices]
    lines += map(_escape_log_line, format_closing(report, Style()))
    return "\n".join(lines) + "\n"


def _annotate(
    severity: str, findings: Sequence[Finding], files: Mapping[str, FileReport], *, with_target: bool
) -> Iterator[str]:
    """Yield the annotations of one level that GitHub shows. The first finding of each file and rule comes first."""
    times: Counter[tuple[str, str]] = Counter()
    ordinals = []
    for finding in findings:
        times[finding.location.file, finding.rule] += 1
        ordinals.append(times[finding.location.file, finding.rule])
    ordered = [finding for _, finding in sorted(zip(ordinals, findings, strict=True), key=lambda pair: pair[0])]
    shown = ordered if len(ordered) <= MAX_ANNOTATIONS else ordered[: MAX_ANNOTATIONS - 1]
    for finding in shown:
        file = files.get(finding.location.file) or FileReport(finding.location.file)  # might be in another file
        yield _command(
            severity, describe_finding(finding, file.within), _properties(finding, file, with_target=with_target)
        )
    if len(shown) < len(ordered):
        rest = ordered[len(shown) :]
        n_files = len({finding.location.file for finding in rest})
        more = f"{plural(len(rest), f'more {severity}')} in {plural(n_files, 'file')}"
        text = f"{more}: GitHub shows {MAX_ANNOTATIONS} annotations per level. The other formats list all findings."
        yield _command(severity, text, {"title": f"tflite-lint: {more}"})


def _properties(finding: Finding, file: FileReport, *, with_target: bool) -> dict[str, str]:
    """Return the position and title of an annotation. A model has no lines: its annotation is about the whole file."""
    properties = {"file": clean(file.path_on_disk)}
    text = finding.location.text
    if text is not None:
        properties |= {"line": str(text.line), "endLine": str(text.end_line)}
        if text.line == text.end_line:  # GitHub only accepts columns within one line
            properties |= {"col": str(text.column), "endColumn": str(text.end_column)}
    target = f" for {finding.target}" if with_target and finding.target else ""
    return {**properties, "title": clean(f"{finding.rule} {format_title(finding.name)}{target}")}


def _command(severity: str, message: str, properties: dict[str, str]) -> str:
    """Format a workflow command (https://docs.github.com/actions/reference/workflow-commands-for-github-actions)."""
    values = ",".join(f"{name}={_escape(value, is_property=True)}" for name, value in properties.items())
    return f"::{_COMMANDS[severity]} {values}::{_escape(message)}"


def _escape(text: str, *, is_property: bool = False) -> str:
    # The runner decodes commands in actions/runner, src/Runner.Common/ActionCommand.cs. This is the inverse.
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if is_property else escaped


def _escape_log_line(line: str) -> str:
    # The runner executes `::name` at the start of a line and `##[name]` anywhere in it.
    return clean(line).replace("##[", "## [").replace("::", ": :")
