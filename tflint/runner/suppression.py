"""Applies suppressions and the baseline to the reports of a run. Configurations and contracts contain suppressions."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Container, Mapping, Sequence

from tflint.catalog import Rule
from tflint.config import Config
from tflint.contract import Contract
from tflint.engine.select import specificity
from tflint.findings import FileReport, Finding, Notice, Suppression
from tflint.findings.path_globs import covers, relative_to_folder
from tflint.findings.suppressions import apply_allows, mark_suppressed
from tflint.runner.scheduler import CheckedFile
from tflint.runner.scopes import Scope


def apply_suppressions(
    files: Sequence[CheckedFile], scope: Scope, tables: Container[str]
) -> tuple[list[FileReport], list[Notice]]:
    """Return the reports of a scope with suppressed findings marked, and notices about suppressions without effect.

    `tables` are the tables whose rules ran. A suppression of a rule that another command runs does not count as unused.
    """
    config, catalog = scope.config, scope.catalog
    reports = [file.report for file in files]
    if config.per_file_ignores:
        by_id = {rule.id: rule for rule in catalog.rules}
        reports = [_apply_per_file_ignores(report, config, by_id) for report in reports]
    known = {name for rule in catalog.rules if rule.for_each in tables for name in (rule.id, rule.name)}
    allows = [allow for allow in config.allow if allow.rule in known]
    today = datetime.date.today()
    reports, notices = apply_allows(reports, allows, today, config.folder)
    notices += _apply_allows_of_contracts(reports, [file.contract for file in files], today)
    if scope.baseline is not None:
        from tflint.findings.baseline import apply_baseline, report_unmatched  # few runs have one

        selected = {one.rule.id for one in scope.plan.rules if one.rule.for_each in tables}
        reports = apply_baseline(reports, scope.baseline, scope.baseline_folder)
        notices += report_unmatched(reports, scope.baseline, selected, config.baseline, scope.baseline_folder)
    return reports, notices


def _apply_allows_of_contracts(
    reports: list[FileReport], contracts: Sequence[Contract | None], today: datetime.date
) -> list[Notice]:
    """Apply the suppressions of each contract to the reports of the contract and its models. Changes `reports`."""
    numbers_by_path: dict[str, list[int]] = {}
    by_path: dict[str, Contract] = {}
    for number, contract in enumerate(contracts):
        if contract is not None and contract.allow:
            numbers_by_path.setdefault(contract.path, []).append(number)
            by_path[contract.path] = contract
    notices: list[Notice] = []
    for path, numbers in numbers_by_path.items():
        files = [reports[number] for number in numbers]
        marked, more = apply_allows(files, by_path[path].allow, today, kind="contract")
        notices += more
        for number, report in zip(numbers, marked, strict=True):
            reports[number] = report
    return notices


def _apply_per_file_ignores(report: FileReport, config: Config, by_id: Mapping[str, Rule]) -> FileReport:
    path = relative_to_folder(config.folder, report.path)
    globs: dict[str, str] = {}  # the first glob that ignores each token (a rule, or a prefix or group of rules)
    for glob, tokens in config.per_file_ignores.items():
        if covers(path, glob, is_member=report.within is not None):
            for token in tokens:
                globs.setdefault(token, glob)

    @functools.cache  # a file can have thousands of findings of one rule
    def suppress_rule(rule_id: str) -> Suppression | None:
        for token, glob in globs.items():
            if specificity(token, by_id[rule_id]):
                return Suppression("per-file-ignore", f"{token} is ignored in {glob}")
        return None

    def suppress(finding: Finding) -> Suppression | None:
        return suppress_rule(finding.rule)

    return mark_suppressed(report, suppress) if globs else report
