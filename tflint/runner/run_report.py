"""Builds the report of a run from checked files: suppressions, and what each configuration changed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from tflint._version import __version__
from tflint.config import Config
from tflint.engine.plan import plan_for_contract
from tflint.engine.select import RULESET
from tflint.findings import CRASH_RULE, ConfigurationUse, ContractUse, FileReport, Notice, Report
from tflint.findings.fingerprint import hash_text
from tflint.findings.path_globs import relative_to_folder
from tflint.findings.suppressions import describe_allows
from tflint.runner.scheduler import CheckedFile
from tflint.runner.scopes import Scope
from tflint.runner.suppression import apply_suppressions
from tflint.values import replace


def build_report(
    files: Sequence[CheckedFile], scopes: Sequence[Scope], tables: Container[str], started: float
) -> Report:
    """Return the report of a run; `tables` are the tables that the rules of the run are about.

    `started` is the start time of the run (performance counter).
    """
    reports = [file.report for file in files]
    notices: list[Notice] = []
    uses: list[ConfigurationUse] = []
    in_scope: set[str] = set()
    for scope in scopes:
        numbers = [number for number, file in enumerate(files) if file.scope == scope.number]
        own = [files[number] for number in numbers]
        marked, more = apply_suppressions(own, scope, tables)
        path = display_path(scope.config)
        for number, report in zip(numbers, marked, strict=True):
            reports[number] = replace(report, configuration=path, fail_on=scope.config.fail_on)
        notices += more
        uses.append(_describe_use(scope, own, marked))
        in_scope |= _list_rules_in_scope(scope, marked)
    targets, is_default = _targets(files, scopes)
    return Report(
        files=tuple(reports),
        targets=targets,
        is_default_target=is_default,
        ruleset=", ".join(dict.fromkeys(scope.config.ruleset or RULESET for scope in scopes)),
        version=__version__,
        rules_digest=_join_digests(scope.catalog.digest for scope in scopes),
        settings="\n".join(_describe_settings(scope, files) for scope in scopes),
        notices=tuple(notices),
        rules_run=len(in_scope),
        rules_selected=len(_list_selected(scopes, tables)),
        elapsed=time.perf_counter() - started,
        crashes=sum(finding.rule == CRASH_RULE for file in reports for finding in file.findings),
        configurations=tuple(uses),
    )


def display_path(config: Config) -> str | None:
    """Return the path of a configuration relative to the current folder, or None if there is no file."""
    return relative_to_folder(".", config.origin) if config.origin else None


def _join_digests(digests: Iterable[str]) -> str:
    """Return the digest that all scopes share, or the digest of theirs."""
    distinct = sorted(set(digests))
    return distinct[0] if len(distinct) == 1 else hash_text(" ".join(distinct))


def _targets(files: Sequence[CheckedFile], scopes: Sequence[Scope]) -> tuple[tuple[str, ...], bool]:
    """Return the names of the targets of a run, and whether no target is declared."""
    of_models = [file for file in files if file.report.kind == "model"]
    own = [plan_for_contract(scopes[file.scope].plan, file.contract) for file in of_models if file.contract is not None]
    general = [scope.plan for scope in scopes]
    plans = own if own and len(own) == len(of_models) else [*general, *own]
    names = tuple(dict.fromkeys(target.name for plan in plans for target in plan.targets))
    is_general = all(any(plan is one for one in general) for plan in plans)
    return names, is_general and not any(scope.config.targets for scope in scopes)


def _describe_settings(scope: Scope, files: Sequence[CheckedFile]) -> str:
    """Return all settings that a scope applies, also those of contracts, as a text that is equal if they are equal."""
    contracts = {file.contract.path: file.contract for file in files if file.contract and file.scope == scope.number}
    decisions = [
        (relative_to_folder(scope.config.folder, path), contract.model.get("targets"), describe_allows(contract.allow))
        for path, contract in sorted(contracts.items())
        if contract.allow or "targets" in contract.model
    ]
    return f"{scope.config.all_settings()} {decisions}"


def _list_selected(scopes: Iterable[Scope], tables: Container[str]) -> set[str]:
    """Return the ids of the selected rules about some tables."""
    return {one.rule.id for scope in scopes for one in scope.plan.rules if one.rule.for_each in tables}


def _list_rules_in_scope(scope: Scope, reports: Sequence[FileReport]) -> set[str]:
    """Return the ids of the rules that apply to a row of a file."""
    bits = 0
    for report in reports:
        bits |= report.rules_in_scope
    return {selected.rule.id for position, selected in enumerate(scope.plan.rules) if bits >> position & 1}


def _describe_use(scope: Scope, files: Sequence[CheckedFile], reports: Sequence[FileReport]) -> ConfigurationUse:
    """Return what a configuration changed; `reports` are those of `files`, with suppressed findings marked."""
    kinds = Counter(one.suppressed.kind for report in reports for one in report.findings if one.suppressed)
    return ConfigurationUse(
        path=display_path(scope.config),
        n_files=sum(report.kind != "contract" for report in reports),
        settings=scope.config.changes(),
        n_suppressed=dict(sorted(kinds.items())),
        n_muted=sum(report.n_muted for report in reports),
        contracts=tuple(_describe_contracts(files, reports)),
    )


def _describe_contracts(files: Sequence[CheckedFile], reports: Sequence[FileReport]) -> Iterator[ContractUse]:
    """Yield what each contract decided, for those that decided something or are drafts."""
    n_suppressed: Counter[str] = Counter()
    contracts = {}
    for file, report in zip(files, reports, strict=True):
        if file.contract is not None:
            contracts[file.contract.path] = file.contract
            kinds = [one.suppressed.kind for one in report.findings if one.suppressed]
            n_suppressed[file.contract.path] += kinds.count("contract")
    for path, contract in contracts.items():
        use = ContractUse(
            path,
            n_suppressed[path],
            tuple(contract.model.get("targets", ())),
            contract.model.get("draft", False),
            contract.is_limited,
        )
        if use != ContractUse(path):
            yield use
