"""Replaces the paths in the report of a file."""

from __future__ import annotations

from collections.abc import Callable

from tflint.findings.finding import FileReport, Location
from tflint.values import replace


def move_paths(report: FileReport, move: Callable[[str], str]) -> FileReport:
    """Return a report with each path of a file replaced by what `move` returns for it."""

    def move_location(location: Location) -> Location:
        return replace(location, file=move(location.file))

    findings = tuple(
        replace(
            finding,
            location=move_location(finding.location),
            related=tuple(replace(one, location=move_location(one.location)) for one in finding.related),
        )
        for finding in report.findings
    )
    return replace(
        report,
        path=move(report.path),
        findings=findings,
        within=None if report.within is None else replace(report.within, path=move(report.within.path)),
        contract=None if report.contract is None else move(report.contract),
    )
