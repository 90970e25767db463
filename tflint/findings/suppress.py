"""Suppressions: which findings a configuration takes back, with a reason and perhaps an end date."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tflint.errors import UserError
from tflint.findings.finding import FileReport, Finding, Notice, Suppression
from tflint.findings.paths import covers, seen_from
from tflint.values import frozen, replace
from tflint.wildcards import text_matches


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

    def covers(self, finding: Finding, path: str) -> bool:
        """Whether it is meant for a finding in the file at a path."""
        if self.rule not in (finding.rule, finding.name) or not covers(path, self.path):
            return False
        if finding.n_more and self.at:
            return False
        places = (finding.location.path, *finding.location.names)
        return not self.at or any(place == self.at or text_matches(place, self.at) for place in places)


def allow_of(entry: Mapping[str, Any], origin: str, wrong: Callable[[str], UserError]) -> Allow:
    """The suppression that an [[allow]] of a file says; `wrong` makes the error of an end date that is none."""
    until = None
    if "until" in entry:
        try:
            until = datetime.date.fromisoformat(entry["until"])
        except ValueError as error:
            raise wrong(f"'{entry['until']}' is no date: {error}") from None
    return Allow(entry["rule"], entry["reason"], entry.get("path", "**"), entry.get("at", ""), until, origin)


def apply_allows(
    files: Sequence[FileReport], allows: Sequence[Allow], today: datetime.date, folder: str = "."
) -> tuple[list[FileReport], list[Notice]]:
    """Files with their suppressed findings marked, and what there is to say about unused and expired suppressions.

    Globs count from `folder`.
    """
    if not allows:
        return list(files), []
    used: set[int] = set()
    paths = [seen_from(folder, file.path) for file in files]
    living = [(number, allow) for number, allow in enumerate(allows) if allow.until is None or allow.until >= today]

    def suppress(finding: Finding, path: str) -> Suppression | None:
        for number, allow in living:
            if allow.covers(finding, path):
                used.add(number)
                return Suppression("allow", allow.reason)
        return None

    marked = [mark(file, functools.partial(suppress, path=path)) for file, path in zip(files, paths, strict=True)]
    return marked, [*_expired(allows, today), *_unused(living, used, paths)]


def mark(file: FileReport, suppress: Callable[[Finding], Suppression | None]) -> FileReport:
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


def _unused(living: Iterable[tuple[int, Allow]], used: set[int], paths: Sequence[str]) -> list[Notice]:
    """Suppressions of files that were looked at and that matched nothing; of others nothing can be said."""
    return [
        Notice("unused-allow", f"{allow.origin}: nothing is suppressed by the entry for {allow.rule}; remove it")
        for number, allow in living
        if number not in used and any(covers(path, allow.path) for path in paths)
    ]
