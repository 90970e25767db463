"""Turns the hits of judged rules into findings per file, with locations and identities, and collects what was not
checked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from tflint.catalog.rule import Rule
from tflint.engine.identity import identity
from tflint.engine.judge import Hit
from tflint.engine.locate import Locator
from tflint.engine.mute import Mutes
from tflint.engine.plan import JudgedRule
from tflint.engine.select import Selected
from tflint.facts.facts import FactError
from tflint.findings import Finding, Location, NotChecked
from tflint.findings.fingerprint import number_duplicates
from tflint.language.message_text import fill
from tflint.values import frozen, replace

#: Maximum number of findings of a file, over all rules, that are listed one by one. Bounds the cost of hostile files.
MAX_FINDINGS = 40_000


@frozen
class Draft:
    """A finding without its final identity, and the key from which that identity is built."""

    finding: Finding
    key: tuple[str, ...]


def findings_by_file(judged: Sequence[JudgedRule], locator: Locator) -> tuple[dict[int, list[Draft]], Counter[int]]:
    """Return the findings of each file by file number, without muted findings.

    The second value has the number of findings of each file that users' rules mute.
    """
    mutes = Mutes(judged, locator)
    users_mutes = Mutes([entry for entry in judged if not entry.rule.is_builtin], locator)
    n_muted: Counter[int] = Counter()
    findings: dict[int, list[Draft]] = defaultdict(list)
    for entry in judged:
        n_unlisted: dict[int, int] = {}
        for hit in entry.case.hits:
            file = locator.file_of(entry.rule.for_each, hit.row)
            if mutes.is_muted(entry, hit):
                n_muted[file] += users_mutes.is_muted(entry, hit)
                continue
            if file not in n_unlisted:  # if every listed place is muted, the unlisted places count as muted, too
                n_unlisted[file] = entry.case.unlisted.get(file, 0)
            if len(findings[file]) < MAX_FINDINGS:
                findings[file].append(_draft(entry, hit, locator))
            else:
                n_unlisted[file] += 1
        for file, count in n_unlisted.items():
            if count:
                findings[file].append(_draft_of_unlisted(entry, count, locator.files[file]))
    return findings, n_muted


def identify(drafts: Sequence[Draft]) -> list[Finding]:
    """Return the findings of one file with their identities. Findings with equal keys are numbered."""
    keys = number_duplicates((draft.finding.rule, *draft.key) for draft in drafts)
    return [replace(draft.finding, identity=key[1:]) for draft, key in zip(drafts, keys, strict=True)]


def draft_of_crash(selected: Selected, error: BaseException, path: str, crash_rule: Rule) -> Draft:
    """Return the finding about a rule that crashed."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    reason = str(error) if isinstance(error, FactError) else f"{type(error).__name__}: {error}"
    finding = Finding(
        rule=crash_rule.id,
        name=crash_rule.name,
        severity=crash_rule.severity,
        severity_before=crash_rule.severity,
        confidence=crash_rule.confidence,
        message=f"rule {selected.rule.id} could not run: {reason} ({frame.name}, line {frame.lineno})",
        location=Location(path),
        fix=crash_rule.fix,
        identity=(),
    )
    return Draft(finding, (selected.rule.id,))


def finding_without_rows(selected: Selected, path: str) -> Finding:
    """Return the finding of a rule about a file as a whole that the engine does not evaluate on rows."""
    rule = selected.rule
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=selected.severity,
        severity_before=rule.severity,
        confidence=rule.confidence,
        message=fill(rule.message, ()),
        location=Location(path),
        fix=rule.fix,
        identity=(),
        is_newer=selected.is_newer,
    )


def not_checked(judged: Sequence[JudgedRule], file: int) -> list[NotChecked]:
    """Return what rules could not decide about a file: the number of rows per rule and reason."""
    rows: dict[tuple[str, str], int] = {}
    for entry in judged:
        count = entry.case.undecided.get(file, 0)
        if count:
            key = (entry.rule.id, entry.case.reason)
            rows[key] = max(rows.get(key, 0), count)
    return [NotChecked(rule, count, reason) for (rule, reason), count in rows.items()]


def _draft(entry: JudgedRule, hit: Hit, locator: Locator) -> Draft:
    rule = entry.rule
    expressions = [part.expression.text for part in rule.message if part.expression is not None]
    finding = _finding(
        entry,
        fill(rule.message, hit.values),
        locator.location(hit.on_table, hit.on_row, rule.keys),
        related=locator.related_locations(hit.on_table, hit.on_row, hit.related, rule.keys),
        evidence=dict(zip(expressions, hit.values, strict=True)),
    )
    return Draft(finding, (_target_name(entry), *identity(locator, hit.on_table, hit.on_row)))


def _draft_of_unlisted(entry: JudgedRule, count: int, path: str) -> Draft:
    """Return the single finding that stands for all unlisted places of a rule."""
    message = f"{count:,} more places that are not listed one by one"
    return Draft(_finding(entry, message, Location(path), n_more=count), (_target_name(entry), "more places"))


def _target_name(entry: JudgedRule) -> str:
    return entry.target.name if entry.target else ""


def _finding(entry: JudgedRule, message: str, location: Location, **more: Any) -> Finding:
    rule = entry.rule
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=entry.severity,
        severity_before=rule.severity_for(entry.target),
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
