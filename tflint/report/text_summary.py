"""The end of the text report: what was found in all files, what was checked and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tflint.findings import SEVERITIES, FileReport, Report, severity_rank
from tflint.report.display_names import format_runtime, plural
from tflint.report.text_layout import COLORS, GREEN, Style, join_pieces, wrap_line

#: The line on what was not checked names this many rules.
MAX_RULES = 6
#: Where a line of the statistics goes on that is too wide.
_SEVERITY_COLUMN = 8
#: Where a reason goes on that is too wide.
_REASON_COLUMN = 8


def format_closing(report: Report, style: Style) -> Iterator[str]:
    """The closing lines of a report."""
    totals = report.summary()
    head = format_totals(report)
    worst = next((severity for severity in reversed(SEVERITIES) if totals[severity]), "")
    color = COLORS[worst] if worst else GREEN if report.files else COLORS["warning"]
    first, *more = _row([head, *_circumstances(report, totals)], " · ", style)
    yield style.paint(first[: len(head)], color) + first[len(head) :]
    yield from more
    newer = sum(finding.is_newer for file in report.files for finding in file.open_findings)
    if newer:
        text = f"{plural(newer, 'note')} by rules newer than ruleset {report.ruleset}: they fail no run"
        yield from wrap_line(text, style.width)
    if report.files:
        whose = "both files" if any(file.kind == "pair" for file in report.files) else "each file"
        text = f"checked: {plural(report.rules_run, 'rule')} on the bytes of {whose}; no model was run"
        yield from wrap_line(text, style.width)
        unchecked = _not_checked(report)
        if unchecked:
            yield from _row([f"not checked: {unchecked[0]}", *unchecked[1:]], ", ", style)
        if style.verbose:
            yield from _reasons(report, style)
    if worst:
        yield f"more: tflint explain {_first_rule(report)}"
    yield from _left_out(report, style)


def _row(pieces: Sequence[str], separator: str, style: Style) -> list[str]:
    """Pieces in as few lines as they need; one that is wider than a line, such as many targets, is broken itself."""
    return [part for line in join_pieces(pieces, separator, width=style.width) for part in wrap_line(line, style.width)]


def format_totals(report: Report) -> str:
    """How many files there were, and what was found in how many of them."""
    totals = report.summary()
    if not report.files:
        return "nothing to check"
    grave = [plural(totals[severity], severity) for severity in ("error", "warning") if totals[severity]]
    if grave and len(report.files) > 1:
        grave[-1] += f" in {sum(_is_grave(file) for file in report.files):,}"
    notes = [plural(totals["note"], "note")] if totals["note"] else []
    found = ", ".join(grave + notes) or "no findings"
    return f"{count_files(report.files)}: {found}"


def count_files(files: Sequence[FileReport]) -> str:
    """The numbers of models, or of files where some could not be read, of their containers, of contracts, of pairs."""
    models = [file for file in files if file.kind == "model"]
    shown = [plural(len(models), "model" if all(file.status == "checked" for file in models) else "file")]
    if not models and files and all(file.kind == "pair" for file in files):
        shown = []
    for kind in ("container", "contract", "pair"):
        n_files = sum(file.kind == kind for file in files)
        shown += [plural(n_files, kind)] if n_files else []
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _is_grave(file: FileReport) -> bool:
    return any(finding.severity != "note" for finding in file.open_findings)


def _circumstances(report: Report, totals: dict[str, int]) -> Iterator[str]:
    n_unread = sum(file.status == "unreadable" and not file.open_findings for file in report.files)
    if len(report.files) > 1:
        yield f"{sum(file.is_clean and file.kind == 'model' for file in report.files):,} clean"
    if n_unread:
        yield f"{n_unread:,} unreadable"
    yield f"{totals['suppressed']:,} suppressed"
    targets = ", ".join(map(format_runtime, report.targets)) + (" (default)" if report.is_default_target else "")
    yield f"{'targets' if len(report.targets) > 1 else 'target'} {targets}"
    yield f"ruleset {report.ruleset}"
    yield f"{report.elapsed:.1f} s"


def _not_checked(report: Report) -> list[str]:
    """What nobody looked at, and which rules could not be decided."""
    bare = sum(file.kind == "model" and file.status == "checked" and file.contract is None for file in report.files)
    hint = "(tflint contract init MODEL)"
    pieces = [f"preprocessing of {plural(bare, 'model')} without a contract {hint}"] if bare else []
    unread = Counter(file.kind == "container" for file in report.files if file.status == "unreadable")
    if unread[False]:
        pieces.append(f"the graph of {plural(unread[False], 'unreadable file')}")
    if unread[True]:
        pieces.append(f"what {plural(unread[True], 'unreadable container')} held")
    rows: Counter[str] = Counter()
    for file in report.files:
        for entry in file.not_checked:
            rows[entry.rule] += entry.rows
    named = sorted(rows.items())[:MAX_RULES]
    pieces += [f"{rule} at {plural(count, 'place')}" for rule, count in named]
    if len(rows) > len(named):
        pieces.append(plural(len(rows) - len(named), "further rule") + " at some places")
    return pieces


def _reasons(report: Report, style: Style) -> Iterator[str]:
    """Why rules could not be decided, each reason once."""
    reasons = {(entry.rule, entry.reason): None for file in report.files for entry in file.not_checked}
    for rule, reason in sorted(reasons):
        yield from wrap_line(f"  {rule}: {reason}", style.width, _REASON_COLUMN)


def _left_out(report: Report, style: Style) -> Iterator[str]:
    """What a walk left out: if models may be among it, or on request."""
    left_out = report.left_out
    pieces = [
        plural(count, noun)
        for count, noun in (
            (left_out.excluded_models, "excluded model"),
            (left_out.hidden_folders, "hidden folder"),
            (left_out.linked_folders, "linked folder"),
        )
        if count and (style.verbose or (left_out.models and noun != "excluded model"))
    ]
    if pieces:
        held = f", with {plural(left_out.models, 'model')} (name the folder to check it)" if left_out.models else ""
        yield from wrap_line(f"left out: {', '.join(pieces)}{held}", style.width)


def _first_rule(report: Report) -> str:
    """The rule of the first of the most severe findings."""
    found = [finding for file in report.files for finding in file.open_findings]
    return max(found, key=lambda finding: severity_rank(finding.severity)).rule


def format_statistics(report: Report, style: Style) -> Iterator[str]:
    """How often each rule spoke, and in how many files."""
    counts: dict[tuple[str, str, str], list[str]] = {}
    for file in report.files:
        for finding in file.open_findings:
            counts.setdefault((finding.rule, finding.severity, finding.name), []).append(file.path)
    ordered = sorted(counts.items(), key=lambda item: (-len(item[1]), item[0]))
    for (rule, severity, name), paths in ordered:
        line = f"{len(paths):>7,} {severity:<7} {rule:<5} {name}, in {plural(len(set(paths)), 'file')}"
        yield from wrap_line(line, style.width, _SEVERITY_COLUMN)
