"""The report as text for people: files with findings, grouped by rule; then what was checked and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tflint.findings import FileReport, Finding, Report, severity_rank
from tflint.report.allow_commands import AllowCommands
from tflint.report.display_names import (
    clean,
    format_location,
    format_runtime,
    format_size,
    format_title,
    location_noun,
    plural,
    shared_prefix,
)
from tflint.report.text_layout import (
    BOLD,
    COLORS,
    DIM,
    INDENT,
    Style,
    format_labeled,
    join_pieces,
    wrap_line,
    wrap_paragraph,
)
from tflint.report.text_summary import format_closing
from tflint.report.text_summary import format_statistics as rule_counts

__all__ = ["Style", "format_findings", "format_overview", "render"]

#: Where the title of a group begins, behind its severity and rule, and where the number of its findings.
_TITLE_COLUMN = 16
_COUNT_COLUMN = 64


def render(report: Report, style: Style, *, statistics: bool = False) -> str:
    """The whole report, each line ended by a newline; empty where only findings are wanted and there are none."""
    lines: list[str] = []
    folded = [] if len(report.files) == 1 or not style.folds_notes else list(_notes(report))
    for file in report.files:
        listed = [finding for finding in file.open_findings if not folded or finding.severity != "note"]
        if listed:
            lines += _file(file, listed, style, with_target=len(report.targets) > 1)
    if folded:
        lines += join_pieces(["notes", *folded, "-v lists them"], " · ", width=style.width)
    for notice in () if style.quiet else report.notices:
        color = COLORS["warning"] if notice.level == "warning" else DIM
        told = wrap_paragraph(f"{notice.level}: {notice.message}", 0, width=style.width)
        lines += [style.paint(line, color) for line in told]
    if statistics:
        lines += rule_counts(report, style)
    if not style.quiet:
        lines += format_closing(report, style)
    return "".join(f"{line}\n" for line in lines)


def _notes(report: Report) -> Iterator[str]:
    """The notes of all files by rule, and in how many files each stands."""
    files: dict[tuple[str, str], set[str]] = {}
    for finding in report.findings():
        if finding.severity == "note" and finding.suppressed is None:
            files.setdefault((finding.rule, finding.name), set()).add(finding.location.file)
    for (rule, name), paths in sorted(files.items()):
        yield f"{rule} {format_title(name)} in {plural(len(paths), 'file')}"


def _file(file: FileReport, listed: Sequence[Finding], style: Style, *, with_target: bool) -> Iterator[str]:
    path = clean(file.path)
    first, *more = join_pieces([path, *format_overview(file)], " · ", width=style.width)
    yield style.paint(path, BOLD) + first[len(path) :]
    yield from more
    yield from format_findings(file, listed, style, with_target=with_target)


def format_findings(file: FileReport, listed: Sequence[Finding], style: Style, *, with_target: bool) -> Iterator[str]:
    """Some of a file's open findings, grouped; `with_target` names the runtime that each group holds for."""
    prefix = shared_prefix(f.location.names[-1] for f in listed if f.location.names)
    allowing = AllowCommands(file.path, file.open_findings, style.config) if style.verbose else None
    for group in _groups(listed):
        yield from _group(group, prefix, style, allowing, with_target=with_target)


def format_overview(file: FileReport) -> list[str]:
    """A model in a few words: its scheme, and how large it is; a container, and what it holds; of a pair the older
    version. None of others.
    """
    known, contained = file.overview, file.contained
    if file.compared_with is not None:
        return [f"compared with {clean(file.compared_with)}"]
    if contained is not None:
        held = f"{plural(contained.n_members, 'member')}, {plural(contained.n_models, 'model')}"
        return [f"{contained.format} container", held, format_size(contained.n_bytes)]
    if known is None:
        return []
    compiled = [f"compiled for {clean(', '.join(known.compiled_for))}"] if known.compiled_for else []
    return [known.scheme, *compiled, plural(known.n_operators, "operator"), format_size(known.n_bytes)]


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Findings of one rule, severity and target together, the most severe first."""

    def key(finding: Finding) -> tuple[int, str, str]:
        return (-severity_rank(finding.severity), finding.rule, finding.target or "")

    for _, group in groupby(sorted(findings, key=key), key=key):
        yield list(group)


def _group(
    group: list[Finding], prefix: str, style: Style, allowing: AllowCommands | None, *, with_target: bool
) -> Iterator[str]:
    first = group[0]
    yield from _heading(group, style)
    yield from wrap_paragraph(first.message, 4, width=style.width)
    if first.refused_by:
        refused = f"refused by {_runtimes(first.refused_by)}"
        runs = f"; runs on {_runtimes(first.runs_on)}" if first.runs_on else ""
        yield from wrap_paragraph(refused + runs, 4, width=style.width)
    if first.is_newer:
        yield from wrap_paragraph("a rule newer than the configured ruleset: it fails no run", 4, width=style.width)
    if with_target and first.target:
        yield from format_labeled("for", format_runtime(first.target), style)
    if first.verdict:
        yield from format_labeled("run", first.verdict.replace("-", " "), style)
    yield from _places(group, prefix, style, allowing)
    yield from format_labeled("fix", first.fix, style)


def _heading(group: list[Finding], style: Style) -> Iterator[str]:
    """A group's severity, rule and number: the number in a column of its own where the width has room for it."""
    first = group[0]
    count = plural(len(group), location_noun(first.location)) if len(group) > 1 else ""
    column = min(_COUNT_COLUMN, style.width - len(count) - 1)
    line = f"  {first.severity:<7} {first.rule:<5} {format_title(first.name)}"
    first_line, *more = wrap_line(f"{line:<{column}} {count}".rstrip(), style.width, _TITLE_COLUMN)
    yield "  " + style.paint(first_line[2:9], COLORS[first.severity]) + first_line[9:]
    yield from more


def _places(group: list[Finding], prefix: str, style: Style, allowing: AllowCommands | None) -> Iterator[str]:
    """Where a group's findings are: the first, or all of them with what they say differently and what allows them."""
    first = group[0]
    offered = ""
    for number, finding in enumerate(group if style.verbose else group[:1]):
        where = format_location(finding.location, prefix)
        roles = "".join(f"  ({related.message})" for related in finding.related)
        label = "" if number else "first" if len(group) > 1 else "at"
        if where:
            yield from format_labeled(label, clean(where + roles), style)
        if number and finding.message != first.message:
            yield from wrap_paragraph(finding.message, INDENT + 2, width=style.width)
        command = allowing.command(finding) if allowing else ""
        if command and command != offered:  # in one line, however long: people copy it
            yield f"    {style.paint('allow ', DIM)} {command}"
            offered = command
    others = sum(finding.message != first.message for finding in group)
    if others and not style.verbose:
        yield from format_labeled("", _others(len(group) - 1, others), style)


def _others(n_more: int, n_different: int) -> str:
    more = "and 1 other" if n_more == 1 else f"and {n_more:,} others"
    return f"{more} with other values" if n_more == n_different else f"{more}, {n_different:,} with other values"


def _runtimes(specs: Sequence[str]) -> str:
    return ", ".join(map(format_runtime, specs))
