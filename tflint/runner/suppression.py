"""Gives contracts reports of their own, and marks what a configuration, a contract or a baseline takes back."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Container, Mapping, Sequence

from tflint.catalog import Catalog, Rule
from tflint.config import Config
from tflint.contract import Contracts
from tflint.engine.run import Plan
from tflint.engine.select import specificity
from tflint.findings import FileReport, Finding, Notice, Suppression
from tflint.findings.baseline import Counts, apply_baseline
from tflint.findings.path_globs import covers, relative_to_folder
from tflint.findings.suppressions import apply_allows, mark_suppressed
from tflint.values import frozen, replace


@frozen
class Run:
    """What a run began with: its configuration, rules and contracts, and when."""

    config: Config
    catalog: Catalog
    plan: Plan
    contracts: Contracts
    started: float


def with_contracts(files: Sequence[FileReport]) -> list[FileReport]:
    """Each contract's findings in a report of its own, behind that of the first model that it is for."""
    reports: list[FileReport] = []
    places: dict[str, int] = {}
    for file in files:
        if file.contract is None:
            reports.append(file)
            continue
        here, there = _parted(file.findings, file.contract)
        reports.append(replace(file, findings=here))
        if file.contract not in places:
            places[file.contract] = len(reports)
            reports.append(FileReport(file.contract, kind="contract"))
        known = reports[places[file.contract]]
        reports[places[file.contract]] = replace(known, findings=known.findings + there)
    return reports


def _parted(findings: Sequence[Finding], contract: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings that stand in the model, and those that stand in its contract."""
    here = tuple(finding for finding in findings if finding.location.file != contract)
    return here, tuple(finding for finding in findings if finding.location.file == contract)


def suppressed(
    files: list[FileReport], run: Run, baseline: Counts | None, judged: Container[str]
) -> tuple[list[FileReport], list[Notice]]:
    """The files of a run with what is suppressed marked, and notices of suppressions that do nothing."""
    config = run.config
    if config.per_file_ignores:
        by_id = {rule.id: rule for rule in run.catalog.rules}
        files = [_ignore_in(file, config, by_id) for file in files]
    # One that is meant for another command is not unused here.
    known = {name for rule in run.catalog.rules if rule.for_each in judged for name in (rule.id, rule.name)}
    allows = [allow for allow in config.allow if allow.rule in known]
    today = datetime.date.today()
    files, notices = apply_allows(files, allows, today, config.folder)
    notices += _allow_in_contracts(files, run.contracts, today)
    if baseline is not None:
        files = apply_baseline(files, baseline, config.folder)
    return files, notices


def _allow_in_contracts(files: list[FileReport], contracts: Contracts, today: datetime.date) -> list[Notice]:
    """Mark the findings that contracts take back, each of those on itself and on its models."""
    concerned: dict[str, list[int]] = {}
    for number, file in enumerate(files):
        path = file.path if file.kind == "contract" else file.contract
        if path is not None:
            concerned.setdefault(path, []).append(number)
    notices: list[Notice] = []
    for numbers in concerned.values():
        contract = contracts.of(files[numbers[0]].path)  # a model comes before its contract
        if contract is not None and contract.allow:
            marked, more = apply_allows([files[number] for number in numbers], contract.allow, today)
            notices += more
            for number, file in zip(numbers, marked, strict=True):
                files[number] = file
    return notices


def _ignore_in(file: FileReport, config: Config, by_id: Mapping[str, Rule]) -> FileReport:
    path = relative_to_folder(config.folder, file.path)
    tokens: dict[str, str] = {}  # to the first glob that names them
    for glob, chosen in config.per_file_ignores.items():
        if covers(path, glob, is_member=file.within is not None):
            for token in chosen:
                tokens.setdefault(token, glob)

    @functools.cache  # a file can have thousands of findings of one rule
    def suppress_rule(rule_id: str) -> Suppression | None:
        for token, glob in tokens.items():
            if specificity(token, by_id[rule_id]):
                return Suppression("per-file-ignore", f"{token} is ignored in {glob}")
        return None

    return mark_suppressed(file, lambda finding: suppress_rule(finding.rule)) if tokens else file
