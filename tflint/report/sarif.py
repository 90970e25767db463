"""The report as SARIF 2.1.0, in one of two profiles.

`github` gives each finding a text region (GitHub wants one, although the file is binary), leaves suppressed findings
out and keeps the 5,000 most severe; `spec` gives byte regions and suppressions, as the standard says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from tflint.catalog import Rule
from tflint.catalog.pages import help_markdown, help_text, page_url
from tflint.findings import Finding, Location, Report, severity_rank
from tflint.report.names import noun

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DRIVER = "tflite-lint"
#: GitHub keeps this many results of a run.
GITHUB_RESULTS = 5000
PROFILES = ("github", "spec")
_MORE = "more-findings"
_PROBLEM_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(report: Report, rules: Sequence[Rule], profile: str) -> str:
    """The SARIF text of a report, ended by a newline; `rules` are those that could have spoken."""
    return json.dumps(to_data(report, rules, profile), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_data(report: Report, rules: Sequence[Rule], profile: str) -> dict[str, Any]:
    """The SARIF log as plain data."""
    findings = sorted(report.findings(), key=lambda finding: -severity_rank(finding.severity))
    if profile == "github":
        findings = [finding for finding in findings if finding.suppressed is None]
    spoken = {finding.rule for finding in findings}
    described = [rule for rule in rules if rule.id in spoken]
    indexes = {rule.id: index for index, rule in enumerate(described)}
    kept = findings
    if profile == "github" and len(findings) > GITHUB_RESULTS:
        kept = findings[: GITHUB_RESULTS - 1]
    results = [_result(finding, indexes, profile) for finding in kept]
    descriptors = [_descriptor(rule) for rule in described]
    if len(kept) < len(findings):
        results.append(_more(len(findings) - len(kept), kept[0].location.file, len(descriptors)))
        descriptors.append({"id": _MORE, "shortDescription": {"text": "Findings beyond what GitHub keeps of a run."}})
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [_run(report, descriptors, results)]}


def _run(report: Report, descriptors: list[dict[str, Any]], results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "tool": {
            "driver": {
                "name": DRIVER,
                "version": report.version,
                "semanticVersion": report.version,
                "rules": descriptors,
            }
        },
        "automationDetails": {"id": f"{DRIVER}/"},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": _notifications(report)}],
        "columnKind": "utf16CodeUnits",
        "artifacts": [_artifact(file.path, file.overview.n_bytes if file.overview else -1) for file in report.files],
        "properties": {"targets": list(report.targets), "ruleset": report.ruleset},
        "results": results,
    }


def _artifact(path: str, n_bytes: int) -> dict[str, Any]:
    return {"location": {"uri": uri(path)}, **({"length": n_bytes} if n_bytes >= 0 else {})}


def _notifications(report: Report) -> list[dict[str, Any]]:
    """What could not be checked, and notices of the run."""
    texts = [notice.message for notice in report.notices]
    for file in report.files:
        texts += [f"{file.path}: {n.rule} not checked at {n.rows} places: {n.reason}" for n in file.not_checked]
    return [{"level": "note", "message": {"text": text}} for text in texts]


def _descriptor(rule: Rule) -> dict[str, Any]:
    url = page_url(rule.id)
    properties: dict[str, Any] = {
        "precision": rule.confidence,
        "problem.severity": _PROBLEM_SEVERITY[rule.severity],
        "tags": ["tflite", *([rule.category] if rule.category else [])],
    }
    if rule.category == "security":
        properties["security-severity"] = "8.0" if rule.severity == "error" else "4.0"
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary[:1024]},
        "fullDescription": {"text": rule.why[:1024]},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
        **({"helpUri": url} if url else {}),
        "defaultConfiguration": {"level": rule.severity},
        "properties": properties,
    }


def _result(finding: Finding, indexes: dict[str, int], profile: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        **({"ruleIndex": indexes[finding.rule]} if finding.rule in indexes else {}),
        "level": finding.severity,
        "message": {"text": _message(finding)},
        "locations": [_location(finding.location, profile)],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:1"},
        "properties": _properties(finding),
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(related.location, profile), "id": number, "message": {"text": related.message}}
            for number, related in enumerate(finding.related, 1)
        ]
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "external", "justification": finding.suppressed.reason}]
    return result


def _message(finding: Finding) -> str:
    place = finding.location.names[-1] if finding.location.names else ""
    where = f" ({noun(finding.location)} '{place}')" if place else ""
    refused = ""
    if finding.refused_by:
        refused = f" Refused by {', '.join(finding.refused_by)}; runs on {', '.join(finding.runs_on)}."
    return f"{finding.message}{where}.{refused} Fix: {finding.fix}."


def _properties(finding: Finding) -> dict[str, Any]:
    location = finding.location
    return {
        "path": location.path,
        **({"target": finding.target} if finding.target else {}),
        **({"tflint/byteRange": [location.bytes.offset, location.bytes.length]} if location.bytes else {}),
    }


def _location(location: Location, profile: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(location.file)},
            "region": _region(location, profile),
        }
    }
    if location.path:
        name = location.names[-1] if location.names else location.path
        qualified = f"{location.path}/{name}" if name else location.path
        found["logicalLocations"] = [
            {"name": name or location.path, "fullyQualifiedName": qualified, "kind": noun(location)}
        ]
    return found


def _region(location: Location, profile: str) -> dict[str, int]:
    if location.text is not None:
        text = location.text
        return {
            "startLine": text.line,
            "startColumn": text.column,
            "endLine": text.end_line,
            "endColumn": text.end_column,
        }
    if profile == "spec":
        span = location.bytes
        return {"byteOffset": span.offset, "byteLength": span.length} if span else {"byteOffset": 0, "byteLength": 0}
    return {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}


def _more(count: int, path: str, index: int) -> dict[str, Any]:
    return {
        "ruleId": _MORE,
        "ruleIndex": index,
        "level": "note",
        "message": {"text": f"{count:,} more findings are left out: GitHub keeps {GITHUB_RESULTS:,} of a run."},
        "locations": [_location(Location(path), "github")],
        "partialFingerprints": {"primaryLocationLineHash": f"{_MORE}:1"},
    }


def uri(path: str) -> str:
    """A path as a URI: relative as it is, absolute with the file scheme."""
    posix = path.replace("\\", "/")
    encoded = quote(posix.encode("utf-8", "surrogateescape"), safe="/@:+,;=!$&'()*~")
    if posix.startswith("/"):
        return f"file://{encoded}"
    return (
        f"file:///{encoded}"
        if posix[1:2] == ":"
        else quote(posix.encode("utf-8", "surrogateescape"), safe="/@+,;=!$&'()*~")
    )
