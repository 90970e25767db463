"""Renders a report as a small HTML fragment for notebooks: the totals and a table of the findings."""

from __future__ import annotations

import html

from tflint.findings import FileReport, Finding, Report
from tflint.report.display_names import clean, format_title
from tflint.report.text_summary import format_totals

#: Maximum number of findings in the table.
MAX_FINDINGS = 50


def render(report: Report) -> str:
    """Return the HTML, with the most severe findings first. Text from files is escaped."""
    order = {"error": 0, "warning": 1, "note": 2}
    findings = [(file, finding) for file in report.files for finding in file.open_findings]
    findings.sort(key=lambda pair: order[pair[1].severity])
    rows = "".join(_format_row(*pair) for pair in findings[:MAX_FINDINGS])
    more = len(findings) - MAX_FINDINGS
    table = f"<table><tr><th>severity</th><th>rule</th><th>file</th><th>finding</th></tr>{rows}</table>" if rows else ""
    omitted = f"<p>{more:,} more findings: <code>report.to_text()</code></p>" if more > 0 else ""
    return f"<p><b>tflint</b>: {html.escape(format_totals(report))}</p>{table}{omitted}"


def _format_row(file: FileReport, finding: Finding) -> str:
    names = finding.location.names
    place = f" ({clean(names[-1])})" if names else ""
    cells = (
        finding.severity,
        f"{finding.rule} {format_title(finding.name)}",
        clean(file.path),
        clean(finding.message) + place,
    )
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
