"""Renders a report as GitLab Code Quality JSON, which merge requests show. It does not contain suppressed findings.

Format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tflint.findings import FileReport, Finding, Report
from tflint.findings.fingerprint import hash_text, number_duplicates
from tflint.findings.path_globs import relative_to_folder
from tflint.report.display_names import clean
from tflint.report.finding_sentences import describe_finding
from tflint.report.json_report import dumps

if TYPE_CHECKING:
    from tflint.report.report_options import Options

#: The GitLab severity "blocker" is not used: static analysis cannot determine that a finding blocks a release.
_SEVERITIES = {"error": "critical", "warning": "major", "note": "info"}


def render_report(report: Report, _options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report)


def render(report: Report) -> str:
    """Return the JSON text, with a final newline."""
    return dumps(to_data(report))


def to_data(report: Report) -> list[dict[str, Any]]:
    """Return the open findings as plain data, without the suppressed ones."""
    findings = [finding for file in report.files for finding in file.open_findings]
    keys = _compute_keys(findings)
    files = {file.path: file for file in report.files}
    return [
        _build_violation(files.get(finding.location.file) or FileReport(finding.location.file), finding, key)
        for finding, key in zip(findings, keys, strict=True)
    ]


def _build_violation(file: FileReport, finding: Finding, key: str) -> dict[str, Any]:
    location = finding.location
    return {
        "description": describe_finding(finding, file.within),
        "check_name": clean(f"{finding.rule} {finding.name}"),
        "fingerprint": key,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": clean(relative_to_folder(".", file.path_on_disk)),
            "lines": {"begin": location.text.line if location.text else 1},
        },
    }


def _compute_keys(findings: list[Finding]) -> Iterator[str]:
    """Yield, per finding, a key that is unique in the report. GitLab merges violations with the same key.

    The fingerprint alone is not unique: two files may be copies of the same model, and a rule may report the same
    location for several targets.
    """
    parts = [
        (relative_to_folder(".", finding.location.file), finding.fingerprint, finding.target or "")
        for finding in findings
    ]
    for key in number_duplicates(parts):
        yield hash_text("\0".join(key))
