"""Moves the findings about a contract from the reports of its models into a separate report about the contract."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.findings import FileReport
from tflint.runner.scheduler import CheckedFile
from tflint.values import replace


def add_contract_reports(files: Sequence[CheckedFile]) -> list[CheckedFile]:
    """Return the files, with a report added for each contract, directly after the first model of that contract."""
    result: list[CheckedFile] = []
    positions: dict[str, int] = {}
    for file in files:
        report = file.report
        if report.contract is None:
            result.append(file)
            continue
        about_contract = tuple(finding for finding in report.findings if finding.location.file == report.contract)
        about_model = tuple(finding for finding in report.findings if finding.location.file != report.contract)
        result.append(replace(file, report=replace(report, findings=about_model)))
        if report.contract not in positions:
            positions[report.contract] = len(result)
            result.append(CheckedFile(FileReport(report.contract, kind="contract"), file.contract, file.scope))
        elif file.contract is not None and file.contract.problem is not None:
            continue  # the first model of the contract has the finding
        position = positions[report.contract]
        earlier = result[position].report
        merged = replace(earlier, findings=earlier.findings + about_contract)
        result[position] = replace(result[position], report=merged)
    return result
