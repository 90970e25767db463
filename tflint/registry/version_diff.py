"""Compares a version with the present holder of an alias: models, contracts and label files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tflint.api import compare, load
from tflint.catalog.rule_loader import Catalogs
from tflint.config import Config
from tflint.contract import Contract
from tflint.contract.contract_files import describe_labels
from tflint.errors import UserError
from tflint.findings import Finding, Report, Suppression
from tflint.findings.suppressions import mark_suppressed
from tflint.registry.artifacts import Fetched
from tflint.registry.contract_choice import choose
from tflint.registry.model_registry import ModelVersion
from tflint.registry.version_lint import LintPlan, find_models
from tflint.runner.model_loader import Model, begin
from tflint.source.file_kind import MODEL
from tflint.values import EMPTY, frozen, replace

#: Ids of differences that no rule of `tflint diff` reports. They can be accepted like rules.
CONTRACT_CHANGED = "contract-changed"
MODEL_REMOVED = "model-removed"
HOLDER_UNREADABLE = "holder-unreadable"
OTHER_DIFFERENCES = (CONTRACT_CHANGED, MODEL_REMOVED, HOLDER_UNREADABLE)


@frozen
class Acceptance:
    """A difference that the user accepts: the id or name of a rule of `tflint diff` or of the list above, and why."""

    rule: str
    reason: str


@frozen
class Difference:
    """A difference from the holder with one of the ids above."""

    rule: str
    message: str


@frozen
class VersionDiff:
    """The differences of a version from the present holder of an alias.

    `report` has a file of kind `pair` per model; accepted findings are suppressed. It is None if no models were
    compared. `others` are the differences that no rule reports and that were not accepted.
    """

    report: Report | None = None
    others: tuple[Difference, ...] = ()

    @property
    def n_refusing(self) -> int:
        """The number of differences that refuse a promotion: warnings and errors that were not accepted."""
        return len(self._refusing())

    def refusing_rules(self) -> list[str]:
        """Return the ids of the rules that refuse a promotion, each once."""
        return list(dict.fromkeys(self._refusing()))

    def _refusing(self) -> list[str]:
        findings = self.report.findings() if self.report is not None else ()
        return [*(one.rule for one in findings if one.fails("warning")), *(one.rule for one in self.others)]


def compare_versions(
    holder: ModelVersion, old: Fetched, version: ModelVersion, new: Fetched, plan: LintPlan
) -> VersionDiff:
    """Compare all models of two versions, and their contracts. Models are paired by path, or if each has only one."""
    old_models, new_models = _load_models(holder, old), _load_models(version, new)
    pairs = _pair(sorted(old_models), sorted(new_models))
    others = [
        Difference(MODEL_REMOVED, f"{path} of {holder.label} is missing") for path in old_models if path not in pairs
    ]
    reports = []
    for before, after in pairs.items():
        if old_models[before].is_readable and new_models[after].is_readable:
            reports.append(_compare(old_models[before], new_models[after], plan.config, plan.catalogs))
        elif not old_models[before].is_readable:
            others.append(Difference(HOLDER_UNREADABLE, f"{before} of {holder.label} is not a readable model"))
        contracts = [
            choose(plan.contracts, of, fetched, path.partition("!/")[0]).contract
            for of, fetched, path in ((holder, old, before), (version, new, after))
        ]
        if contracts[0] is not None and _content(contracts[0]) != _content(contracts[1]):
            others.append(Difference(CONTRACT_CHANGED, f"the contract or its label file for {after} changed"))
    merged = None
    if reports:
        files = tuple(file for report in reports for file in report.files)
        merged = replace(reports[0], files=files, elapsed=0.0)
    return VersionDiff(merged, tuple(others))


def accept(diff: VersionDiff, accepted: Sequence[Acceptance]) -> VersionDiff:
    """Return the differences with the accepted ones suppressed or removed."""
    reasons = {one.rule: one.reason for one in accepted}

    def suppress(finding: Finding) -> Suppression | None:
        reason = reasons.get(finding.rule) or reasons.get(finding.name)
        return None if reason is None else Suppression("acceptance", reason)

    report = diff.report
    if report is not None:
        report = replace(report, files=tuple(mark_suppressed(file, suppress) for file in report.files))
    return VersionDiff(report, tuple(one for one in diff.others if one.rule not in reasons))


def _pair(old: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Return the path of the new model for each path of an old model that has one."""
    if len(old) == len(new) == 1:
        return {old[0]: new[0]}
    return {path: path for path in old if path in new}


def _load_models(version: ModelVersion, fetched: Fetched) -> dict[str, Model]:
    """Return the models of a version and of its bundles by path."""
    models = {}
    for path in find_models(fetched):
        real = fetched.real_path(path)
        try:
            models[path] = load(real, name=f"{version.label}/{path}")
        except UserError:  # a bundle
            founds, file = begin(real)
            members = [one.path for one in founds if one.within is not None and one.opened.kind.kind == MODEL]
            if file is not None:
                file.close()
            for member in members:
                relative = member.removeprefix(f"{fetched.folder}/")
                models[relative] = load(member, name=f"{version.label}/{relative}")
    return models


def _compare(old: Model, new: Model, config: Config, catalogs: Catalogs) -> Report:
    return compare(old, new, config=replace(config, baseline="", contracts=EMPTY, exclude=()), catalogs=catalogs)


def _content(contract: Contract | None) -> Mapping[str, Any]:
    """Return the entries of a contract for inputs and outputs, with the label files, but no claims about the file."""
    if contract is None:
        return {}
    return {"inputs": contract.inputs, "outputs": contract.outputs, "labels": describe_labels(contract)}
