"""Promotes a version: lints it, compares it with the present holder of the alias, and moves the alias last.

Until the last request, nothing but tags and reports changes, so a run that is interrupted or loses its connection
leaves the alias unchanged. Before the alias moves, the artifacts are hashed again, and rules, contracts and settings
are compared with those of the lint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tflint.errors import UserError
from tflint.program_name import program_name
from tflint.registry.artifacts import Fetched, HostileArtifactError, fetch, hash_version
from tflint.registry.lint_record import (
    FAIL,
    KEY_VARIABLE,
    NOT_APPLICABLE,
    PASS,
    STALE,
    build_tags,
    keep_accepted,
    read_key,
)
from tflint.registry.model_registry import MissingVersionError, ModelVersion, RefusedError, Registry
from tflint.registry.reports import build_reports
from tflint.registry.version_diff import (
    HOLDER_UNREADABLE,
    OTHER_DIFFERENCES,
    Acceptance,
    Difference,
    VersionDiff,
    accept,
    compare_versions,
)
from tflint.registry.version_lint import (
    LintPlan,
    VersionResult,
    end_early,
    lint_fetched,
    open_work_folder,
    quote_label,
)
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen, replace


@frozen
class Promotion:
    """The result of a promotion.

    `holder` is the version to which the alias pointed before, or None. `refusal` is the reason why the alias did not
    move; it is empty if the alias moved.
    """

    result: VersionResult
    alias: str
    holder: ModelVersion | None
    diff: VersionDiff = VersionDiff()
    refusal: str = ""


def promote(
    registry: Registry,
    version: ModelVersion,
    alias: str,
    make_plan: Callable[[], LintPlan],
    accepted: Sequence[Acceptance] = (),
) -> Promotion:
    """Lint a version and move an alias to it if it passes.

    `make_plan` reads rules, contracts and settings; it is called again before the alias moves. Raises
    `UnreachableError` if the registry cannot be read, and `UserError` for an acceptance of an unknown rule.
    """
    plan = make_plan()
    _require_known(accepted, plan)
    holder = registry.find_alias(version.name, alias)
    result, diff = _lint_and_compare(registry, version, holder, plan)
    promotion = _decide(result, alias, holder, accept(diff, accepted), accepted)
    if not promotion.refusal and not _is_current(registry, promotion.result, plan, make_plan()):
        reason = "the artifacts, rules, contracts or settings changed while tflint linted the version"
        stale = replace(promotion.result, record=replace(promotion.result.record, status=STALE))
        return replace(promotion, result=stale, refusal=reason)
    annotate(registry, promotion.result, promotion.diff)
    return promotion if promotion.refusal else _move_alias(registry, promotion)


def _lint_and_compare(
    registry: Registry, version: ModelVersion, holder: ModelVersion | None, plan: LintPlan
) -> tuple[VersionResult, VersionDiff]:
    """Lint a version and compare it with the holder of the alias, with the same copy of its artifacts."""
    diff = VersionDiff()
    try:
        with open_work_folder() as work:
            fetched = fetch(registry, version, work / quote_label(version))
            if holder is not None and holder.number != version.number:
                diff = _compare_with_holder(registry, holder, version, fetched, plan, work)
            return lint_fetched(version, fetched, plan, work), diff
    except HostileArtifactError as error:
        return end_early(version, plan, FAIL, problems=(str(error),)), diff


def _decide(
    result: VersionResult,
    alias: str,
    holder: ModelVersion | None,
    diff: VersionDiff,
    accepted: Sequence[Acceptance],
) -> Promotion:
    """Return the promotion with the reason to refuse it, if there is one. A version with differences fails."""
    refusal = _find_refusal(result, diff)
    record = replace(result.record, accepted=tuple((one.rule, one.reason) for one in accepted))
    if refusal and result.status == PASS:
        return Promotion(
            replace(result, record=replace(record, status=FAIL), problems=(refusal,)), alias, holder, diff, refusal
        )
    return Promotion(replace(result, record=record), alias, holder, diff, refusal)


def _move_alias(registry: Registry, promotion: Promotion) -> Promotion:
    """Move the alias. Return the promotion, with a reason if the registry refuses it."""
    holder = promotion.holder
    try:
        registry.promote(promotion.result.version, promotion.alias, None if holder is None else holder.number)
    except RefusedError as error:  # such as by a gate
        hint = "" if read_key() else f"; without {KEY_VARIABLE}, tflint cannot seal the version for a gate"
        return replace(promotion, refusal=f"{error.reason}{hint}")
    return promotion


def annotate(registry: Registry, result: VersionResult, diff: VersionDiff | None = None) -> bool:
    """Write the tags of a version that have to change, and attach its reports. Return whether anything changed."""
    record = keep_accepted(result.version, result.record)
    tags = build_tags(result.version, record, read_key())
    has_comparison = diff is not None and diff.report is not None
    if tags or has_comparison:
        registry.annotate(result.version, tags, build_reports(result, diff))
    return bool(tags)


def _compare_with_holder(
    registry: Registry, holder: ModelVersion, version: ModelVersion, new: Fetched, plan: LintPlan, work: Path
) -> VersionDiff:
    """Compare a version, whose artifacts are `new`, with the holder of the alias."""
    try:
        old = fetch(registry, holder, work / "holder" / quote_label(holder))
    except (MissingVersionError, HostileArtifactError) as error:
        return VersionDiff(None, (Difference(HOLDER_UNREADABLE, f"{holder.label} cannot be compared: {error}"),))
    return compare_versions(holder, old, version, new, plan)


def _is_current(registry: Registry, result: VersionResult, plan: LintPlan, present: LintPlan) -> bool:
    """Return whether the content and the conditions are still those of the lint."""
    are_same = present.conditions == plan.conditions and plan.contracts.are_unchanged(present.contracts)
    return are_same and hash_version(registry, result.version) == result.record.content


def _find_refusal(result: VersionResult, diff: VersionDiff) -> str:
    """Return why a version must not be promoted, or an empty text."""
    if result.status == NOT_APPLICABLE:
        return "the version contains no TFLite model"
    if result.status != PASS:
        return "; ".join(filter(None, [result.describe() or result.status, _describe(diff)]))
    return _describe(diff)


def _describe(diff: VersionDiff) -> str:
    count = diff.n_refusing
    return f"{count} difference{'s' * (count != 1)} from the present holder" if count else ""


def _require_known(accepted: Sequence[Acceptance], plan: LintPlan) -> None:
    """Raise `UserError` if there is no rule with the id or name of an acceptance."""
    rules = [rule for rule in plan.catalog.rules if rule.for_each.startswith("pair")]
    known = [*OTHER_DIFFERENCES, *(name for rule in rules for name in (rule.id, rule.name))]
    for one in accepted:
        if one.rule not in known:
            hint = nearest(one.rule, known) or "'tflint rules' lists the rules about two models"
            raise UserError(f"'{one.rule}' is not a difference that '{program_name()} diff' reports", hint=hint)
