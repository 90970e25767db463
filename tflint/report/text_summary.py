"""Formats the closing lines of the text report: totals, what was checked and what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tflint.findings import SEVERITIES, VERDICTS, FileReport, Report, severity_rank
from tflint.program_name import program_name
from tflint.report.display_names import clean, format_runtime, plural
from tflint.report.text_layout import COLORS, GREEN, Style, join_pieces, wrap_line

#: Maximum number of rules in the line `not checked`.
MAX_RULES = 6
#: Maximum number of draft contracts in the line `not checked`.
MAX_PATHS = 3
#: Skipped models that are counted in every report.
_ALWAYS_COUNTED = ("excluded model", "Git-ignored model")
#: Maximum number of files in the statistics, unless the style is verbose, and in the list of rules per file.
MAX_FILES = 20
#: Hanging indent, in characters, of a wrapped line of the statistics.
_SEVERITY_COLUMN = 8
#: Hanging indent, in characters, of a wrapped reason.
_REASON_COLUMN = 8


def format_closing(report: Report, style: Style) -> Iterator[str]:
    """Yield the closing lines of a report."""
    totals = report.summary()
    head = format_totals(report)
    worst = next((severity for severity in reversed(SEVERITIES) if totals[severity]), "")
    color = COLORS[worst] if worst else GREEN if report.files else COLORS["warning"]
    first, *more = _wrap_pieces([head, *_list_details(report, totals)], " · ", style)
    yield style.paint(first[: len(head)], color) + first[len(head) :]
    yield from more
    newer = sum(finding.is_newer for file in report.files for finding in file.open_findings)
    if newer:
        verb = "it does" if newer == 1 else "they do"
        text = f"{plural(newer, 'note')} from rules newer than ruleset {report.ruleset}: {verb} not fail the run"
        yield from wrap_line(text, style.width)
    if report.files:
        files = "both files" if any(file.kind == "pair" for file in report.files) else "each file"
        has_run = report.confirmation is not None and report.confirmation.n_runs > 0
        suffix = "" if has_run else "; no model was run"
        rules = f"{report.rules_run:,} of {plural(report.rules_selected, 'rule')} applied"
        yield from wrap_line(f"checked: {rules} to the bytes of {files}{suffix}", style.width)
        if style.verbose and len(report.files) > 1:
            yield from _format_rules_per_file(report, style)
        if has_run:
            yield from wrap_line(_describe_runs(report), style.width)
        not_checked = _list_not_checked(report)
        if not_checked:
            yield from _wrap_pieces([f"not checked: {not_checked[0]}", *not_checked[1:]], ", ", style)
        if style.verbose:
            yield from _format_reasons(report, style)
        if any(use.path is not None or use.settings or use.contracts for use in report.configurations):
            from tflint.report.configuration_text import format_configurations

            yield from format_configurations(report, style)
        if report.strict_problems:
            yield from _wrap_pieces([f"strict: {report.strict_problems[0]}", *report.strict_problems[1:]], ", ", style)
    if worst:
        yield f"more: {program_name()} explain {_first_rule(report)}"
    yield from _format_left_out(report, style)


def _format_rules_per_file(report: Report, style: Style) -> Iterator[str]:
    """Yield the number of rules that apply to each file."""
    files = [file for file in report.files if file.kind != "contract"]
    for file in files[:MAX_FILES]:
        yield from wrap_line(f"  {clean(file.path)}: {plural(file.rules_in_scope.bit_count(), 'rule')}", style.width)
    if len(files) > MAX_FILES:
        yield f"  {plural(len(files) - MAX_FILES, 'more file')} (the JSON report has all numbers)"


def _describe_runs(report: Report) -> str:
    """Return the line about a confirmation: number of runs, runtimes, seed, and the number of findings per verdict."""
    confirmation = report.confirmation
    assert confirmation is not None
    runtimes = ", ".join(map(format_runtime, confirmation.runtimes))
    verdicts = Counter(finding.verdict for finding in report.findings())
    counts = [f"{verdicts[verdict]:,} {verdict.replace('-', ' ')}" for verdict in VERDICTS if verdicts[verdict]]
    found = f": {', '.join(counts)}" if counts else ""
    return f"runs: {confirmation.n_runs:,} with {runtimes} (seed {confirmation.seed}){found}"


def _wrap_pieces(pieces: Sequence[str], separator: str, style: Style) -> list[str]:
    """Join pieces into as few lines as possible; wrap a piece that is too wide, such as a long list of targets."""
    return [part for line in join_pieces(pieces, separator, width=style.width) for part in wrap_line(line, style.width)]


def format_totals(report: Report) -> str:
    """Return the number of files and the number of findings per severity."""
    totals = report.summary()
    if not report.files:
        return "nothing to check"
    problems = [plural(totals[severity], severity) for severity in ("error", "warning") if totals[severity]]
    if problems and len(report.files) > 1:
        problems[-1] += f" in {plural(sum(_has_problems(file) for file in report.files), 'file')}"
    notes = [plural(totals["note"], "note")] if totals["note"] else []
    counts = ", ".join(problems + notes) or "no findings"
    return f"{count_files(report.files)}: {counts}"


def count_files(files: Sequence[FileReport]) -> str:
    """Return the numbers of models, containers, contracts and pairs; unreadable models count as files."""
    models = [file for file in files if file.kind == "model"]
    shown = [plural(len(models), "model" if all(file.status == "checked" for file in models) else "file")]
    if not models and files and all(file.kind == "pair" for file in files):
        shown = []
    for kind in ("container", "contract", "pair"):
        n_files = sum(file.kind == kind for file in files)
        shown += [plural(n_files, kind)] if n_files else []
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _has_problems(file: FileReport) -> bool:
    return any(finding.severity != "note" for finding in file.open_findings)


def _list_details(report: Report, totals: dict[str, int]) -> Iterator[str]:
    n_unread = sum(file.status == "unreadable" and not file.open_findings for file in report.files)
    if len(report.files) > 1:
        yield f"{sum(file.is_clean and file.kind in ('model', 'pair') for file in report.files):,} clean"
    if n_unread:
        yield f"{n_unread:,} unreadable"
    yield f"{totals['suppressed']:,} suppressed"
    targets = ", ".join(map(format_runtime, report.targets)) + (" (default)" if report.is_default_target else "")
    yield f"{'targets' if len(report.targets) > 1 else 'target'} {targets}"
    yield f"ruleset {report.ruleset}"
    yield "from the cache" if report.is_cached else f"{report.elapsed:.1f} s"


def _list_not_checked(report: Report) -> list[str]:
    """Return the numbers of models without a usable contract and of unreadable files, and the undecided rules."""
    models = [file for file in report.files if file.kind == "model" and file.status == "checked"]
    n_models = {
        f"without a contract ({program_name()} contract init MODEL)": sum(file.contract is None for file in models),
        "with an invalid contract": sum(file.contract_gap == "invalid" for file in models),
        "whose contract describes no inputs": sum(file.contract_gap == "no-inputs" for file in models),
    }
    pieces = [f"preprocessing of {plural(n, 'model')} {which}" for which, n in n_models.items() if n]
    drafts = [use.path for one in report.configurations for use in one.contracts if use.is_draft]
    pieces += [f"what {plural(len(drafts), 'draft contract')} left open ({_list_paths(drafts)})"] if drafts else []
    unread = Counter(file.kind == "container" for file in report.files if file.status == "unreadable")
    if unread[False]:
        pieces.append(f"the graph of {plural(unread[False], 'unreadable file')}")
    if unread[True]:
        pieces.append(f"the contents of {plural(unread[True], 'unreadable container')}")
    rows: Counter[str] = Counter()
    beyond_facts: dict[str, str] = {}  # the reasons that the choice of targets explains, by rule
    for file in report.files:
        for entry in file.not_checked:
            rows[entry.rule] += entry.rows
            if entry.reason.startswith("facts "):
                beyond_facts[entry.rule] = f" ({entry.reason})"
    shown = sorted(rows.items())[:MAX_RULES]
    pieces += [f"{rule} at {plural(count, 'place')}{beyond_facts.get(rule, '')}" for rule, count in shown]
    if len(rows) > len(shown):
        pieces.append(f"{plural(len(rows) - len(shown), 'more rule')} at some places")
    return pieces


def _list_paths(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - MAX_PATHS:,} more" if len(paths) > MAX_PATHS else ""
    return ", ".join(map(clean, paths[:MAX_PATHS])) + more


def _format_reasons(report: Report, style: Style) -> Iterator[str]:
    """Yield the reasons why rules could not be decided, each reason once per rule."""
    reasons = {(entry.rule, entry.reason): None for file in report.files for entry in file.not_checked}
    for rule, reason in sorted(reasons):
        yield from wrap_line(f"  {rule}: {reason}", style.width, _REASON_COLUMN)


def _format_left_out(report: Report, style: Style) -> Iterator[str]:
    """Yield how many models and how many folders the search skipped.

    Unless the style is verbose, yield the number of folders only if these folders may contain models.
    """
    left_out = report.left_out
    pieces = [
        plural(count, noun)
        for count, noun in (
            (left_out.excluded_models, "excluded model"),
            (left_out.ignored_models, "Git-ignored model"),
            (left_out.hidden_folders, "hidden folder"),
            (left_out.linked_folders, "linked folder"),
        )
        if count and (style.verbose or noun in _ALWAYS_COUNTED or left_out.models)
    ]
    if pieces:
        contents = f", with {plural(left_out.models, 'model')} (name the folder to check it)" if left_out.models else ""
        yield from wrap_line(f"left out: {', '.join(pieces)}{contents}", style.width)


def _first_rule(report: Report) -> str:
    """Return the rule of the first finding with the highest severity."""
    findings = [finding for file in report.files for finding in file.open_findings]
    return max(findings, key=lambda finding: severity_rank(finding.severity)).rule


def format_statistics(report: Report, style: Style) -> Iterator[str]:
    """Yield the number of findings and files per rule, then the number of findings per file."""
    counts: dict[tuple[str, str, str], list[str]] = {}
    for file in report.files:
        for finding in file.open_findings:
            counts.setdefault((finding.rule, finding.severity, finding.name), []).append(file.path)
    ordered = sorted(counts.items(), key=lambda item: (-len(item[1]), item[0]))
    for (rule, severity, name), paths in ordered:
        line = f"{len(paths):>7,} {severity:<7} {rule:<5} {name}, in {plural(len(set(paths)), 'file')}"
        yield from wrap_line(line, style.width, _SEVERITY_COLUMN)
    if len(report.files) > 1:
        yield from _count_by_file(report, style)


def _count_by_file(report: Report, style: Style) -> Iterator[str]:
    """Yield the number of findings per severity for each file with findings, most findings first."""
    files = sorted((file for file in report.files if file.open_findings), key=lambda file: -len(file.open_findings))
    shown = files if style.verbose else files[:MAX_FILES]
    for file in shown:
        counts = Counter(finding.severity for finding in file.open_findings)
        severities = [plural(counts[severity], severity) for severity in reversed(SEVERITIES) if counts[severity]]
        line = f"{len(file.open_findings):>7,} in {clean(file.path)}: {', '.join(severities)}"
        yield from wrap_line(line, style.width, _SEVERITY_COLUMN)
    if len(files) > len(shown):
        yield f"{'':>7} in {plural(len(files) - len(shown), 'more file')} (-v lists them)"
