"""Suppressions (`[[allow]]`): hide findings of a rule, with a reason and an optional end date."""

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

#: Maximum number of location globs per rule. Each is compared with up to 10,000 findings per file, in 1 µs per finding.
MAX_GLOBS = 100

#: The path of a file, relative to the folder of the configuration, and whether the file is a member of a container.
_FilePath: TypeAlias = tuple[str, bool]


@frozen
class Allow:
    """One suppression: hides findings of `rule` (id or name) in files that `path` covers, at locations that match `at`.

    `at` is compared with the path through the schema and with each name of the location. `until` is the last day on
    which the suppression is valid, or None. `origin` is the file and number of the entry, for notices.
    """

    rule: str
    reason: str
    path: str = "**"
    at: str = ""
    until: datetime.date | None = None
    origin: str = ""


def parse_allow(entry: Mapping[str, Any], origin: str, make_error: Callable[[str], UserError]) -> Allow:
    """Return the suppression of an [[allow]] entry. `make_error` creates the error for an invalid end date."""
    until = None
    if "until" in entry:
        try:
            until = datetime.date.fromisoformat(entry["until"])
        except ValueError as error:
            raise make_error(f"{entry['until']!r} is not a date: {error}") from None
    return Allow(entry["rule"], entry["reason"], entry.get("path", "**"), entry.get("at", ""), until, origin)


def describe_allows(allows: Iterable[Allow]) -> list[tuple[str, str, str, str]]:
    """Return what the suppressions suppress, without their reasons and the files that contain them."""
    return [(allow.rule, allow.path, allow.at, str(allow.until)) for allow in allows]


def require_few_globs(allows: Sequence[Allow], make_error: Callable[[int, str], UserError]) -> None:
    """Raise an error if a rule has more than `MAX_GLOBS` location globs.

    `make_error` creates the error from the index of the first [[allow]] entry over the limit, and a message.
    """
    counts: Counter[str] = Counter()
    for number, allow in enumerate(allows):
        counts[allow.rule] += is_glob(allow.at)
        if counts[allow.rule] > MAX_GLOBS:
            raise make_error(number, f"more than {MAX_GLOBS} location globs for one rule")


def apply_allows(
    files: Sequence[FileReport],
    allows: Sequence[Allow],
    today: datetime.date,
    folder: str = ".",
    kind: str = "allow",
) -> tuple[list[FileReport], list[Notice]]:
    """Return the files with suppressed findings marked, and notices about unused and expired suppressions.

    Globs are relative to `folder`. `kind` is the kind of the suppressions in reports.
    """
    if not allows:
        return list(files), []
    used: set[int] = set()
    paths = [(relative_to_folder(folder, file.path), file.within is not None) for file in files]
    active = [(number, allow) for number, allow in enumerate(allows) if allow.until is None or allow.until >= today]
    index = _Index(active)

    def suppress(finding: Finding, path: _FilePath) -> Suppression | None:
        number = index.find_first(finding, path)
        if number is None:
            return None
        used.add(number)
        return Suppression(kind, allows[number].reason)

    marked = [
        mark_suppressed(file, functools.partial(suppress, path=path)) for file, path in zip(files, paths, strict=True)
    ]
    return marked, [*_report_expired(allows, today), *_report_unused(active, used, paths)]


def _covers(path: _FilePath, glob: str) -> bool:
    return covers(path[0], glob, is_member=path[1])


class _Index:
    """An index of numbered suppressions by rule and file. Lookups per file are cached."""

    def __init__(self, allows: Sequence[tuple[int, Allow]]) -> None:
        self._by_rule: dict[str, list[tuple[int, Allow]]] = {}
        for number, allow in allows:
            self._by_rule.setdefault(allow.rule, []).append((number, allow))
        self._numbers: dict[tuple[str, str, _FilePath], tuple[int, ...]] = {}
        self._globs: dict[tuple[int, ...], FirstGlob] = {}
        self._at = {number: allow.at for number, allow in allows}

    def find_first(self, finding: Finding, path: _FilePath) -> int | None:
        """Return the number of the first suppression that applies to a finding in a file, or None if none applies."""
        key = (finding.rule, finding.name, path)
        numbers = self._numbers.get(key)
        if numbers is None:
            numbers = self._numbers[key] = self._find_for_file(finding, path)
        if not numbers:
            return None
        globs = self._globs.get(numbers)
        if globs is None:
            from tflint.findings.location_globs import FirstGlob

            globs = self._globs[numbers] = FirstGlob((number, self._at[number]) for number in numbers)
        # A finding that represents several places does not have one location to compare with `at`.
        return globs.find(() if finding.n_more else (finding.location.path, *finding.location.names))

    def _find_for_file(self, finding: Finding, path: _FilePath) -> tuple[int, ...]:
        """Return the numbers of the suppressions that have the finding's rule and cover the file."""
        entries = [entry for name in {finding.rule, finding.name} for entry in self._by_rule.get(name, ())]
        globs = {allow.path for _, allow in entries}
        covering = {glob for glob in globs if glob == "**" or _covers(path, glob)}
        return tuple(sorted(number for number, allow in entries if allow.path in covering))


def mark_suppressed(file: FileReport, suppress: Callable[[Finding], Suppression | None]) -> FileReport:
    """Return the report of a file with suppressed findings marked.

    `suppress` returns the suppression of a finding, or None.
    """
    if not file.findings:
        return file
    findings = tuple(
        finding if finding.suppressed else replace(finding, suppressed=suppress(finding)) for finding in file.findings
    )
    return replace(file, findings=findings)


def _report_expired(allows: Iterable[Allow], today: datetime.date) -> list[Notice]:
    message = "{}: the suppression of {} expired on {}; remove or renew it"
    return [
        Notice("expired-allow", message.format(allow.origin, allow.rule, allow.until), "warning")
        for allow in allows
        if allow.until is not None and allow.until < today
    ]


def _report_unused(active: Sequence[tuple[int, Allow]], used: set[int], paths: Sequence[_FilePath]) -> list[Notice]:
    """Return notices about suppressions without findings, if a file that they cover was checked."""
    unused = [allow for number, allow in active if number not in used]
    covering = {glob for glob in {allow.path for allow in unused} if any(_covers(path, glob) for path in paths)}
    return [
        Notice("unused-allow", f"{allow.origin}: the entry for {allow.rule} suppresses nothing; remove it")
        for allow in unused
        if allow.path in covering
    ]
