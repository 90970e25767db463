"""Renders a comparison as text that fits on one screen."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from tflint.confirm.compare.comparison import GENERATED, ComparedActivation, Comparison, SampleRun
from tflint.confirm.compare.loss_causes import NOTE, WARNING, LossFinding
from tflint.confirm.compare.output_agreement import OutputAgreement
from tflint.confirm.compare.weight_errors import WeightError
from tflint.report.display_names import clean, plural, short_name
from tflint.report.text_layout import BOLD, COLORS, DIM, Style, format_labeled, wrap_paragraph
from tflint.summary.number_text import DOT, format_number, format_percent, quote_name

#: Maximum width of a line.
WIDTH = 100
#: Maximum number of tensors, outputs and findings that are listed.
MAX_TENSORS, MAX_OUTPUTS, MAX_FINDINGS = 12, 4, 4
#: SQNR in dB below which accumulated errors are worth a hint.
ACCUMULATED_SQNR = 20.0
#: Column of the names of tensors, and the width below which names, cosine and bias are left out.
_NAME_COLUMN, MIN_NAME = 74, 12
#: Column at which the text after a label starts.
_COLUMN = 13


def render(comparison: Comparison, style: Style) -> str:
    """Return the text, with a final newline."""
    return "\n".join(_lines(comparison, style)) + "\n"


def _lines(comparison: Comparison, style: Style) -> Iterator[str]:
    width = min(style.width, WIDTH)
    yield f"{style.paint(clean(comparison.model), BOLD)}{DOT}compared with {clean(comparison.reference)}"
    for label, text in _facts(comparison):
        first, *more = wrap_paragraph(text, _COLUMN, 0, width)
        yield style.paint(f"{label:<{_COLUMN}}", DIM) + first[_COLUMN:]
        yield from more
    if comparison.run is not None:
        yield from _table(comparison.run, style)
    for finding in comparison.findings[:MAX_FINDINGS]:
        yield from _format_finding(finding, style)
    if len(comparison.findings) > MAX_FINDINGS:
        yield f"  and {plural(len(comparison.findings) - MAX_FINDINGS, 'more finding')}; --format json lists all"
    yield _closing(comparison)


def _facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    n_paired = comparison.n_by_name + comparison.n_by_graph
    yield (
        "operators",
        f"{n_paired:,} of {comparison.n_operators:,} paired{DOT}{comparison.n_by_name:,} by name, "
        f"{comparison.n_by_graph:,} by graph",
    )
    yield "weights", _describe_weights(comparison.weights)
    if comparison.unreadable:
        yield (
            "",
            f"not compared: {plural(len(comparison.unreadable), 'constant')} (sparse, too large or not in the file)",
        )
    run = comparison.run
    if run is None:
        yield "not run", clean(comparison.not_run) + (f" ({comparison.hint})" if comparison.hint else "")
        return
    origin = f"generated, seed {comparison.seed}" if run.samples_from == GENERATED else clean(run.samples_from)
    yield "run", f"{run.runtime}{DOT}{plural(run.n_samples, 'sample')} ({origin})"
    for problem in run.problems:
        yield "", clean(problem)
    for output in run.outputs[:MAX_OUTPUTS]:
        yield f"output {output.position}", _describe_output(output)
    if len(run.outputs) > MAX_OUTPUTS:
        yield "", f"and {plural(len(run.outputs) - MAX_OUTPUTS, 'more output')}"


def _describe_weights(errors: Sequence[WeightError]) -> str:
    if not errors:
        return "no paired constants"
    worst = min(errors, key=lambda error: error.sqnr)
    text = f"{plural(len(errors), 'constant')}{DOT}lowest SQNR {format_decibels(worst.sqnr)} ({_place(worst)})"
    channels = [error for error in errors if error.worst_sqnr is not None]
    if channels:
        lowest = min(channels, key=lambda error: error.worst_sqnr or 0.0)
        channel = f"channel {lowest.worst_channel} of {_place(lowest)}"
        text += f"{DOT}worst channel {format_decibels(lowest.worst_sqnr or 0.0)} ({channel})"
    clipped = max(errors, key=lambda error: error.clipped_share)
    if clipped.clipped_share > 0:
        text += f"{DOT}most clipped {format_percent(clipped.clipped_share)} ({_place(clipped)})"
    return text


def _place(error: WeightError) -> str:
    return f"{error.role} of operator {error.operator} {error.opcode}"


def _describe_output(output: OutputAgreement) -> str:
    pieces = [quote_name(output.name)]
    if output.n_ranked:
        pieces.append(f"top-1 agrees in {output.n_agreeing:,} of {output.n_ranked:,}")
    steps = "" if output.largest_steps is None else f"{format_number(output.largest_steps)} steps, "
    pieces.append(f"greatest error {steps}{format_number(output.largest_error)}")
    if output.sqnr is not None:
        pieces.append(f"SQNR {format_decibels(output.sqnr)}")
    return DOT.join(pieces)


def format_decibels(value: float) -> str:
    """Format a number of decibels with one decimal and a minus sign (U+2212)."""
    text = f"{value:.1f}"
    return ("0.0" if text == "-0.0" else text.replace("-", "−")) + " dB"


def _table(run: SampleRun, style: Style) -> Iterator[str]:
    rows = _choose_rows(run.activations)
    if not rows:
        yield "no tensors were compared"
        return
    median = statistics.median(row.error.sqnr for row in run.activations)
    yield style.paint(f"{'tensors':<{_COLUMN}}", DIM) + (
        f"{plural(len(run.activations), 'tensor')} compared{DOT}median SQNR {format_decibels(median)}"
    )
    name_width = min(style.width, WIDTH) - _NAME_COLUMN
    head = f"{'':<32}{'SQNR':>10}  {'clipped':>8}"
    yield style.paint(head if name_width < MIN_NAME else f"{head}  {'cosine':>7}  {'bias':>9}", DIM)
    yield from (_format_row(row, name_width) for row in rows)
    lowest = min(row.error.sqnr for row in run.activations)
    if not run.births and lowest < ACCUMULATED_SQNR:
        yield "  no single operator loses much: the errors of all operators accumulate; int16x8 reduces them"
    if len(rows) < len(run.activations):
        yield f"  and {plural(len(run.activations) - len(rows), 'more tensor')} with higher SQNR"


def _format_row(row: ComparedActivation, name_width: int) -> str:
    error = row.error
    place = "" if row.operator < 0 else str(row.operator)
    clipped = format_percent(error.clipped_share) if error.clipped_share else "0"
    text = f"  {'born' if row.is_born else '':<4} {place:>5}  {_cut(row.opcode, 18):<18}"
    text += f"{format_decibels(error.sqnr):>10}  {clipped:>8}"
    if name_width < MIN_NAME:  # a narrow terminal
        return text
    bias = format_number(round(error.bias, 3) or 0.0)
    return f"{text}  {error.cosine:>7.4f}  {bias:>9}  {_cut(short_name(row.name), name_width)}".rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"…{text[-width + 1 :]}"


def _choose_rows(rows: Sequence[ComparedActivation]) -> list[ComparedActivation]:
    """Return the tensors at which errors are born and those with the lowest SQNR, in execution order."""
    places = sorted(range(len(rows)), key=lambda place: (not rows[place].is_born, rows[place].error.sqnr))
    return [rows[place] for place in sorted(places[:MAX_TENSORS])]


def _format_finding(finding: LossFinding, style: Style) -> Iterator[str]:
    severity = style.paint(f"{finding.severity:<7}", COLORS[finding.severity])
    yield f"  {severity} {finding.kind.replace('-', ' ')}"
    text = finding.text
    if finding.excess is not None and finding.sqnr is not None:
        text += f"; the SQNR is {format_decibels(finding.sqnr)}, {format_decibels(finding.excess)} below what the "
        text += "inputs explain" if not finding.is_storage else "storage of the inputs explains"
    yield from wrap_paragraph(text, 4, 2, min(style.width, WIDTH))
    place = "input" if finding.operator < 0 else f"operator {finding.operator} {finding.opcode}"
    narrow = Style(style.color, width=min(style.width, WIDTH))
    yield from format_labeled("at", f"{place} → {short_name(finding.name)}", narrow)
    yield from format_labeled("fix", finding.advice, narrow)


def _closing(comparison: Comparison) -> str:
    counts = [
        plural(count, severity)
        for severity in (WARNING, NOTE)
        if (count := sum(finding.severity == severity for finding in comparison.findings))
    ]
    limits = "" if comparison.run is not None else f"{DOT}activations not checked"
    return f"1 pair: {', '.join(counts) or 'no findings'}{DOT}seed {comparison.seed}{limits}"
