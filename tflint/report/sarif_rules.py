"""Builds the SARIF objects of the tool: driver, rule descriptors and invocation."""

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
#: Maximum length of a description that GitHub shows.
_MAX_DESCRIPTION = 1024
_PROBLEM_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}
#: GitHub's `security-severity` by severity. From 7.0 on, GitHub's own check fails, as it does for the level `error`.
_SECURITY_SEVERITY = {"error": "8.0", "warning": "4.0", "note": "4.0"}


def build_driver(version: str, descriptors: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the tool component."""
    home = home_url()
    return {
        "name": DRIVER,
        "version": version,
        **({"semanticVersion": version} if _SEMANTIC_VERSION.fullmatch(version) else {}),
        **({"informationUri": home} if home else {}),
        "rules": list(descriptors),
    }


def cap_severity(severity: str, max_level: str) -> str:
    """Return the severity, but at most `max_level`."""
    return min(severity, max_level, key=severity_rank)


def build_descriptor(rule: Rule, max_level: str) -> dict[str, Any]:
    """Return the descriptor of a rule. Its help is the page of the rule; its severity is at most `max_level`."""
    level = cap_severity(rule.severity, max_level)
    url = page_url(rule.id) if rule.is_builtin else ""
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": _shorten(rule.summary)},
        "fullDescription": {"text": _shorten(rule.why)},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
        **({"helpUri": url} if url else {}),
        "defaultConfiguration": {"level": level},
        "properties": _build_properties(rule, level),
    }


def _build_properties(rule: Rule, level: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "precision": rule.confidence,
        "problem.severity": _PROBLEM_SEVERITY[level],
        "tags": ["tflite", *([rule.category] if rule.category else [])],
    }
    if rule.category == "security":
        properties["security-severity"] = _SECURITY_SEVERITY[level]
    return properties


def _shorten(text: str) -> str:
    sentence = full_stop(text)
    return sentence if len(sentence) <= _MAX_DESCRIPTION else sentence[: _MAX_DESCRIPTION - 1] + "…"


def build_invocation(report: Report, omitted: str) -> dict[str, Any]:
    """Return the invocation: whether the run succeeded, the undecided rules and the notices.

    `omitted` is a sentence about omitted findings, or empty.
    """
    return {
        "executionSuccessful": report.crashes == 0,
        "toolExecutionNotifications": [*_build_notifications(report, omitted)],
    }


def _build_notifications(report: Report, omitted: str) -> Iterator[dict[str, Any]]:
    for notice in report.notices:
        yield {"level": notice.level, "message": {"text": clean(notice.message)}}
    if omitted:
        yield {"level": "note", "message": {"text": clean(omitted)}}
    for file in report.files:
        for entry in file.not_checked:
            member = f" of {file.within.member}" if file.within is not None else ""
            text = f"{entry.rule} not checked at {plural(entry.rows, 'place')}{member}: {entry.reason}"
            location = {"physicalLocation": {"artifactLocation": {"uri": to_uri(file.path_on_disk)}}}
            yield {"level": "note", "message": {"text": clean(text)}, "locations": [location]}
