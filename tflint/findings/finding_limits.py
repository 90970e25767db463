"""Limits the number of findings per rule, target and file that a report lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tflint.findings.finding import FileReport, Finding, Report
from tflint.values import replace

#: Maximum number of findings per rule, target and file that a report lists.
MAX_LISTED = 1_000


def limit_findings(report: Report) -> Report:
    """Return the report with at most `MAX_LISTED` findings per rule, target and file.

    Suppressed findings are omitted before open ones. The message of the first finding then gives the number of omitted
    findings. The exit code must be computed from the complete report.
    """
    return replace(report, files=tuple([_limit_file(file) for file in report.files]))


def _limit_file(file: FileReport) -> FileReport:
    if len(file.findings) <= MAX_LISTED:
        return file
    totals = Counter(_key(finding) for finding in file.findings)
    if max(totals.values()) <= MAX_LISTED:
        return file
    kept = _select(file.findings)
    omitted = totals - Counter(_key(file.findings[number]) for number in kept)
    findings = []
    for number in kept:
        finding = file.findings[number]
        n_more = omitted.pop(_key(finding), 0)
        findings.append(_add_omitted(finding, n_more) if n_more else finding)
    return replace(file, findings=tuple(findings))


def _key(finding: Finding) -> tuple[str, str | None]:
    return finding.rule, finding.target


def _select(findings: Sequence[Finding]) -> list[int]:
    """Return the indices of the findings to list, in ascending order."""
    by_priority = sorted(
        range(len(findings)), key=lambda number: (findings[number].suppressed is not None, not findings[number].n_more)
    )
    counts: Counter[tuple[str, str | None]] = Counter()
    kept = []
    for number in by_priority:
        key = _key(findings[number])
        counts[key] += 1
        if counts[key] <= MAX_LISTED:
            kept.append(number)
    return sorted(kept)


def _add_omitted(finding: Finding, n_omitted: int) -> Finding:
    return replace(finding, message=f"{finding.message} ({n_omitted:,} more not listed)")
