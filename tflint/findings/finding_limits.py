"""Cuts a report to what people and formats can take: of each rule and file the first places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tflint.findings.finding import FileReport, Finding, Report
from tflint.values import replace

#: Findings of one rule in one file that a report lists.
MAX_LISTED = 1_000


def limit_findings(report: Report) -> Report:
    """Return the report with at most `MAX_LISTED` findings of each rule in a file, those that count before suppressed
    ones; the first of them says how many are left out. The verdict is that of the whole report.
    """
    return replace(report, files=tuple([_listed(file) for file in report.files]))


def _listed(file: FileReport) -> FileReport:
    if len(file.findings) <= MAX_LISTED:
        return file
    totals = Counter(_key(finding) for finding in file.findings)
    if max(totals.values()) <= MAX_LISTED:
        return file
    kept = _kept(file.findings)
    left_out = totals - Counter(_key(file.findings[number]) for number in kept)
    findings = []
    for number in kept:
        finding = file.findings[number]
        n_more = left_out.pop(_key(finding), 0)
        findings.append(_with_more(finding, n_more) if n_more else finding)
    return replace(file, findings=tuple(findings))


def _key(finding: Finding) -> tuple[str, str | None]:
    return finding.rule, finding.target


def _kept(findings: Sequence[Finding]) -> list[int]:
    """The numbers of the findings that are listed, in order."""
    by_weight = sorted(
        range(len(findings)), key=lambda number: (findings[number].suppressed is not None, not findings[number].n_more)
    )
    counts: Counter[tuple[str, str | None]] = Counter()
    kept = []
    for number in by_weight:
        key = _key(findings[number])
        counts[key] += 1
        if counts[key] <= MAX_LISTED:
            kept.append(number)
    return sorted(kept)


def _with_more(finding: Finding, n_more: int) -> Finding:
    return replace(finding, message=f"{finding.message} ({n_more:,} more places like this are not listed)")
