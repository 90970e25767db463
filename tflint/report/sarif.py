"""The report as SARIF 2.1.0, in one of two profiles.

`github` gives each finding a text region (GitHub wants one, although the file is binary), leaves suppressed findings
out and keeps the 5,000 most severe; `spec` gives byte regions and suppressions, as the standard says. Levels can be
capped: GitHub's own check fails on alerts of level `error`, whatever the run's exit code says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.catalog import Rule
from tflint.findings import FileReport, Finding, Location, Report, severity_rank
from tflint.report.jsonreport import dumps
from tflint.report.names import clean
from tflint.report.sarif_places import location, uri
from tflint.report.sarif_rules import DRIVER, capped, descriptor, driver, invocation
from tflint.report.sentences import told

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: GitHub keeps this many results of a run.
GITHUB_RESULTS = 5000
PROFILES = ("github", "spec")
_MORE = "more-findings"
#: What a message must not have by accident: `[text](target)` is a link there.
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


def render(report: Report, rules: Sequence[Rule], profile: str, *, max_level: str = "error") -> str:
    """The SARIF text of a report, ended by a newline.

    `rules` are those that could have spoken; what is more severe than `max_level` is said to be of that level.
    """
    return dumps(to_data(report, rules, profile, max_level=max_level))


def to_data(report: Report, rules: Sequence[Rule], profile: str, *, max_level: str = "error") -> dict[str, Any]:
    """The SARIF log as plain data."""
    findings = sorted(report.findings(), key=lambda finding: -severity_rank(finding.severity))
    if profile == "github":
        findings = [finding for finding in findings if finding.suppressed is None]
    is_capped = profile == "github" and len(findings) > GITHUB_RESULTS
    kept = findings[: GITHUB_RESULTS - 1] if is_capped else findings
    spoken = {finding.rule for finding in kept}
    described = [rule for rule in rules if rule.id in spoken]
    indexes = {rule.id: index for index, rule in enumerate(described)}
    sizes = {file.path: file.overview.n_bytes for file in report.files if file.overview}
    results = [_result(finding, indexes, profile, sizes, capped(finding.severity, max_level)) for finding in kept]
    descriptors = [descriptor(rule, max_level) for rule in described]
    left_out = ""
    if is_capped:
        left_out = f"{len(findings) - len(kept):,} more findings are left out: GitHub keeps {GITHUB_RESULTS:,} of a run"
        results.append(_more(left_out, kept[0].location.file, len(descriptors)))
        descriptors.append(_more_descriptor())
    run = {
        "tool": {"driver": driver(report.version, descriptors)},
        "automationDetails": {"id": f"{DRIVER}/"},
        "invocations": [invocation(report, left_out)],
        "columnKind": "unicodeCodePoints",
        "artifacts": [_artifact(file) for file in report.files],
        "properties": {"targets": list(report.targets), "ruleset": report.ruleset},
        "results": results,
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _artifact(file: FileReport) -> dict[str, Any]:
    return {
        "location": {"uri": uri(file.path)},
        "roles": ["analysisTarget"],
        **({"length": file.overview.n_bytes} if file.overview else {}),
        **({"hashes": {"sha-256": file.sha256}} if file.sha256 else {}),
    }


def _result(
    finding: Finding, indexes: Mapping[str, int], profile: str, sizes: Mapping[str, int], level: str
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        **({"ruleIndex": indexes[finding.rule]} if finding.rule in indexes else {}),
        "level": level,
        "message": {"text": _plain(told(finding))},
        "locations": [location(finding.location, profile, sizes)],
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint}:1"},
        "properties": _properties(finding),
    }
    if finding.related:
        result["relatedLocations"] = [
            {**location(related.location, profile, sizes), "id": number, "message": {"text": _plain(related.message)}}
            for number, related in enumerate(finding.related, 1)
        ]
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "external", "justification": clean(finding.suppressed.reason)}]
    return result


def _plain(text: str) -> str:
    """A printable text that shows as it is: what looks like a link in it is none."""
    return _LINK.sub(r"\\[", clean(text))


def _properties(finding: Finding) -> dict[str, Any]:
    span = finding.location.bytes
    return {
        "path": finding.location.path,
        "tflint/severity": finding.severity,
        **({"target": finding.target} if finding.target else {}),
        **({"verdict": finding.verdict} if finding.verdict else {}),
        **({"tflint/byteRange": [span.offset, span.length]} if span else {}),
    }


def _more(text: str, path: str, index: int) -> dict[str, Any]:
    return {
        "ruleId": _MORE,
        "ruleIndex": index,
        "level": "note",
        "message": {"text": f"{text}."},
        "locations": [location(Location(path), "github", {})],
        "partialFingerprints": {"primaryLocationLineHash": f"{_MORE}:1"},
    }


def _more_descriptor() -> dict[str, Any]:
    text = "There are more findings than GitHub keeps of a run; the most severe are shown."
    advice = "Fix what is shown and check again, check fewer models at a time, or write a baseline."
    return {
        "id": _MORE,
        "name": "more-findings-than-github-keeps",
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text} {advice}"},
        "help": {"text": f"{text}\n{advice}", "markdown": f"{text}\n\n{advice}"},
        "defaultConfiguration": {"level": "note"},
        "properties": {"precision": "very-high", "problem.severity": "recommendation", "tags": ["tflite"]},
    }
