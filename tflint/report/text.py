"""The report as text for people: files with findings, grouped by rule; then what was checked and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tflint.findings import FileReport, Finding, Report, severity_rank
from tflint.report.layout import BOLD, COLORS, DIM, Style, labelled, paragraph
from tflint.report.names import clean, noun, place, plural, runtime, shared_prefix, size, title
from tflint.report.summary import statistics as rule_counts
from tflint.report.summary import summary

__all__ = ["Style", "render"]


def render(report: Report, style: Style, *, statistics: bool = False) -> str:
    """The whole report, ended by a newline."""
    lines: list[str] = []
    for file in report.files:
        if file.open_findings:
            lines += _file(file, style, with_target=len(report.targets) > 1)
    for notice in report.notices:
        lines += [style.paint(line, DIM) for line in paragraph(f"note: {notice.message}", 0)]
    if statistics:
        lines += rule_counts(report)
    lines += summary(report, style)
    return "\n".join(lines) + "\n"


def _file(file: FileReport, style: Style, *, with_target: bool) -> Iterator[str]:
    yield style.paint(clean(file.path), BOLD) + _overview(file)
    prefix = shared_prefix(f.location.names[-1] for f in file.open_findings if f.location.names)
    for group in _groups(file.open_findings):
        yield from _group(group, prefix, style, with_target=with_target)


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


def _group(group: list[Finding], prefix: str, style: Style, *, with_target: bool) -> Iterator[str]:
    first = group[0]
    severity = style.paint(f"{first.severity:<7}", COLORS[first.severity])
    count = plural(len(group), noun(first.location)) if len(group) > 1 else ""
    yield f"  {severity} {f'{first.rule:<5} {title(first.name)}':<54} {count}".rstrip()
    yield from paragraph(first.message, 4)
    if first.refused_by:
        refused = f"refused by {_runtimes(first.refused_by)}"
        yield from paragraph(f"{refused}; runs on {_runtimes(first.runs_on)}" if first.runs_on else refused, 4)
    if first.is_newer:
        yield "    a rule newer than the configured ruleset: it fails no run"
    if with_target and first.target:
        yield from labelled("for", runtime(first.target), style)
    if first.verdict:
        yield from labelled("run", first.verdict.replace("-", " "), style)
    yield from _places(group, prefix, style)
    yield from labelled("fix", first.fix, style)


def _places(group: list[Finding], prefix: str, style: Style) -> Iterator[str]:
    """Where a group's findings are: the first, or all of them with what they say differently."""
    first = group[0]
    for number, finding in enumerate(group if style.verbose else group[:1]):
        where = place(finding.location, prefix)
        roles = "".join(f"  ({related.message})" for related in finding.related)
        label = "" if number else "first" if len(group) > 1 else "at"
        if where:
            yield from labelled(label, clean(where + roles), style)
        if number and finding.message != first.message:
            yield from paragraph(finding.message, 13)
    others = sum(finding.message != first.message for finding in group)
    if others and not style.verbose:
        yield from labelled("", _others(len(group) - 1, others), style)


def _others(n_more: int, n_different: int) -> str:
    more = "and 1 other" if n_more == 1 else f"and {n_more:,} others"
    return f"{more} with other values" if n_more == n_different else f"{more}, {n_different:,} with other values"


def _runtimes(specs: Sequence[str]) -> str:
    return ", ".join(map(runtime, specs))
