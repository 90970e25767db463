"""The plan of a run: which rules run for which targets, and how severe their findings are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflint.catalog.rule import Rule
from tflint.columns.column import text_of
from tflint.config import TargetOptions
from tflint.contract import Contract
from tflint.engine.judge import Case
from tflint.engine.select import Selected
from tflint.facts.fact_registry import CONTRACT_PROBLEM_TABLE, CONTRACT_TABLES, FILE_TABLES, PAIR_TABLES, RUN_TABLES
from tflint.findings import severity_rank
from tflint.model.tables import Tables
from tflint.targets.target import Target, contract_targets, includes_target
from tflint.values import EMPTY, frozen, replace

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


@frozen
class Plan:
    """What to run: selected rules, declared targets, constants of users' rules, and the rule that reports crashes.

    `plugins` adds facts. `named_targets` are the targets that the configuration defines by name; contracts can refer to
    these names. `is_default_target` is true if the configuration declares no target.
    """

    rules: tuple[Selected, ...]
    targets: tuple[Target, ...]
    constants: Mapping[str, Mapping[str, Any]]
    crash_rule: Rule
    plugins: Plugins | None = None
    named_targets: Mapping[str, TargetOptions] = EMPTY
    is_default_target: bool = True


@frozen(eq=False)
class JudgedRule:
    """A rule with the case that decides it, for one target or for all targets (`target` is None).

    `holds_for` names the targets that the findings are about. It is None if they are about every runtime.
    """

    selected: Selected
    target: Target | None
    case: Case
    severity: str
    holds_for: str | None

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.selected.rule

    @property
    def rank(self) -> int:
        """A number that grows with severity."""
        return severity_rank(self.severity)


def plan_for_contract(plan: Plan, contract: Contract | None) -> Plan:
    """Return the plan with the contract's targets added to the declared ones."""
    if contract is None or not contract.model.get("targets"):
        return plan
    declared = () if plan.is_default_target else plan.targets
    return replace(plan, targets=tuple(dict.fromkeys((*declared, *contract_targets(contract, plan.named_targets)))))


def rules_for_tables(tables: Tables, plan: Plan, *, with_contracts: bool) -> list[Selected]:
    """Return the rules to run on a batch of models.

    Rules about operators or contracts that the batch does not contain are left out. A file that is not a readable model
    gets only the rules about files and about invalid contracts.
    """
    if not tables.is_readable:
        names = {*FILE_TABLES, CONTRACT_PROBLEM_TABLE} if with_contracts else FILE_TABLES
        return [selected for selected in plan.rules if selected.rule.for_each in names]
    column = tables.column("operator_code", "opcode")
    opcodes = {text for row in range(len(column)) if (text := text_of(column, row)) is not None}
    return [
        selected
        for selected in plan.rules
        if (not selected.rule.opcodes or not opcodes.isdisjoint(selected.rule.opcodes))
        and (with_contracts or selected.rule.for_each not in CONTRACT_TABLES)
        and selected.rule.for_each not in PAIR_TABLES
        and selected.rule.for_each not in RUN_TABLES
    ]


def rules_for_pairs(plan: Plan) -> list[Selected]:
    """Return the rules that compare two versions of a model."""
    return [selected for selected in plan.rules if selected.rule.for_each in PAIR_TABLES]


def rules_for_runs(plan: Plan) -> list[Selected]:
    """Return the rules about runs of a model."""
    return [selected for selected in plan.rules if selected.rule.for_each in RUN_TABLES]


def cases_of(selected: Selected, targets: Sequence[Target]) -> list[JudgedRule]:
    """Return the cases of a rule: one per target if the rule reads the target, otherwise one per severity.

    If it is not known whether some of the targets refuse the model, there is one more case per such target.
    """
    rule = selected.rule
    if rule.reads_target:
        return [
            JudgedRule(
                selected,
                target,
                Case(rule, number, target.unknown_reason),
                selected.severity_for(target),
                target.name,
            )
            for number, target in enumerate(targets)
        ]
    unknown = [target for target in targets if rule.refused_by and includes_target(rule.refused_by, target) is None]
    known = [target for target in targets if target not in unknown]
    return [
        *(JudgedRule(selected, None, Case(rule), severity, names) for severity, names in _severities(selected, known)),
        *(_case_without_claim(selected, target) for target in unknown),
    ]


def _case_without_claim(selected: Selected, target: Target) -> JudgedRule:
    """Return the case that counts the violations of a rule as not checked for a target."""
    case = Case(selected.rule, unknown_reason=target.unknown_reason, is_claimed=False)
    return JudgedRule(selected, target, case, "note", target.name)


def _severities(selected: Selected, targets: Sequence[Target]) -> list[tuple[str, str | None]]:
    """Return each severity that applies to some targets, with the names of these targets (None: all targets)."""
    refused_by = selected.rule.refused_by
    names: dict[str, list[str]] = {}
    for target in targets:
        if not refused_by or includes_target(refused_by, target):
            names.setdefault(selected.severity_for(target), []).append(target.name)
    if not names:
        return [("note", None)] if targets else []
    if not refused_by and len(names) == 1:
        return [(severity, None) for severity in names]
    return [(severity, ", ".join(listed)) for severity, listed in names.items()]
