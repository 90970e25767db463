"""Renders a report as SARIF 2.1.0, in one of two profiles.

`github` gives each finding a text region, which GitHub requires even for binary files. It omits suppressed findings and
keeps the 5,000 most severe of the others. `spec` gives byte regions and suppressions as the standard defines them.
Levels can be capped, because GitHub's own check fails on alerts of level `error`, whatever the exit code of the run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflint.catalog import Rule, builtin_catalog
from tflint.findings import FileReport, Finding, Location, MemberOrigin, Report, severity_rank
from tflint.findings.fingerprint import compute_fingerprint
from tflint.findings.path_globs import MEMBER
from tflint.report.configuration_text import list_changes
from tflint.report.display_names import clean
from tflint.report.finding_sentences import describe_finding
from tflint.report.json_report import dumps
from tflint.report.sarif_locations import build_location, file_size, to_member_uri, to_uri
from tflint.report.sarif_rules import DRIVER, build_descriptor, build_driver, build_invocation, cap_severity

if TYPE_CHECKING:
    from tflint.report.report_options import Options

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: Maximum number of results per run that GitHub keeps.
GITHUB_RESULTS = 5000
PROFILES = ("github", "spec")
_MORE = "more-findings"
#: `[text](target)` is a link in a SARIF message.
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


def render_report(report: Report, options: Options) -> str:
    """Return the report in this format; see `render`."""
    rules = options.rules or builtin_catalog().rules
    return render(report, rules, options.sarif_profile, max_level=options.sarif_max_level)


def render(report: Report, rules: Sequence[Rule], profile: str, *, max_level: str = "error") -> str:
    """Return the SARIF text, with a final newline.

    `rules` are the rules to describe. Results that are more severe than `max_level` get the level `max_level`.
    """
    return dumps(to_data(report, rules, profile, max_level=max_level))


def to_data(report: Report, rules: Sequence[Rule], profile: str, *, max_level: str = "error") -> dict[str, Any]:
    """Return the SARIF log as plain data."""
    findings = sorted(report.findings(), key=lambda finding: -severity_rank(finding.severity))
    if profile == "github":
        findings = [finding for finding in findings if finding.suppressed is None]
    is_capped = profile == "github" and len(findings) > GITHUB_RESULTS
    kept = findings[: GITHUB_RESULTS - 1] if is_capped else findings
    reported = {finding.rule for finding in kept}
    described = [rule for rule in rules if rule.id in reported]
    indexes = {rule.id: index for index, rule in enumerate(described)}
    files = {file.path: file for file in report.files}
    results = [
        _build_result(finding, indexes, profile, files, cap_severity(finding.severity, max_level)) for finding in kept
    ]
    descriptors = [build_descriptor(rule, max_level) for rule in described]
    omitted = ""
    if is_capped:
        omitted = f"{len(findings) - len(kept):,} more findings are omitted: GitHub keeps {GITHUB_RESULTS:,} per run"
        results.append(_build_more(omitted, kept[0].location.file, len(descriptors), files))
        descriptors.append(_build_more_descriptor())
    run = {
        "tool": {"driver": build_driver(report.version, descriptors)},
        "automationDetails": {"id": f"{DRIVER}/"},
        "invocations": [build_invocation(report, omitted)],
        "columnKind": "unicodeCodePoints",
        "artifacts": _build_artifacts(files),
        "properties": {
            "targets": list(report.targets),
            "ruleset": report.ruleset,
            "configurations": [
                {"path": use.path, "changes": list_changes(use)} for use in report.configurations if use.path
            ],
        },
        "results": results,
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _build_artifacts(files: Mapping[str, FileReport]) -> list[dict[str, Any]]:
    """Return the files, with members of containers as nested artifacts (SARIF 2.1.0, 3.24.2 to 3.24.4)."""
    artifacts: list[dict[str, Any]] = []
    indexes: dict[str, int] = {}
    for path, file in files.items():
        place: dict[str, Any] = {"location": {"uri": to_uri(path)}}
        if file.within is not None:
            parent, member, base = _find_parent(file, file.within, files)
            if parent not in indexes:  # the user passed the path of the member, so the container has no report
                indexes[parent] = len(artifacts)
                artifacts.append({"location": {"uri": to_uri(parent)}})
            place = {"location": {"uri": to_member_uri(member)}, "parentIndex": indexes[parent]}
            if file.within.offset is not None and base is not None:
                place["offset"] = file.within.offset - base
        indexes[path] = len(artifacts)
        artifacts.append(place | _build_artifact(file))
    return artifacts


def _find_parent(
    file: FileReport, within: MemberOrigin, files: Mapping[str, FileReport]
) -> tuple[str, str, int | None]:
    """Return the path of the innermost container, the member's name in it, and the container's offset on disk."""
    path, _, member = file.path.rpartition(MEMBER)
    if path not in files:
        return within.path, within.member, 0
    outer = files[path].within
    return path, member, outer.offset if outer is not None else 0


def _build_artifact(file: FileReport) -> dict[str, Any]:
    length = file_size(file)
    return {
        "roles": ["analysisTarget"],
        **({} if length is None else {"length": length}),
        **({"hashes": {"sha-256": file.sha256}} if file.sha256 else {}),
    }


def _build_result(
    finding: Finding, indexes: Mapping[str, int], profile: str, files: Mapping[str, FileReport], level: str
) -> dict[str, Any]:
    file = files.get(finding.location.file)
    within = file.within if file is not None else None
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        **({"ruleIndex": indexes[finding.rule]} if finding.rule in indexes else {}),
        "level": level,
        "message": {"text": _escape_links(describe_finding(finding, within))},
        "locations": [build_location(finding.location, profile, files)],
        "partialFingerprints": {"primaryLocationLineHash": f"{_compute_fingerprint(finding, within)}:1"},
        "properties": _build_properties(finding, within),
    }
    if finding.related:
        result["relatedLocations"] = [
            {
                **build_location(related.location, profile, files),
                "id": number,
                "message": {"text": _escape_links(related.message)},
            }
            for number, related in enumerate(finding.related, 1)
        ]
    if finding.suppressed is not None:
        result["suppressions"] = [{"kind": "external", "justification": clean(finding.suppressed.reason)}]
    return result


def _escape_links(text: str) -> str:
    return _LINK.sub(r"\\[", clean(text))


def _compute_fingerprint(finding: Finding, within: MemberOrigin | None) -> str:
    """Return the fingerprint of a finding. For a member, it includes the name: all members have the same location."""
    return finding.fingerprint if within is None else compute_fingerprint(finding.fingerprint, (within.member,))


def _build_properties(finding: Finding, within: MemberOrigin | None) -> dict[str, Any]:
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


def _build_more(text: str, path: str, index: int, files: Mapping[str, FileReport]) -> dict[str, Any]:
    return {
        "ruleId": _MORE,
        "ruleIndex": index,
        "level": "note",
        "message": {"text": f"{text}."},
        "locations": [build_location(Location(path), "github", files)],
        "partialFingerprints": {"primaryLocationLineHash": f"{_MORE}:1"},
    }


def _build_more_descriptor() -> dict[str, Any]:
    text = "The run has more findings than GitHub keeps. Only the most severe ones are shown."
    advice = "Fix the findings shown and check again, check fewer models at a time, or write a baseline."
    return {
        "id": _MORE,
        "name": "more-findings-than-github-keeps",
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text} {advice}"},
        "help": {"text": f"{text}\n{advice}", "markdown": f"{text}\n\n{advice}"},
        "defaultConfiguration": {"level": "note"},
        "properties": {"precision": "very-high", "problem.severity": "recommendation", "tags": ["tflite"]},
    }
