"""Renders a report as JSON (`schemas/report.schema.json`): all findings, including suppressed ones."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tflint.findings import VERDICTS, ConfigurationUse, FileReport, Finding, Location, Report, RunSummary

if TYPE_CHECKING:
    from tflint.report.report_options import Options

SCHEMA_VERSION = 1
TOOL = "tflite-lint"
_NOT_ASCII = re.compile(r"[^\n -~]")


def render_report(report: Report, _options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report)


def render(report: Report) -> str:
    """Return the JSON text, with a final newline."""
    return dumps(to_data(report))


def count_verdicts(report: Report) -> dict[str, int]:
    """Return the number of findings per verdict."""
    counts = Counter(finding.verdict for finding in report.findings())
    return {verdict: counts[verdict] for verdict in VERDICTS}


def dumps(data: Mapping[str, Any] | list[dict[str, Any]]) -> str:
    """Return JSON text that is safe for any file or stream, with a final newline.

    Unprintable characters are escaped, because they could control a terminal or represent bytes that are not UTF-8.
    """
    return escape_unprintable(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"


def escape_unprintable(text: str) -> str:
    """Escape the unprintable characters of JSON text."""
    return _NOT_ASCII.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]


def to_data(report: Report) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": TOOL, "version": report.version},
        "run": {
            "targets": list(report.targets),
            "is_default_target": report.is_default_target,
            "ruleset": report.ruleset,
            "rules_run": report.rules_run,
            "rules_selected": report.rules_selected,
            "rules_digest": report.rules_digest,
            "config_digest": report.config_digest,
            "configurations": [_configuration(use) for use in report.configurations],
            "strict_problems": list(report.strict_problems),
            "elapsed_seconds": round(report.elapsed, 3),
            "left_out": {
                "excluded_models": report.left_out.excluded_models,
                "ignored_models": report.left_out.ignored_models,
                "hidden_folders": report.left_out.hidden_folders,
                "linked_folders": report.left_out.linked_folders,
                "models": report.left_out.models,
            },
            "confirmation": None
            if report.confirmation is None
            else {
                "runtimes": list(report.confirmation.runtimes),
                "seed": report.confirmation.seed,
                "runs": report.confirmation.n_runs,
                "max_seconds": report.confirmation.max_seconds,
                "verdicts": count_verdicts(report),
            },
        },
        "summary": report.summary(),
        "notices": [{"kind": n.kind, "level": n.level, "message": n.message} for n in report.notices],
        "files": [_file(file) for file in report.files],
    }


def _configuration(use: ConfigurationUse) -> dict[str, Any]:
    return {
        "path": use.path,
        "files": use.n_files,
        "settings": dict(use.settings),
        "suppressed": dict(use.n_suppressed),
        "muted": use.n_muted,
        "contracts": [
            {
                "path": contract.path,
                "suppressed": contract.n_suppressed,
                "targets": list(contract.targets),
                "is_draft": contract.is_draft,
                "is_limited": contract.is_limited,
            }
            for contract in use.contracts
        ],
    }


def _file(file: FileReport) -> dict[str, Any]:
    overview = file.overview
    return {
        "path": file.path,
        "kind": file.kind,
        "sha256": file.sha256,
        "status": file.status,
        "predicted": file.predicted,
        "contract": file.contract,
        "contract_gap": file.contract_gap,
        "configuration": file.configuration,
        "fail_on": file.fail_on,
        "rules_run": file.rules_in_scope.bit_count(),
        "compared_with": file.compared_with,
        "model": None
        if overview is None
        else {
            "scheme": overview.scheme,
            "operators": overview.n_operators,
            "tensors": overview.n_tensors,
            "bytes": overview.n_bytes,
            "compiled_for": list(overview.compiled_for),
        },
        "container": None
        if file.contained is None
        else {
            "format": file.contained.format,
            "members": file.contained.n_members,
            "models": file.contained.n_models,
            "bytes": file.contained.n_bytes,
        },
        "within": None
        if file.within is None
        else {"path": file.within.path, "member": file.within.member, "offset": file.within.offset},
        "runs": [_run(run) for run in file.runs],
        "summary": file.summary(),
        "findings": [_finding(finding) for finding in file.findings],
        "not_checked": [{"rule": n.rule, "rows": n.rows, "reason": n.reason} for n in file.not_checked],
    }


def _run(run: RunSummary) -> dict[str, Any]:
    return {
        "runtime": run.runtime,
        "steps": {kernels: dict(steps) for kernels, steps in run.steps.items()},
        "message": run.message or None,
        "seconds_per_invocation": run.seconds,
        "arena_bytes": run.arena_bytes,
        "compared_tensors": run.n_compared,
        "unchanged_tensors": run.n_unchanged,
        "normalizations": [
            {"name": name, "spread": spread, "confidence": confidence}
            for name, spread, confidence in run.normalizations
        ],
        "problems": list(run.problems),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "severity": finding.severity,
        "severity_before": finding.severity_before,
        "confidence": finding.confidence,
        "target": finding.target,
        "message": finding.message,
        "location": _location(finding.location),
        "related": [{"location": _location(r.location), "message": r.message} for r in finding.related],
        "evidence": to_json_value(finding.evidence),
        "refused_by": list(finding.refused_by),
        "runs_on": list(finding.runs_on),
        "fix": finding.fix,
        "fingerprint": finding.fingerprint,
        "verdict": finding.verdict,
        "probe": to_json_value(finding.probe),
        "newer_than_ruleset": finding.is_newer,
        "more_places": finding.n_more,
        "suppressed": None
        if finding.suppressed is None
        else {"kind": finding.suppressed.kind, "reason": finding.suppressed.reason},
    }


def _location(location: Location) -> dict[str, Any]:
    text = location.text
    return {
        "path": location.path,
        "names": list(location.names),
        "bytes": None if location.bytes is None else {"offset": location.bytes.offset, "length": location.bytes.length},
        "text": None
        if text is None
        else {"line": text.line, "column": text.column, "end_line": text.end_line, "end_column": text.end_column},
    }


def to_json_value(value: Any) -> Any:
    """Return a value as JSON can represent it: NaN and infinities become strings."""
    if isinstance(value, list | tuple):
        return [to_json_value(element) for element in value]
    if isinstance(value, Mapping):
        return {str(key): to_json_value(element) for key, element in value.items()}
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value
