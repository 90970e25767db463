"""The formats of a report. To add a format, write a module with `render_report` and add an entry to `FORMATS`.

The module of a format is imported when the format is used.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.findings import Report
    from tflint.report.report_options import Options


@frozen
class Format:
    """A format of reports.

    `module` is the module in `tflint.report` with `render_report(report, options)`. `beginning` is a regular expression
    that matches the first bytes of a report in this format: a new report may replace only such a file. `escape` selects
    how names from files are made safe to print: as `text`, `json` or `xml`, or not at all (`none`), because the module
    of the format does it.
    """

    module: str
    beginning: bytes
    escape: str = "text"

    def render(self, report: Report, options: Options) -> str:
        """Return the report as text."""
        text: str = importlib.import_module(f"tflint.report.{self.module}").render_report(report, options)
        return text


FORMATS: Mapping[str, Format] = {
    "text": Format(
        "text_report",
        # A quiet report starts in one of three ways: a file and its first finding, a list of notes, or counts per rule.
        rb"(?:(?![#`>\s])[^\n]+\n(?: [^\n]+\n){0,3}?  (?:error|warning|note) +[A-Z]+\d+ "
        rb"|notes \xc2\xb7 [A-Z]+\d+ "
        rb"| *[\d,]+ (?:error|warning|note) +[A-Z]+\d+ )",
    ),
    "concise": Format(
        "concise_report",
        rb"(?![#`>\s])[^\n]+?: (?:error|warning|note) [A-Z]+\d+ [a-z0-9]+(?:-[a-z0-9]+)+: ",
    ),
    "json": Format(
        "json_report",
        rb'\s*\{\s*"schema_version"\s*:\s*\d+\s*,\s*"tool"\s*:\s*\{\s*"name"\s*:\s*"tflite-lint"',
        escape="json",
    ),
    "sarif": Format(
        "sarif_report",
        rb'\s*\{\s*"\$schema"\s*:\s*"[^"]*sarif[^"]*"\s*,\s*"version"\s*:\s*"2\.1\.0"\s*,\s*"runs"\s*:\s*\[\s*\{\s*'
        rb'"tool"\s*:\s*\{\s*"driver"\s*:\s*\{\s*"name"\s*:\s*"tflite-lint"',
        escape="json",
    ),
    "junit": Format("junit_report", rb'<\?xml[^>]*\?>\s*<testsuites name="tflite-lint"', escape="xml"),
    # Commands for the runner of GitHub Actions, which the module escapes itself.
    "github": Format("github_report", rb"::(?:error|warning|notice) [^\n]*title=", escape="none"),
    "gitlab": Format(
        "gitlab_report",
        rb'\s*\[\s*(?:\]\s*$|\{\s*"description"\s*:\s*"(?:[^"\\]|\\.)*+"\s*,\s*"check_name"\s*:)',
        escape="json",
    ),
    "markdown": Format("markdown_report", rb"### tflite-lint \xc2\xb7 "),
}


def render_as(report: Report, form: str, *, verbose: bool = False, sarif_profile: str = "github") -> str:
    """Return a report in one of `FORMATS`, with the default options of the command line and without colors."""
    from tflint.findings.finding_limits import limit_findings
    from tflint.report.report_options import Options
    from tflint.report.text_layout import Style

    style = Style(verbose=verbose, folds_notes=not verbose)
    return FORMATS[form].render(limit_findings(report), Options(style, sarif_profile=sarif_profile))
