"""A portrait as text for people, on one screen: long lists are cut until it fits."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.report.display_names import clean, format_size, plural
from tflint.report.text_layout import BOLD, DIM, Style, join_pieces, wrap_paragraph
from tflint.summary import model_text as whole
from tflint.summary.interface_text import Entry, format_inputs, format_interface, format_outputs
from tflint.summary.number_text import DOT, join_some, shorten
from tflint.summary.summary_values import AttachedFile, Signature, Subgraph, Summary

#: A screen: no line is longer, and lists are cut so that there are no more lines. A path is never broken.
WIDTH, HEIGHT = 100, 40
#: Where the text beside a label begins.
COLUMN = 11
#: Names of a signature that are shown of each side.
MAX_NAMES = 4
#: How many entries each list shows, tried in turn until the screen holds all.
LIMITS = (12, 8, 6, 4, 3, 2, 1)


def render(portrait: Summary, style: Style) -> str:
    """The text, ended by a newline; in a terminal that is narrower than a screen it is longer, and says the same."""
    fitting = (limit for limit in LIMITS if len(_screen(portrait, style, WIDTH, limit)) <= HEIGHT)
    lines = _screen(portrait, style, min(style.width, WIDTH), next(fitting, LIMITS[-1]))
    return "\n".join(lines) + "\n"


def _screen(portrait: Summary, style: Style, width: int, limit: int) -> list[str]:
    lines = [style.paint(clean(portrait.path), BOLD)]
    for label, texts in _entries(portrait, limit):
        for number, text in enumerate(filter(str.strip, texts)):
            head = f"{label if number == 0 else '':<{COLUMN - 1}} "
            first, *more = _wrapped(text, width)
            lines += [style.paint(head, DIM) + first[COLUMN:], *more]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """A text beside a label, broken between its facts where that is enough, else between words."""
    first, *more = join_pieces(text.split(DOT), DOT, 2, width - COLUMN)
    lines = wrap_paragraph(first, COLUMN, 2, width)
    for line in more:
        lines += wrap_paragraph(line, COLUMN + 2, 0, width)
    return lines


def _entries(portrait: Summary, limit: int) -> Iterator[Entry]:
    yield "scheme", [whole.format_scheme(portrait)]
    yield "size", whole.format_sizes(portrait)
    yield "runtime", [whole.format_runtimes(portrait, limit)]
    yield "signature", list(_signatures(portrait, limit))
    yield from _border(portrait, limit)
    yield from _about(portrait, limit)
    yield "memory", [whole.format_memory(portrait)]
    if portrait.variables:
        yield "state", [whole.format_state(portrait, limit)]
    yield "operators", [whole.format_operators(portrait, limit)]
    custom = list(whole.format_custom_operators(portrait, limit))
    if custom:
        yield "custom", custom
    if portrait.n_subgraphs > 1:
        yield "subgraphs", list(whole.format_subgraphs(portrait, limit))


# -- signatures, inputs, outputs ---------------------------------------------------------------------------------------


def _signatures(portrait: Summary, limit: int) -> Iterator[str]:
    if not portrait.signatures:
        yield "none"
    for signature in portrait.signatures[:limit]:
        reached = _reached(portrait, signature)
        if reached is None:
            ends = [[shorten(named.name, 40) for named in side] for side in (signature.inputs, signature.outputs)]
            yield f"{shorten(signature.key, 60)}({join_some(ends[0], MAX_NAMES)}) → {join_some(ends[1], MAX_NAMES)}"
        else:
            names = _names(signature)
            yield f"{shorten(signature.key, 60)} in subgraph {signature.subgraph}"
            yield f"  takes {format_interface(reached.inputs, names, MAX_NAMES) or 'nothing'}"
            yield f"  gives {format_interface(reached.outputs, names, MAX_NAMES) or 'nothing'}"
    if len(portrait.signatures) > limit:
        yield f"and {len(portrait.signatures) - limit:,} more"


def _reached(portrait: Summary, signature: Signature) -> Subgraph | None:
    """The subgraph of a signature, where it is another one than the first."""
    if not 0 < signature.subgraph < len(portrait.subgraphs):
        return None
    return portrait.subgraphs[signature.subgraph]


def _names(signature: Signature) -> dict[int, str]:
    return {named.tensor: named.name for named in (*signature.outputs, *signature.inputs)}


def _border(portrait: Summary, limit: int) -> Iterator[Entry]:
    """Inputs and outputs of the first subgraph."""
    if not portrait.subgraphs:
        return
    first = portrait.subgraphs[0]
    names = next((_names(signature) for signature in portrait.signatures if signature.subgraph == 0), {})
    for side, entries in (
        ("input", list(format_inputs(first.inputs, names))),
        ("output", list(format_outputs(first.outputs, names))),
    ):
        for label, lines in entries[:limit]:
            yield label, lines if limit > 2 else lines[:1]
        if len(entries) > limit:
            yield "", [f"and more {side}s: --plain lists all"]
        if not entries:
            yield f"{side}s", ["none"]


# -- what the file says of itself --------------------------------------------------------------------------------------


def _about(portrait: Summary, limit: int) -> Iterator[Entry]:
    about = portrait.about
    if about.error:
        yield "metadata", [f"TFLITE_METADATA cannot be read: {about.error}"]
    pieces = [shorten(about.name, 60)] if about.name else []
    for label, value in (("version", about.version), ("by", about.author), ("licence", about.license)):
        if value:
            pieces.append(f"{label} {shorten(value, 40)}")
    lines = [DOT.join(pieces), shorten(about.summary or "", WIDTH - COLUMN)]
    if any(lines):
        yield "metadata", [line for line in lines if line]
    if about.files:
        told = [_file(file) for file in about.files[:limit]]
        yield "files", told + ([f"and {len(about.files) - limit:,} more"] if len(about.files) > limit else [])


def _file(file: AttachedFile) -> str:
    pieces = [shorten(file.name, 60) or "without a name"]
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
