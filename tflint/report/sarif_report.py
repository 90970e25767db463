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
from tflint.findings import FileReport, Finding, Location, MemberOrigin, Report, severity_rank
from tflint.findings.fingerprint import compute_fingerprint
from tflint.findings.path_globs import MEMBER
from tflint.report.display_names import clean
from tflint.report.finding_sentences import describe_finding
from tflint.report.json_report import dumps
from tflint.report.sarif_locations import build_location, file_size, to_member_uri, to_uri
from tflint.report.sarif_rules import DRIVER, build_descriptor, build_driver, build_invocation, cap_severity

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
    files = {file.path: file for file in report.files}
    results = [_result(finding, indexes, profile, files, cap_severity(finding.severity, max_level)) for finding in kept]
    descriptors = [build_descriptor(rule, max_level) for rule in described]
    left_out = ""
    if is_capped:
        left_out = f"{len(findings) - len(kept):,} more findings are left out: GitHub keeps {GITHUB_RESULTS:,} of a run"
        results.append(_more(left_out, kept[0].location.file, len(descriptors), files))
        descriptors.append(_more_descriptor())
    run = {
        "tool": {"driver": build_driver(report.version, descriptors)},
        "automationDetails": {"id": f"{DRIVER}/"},
        "invocations": [build_invocation(report, left_out)],
        "columnKind": "unicodeCodePoints",
        "artifacts": _artifacts(files),
        "properties": {"targets": list(report.targets), "ruleset": report.ruleset},
        "results": results,
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _artifacts(files: Mapping[str, FileReport]) -> list[dict[str, Any]]:
    """The files, and the members of containers nested in theirs (SARIF 2.1.0, 3.24.2 to 3.24.4)."""
    artifacts: list[dict[str, Any]] = []
    indexes: dict[str, int] = {}
    for path, file in files.items():
        place: dict[str, Any] = {"location": {"uri": to_uri(path)}}
        if file.within is not None:
            parent, member, base = _parent(file, file.within, files)
            if parent not in indexes:  # of a member that was asked for by itself
                indexes[parent] = len(artifacts)
                artifacts.append({"location": {"uri": to_uri(parent)}})
            place = {"location": {"uri": to_member_uri(member)}, "parentIndex": indexes[parent]}
            if file.within.offset is not None and base is not None:
                place["offset"] = file.within.offset - base
        indexes[path] = len(artifacts)
        artifacts.append(place | _artifact(file))
    return artifacts


def _parent(file: FileReport, within: MemberOrigin, files: Mapping[str, FileReport]) -> tuple[str, str, int | None]:
    """The path of the container that a member is in, its route in there, and where the container begins on disk."""
    path, _, member = file.path.rpartition(MEMBER)
    if path not in files:
        return within.path, within.member, 0
    around = files[path].within
    return path, member, around.offset if around is not None else 0


def _artifact(file: FileReport) -> dict[str, Any]:
    length = file_size(file)
    return {
        "roles": ["analysisTarget"],
        **({} if length is None else {"length": length}),
        **({"hashes": {"sha-256": file.sha256}} if file.sha256 else {}),
    }


def _result(
    finding: Finding, indexes: Mapping[str, int], profile: str, files: Mapping[str, FileReport], level: str
) -> dict[str, Any]:
    file = files.get(finding.location.file)
    within = file.within if file is not None else None
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        **({"ruleIndex": indexes[finding.rule]} if finding.rule in indexes else {}),
        "level": level,
        "message": {"text": _plain(describe_finding(finding, within))},
        "locations": [build_location(finding.location, profile, files)],
        "partialFingerprints": {"primaryLocationLineHash": f"{_fingerprint(finding, within)}:1"},
        "properties": _properties(finding, within),
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                **build_location(related.location, profile, files),
                "id": number,
                "message": {"text": _plain(related.message)},
            }
            for number, related in enumerate(finding.related, 1)
        ]
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "external", "justification": clean(finding.suppressed.reason)}]
    return result


def _plain(text: str) -> str:
    """A printable text that shows as it is: what looks like a link in it is none."""
    return _LINK.sub(r"\\[", clean(text))


def _fingerprint(finding: Finding, within: MemberOrigin | None) -> str:
    """Members of one container share its location: what is found in two of them must not be taken for one thing."""
    return finding.fingerprint if within is None else compute_fingerprint(finding.fingerprint, (within.member,))


def _properties(finding: Finding, within: MemberOrigin | None) -> dict[str, Any]:
    span = finding.location.bytes
    base = 0 if within is None else within.offset
    return {
        "path": finding.location.path,
        "tflint/severity": finding.severity,
        **({"member": clean(within.member)} if within is not None else {}),
        **({"target": finding.target} if finding.target else {}),
        **({"verdict": finding.verdict} if finding.verdict else {}),
        **({"tflint/byteRange": [base + span.offset, span.length]} if span and base is not None else {}),
    }


def _more(text: str, path: str, index: int, files: Mapping[str, FileReport]) -> dict[str, Any]:
    return {
        "ruleId": _MORE,
        "ruleIndex": index,
        "level": "note",
        "message": {"text": f"{text}."},
        "locations": [build_location(Location(path), "github", files)],
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
