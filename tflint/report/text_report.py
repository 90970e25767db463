"""Renders a report as text: the findings per file, grouped by rule, then what was checked and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tflint.findings import FileReport, Finding, Report, severity_rank
from tflint.program_name import rename_commands
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
from tflint.report.finding_sentences import describe_run, format_verdict
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

if TYPE_CHECKING:
    from tflint.report.report_options import Options

__all__ = ["Style", "format_findings", "format_overview", "render"]

#: Columns at which the title of a group and the number of its findings start.
_TITLE_COLUMN = 16
_COUNT_COLUMN = 64


def render_report(report: Report, options: Options) -> str:
    """Return the report in this format; see `render`."""
    return render(report, options.style, statistics=options.statistics)


def render(report: Report, style: Style, *, statistics: bool = False) -> str:
    """Return the report, with a final newline; empty if the style is quiet and there are no findings."""
    lines: list[str] = []
    folded = [] if len(report.files) == 1 or not style.folds_notes else list(_count_notes(report))
    for file in report.files:
        listed = [finding for finding in file.open_findings if not folded or finding.severity != "note"]
        if listed:
            lines += _format_file(file, listed, style, with_target=len(report.targets) > 1)
    if folded:
        lines += join_pieces(["notes", *folded, "-v lists them"], " · ", width=style.width)
    for notice in () if style.quiet else report.notices:
        color = COLORS["warning"] if notice.level == "warning" else DIM
        paragraph = wrap_paragraph(f"{notice.level}: {notice.message}", 0, width=style.width)
        lines += [style.paint(line, color) for line in paragraph]
    if statistics:
        lines += rule_counts(report, style)
    if not style.quiet:
        lines += format_closing(report, style)
    return "".join(f"{line}\n" for line in lines)


def _count_notes(report: Report) -> Iterator[str]:
    """Yield, per rule with notes, its id, its title and the number of files that have these notes."""
    files: dict[tuple[str, str], set[str]] = {}
    for finding in report.findings():
        if finding.severity == "note" and finding.suppressed is None:
            files.setdefault((finding.rule, finding.name), set()).add(finding.location.file)
    for (rule, name), paths in sorted(files.items()):
        yield f"{rule} {format_title(name)} in {plural(len(paths), 'file')}"


def _format_file(file: FileReport, listed: Sequence[Finding], style: Style, *, with_target: bool) -> Iterator[str]:
    path = clean(file.path)
    first, *more = join_pieces([path, *format_overview(file)], " · ", width=style.width)
    yield style.paint(path, BOLD) + first[len(path) :]
    yield from more
    for run in file.runs if style.verbose else ():
        yield from format_labeled("run", describe_run(run), style)
    yield from format_findings(file, listed, style, with_target=with_target)


def format_findings(file: FileReport, listed: Sequence[Finding], style: Style, *, with_target: bool) -> Iterator[str]:
    """Format the findings of a file in `listed`, in groups. With `with_target`, each group shows its target."""
    prefix = shared_prefix(f.location.names[-1] for f in listed if f.location.names)
    allowing = AllowCommands(file.path, file.open_findings, style.config) if style.verbose else None
    for group in _group_findings(listed):
        yield from _format_group(group, prefix, style, allowing, with_target=with_target)


def format_overview(file: FileReport) -> list[str]:
    """Return the scheme and size of a model, the contents of a container or the older version of a pair, as pieces.

    Return an empty list for other files.
    """
    overview, contained = file.overview, file.contained
    if file.compared_with is not None:
        return [f"compared with {clean(file.compared_with)}"]
    if contained is not None:
        contents = f"{plural(contained.n_members, 'member')}, {plural(contained.n_models, 'model')}"
        return [f"{contained.format} container", contents, format_size(contained.n_bytes)]
    if overview is None:
        return []
    compiled = [f"compiled for {clean(', '.join(overview.compiled_for))}"] if overview.compiled_for else []
    return [overview.scheme, *compiled, plural(overview.n_operators, "operator"), format_size(overview.n_bytes)]


def _group_findings(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Group findings by rule, severity, target and verdict, most severe first."""

    def key(finding: Finding) -> tuple[int, str, str, str]:
        return (-severity_rank(finding.severity), finding.rule, finding.target or "", finding.verdict or "")

    for _, group in groupby(sorted(findings, key=key), key=key):
        yield list(group)


def _format_group(
    group: list[Finding], prefix: str, style: Style, allowing: AllowCommands | None, *, with_target: bool
) -> Iterator[str]:
    first = group[0]
    yield from _format_heading(group, style)
    yield from wrap_paragraph(first.message, 4, width=style.width)
    if first.refused_by:
        refused = f"refused by {_format_runtimes(first.refused_by)}"
        runs = f"; runs on {_format_runtimes(first.runs_on)}" if first.runs_on else ""
        yield from wrap_paragraph(refused + runs, 4, width=style.width)
    if first.is_newer:
        yield from wrap_paragraph("newer than the configured ruleset: does not fail the run", 4, width=style.width)
    if with_target and first.target:
        yield from format_labeled("for", format_runtime(first.target), style)
    if first.verdict:
        yield from wrap_paragraph(format_verdict(first), 4, width=style.width)
    yield from _format_locations(group, prefix, style, allowing)
    yield from format_labeled("fix", rename_commands(first.fix), style)


def _format_heading(group: list[Finding], style: Style) -> Iterator[str]:
    """Yield the severity and rule of a group, and its number of findings (in a separate column if the width allows)."""
    first = group[0]
    count = plural(len(group), location_noun(first.location)) if len(group) > 1 else ""
    line = f"  {first.severity:<7} {first.rule:<5} {format_title(first.name)}"
    if first.severity != first.severity_before and first.verdict == "not-reproduced":
        count = f"{count}, was {first.severity_before}" if count else f"was {first.severity_before}"
    column = min(_COUNT_COLUMN, style.width - len(count) - 1)
    first_line, *more = wrap_line(f"{line:<{column}} {count}".rstrip(), style.width, _TITLE_COLUMN)
    yield "  " + style.paint(first_line[2:9], COLORS[first.severity]) + first_line[9:]
    yield from more


def _format_locations(group: list[Finding], prefix: str, style: Style, allowing: AllowCommands | None) -> Iterator[str]:
    """Yield the first location of a group and how many more there are.

    If the style is verbose, yield all locations, with the messages that differ and the `tflint allow` commands.
    """
    first = group[0]
    previous = ""
    for number, finding in enumerate(group if style.verbose else group[:1]):
        location = format_location(finding.location, prefix)
        roles = "".join(f"  ({related.message})" for related in finding.related)
        label = "" if number else "first" if len(group) > 1 else "at"
        if location:
            yield from format_labeled(label, clean(location + roles), style)
        if number and finding.message != first.message:
            yield from wrap_paragraph(finding.message, INDENT + 2, width=style.width)
        command = allowing.command(finding) if allowing else ""
        if command and command != previous:  # not wrapped, because users copy it
            yield f"    {style.paint('allow ', DIM)} {command}"
            previous = command
    n_different = sum(finding.message != first.message for finding in group)
    if n_different and not style.verbose:
        n_more = len(group) - 1
        which = "" if n_more == n_different else f", {n_different:,}"
        yield from format_labeled("", f"and {n_more:,} more{which} with different values", style)


def _format_runtimes(specs: Sequence[str]) -> str:
    return ", ".join(map(format_runtime, specs))
