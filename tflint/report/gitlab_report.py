"""The report as GitLab's Code Quality JSON, which merge requests show. It has no place for what is suppressed.

The format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from tflint.findings import FileReport, Finding, Report
from tflint.findings.fingerprint import number_duplicates
from tflint.findings.path_globs import relative_to_folder
from tflint.report.display_names import clean
from tflint.report.finding_sentences import describe_finding
from tflint.report.json_report import dumps

#: An error will go wrong on a declared runtime; nothing that is found in a file's bytes can tell of a blocker.
_SEVERITIES = {"error": "critical", "warning": "major", "note": "info"}


def render(report: Report) -> str:
    """The JSON text of a report, ended by a newline."""
    return dumps(to_data(report))


def to_data(report: Report) -> list[dict[str, Any]]:
    """The findings that are not suppressed, as plain data."""
    found = [finding for file in report.files for finding in file.open_findings]
    keys = _keys(found)
    files = {file.path: file for file in report.files}
    return [
        _violation(files.get(finding.location.file) or FileReport(finding.location.file), finding, key)
        for finding, key in zip(found, keys, strict=True)
    ]


def _violation(file: FileReport, finding: Finding, key: str) -> dict[str, Any]:
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


def _keys(found: list[Finding]) -> Iterator[str]:
    """A key for each finding that no other one of the report has: GitLab takes those of one key for one violation.

    Two files may be copies of each other, and a rule may speak of one place for several targets.
    """
    parts = [
        (relative_to_folder(".", finding.location.file), finding.fingerprint, finding.target or "") for finding in found
    ]
    for key in number_duplicates(parts):
        yield hashlib.sha256("\0".join(key).encode("utf-8", "backslashreplace")).hexdigest()[:32]
