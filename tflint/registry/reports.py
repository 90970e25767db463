"""The reports that are attached to a version: JSON, Markdown, and an in-toto statement about the result."""

from __future__ import annotations

import json
from typing import Any

from tflint.findings import Report
from tflint.findings.finding_limits import limit_findings
from tflint.registry.lint_record import PASS
from tflint.registry.version_diff import VersionDiff
from tflint.registry.version_lint import VersionResult
from tflint.report.report_formats import FORMATS
from tflint.report.report_options import Options
from tflint.report.text_layout import Style
from tflint.values import replace

#: The statement and the predicate (https://github.com/in-toto/attestation, spec/predicates/test-result.md).
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_RESULTS = {True: "PASSED", False: "FAILED"}


def build_reports(result: VersionResult, diff: VersionDiff | None = None) -> dict[str, bytes]:
    """Return the reports of a version by file name; `diff` adds the comparison with the holder of an alias."""
    report = merge_reports(result, diff)
    reports = {"statement.json": _dump(build_statement(result))}
    if report is not None:
        options = Options(style=Style())
        for form, name in (("json", "report.json"), ("markdown", "report.md")):
            text = FORMATS[form].render(limit_findings(report), options)
            reports[name] = text.encode("utf-8", "backslashreplace")
    return reports


def merge_reports(result: VersionResult, diff: VersionDiff | None) -> Report | None:
    """Return the report of a version, followed by the comparison of its models with those of the holder."""
    compared = diff.report if diff is not None else None
    if result.report is None or compared is None:
        return result.report or compared
    return replace(result.report, files=(*result.report.files, *compared.files))


def build_statement(result: VersionResult) -> dict[str, Any]:
    """Return an in-toto statement with the test result of a version.

    The subject is the version with its content hash; the configuration lists the conditions of the lint.
    """
    conditions = result.record.conditions
    configuration = {
        "rules": conditions.rules,
        "targets": " ".join(conditions.targets),
        "configuration": conditions.config,
        "contract": conditions.contract,
    }
    findings = list(result.report.findings()) if result.report is not None else []
    open_rules = {severity: set[str]() for severity in ("error", "warning")}
    for finding in findings:
        if finding.suppressed is None and finding.severity in open_rules:
            open_rules[finding.severity].add(finding.rule)
    return {
        "_type": _STATEMENT_TYPE,
        "subject": [{"name": result.version.label, "digest": {"sha256": result.record.content}}],
        "predicateType": _PREDICATE_TYPE,
        "predicate": {
            "result": _RESULTS[result.status == PASS],
            "configuration": [
                {"name": f"tflite-lint {conditions.tool} {name}", "annotations": {"value": value}}
                for name, value in configuration.items()
            ],
            "failedTests": sorted(open_rules["error"]),
            "warnedTests": sorted(open_rules["warning"]),
        },
    }


def _dump(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()
