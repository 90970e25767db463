"""Formats the results of versions: as a readable table, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tflint.registry.lint_record import FAIL, UNREACHABLE, find_stored_status
from tflint.registry.promotion import Promotion
from tflint.registry.reports import merge_reports
from tflint.registry.version_lint import VersionResult
from tflint.report.display_names import plural
from tflint.report.json_report import to_data
from tflint.report.report_formats import FORMATS
from tflint.report.report_options import Options
from tflint.values import replace

SCHEMA_VERSION = 1
_HEADS = ("status", "version", "aliases", "stored", "reason")


def format_findings(results: Sequence[VersionResult], options: Options) -> str:
    """Return the findings of all versions as text, as `tflint check -q` prints them."""
    reports = [result.report for result in results if result.report is not None]
    if not reports:
        return ""
    files = tuple(file for report in reports for file in report.files)
    quiet = replace(options, style=replace(options.style, quiet=True))
    return FORMATS["text"].render(replace(reports[0], files=files), quiet)


def format_table(results: Sequence[VersionResult]) -> Iterator[str]:
    """Yield the lines of a table with one version per line, and the lines of notices and totals."""
    rows = [_HEADS, *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()
    for result in results:
        notices = result.report.notices if result.report is not None else ()
        for text in (*_list_waived(result), *result.notes, *(notice.message for notice in notices)):
            yield f"{result.version.label}: {text}"
    counts = Counter(result.status for result in results)
    yield f"{plural(len(results), 'version')}: {', '.join(f'{n:,} {status}' for status, n in counts.items()) or 'none'}"


def _row(result: VersionResult) -> tuple[str, ...]:
    stored = find_stored_status(result.version, result.record)
    aliases = ", ".join(result.version.aliases)
    return (result.status, result.version.label, aliases or "-", stored or "-", result.describe())


def _list_waived(result: VersionResult) -> list[str]:
    """Return a line per waived rule: by whom, until when, and why."""
    findings = result.report.findings() if result.report is not None else ()
    waived = [
        (one.rule, one.suppressed.reason) for one in findings if one.suppressed and one.suppressed.kind == "waiver"
    ]
    return [f"{rule} {reason}" for rule, reason in dict.fromkeys(waived)]


def format_promotion(promotion: Promotion) -> Iterator[str]:
    """Yield the lines about a promotion."""
    version, holder = promotion.result.version, promotion.holder
    for difference in promotion.diff.others:
        yield f"{difference.rule}: {difference.message}"
    before = "does not exist yet" if holder is None else f"points to {holder.label}"
    stays = "is not set" if holder is None else f"stays at {holder.label}"
    if promotion.refusal:
        yield f"refused: {promotion.alias} {stays} · {version.label}: {promotion.refusal}"
        rules = promotion.diff.refusing_rules()
        if rules:
            yield f"to accept the differences: {' '.join(f'--accept {rule} --reason TEXT' for rule in rules)}"
    elif holder is not None and holder.number == version.number:
        yield f"{promotion.alias} {before} and passes"
    else:
        was = "" if holder is None else f" · was {holder.label}"
        yield f"promoted: {promotion.alias} points to {version.label}{was}"
    for rule, reason in promotion.result.record.accepted:
        yield f"accepted: {rule}: {reason}"


def to_json_data(registry: str, results: Sequence[VersionResult], promotion: Promotion | None = None) -> dict[str, Any]:
    """Return results as plain data, by the schema `registry`."""
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "registry": registry,
        "versions": [_version_data(result, promotion) for result in results],
    }
    if promotion is not None:
        holder = promotion.holder
        data["promotion"] = {
            "alias": promotion.alias,
            "holder": None if holder is None else holder.number,
            "promoted": not promotion.refusal,
            "refusal": promotion.refusal,
            "differences": [{"rule": one.rule, "message": one.message} for one in promotion.diff.others],
            "accepted": [{"rule": rule, "reason": reason} for rule, reason in promotion.result.record.accepted],
        }
    return data


def _version_data(result: VersionResult, promotion: Promotion | None) -> dict[str, Any]:
    record = result.record
    report = merge_reports(result, promotion.diff if promotion is not None else None)
    return {
        "name": result.version.name,
        "version": result.version.number,
        "aliases": list(result.version.aliases),
        "status": result.status,
        "stored_status": find_stored_status(result.version, record) or None,
        "reason": result.describe(),
        "notes": list(result.notes),
        "content_sha256": record.content or None,
        "conditions": {
            "tool": record.conditions.tool,
            "rules": record.conditions.rules,
            "targets": list(record.conditions.targets),
            "config": record.conditions.config,
            "contract": record.conditions.contract or None,
        },
        "report": None if report is None else to_data(report),
    }


def exit_code(results: Sequence[VersionResult]) -> int:
    """Return the exit code of a run: 1 if a version fails, else 4 if one could not be fetched, else 0."""
    statuses = {result.status for result in results}
    return 1 if FAIL in statuses else 4 if UNREACHABLE in statuses else 0
