"""Runs the selected rules over a batch and makes the findings of each file; a crash costs one rule, not the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflint.catalog.rule import Rule
from tflint.columns.column import text_of
from tflint.config import TargetOptions
from tflint.contract import Contract
from tflint.engine.identity import identity
from tflint.engine.judge import Case, Hit, Judge
from tflint.engine.locate import Locator
from tflint.engine.select import Selected
from tflint.errors import TflintError
from tflint.facts.fact_registry import ABOUT_CONTRACTS, ABOUT_PAIRS, FILE_TABLES
from tflint.facts.facts import FactError, Facts
from tflint.findings import ContainerOverview, FileReport, Finding, Location, NotChecked, Overview, severity_rank
from tflint.findings.fingerprint import number_duplicates
from tflint.language.message_text import fill
from tflint.model.tables import FileFacts, Tables
from tflint.source import SourceError
from tflint.source.file_kind import UNREADABLE_FOLDER
from tflint.targets.target import Target, contract_targets, is_refusing
from tflint.values import EMPTY, frozen, replace

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins

#: Findings of one file over all rules that are listed one by one: what hostile files can cost.
MAX_FINDINGS = 40_000


@frozen
class Plan:
    """What to run: rules, declared targets, constants of the users' rules, and the rule that tells of crashes.

    `plugins` are facts besides tflint's own. `named_targets` are those that the configuration describes, for contracts
    to name; `is_default_target` tells that it declares none.
    """

    rules: tuple[Selected, ...]
    targets: tuple[Target, ...]
    constants: Mapping[str, Mapping[str, Any]]
    crash_rule: Rule
    plugins: Plugins | None = None
    named_targets: Mapping[str, TargetOptions] = EMPTY
    is_default_target: bool = True


def planned(plan: Plan, contract: Contract | None) -> Plan:
    """The plan for a model with a contract: the targets that this names count as declared."""
    if contract is None or not contract.model.get("targets"):
        return plan
    declared = () if plan.is_default_target else plan.targets
    return replace(plan, targets=tuple(dict.fromkeys((*declared, *contract_targets(contract, plan.named_targets)))))


class BatchCrashError(TflintError):
    """A fact or rule crashed on a batch of several files, or cost too much: it must be done again file by file, so that
    the verdict of one does not depend on the others.
    """


@frozen
class _Judged:
    """A rule judged for one target (None: for all), how severe that is, and whom it holds for (None: everybody)."""

    selected: Selected
    target: Target | None
    case: Case
    severity: str
    holds_for: str | None

    @property
    def rank(self) -> int:
        """A number that grows with severity."""
        return severity_rank(self.severity)


def run_batch(
    tables: Tables,
    files: Sequence[str],
    plan: Plan,
    contracts: Mapping[int, Contract] = EMPTY,
    pairs: Mapping[int, int] = EMPTY,
) -> list[FileReport]:
    """The reports of a batch's files; `contracts` are those of files by number, ascending.

    `pairs` says which file is the older version of which, by number, ascending: then only rules about pairs run, and
    the newer one's report tells what they find. Raises `BatchCrashError` where one of several files that are no pair
    crashes a rule.
    """
    rules = _of_pairs(plan) if pairs else _concerned(tables, plan, with_contracts=bool(contracts))
    facts = Facts(tables, _read_by(rules), plan.plugins, contracts, pairs)
    locator = Locator(facts, list(files))
    judged = [one for selected in rules for one in _to_judge(selected, plan)]
    judge = Judge(facts, plan.constants, [target.record() for target in plan.targets])
    judge.judge(one.case for one in judged)
    crashes = {one.case.rule.id: (one.selected, one.case.crash) for one in judged if one.case.crash is not None}
    for _, crash in crashes.values():
        _raise_source_error(crash)
        if len(files) > 1 and not pairs:
            raise BatchCrashError(str(crash)) from crash
    if len(files) > 1 and not pairs and any(one.case.is_over_budget for one in judged):
        raise BatchCrashError("a rule was given up for its cost")
    judged = [one for one in judged if one.case.rule.id not in crashes]
    findings = _findings(judged, locator)
    for selected, crash in crashes.values():
        findings[0].append(_crash(selected, crash, files[0], plan))
    overviews = _overviews(facts)
    digests = _digests(facts) if tables.is_readable else {}
    facts.forget()
    contained = [_contained(file) for file in tables.files]
    return [
        FileReport(
            path,
            kind="pair" if number in pairs else _kind(tables.files[number]),
            status=_status(tables, number),
            findings=tuple(_identified(findings[number])),
            not_checked=tuple(_not_checked(judged, number)),
            overview=overviews[number],
            contained=contained[number],
            sha256=digests.get(number),
            contract=contracts[number].path if number in contracts else None,
            compared_with=files[pairs[number]] if number in pairs else None,
        )
        for number, path in enumerate(files)
    ]


def _digests(facts: Facts) -> dict[int, str]:
    """The SHA-256 of models whose contracts pin it: of no others, reading a model whole takes longer than a check."""
    if not any("sha256" in contract.model for contract in facts.contracts.values()):
        return {}
    column = facts.column("model", "sha256")
    return {number: text for number in facts.contracts if (text := text_of(column, number)) is not None}


def _kind(file: FileFacts) -> str:
    """What a file is to the report; a folder that cannot be listed is a source of models."""
    if file.contents is not None:
        return "container"
    return "source" if file.kind.kind == UNREADABLE_FOLDER else "model"


def _status(tables: Tables, number: int) -> str:
    file = tables.files[number]
    is_listed = file.contents is not None and file.contents.reason is None
    return "checked" if tables.is_readable or is_listed else "unreadable"


def _contained(file: FileFacts) -> ContainerOverview | None:
    """A container in a line; None for what is none."""
    contents = file.contents
    if contents is None:
        return None
    return ContainerOverview(contents.format, len(contents.members), contents.n_models, file.size)


def _concerned(tables: Tables, plan: Plan, *, with_contracts: bool) -> list[Selected]:
    """The rules that need be run: not those about operators or contracts that no model has, and of no model only those
    of files.
    """
    if not tables.is_readable:
        return [selected for selected in plan.rules if selected.rule.for_each in FILE_TABLES]
    column = tables.column("operator_code", "opcode")
    opcodes = {text for row in range(len(column)) if (text := text_of(column, row)) is not None}
    return [
        selected
        for selected in plan.rules
        if (not selected.rule.opcodes or not opcodes.isdisjoint(selected.rule.opcodes))
        and (with_contracts or selected.rule.for_each not in ABOUT_CONTRACTS)
        and selected.rule.for_each not in ABOUT_PAIRS
    ]


def _of_pairs(plan: Plan) -> list[Selected]:
    """The rules that compare two versions of a model."""
    return [selected for selected in plan.rules if selected.rule.for_each in ABOUT_PAIRS]


def _read_by(rules: Sequence[Selected]) -> set[tuple[str, str]]:
    """The columns that the conditions of rules read."""
    conditions = [condition for selected in rules for condition in (selected.rule.where, selected.rule.require)]
    return {read for condition in conditions if condition is not None for read in condition.reads}


def _raise_source_error(error: BaseException) -> None:
    """A file that changed while a fact read it is no crash: the file is read anew, as one that cannot be read."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, SourceError):
            raise seen
        seen = seen.__cause__


def _to_judge(selected: Selected, plan: Plan) -> list[_Judged]:
    """A rule once for each declared target, or once for all where it does not read the target."""
    rule = selected.rule
    if rule.reads_target:
        return [
            _Judged(selected, target, Case(rule, number), selected.severity, target.name)
            for number, target in enumerate(plan.targets)
        ]
    severity, holds_for = _severity(selected, plan)
    return [_Judged(selected, None, Case(rule), severity, holds_for)]


def _severity(selected: Selected, plan: Plan) -> tuple[str, str | None]:
    """Severity by the declared targets, and the names of those it holds for (None: all)."""
    if not selected.rule.refused_by:
        return selected.severity, None
    refusing = [target.name for target in plan.targets if is_refusing(target, selected.rule.refused_by)]
    return (selected.severity, ", ".join(refusing)) if refusing else ("note", None)


# -- findings ----------------------------------------------------------------------------------------------------------


@frozen
class _Found:
    """A finding on its way: with what it mutes and is muted by, and what identifies its place."""

    finding: Finding
    key: tuple[str, ...]


def _findings(judged: Sequence[_Judged], locator: Locator) -> dict[int, list[_Found]]:
    muted = _muted(judged)
    findings: dict[int, list[_Found]] = defaultdict(list)
    for entry in judged:
        rule = entry.selected.rule
        louder = muted.get(rule.id, {})
        more: dict[int, int] = defaultdict(int)
        for hit in entry.case.hits:
            if any(louder.get(place, -1) >= entry.rank for place in _places(rule, hit)):
                continue
            file = locator.file_of(rule.for_each, hit.row)
            if file not in more:  # if every listed place is muted, the others count as muted
                more[file] = entry.case.unlisted.get(file, 0)
            if len(findings[file]) < MAX_FINDINGS:
                findings[file].append(_found(entry, hit, locator))
            else:
                more[file] += 1
        for file, n_more in more.items():
            if n_more:
                findings[file].append(_more(entry, n_more, locator.files[file]))
    return findings


def _places(rule: Rule, hit: Hit) -> set[tuple[str, int]]:
    return {(rule.for_each, hit.row), (hit.on_table, hit.on_row)}


def _muted(judged: Sequence[_Judged]) -> dict[str, dict[tuple[str, int], int]]:
    """For each rule the places where a rule with the same root cause has spoken, and how severely.

    It silences what is no more severe than itself: a rule that a target or an older ruleset makes a note must not
    take away an error.
    """
    muted: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for entry in judged:
        for other in entry.selected.rule.mutes:
            for hit in entry.case.hits:
                for place in _places(entry.selected.rule, hit):
                    muted[other][place] = max(muted[other].get(place, 0), entry.rank)
    return muted


def _more(entry: _Judged, n_more: int, path: str) -> _Found:
    """The one finding that stands for all places of a rule beyond those that get one each."""
    message = f"{n_more:,} more places that are not listed one by one"
    return _Found(_finding(entry, message, Location(path), n_more=n_more), (_target_of(entry), "more places"))


def _found(entry: _Judged, hit: Hit, locator: Locator) -> _Found:
    """The finding of a hit."""
    rule = entry.selected.rule
    values = [part.expression.text for part in rule.message if part.expression is not None]
    finding = _finding(
        entry,
        fill(rule.message, hit.values),
        locator.location(hit.on_table, hit.on_row, rule.keys),
        related=locator.related(hit.on_table, hit.on_row),
        evidence=dict(zip(values, hit.values, strict=True)),
    )
    return _Found(finding, (_target_of(entry), *identity(locator, hit.on_table, hit.on_row)))


def _target_of(entry: _Judged) -> str:
    return entry.target.name if entry.target else ""


def _finding(entry: _Judged, message: str, location: Location, **more: Any) -> Finding:
    """A finding of a judged rule; its identity is known when all of a file are."""
    rule = entry.selected.rule
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=entry.severity,
        severity_before=rule.severity,
        confidence=rule.confidence,
        message=message,
        location=location,
        fix=rule.fix,
        identity=(),
        target=entry.holds_for,
        refused_by=rule.refused_by,
        runs_on=rule.runs_on,
        is_newer=entry.selected.is_newer,
        **more,
    )


def _identified(found: Sequence[_Found]) -> list[Finding]:
    keys = number_duplicates((entry.finding.rule, *entry.key) for entry in found)
    return [replace(entry.finding, identity=key[1:]) for entry, key in zip(found, keys, strict=True)]


def _crash(selected: Selected, error: BaseException, path: str, plan: Plan) -> _Found:
    import traceback

    rule = plan.crash_rule
    where = traceback.extract_tb(error.__traceback__)[-1]
    what = str(error) if isinstance(error, FactError) else f"{type(error).__name__}: {error}"
    message = f"rule {selected.rule.id} could not be run: {what} ({where.name}, line {where.lineno})"
    finding = Finding(
        rule.id, rule.name, rule.severity, rule.severity, rule.confidence, message, Location(path), rule.fix, ()
    )
    return _Found(finding, (selected.rule.id,))


def _not_checked(judged: Sequence[_Judged], number: int) -> list[NotChecked]:
    rows: dict[tuple[str, str], int] = {}
    for entry in judged:
        count = entry.case.undecided.get(number, 0)
        if count:
            key = (entry.selected.rule.id, entry.case.reason)
            rows[key] = max(rows.get(key, 0), count)
    return [NotChecked(rule, count, reason) for (rule, reason), count in rows.items()]


def _overviews(facts: Facts) -> list[Overview | None]:
    """Each model in a line; None for a file that is no model, or where a fact crashed (its rules say so)."""
    n_files = facts.tables.n_files
    if not facts.tables.is_readable:
        return [None] * n_files
    try:
        schemes = facts.column("model", "scheme")
        operators, tensors = facts.numbers("model", "n_operators"), facts.numbers("model", "n_tensors")
        sizes = facts.numbers("model", "size")
        compiled = _compiled_for(facts)
    except FactError:
        return [None] * n_files
    return [
        Overview(text_of(schemes, k) or "", int(operators[k]), int(tensors[k]), int(sizes[k]), compiled[k])
        for k in range(n_files)
    ]


def _compiled_for(facts: Facts) -> list[tuple[str, ...]]:
    """The accelerators of each model, with the chip where the model names it."""
    accelerators = facts.lists("model", "compiled_for")
    found: list[tuple[str, ...]] = []
    for model, length in enumerate(accelerators.lengths.tolist()):
        names = (
            [accelerators.labels[code] for code in accelerators.row(model)] if length and accelerators.labels else []
        )
        soc = text_of(facts.column("model", "soc"), model) if names else None
        found.append((*names, soc) if soc else tuple(names))
    return found
