"""The report as text for people: files with findings, grouped by rule; then what was checked and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tflint.findings import SEVERITIES, FileReport, Finding, Report, severity_rank
from tflint.report.names import clean, noun, place, plural, shared_prefix, size

_COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """How text is written: with colour, and with every finding listed."""

    color: bool = False
    verbose: bool = False

    def paint(self, text: str, code: str) -> str:
        """Text in a colour, where colours are on."""
        return f"{code}{text}{_RESET}" if self.color else text


def render(report: Report, style: Style, *, statistics: bool = False) -> str:
    """The whole report, ended by a newline."""
    lines: list[str] = []
    for file in report.files:
        if file.open_findings:
            lines += _file(file, style)
    lines += [style.paint(clean(f"note: {notice.message}"), _DIM) for notice in report.notices]
    if statistics:
        lines += _statistics(report)
    lines += _summary(report, style)
    return "\n".join(lines) + "\n"


def _file(file: FileReport, style: Style) -> Iterator[str]:
    yield style.paint(clean(file.path), _BOLD) + _overview(file)
    prefix = shared_prefix(f.location.names[-1] for f in file.open_findings if f.location.names)
    for group in _groups(file.open_findings):
        yield from _group(group, prefix, style)


def _overview(file: FileReport) -> str:
    overview = file.overview
    if overview is None:
        return ""
    return f" · {overview.scheme} · {plural(overview.n_operators, 'operator')} · {size(overview.n_bytes)}"


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Findings of one rule, severity and target together, the most severe first."""

    def key(finding: Finding) -> tuple[int, str, str]:
        return (-severity_rank(finding.severity), finding.rule, finding.target or "")

    for _, group in groupby(sorted(findings, key=key), key=key):
        yield list(group)


def _group(group: list[Finding], prefix: str, style: Style) -> Iterator[str]:
    first = group[0]
    title = f"{first.rule:<5} {first.name.replace('-', ' ')}"
    count = plural(len(group), noun(first.location)) if len(group) > 1 else ""
    severity = style.paint(f"{first.severity:<7}", _COLORS[first.severity])
    yield f"  {severity} {title:<54} {count}".rstrip()
    yield f"    {clean(first.message)}"
    if first.refused_by:
        yield f"    refused by {_runtimes(first.refused_by)}; runs on {_runtimes(first.runs_on)}"
    if first.is_newer:
        yield "    a rule newer than the configured ruleset: it fails no run"
    yield from _places(group, prefix, style)
    yield f"    {style.paint('fix', _DIM)}    {clean(first.fix)}"


def _places(group: list[Finding], prefix: str, style: Style) -> Iterator[str]:
    shown = group if style.verbose else group[:1]
    for number, finding in enumerate(shown):
        where = place(finding.location, prefix)
        if not where:
            continue
        roles = "".join(f"  ({clean(related.message)})" for related in finding.related)
        label = "first" if len(group) > 1 and number == 0 else "at" if number == 0 else ""
        yield f"    {style.paint(f'{label:<6}', _DIM)} {where}{roles}"
        if number and finding.message != group[0].message:
            yield f"           {clean(finding.message)}"


def _runtimes(specs: Sequence[str]) -> str:
    return ", ".join(spec.replace(">=", " ≥ ").replace("<=", " ≤ ").replace("<", " < ") for spec in specs)


def _statistics(report: Report) -> Iterator[str]:
    """How often each rule spoke, and in how many files."""
    counts: dict[tuple[str, str, str], list[str]] = {}
    for file in report.files:
        for finding in file.open_findings:
            counts.setdefault((finding.rule, finding.severity, finding.name), []).append(file.path)
    for (rule, severity, name), paths in sorted(counts.items(), key=lambda item: -len(item[1])):
        yield f"{len(paths):>7,} {severity:<7} {rule:<5} {name} in {plural(len(set(paths)), 'file')}"


def _summary(report: Report, style: Style) -> Iterator[str]:
    totals = report.summary()
    parts = [plural(totals[severity], severity) for severity in reversed(SEVERITIES) if totals[severity]]
    n_bad = sum(1 for file in report.files if file.open_findings)
    n_files = len(report.files)
    clean_files = n_files - n_bad
    found = f"{', '.join(parts)} in {n_bad}" if parts else "no findings"
    targets = ", ".join(target.replace("==", " ") for target in report.targets)
    default = " (default)" if report.is_default_target else ""
    head = f"{plural(n_files, 'file')}: {found} · {clean_files} clean · {totals['suppressed']} suppressed"
    worst = next((severity for severity in reversed(SEVERITIES) if totals[severity]), "")
    yield (
        style.paint(head, _COLORS[worst] if worst else "\x1b[32m")
        + f" · target {targets}{default} · ruleset {report.ruleset} · {report.elapsed:.1f} s"
    )
    newer = sum(finding.is_newer for file in report.files for finding in file.open_findings)
    if newer:
        yield f"{plural(newer, 'note')} by rules newer than ruleset {report.ruleset}"
    yield f"checked: {plural(report.rules_run, 'rule')} on structure, quantization parameters, operators, signatures, metadata"
    yield f"not checked: {_not_checked(report)}"
    if parts:
        rule = next(f.rule for file in report.files for f in file.open_findings)
        yield f"more: tflint explain {rule}"


def _not_checked(report: Report) -> str:
    """What nobody looked at, and which rules could not be decided, in one line."""
    parts = ["values of weights", "preprocessing"]
    unreadable = sum(file.status == "unreadable" for file in report.files)
    if unreadable:
        parts.append(f"the graph of {plural(unreadable, 'unreadable file')}")
    rows: dict[str, int] = {}
    for file in report.files:
        for entry in file.not_checked:
            rows[entry.rule] = rows.get(entry.rule, 0) + entry.rows
    parts += [f"{rule} at {plural(count, 'place')}" for rule, count in sorted(rows.items())]
    return ", ".join(parts)
