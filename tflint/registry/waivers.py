"""Waivers: let a version of a model pass although a rule reports findings in it. They are on the linting side only.

`tflint-waivers.toml` has an entry per waiver, with the rule, the version, who approved it, why, and until when.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.catalog import Rule
from tflint.errors import UserError
from tflint.findings import FileReport, Finding, Notice, Suppression
from tflint.findings.suppressions import mark_suppressed
from tflint.registry.model_registry import ModelVersion
from tflint.resources import json_schema
from tflint.userfiles.nearest_word import nearest
from tflint.userfiles.schema_errors import check
from tflint.userfiles.userfile import error_in, load_toml, read_text
from tflint.values import frozen
from tflint.wildcards import text_matches

FILE_NAME = "tflint-waivers.toml"


@frozen
class Waiver:
    """A waiver of a rule (id or name) for the versions that the glob `model` matches, such as `bird/7` or `bird/*`."""

    rule: str
    model: str
    approver: str
    reason: str
    expires: datetime.date

    def covers(self, version: ModelVersion) -> bool:
        """Return whether the waiver applies to a version."""
        return text_matches(version.label, self.model)


def load_waivers(path: str, rules: Sequence[Rule]) -> tuple[Waiver, ...]:
    """Read a file of waivers. Raises `UserError`, with the position of the problem, if it is invalid."""
    text = read_text(path)
    data = load_toml(path, text)
    check(data, json_schema("waivers"), path=path, text=text, what="waiver file")
    # Whether a rule may be waived, by its id and by its name.
    known = {name: not rule.for_each.startswith("pair") for rule in rules for name in (rule.id, rule.name)}
    return tuple(_waiver(entry, number, path, text, known) for number, entry in enumerate(data.get("waiver", ())))


def _waiver(entry: dict[str, Any], number: int, path: str, text: str, known: Mapping[str, bool]) -> Waiver:
    def error(key: str, message: str, hint: str) -> UserError:
        return error_in(path, text, ("waiver", number, key), message, hint=hint)

    if entry["rule"] not in known:
        hint = nearest(entry["rule"], sorted(known)) or "'tflint rules' lists them"
        raise error("rule", f"there is no rule '{entry['rule']}'", hint)
    if not known[entry["rule"]]:
        raise error("rule", f"'{entry['rule']}' compares two versions", "a difference is accepted with --accept")
    try:
        expires = datetime.date.fromisoformat(entry["expires"])
    except ValueError as problem:
        raise error("expires", f"'{entry['expires']}' is not a date: {problem}", "YYYY-MM-DD") from None
    return Waiver(entry["rule"], entry["model"], entry["approver"], entry["reason"], expires)


def apply_waivers(
    version: ModelVersion, files: Sequence[FileReport], waivers: Sequence[Waiver], today: datetime.date
) -> tuple[list[FileReport], list[Notice]]:
    """Return the reports with waived findings marked as suppressed, and a notice per expired waiver."""
    covering = [waiver for waiver in waivers if waiver.covers(version)]
    active = {waiver.rule: waiver for waiver in reversed(covering) if waiver.expires >= today}

    def suppress(finding: Finding) -> Suppression | None:
        waiver = active.get(finding.rule) or active.get(finding.name)
        return None if waiver is None else Suppression("waiver", describe(waiver))

    notices = [
        Notice("expired-waiver", f"the waiver of {one.rule} for {one.model} expired on {one.expires}", "warning")
        for one in covering
        if one.expires < today
    ]
    return [mark_suppressed(file, suppress) for file in files], notices


def describe(waiver: Waiver) -> str:
    """Return who approved a waiver, until when, and why."""
    return f"waived by {waiver.approver} until {waiver.expires}: {waiver.reason}"
