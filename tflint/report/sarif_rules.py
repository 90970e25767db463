"""What SARIF says of the tool: its driver, its rules, and what a run could not check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tflint.catalog import Rule
from tflint.catalog.rule_pages import full_stop, help_markdown, help_text, home_url, page_url
from tflint.findings import Report, severity_rank
from tflint.report.display_names import clean, plural
from tflint.report.sarif_locations import to_uri

DRIVER = "tflite-lint"
_SEMANTIC_VERSION = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
#: GitHub shows no more of a description.
_MAX_DESCRIPTION = 1024
_PROBLEM_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}
#: From 7.0 on GitHub calls it high and its check fails, as with a level of error.
_SECURITY_SEVERITY = {"error": "8.0", "warning": "4.0", "note": "4.0"}


def build_driver(version: str, descriptors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The tool component that found everything."""
    home = home_url()
    return {
        "name": DRIVER,
        "version": version,
        **({"semanticVersion": version} if _SEMANTIC_VERSION.fullmatch(version) else {}),
        **({"informationUri": home} if home else {}),
        "rules": list(descriptors),
    }


def cap_severity(severity: str, max_level: str) -> str:
    """A severity, or a level where that is less severe."""
    return min(severity, max_level, key=severity_rank)


def build_descriptor(rule: Rule, max_level: str) -> dict[str, Any]:
    """A rule's descriptor, with its page as help; no more severe than a level."""
    level = cap_severity(rule.severity, max_level)
    url = page_url(rule.id) if rule.is_builtin else ""
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": _cut(rule.summary)},
        "fullDescription": {"text": _cut(rule.why)},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
        **({"helpUri": url} if url else {}),
        "defaultConfiguration": {"level": level},
        "properties": _properties(rule, level),
    }


def _properties(rule: Rule, level: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "precision": rule.confidence,
        "problem.severity": _PROBLEM_SEVERITY[level],
        "tags": ["tflite", *([rule.category] if rule.category else [])],
    }
    if rule.category == "security":
        properties["security-severity"] = _SECURITY_SEVERITY[level]
    return properties


def _cut(text: str) -> str:
    whole = full_stop(text)
    return whole if len(whole) <= _MAX_DESCRIPTION else whole[: _MAX_DESCRIPTION - 1] + "…"


def build_invocation(report: Report, left_out: str) -> dict[str, Any]:
    """The run: whether it worked, what it could not check, and notices."""
    return {
        "executionSuccessful": report.crashes == 0,
        "toolExecutionNotifications": [*_notifications(report, left_out)],
    }


def _notifications(report: Report, left_out: str) -> Iterator[dict[str, Any]]:
    for notice in report.notices:
        yield {"level": notice.level, "message": {"text": clean(notice.message)}}
    if left_out:
        yield {"level": "note", "message": {"text": clean(left_out)}}
    for file in report.files:
        for entry in file.not_checked:
            member = f" of {file.within.member}" if file.within is not None else ""
            text = f"{entry.rule} not checked at {plural(entry.rows, 'place')}{member}: {entry.reason}"
            where = {"physicalLocation": {"artifactLocation": {"uri": to_uri(file.path_on_disk)}}}
            yield {"level": "note", "message": {"text": clean(text)}, "locations": [where]}
