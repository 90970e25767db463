"""Suppressions: which findings a configuration takes back, with a reason and perhaps an end date."""

from __future__ import annotations

import datetime
import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from tflint.errors import UserError
from tflint.findings.finding import FileReport, Finding, Notice, Suppression
from tflint.findings.location_globs import FirstGlob, is_glob
from tflint.findings.path_globs import covers, relative_to_folder
from tflint.values import frozen, replace

if TYPE_CHECKING:  # most runs have no suppressions
    from tflint.findings.location_globs import FirstGlob

#: Most globs of places for one rule: each is compared with up to 10,000 findings of a file, a microsecond each.
MAX_GLOBS = 100

#: A file's path as the configuration sees it, and whether it is a member of a container.
_Seen: TypeAlias = tuple[str, bool]


@frozen
class Allow:
    """One suppression: findings of a rule (id or name), in files that `path` covers, at places that match `at`.

    `at` is compared with the route through the schema and with each name. `until` is the last day it holds;
    `origin` says where it is written.
    """

    rule: str
    reason: str
    path: str = "**"
    at: str = ""
    until: datetime.date | None = None
    origin: str = ""


def parse_allow(entry: Mapping[str, Any], origin: str, wrong: Callable[[str], UserError]) -> Allow:
    """The suppression that an [[allow]] of a file says; `wrong` makes the error of an end date that is none."""
    until = None
    if "until" in entry:
        try:
            until = datetime.date.fromisoformat(entry["until"])
        except ValueError as error:
            raise wrong(f"{entry['until']!r} is not a date: {error}") from None
    return Allow(entry["rule"], entry["reason"], entry.get("path", "**"), entry.get("at", ""), until, origin)


def require_few_globs(allows: Sequence[Allow], wrong: Callable[[int, str], UserError]) -> None:
    """Refuse more than `MAX_GLOBS` globs of places for one rule; `wrong` makes the error for the entry of a number."""
    counts: Counter[str] = Counter()
    for number, allow in enumerate(allows):
        counts[allow.rule] += is_glob(allow.at)
        if counts[allow.rule] > MAX_GLOBS:
            raise wrong(number, f"there are more than {MAX_GLOBS} globs of places for one rule")


def apply_allows(
    files: Sequence[FileReport], allows: Sequence[Allow], today: datetime.date, folder: str = "."
) -> tuple[list[FileReport], list[Notice]]:
    """Files with their suppressed findings marked, and what there is to say about unused and expired suppressions.

    Globs count from `folder`.
    """
    if not allows:
        return list(files), []
    used: set[int] = set()
    paths = [(relative_to_folder(folder, file.path), file.within is not None) for file in files]
    living = [(number, allow) for number, allow in enumerate(allows) if allow.until is None or allow.until >= today]
    allows_of_run = _Index(living)

    def suppress(finding: Finding, path: _Seen) -> Suppression | None:
        number = allows_of_run.first(finding, path)
        if number is None:
            return None
        used.add(number)
        return Suppression("allow", allows[number].reason)

    marked = [
        mark_suppressed(file, functools.partial(suppress, path=path)) for file, path in zip(files, paths, strict=True)
    ]
    return marked, [*_expired(allows, today), *_unused(living, used, paths)]


def _covers(path: _Seen, glob: str) -> bool:
    return covers(path[0], glob, is_member=path[1])


class _Index:
    """Numbered suppressions, found by rule, then by the file's path, then by place, each step once."""

    def __init__(self, allows: Sequence[tuple[int, Allow]]) -> None:
        self._by_rule: dict[str, list[tuple[int, Allow]]] = {}
        for number, allow in allows:
            self._by_rule.setdefault(allow.rule, []).append((number, allow))
        self._numbers: dict[tuple[str, str, _Seen], tuple[int, ...]] = {}
        self._globs: dict[tuple[int, ...], FirstGlob] = {}
        self._at = {number: allow.at for number, allow in allows}

    def first(self, finding: Finding, path: _Seen) -> int | None:
        """The number of the first suppression that is meant for a finding in the file at a path."""
        key = (finding.rule, finding.name, path)
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = self._in_file(finding, path)
        if not numbers:
            return None
        globs = self._globs.get(numbers)
        if globs is None:
            from tflint.findings.location_globs import FirstGlob

            globs = self._globs[numbers] = FirstGlob((number, self._at[number]) for number in numbers)
        # A finding for further places has no place of its own.
        return globs.of(() if finding.n_more else (finding.location.path, *finding.location.names))

    def _in_file(self, finding: Finding, path: _Seen) -> tuple[int, ...]:
        """The suppressions of a finding's rule whose glob covers the file; each glob is matched once."""
        entries = [entry for name in {finding.rule, finding.name} for entry in self._by_rule.get(name, ())]
        globs = {allow.path for _, allow in entries}
        covering = {glob for glob in globs if glob == "**" or _covers(path, glob)}
        return tuple(sorted(number for number, allow in entries if allow.path in covering))


def mark_suppressed(file: FileReport, suppress: Callable[[Finding], Suppression | None]) -> FileReport:
    """A file's report with the findings marked that a function gives a suppression for."""
    if not file.findings:
        return file
    findings = tuple(
        finding if finding.suppressed else replace(finding, suppressed=suppress(finding)) for finding in file.findings
    )
    return replace(file, findings=findings)


def _expired(allows: Iterable[Allow], today: datetime.date) -> list[Notice]:
    ended = "{}: the suppression of {} ended on {}; remove it, or decide anew"
    return [
        Notice("expired-allow", ended.format(allow.origin, allow.rule, allow.until), "warning")
        for allow in allows
        if allow.until is not None and allow.until < today
    ]


def _unused(living: Sequence[tuple[int, Allow]], used: set[int], paths: Sequence[_Seen]) -> list[Notice]:
    """Suppressions of files that were checked and that matched nothing; of others nothing can be said."""
    unused = [allow for number, allow in living if number not in used]
    covering = {glob for glob in {allow.path for allow in unused} if any(_covers(path, glob) for path in paths)}
    return [
        Notice("unused-allow", f"{allow.origin}: nothing is suppressed by the entry for {allow.rule}; remove it")
        for allow in unused
        if allow.path in covering
    ]
