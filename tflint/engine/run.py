"""Runs the selected rules over a batch of models and returns a report per file. A crash costs one rule, not the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tflint.contract import Contract
from tflint.engine.findings import (
    draft_of_crash,
    finding_without_rows,
    findings_by_file,
    identify,
    not_checked,
)
from tflint.engine.judge import Judge
from tflint.engine.locate import Locator
from tflint.engine.overview import contained_in, digests, kind_of_file, overviews, status_of_file
from tflint.engine.plan import JudgedRule, Plan, cases_of, rules_for_pairs, rules_for_runs, rules_for_tables
from tflint.engine.rules_in_scope import rules_in_scope
from tflint.engine.select import Selected
from tflint.errors import TflintError
from tflint.facts.facts import Facts
from tflint.findings import FileReport
from tflint.model.tables import Tables
from tflint.source import SourceError
from tflint.values import EMPTY

if TYPE_CHECKING:  # most runs do not run models
    from tflint.facts.run.model_run import ModelRun


#: Rules about a version of a model without a counterpart.
MODEL_REMOVED_RULE, MODEL_ADDED_RULE = "K136", "K137"


class BatchCrashError(TflintError):
    """A fact or rule crashed on a batch of several files, or exceeded its budget.

    The batch must be repeated file by file, so that the result of a file does not depend on the other files.
    """


def run_batch(
    tables: Tables,
    files: Sequence[str],
    plan: Plan,
    contracts: Mapping[int, Contract] = EMPTY,
    pairs: Mapping[int, int] = EMPTY,
    runs: Mapping[int, Sequence[ModelRun]] = EMPTY,
) -> list[FileReport]:
    """Return the reports of a batch's files, in order.

    `contracts` maps the numbers of files, in ascending order, to their contracts. `pairs` maps the number of each newer
    version to the number of its older version. With `pairs`, only rules about pairs run, and the report of the newer
    file has the findings. `runs` maps the numbers of files to runs of their models. With `runs`, only rules about runs
    are judged. Raises `BatchCrashError` if a rule crashes on a batch of several files that are not a pair.
    """
    rules = _rules_for(tables, plan, with_contracts=bool(contracts), is_pair=bool(pairs), has_run=bool(runs))
    facts = Facts(tables, _columns_read(rules), plan.plugins, contracts, pairs, runs)
    locator = Locator(facts, list(files))
    judged = [case for selected in rules for case in cases_of(selected, plan.targets)]
    judge = Judge(facts, plan.constants, [target.record() for target in plan.targets])
    judge.judge(entry.case for entry in judged)
    crashes = _crashes(judged, is_repeatable=len(files) > 1 and not pairs)
    judged = [entry for entry in judged if entry.rule.id not in crashes]
    findings, n_muted = findings_by_file(judged, locator)
    in_scope = rules_in_scope(judged, plan, len(files))
    for selected, crash in crashes.values():
        findings[0].append(draft_of_crash(selected, crash, files[0], plan.crash_rule))
    file_overviews = overviews(facts)
    file_digests = digests(facts) if tables.is_readable else {}
    facts.forget()
    return [
        FileReport(
            path,
            kind="pair" if number in pairs else kind_of_file(tables.files[number]),
            status=status_of_file(tables, number),
            findings=tuple(identify(findings[number])),
            not_checked=tuple(not_checked(judged, number)),
            overview=file_overviews[number],
            contained=contained_in(tables.files[number]),
            sha256=file_digests.get(number),
            contract=contracts[number].path if number in contracts else None,
            contract_gap=contracts[number].gap if number in contracts else None,
            compared_with=files[pairs[number]] if number in pairs else None,
            rules_in_scope=in_scope[number],
            n_muted=n_muted[number],
        )
        for number, path in enumerate(files)
    ]


def report_unpaired(path: str, old: str | None, plan: Plan) -> FileReport:
    """Return the report of a model that only one version has: of a removed model, `old` is the path of that version."""
    rule_id = MODEL_ADDED_RULE if old is None else MODEL_REMOVED_RULE
    findings = tuple(finding_without_rows(one, path) for one in plan.rules if one.rule.id == rule_id)
    return FileReport(path, kind="pair", findings=findings, compared_with=old)


def _rules_for(tables: Tables, plan: Plan, *, with_contracts: bool, is_pair: bool, has_run: bool) -> Sequence[Selected]:
    if is_pair:
        return rules_for_pairs(plan)
    return rules_for_runs(plan) if has_run else rules_for_tables(tables, plan, with_contracts=with_contracts)


def _columns_read(rules: Sequence[Selected]) -> set[tuple[str, str]]:
    """Return the columns that the conditions of rules about the values of constants read."""
    rules_on_values = [selected.rule for selected in rules if selected.rule.reads_values]
    conditions = [condition for rule in rules_on_values for condition in (rule.where, rule.require)]
    return {read for condition in conditions if condition is not None for read in condition.reads}


def _crashes(judged: Sequence[JudgedRule], *, is_repeatable: bool) -> dict[str, tuple[Selected, Exception]]:
    """Return the rules that crashed, by id. Raises `BatchCrashError` if the batch can be repeated file by file."""
    crashes = {entry.rule.id: (entry.selected, entry.case.crash) for entry in judged if entry.case.crash is not None}
    for _, crash in crashes.values():
        _raise_source_error(crash)
        if is_repeatable:
            raise BatchCrashError(str(crash)) from crash
    if is_repeatable and any(entry.case.is_over_budget for entry in judged):
        raise BatchCrashError("a rule exceeded its budget")
    return crashes


def _raise_source_error(error: BaseException) -> None:
    """If a `SourceError` caused the error, raise it: the changed file is then read again and reported as unreadable."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SourceError):
            raise cause
        cause = cause.__cause__
