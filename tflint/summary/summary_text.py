"""Renders a summary as text that fits on one screen. Long lists are shortened until it fits."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.report.display_names import clean, format_size, plural
from tflint.report.text_layout import BOLD, DIM, Style, join_pieces, wrap_paragraph
from tflint.summary import model_text
from tflint.summary.interface_text import Entry, format_inputs, format_interface, format_outputs
from tflint.summary.number_text import DOT, join_some, shorten
from tflint.summary.summary_values import AttachedFile, Signature, Subgraph, Summary

#: Width of the screen in characters, and its height in lines. A path is not wrapped, even if it is wider.
WIDTH, HEIGHT = 100, 40
#: Column at which the text after a label starts.
COLUMN = 11
#: Maximum number of inputs, and of outputs, to show per signature.
MAX_NAMES = 4
#: Maximum numbers of elements of a list, tried in turn until the text fits.
LIMITS = (12, 8, 6, 4, 3, 2, 1)


def render(summary: Summary, style: Style) -> str:
    """Return the text, with a final newline. For a narrower terminal, the same contents are wrapped to more lines."""
    fitting = (limit for limit in LIMITS if len(_format_screen(summary, style, WIDTH, limit)) <= HEIGHT)
    lines = _format_screen(summary, style, min(style.width, WIDTH), next(fitting, LIMITS[-1]))
    return "\n".join(lines) + "\n"


def _format_screen(summary: Summary, style: Style, width: int, limit: int) -> list[str]:
    lines = [style.paint(clean(summary.path), BOLD)]
    for label, texts in _entries(summary, limit):
        for number, text in enumerate(filter(str.strip, texts)):
            head = f"{label if number == 0 else '':<{COLUMN - 1}} "
            first, *more = _wrap_facts(text, width)
            lines += [style.paint(head, DIM) + first[COLUMN:], *more]
    return lines


def _wrap_facts(text: str, width: int) -> list[str]:
    """Wrap the text after a label to `width`: between facts if possible, else between words."""
    first, *more = join_pieces(text.split(DOT), DOT, 2, width - COLUMN)
    lines = wrap_paragraph(first, COLUMN, 2, width)
    for line in more:
        lines += wrap_paragraph(line, COLUMN + 2, 0, width)
    return lines


def _entries(summary: Summary, limit: int) -> Iterator[Entry]:
    yield "scheme", [model_text.format_scheme(summary)]
    yield "size", model_text.format_sizes(summary)
    yield "runtime", [model_text.format_runtimes(summary, limit)]
    yield "signature", list(_signatures(summary, limit))
    yield from _interface(summary, limit)
    yield from _about(summary, limit)
    yield "memory", [model_text.format_memory(summary)]
    yield "compute", [model_text.format_computation(summary)]
    if summary.variables:
        yield "state", [model_text.format_state(summary, limit)]
    yield "operators", [model_text.format_operators(summary, limit)]
    custom = list(model_text.format_custom_operators(summary, limit))
    if custom:
        yield "custom", custom
    if summary.n_subgraphs > 1:
        yield "subgraphs", list(model_text.format_subgraphs(summary, limit))


# -- signatures, inputs, outputs ---------------------------------------------------------------------------------------


def _signatures(summary: Summary, limit: int) -> Iterator[str]:
    if not summary.signatures:
        yield "none"
    for signature in summary.signatures[:limit]:
        subgraph = _find_other_subgraph(summary, signature)
        if subgraph is None:
            inputs, outputs = (
                join_some([shorten(entry.name, 40) for entry in side], MAX_NAMES)
                for side in (signature.inputs, signature.outputs)
            )
            yield f"{shorten(signature.key, 60)}({inputs}) → {outputs}"
        else:
            names = _names(signature)
            yield f"{shorten(signature.key, 60)} in subgraph {signature.subgraph}"
            yield f"  inputs  {format_interface(subgraph.inputs, names, MAX_NAMES) or 'none'}"
            yield f"  outputs {format_interface(subgraph.outputs, names, MAX_NAMES) or 'none'}"
    if len(summary.signatures) > limit:
        yield f"and {len(summary.signatures) - limit:,} more"


def _find_other_subgraph(summary: Summary, signature: Signature) -> Subgraph | None:
    """Return the subgraph of a signature, or None if it is the first subgraph or not in the summary."""
    if not 0 < signature.subgraph < len(summary.subgraphs):
        return None
    return summary.subgraphs[signature.subgraph]


def _names(signature: Signature) -> dict[int, str]:
    return {entry.tensor: entry.name for entry in (*signature.outputs, *signature.inputs)}


def _interface(summary: Summary, limit: int) -> Iterator[Entry]:
    if not summary.subgraphs:
        return
    first = summary.subgraphs[0]
    names = next((_names(signature) for signature in summary.signatures if signature.subgraph == 0), {})
    for side, entries in (
        ("input", list(format_inputs(first.inputs, names))),
        ("output", list(format_outputs(first.outputs, names))),
    ):
        for label, lines in entries[:limit]:
            yield label, lines if limit > 2 else lines[:1]
        if len(entries) > limit:
            yield "", [f"more {side}s: --plain lists all"]
        if not entries:
            yield f"{side}s", ["none"]


# -- metadata and associated files -------------------------------------------------------------------------------------


def _about(summary: Summary, limit: int) -> Iterator[Entry]:
    about = summary.about
    if about.error:
        yield "metadata", [f"TFLITE_METADATA cannot be read: {about.error}"]
    pieces = [shorten(about.name, 60)] if about.name else []
    for label, value in (("version", about.version), ("by", about.author), ("license", about.license)):
        if value:
            pieces.append(f"{label} {shorten(value, 40)}")
    lines = [DOT.join(pieces), shorten(about.summary or "", WIDTH - COLUMN)]
    if any(lines):
        yield "metadata", [line for line in lines if line]
    if about.files:
        files = [_file(file) for file in about.files[:limit]]
        yield "files", files + ([f"and {len(about.files) - limit:,} more"] if len(about.files) > limit else [])


def _file(file: AttachedFile) -> str:
    pieces = [shorten(file.name, 60) or "unnamed"]
    if file.type and file.type != "UNKNOWN":
        pieces.append(file.type.lower().replace("_", " "))
    if file.owner:
        pieces.append(
            f"of the {file.owner}" if file.owner in ("model", "subgraph") else f"of {shorten(file.owner, 40)}"
        )
    if file.lines is not None:
        pieces.append(plural(file.lines, "line"))
    pieces.append("not in the file" if file.size is None else format_size(file.size))
    return ", ".join(pieces)
