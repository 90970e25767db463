"""A portrait as text for people, on one screen: long lists are cut until it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.portrait.border_text import Entry, input_entries, output_entries, short_border
from tflint.portrait.values import AttachedFile, Need, Portrait, Signature, Subgraph
from tflint.portrait.words import DOT, cut, dimensions, dtype, listed
from tflint.report.layout import BOLD, DIM, Style, joined, paragraph
from tflint.report.names import clean, plural, short_name, size
from tflint.resources import table

#: A screen: no line is longer, and lists are cut so that there are no more lines. A path is never broken.
WIDTH, HEIGHT = 100, 40
#: Where the text beside a label begins.
COLUMN = 11
#: Names of a signature that are shown of each side.
MAX_NAMES = 4
#: How many entries each list shows, tried in turn until the screen holds all.
LIMITS = (12, 8, 6, 4, 3, 2, 1)
_TAILS = {
    "none": "nothing",
    "zip": "zip",
    "broken-zip": "broken zip",
    "padding": "padding",
    "buffers": "buffers",
    "unknown": "unknown data",
}
_RUNTIMES = {"tflite": "TFLite", "litert": "LiteRT", "tflm": "TFLM"}


def render(portrait: Portrait, style: Style) -> str:
    """The text, ended by a newline; in a terminal that is narrower than a screen it is longer, and says the same."""
    fitting = (limit for limit in LIMITS if len(_screen(portrait, style, WIDTH, limit)) <= HEIGHT)
    lines = _screen(portrait, style, min(style.width, WIDTH), next(fitting, LIMITS[-1]))
    return "\n".join(lines) + "\n"


def _screen(portrait: Portrait, style: Style, width: int, limit: int) -> list[str]:
    lines = [style.paint(clean(portrait.path), BOLD)]
    for label, texts in _entries(portrait, limit):
        for number, text in enumerate(texts):
            head = f"{label if number == 0 else '':<{COLUMN - 1}} "
            first, *more = _wrapped(text, width)
            lines += [style.paint(head, DIM) + first[COLUMN:], *more]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """A text beside a label, broken between its facts where that is enough, else between words."""
    first, *more = joined(text.split(DOT), DOT, 2, width - COLUMN)
    lines = paragraph(first, COLUMN, 2, width)
    for line in more:
        lines += paragraph(line, COLUMN + 2, 0, width)
    return lines


def _entries(portrait: Portrait, limit: int) -> Iterator[Entry]:
    yield "scheme", [_scheme(portrait)]
    yield "size", _sizes(portrait)
    yield "runtime", [_runtime(portrait, limit)]
    yield "signature", list(_signatures(portrait, limit))
    yield from _border(portrait, limit)
    yield from _about(portrait, limit)
    yield "memory", [_memory(portrait)]
    if portrait.variables:
        yield "state", [_state(portrait, limit)]
    yield "operators", [_operators(portrait, limit)]
    custom = list(_custom(portrait, limit))
    if custom:
        yield "custom", custom
    if portrait.n_subgraphs > 1:
        yield "subgraphs", list(_subgraphs(portrait, limit))


# -- the model as a whole ----------------------------------------------------------------------------------------------


def _scheme(portrait: Portrait) -> str:
    if not portrait.conversions:
        return portrait.scheme
    places: dict[str, list[str]] = {}
    for conversion in sorted(portrait.conversions, key=lambda conversion: conversion.operator):
        places.setdefault(conversion.opcode, []).append(str(conversion.operator))
    where = ", ".join(f"{opcode} at {_places(numbers)}" for opcode, numbers in places.items())
    outside = {c.from_dtype if c.side == "input" else c.to_dtype for c in portrait.conversions}
    border = (
        "" if "at the border" in portrait.scheme else f", {' and '.join(map(dtype, sorted(outside)))} at the border"
    )
    return f"{portrait.scheme}{border} ({where})"


def _places(numbers: Sequence[str]) -> str:
    return f"operator {numbers[0]}" if len(numbers) == 1 else f"operators {listed(numbers[:-1], 4)} and {numbers[-1]}"


def _sizes(portrait: Portrait) -> list[str]:
    sizes = portrait.sizes
    kinds = listed([f"{dtype(name)} {size(n_bytes)}" for name, n_bytes in sizes.by_dtype], 4)
    pieces = [f"constants {size(sizes.constant_bytes)} ({kinds})" if kinds else "no constants"]
    pieces += [f"{size(n_bytes)} in {cut(name, 40)}" for name, n_bytes in sizes.external[:2]]
    if sizes.tail_bytes:
        pieces.append(f"{_TAILS[sizes.tail]} at the end {size(sizes.tail_bytes)}")
    counts = (
        plural(portrait.n_operators, "operator"),
        plural(portrait.n_tensors, "tensor"),
        plural(portrait.n_subgraphs, "subgraph"),
    )
    return [f"{size(sizes.file_bytes)}: {DOT.join(pieces)}", DOT.join(counts)]


def _runtime(portrait: Portrait, limit: int) -> str:
    pieces = [_need(need, limit) for need in portrait.needs]
    if not pieces:
        pieces.append("no built-in operators")
    if portrait.about.min_runtime_version:
        pieces.append(f"the converter says {cut(portrait.about.min_runtime_version, 20)}")
    return DOT.join(pieces)


def _need(need: Need, limit: int) -> str:
    runtime = _RUNTIMES[need.runtime]
    operators = listed([f"{opcode} v{version}" for opcode, version in need.operators], min(limit, 4))
    if need.release is None:
        return f"no known {runtime} runs {operators}"
    if need.is_oldest:
        return f"{runtime} ≥ {need.release}, the oldest known"
    return f"{runtime} ≥ {need.release} ({operators})"


def _memory(portrait: Portrait) -> str:
    largest = max(portrait.subgraphs, key=lambda subgraph: subgraph.memory.bytes, default=None)
    if largest is None or not largest.memory.bytes:
        return "activations of unknown size" if largest and largest.memory.unknown else "no activations"
    memory = largest.memory
    within = f"subgraph {largest.index} " if largest.index else ""
    where = f"{within}operator {memory.operator} {cut(memory.opcode or '', 40)} {short_name(memory.name)}".rstrip()
    doubts = []
    if memory.dynamic:
        doubts.append(f"{plural(memory.dynamic, 'tensor')} of dynamic shape counted as stored")
    if memory.unknown:
        doubts.append(f"{plural(memory.unknown, 'tensor')} of unknown size left out")
    return "; ".join([f"activations ≥ {size(memory.bytes)}, at {where}", *doubts])


def _state(portrait: Portrait, limit: int) -> str:
    told = []
    for variable in portrait.variables:
        shape = "" if variable.shape is None else f"{dtype(variable.dtype or '')} {dimensions(variable.shape)}"
        told.append(f"{short_name(variable.name)} {shape}".strip())
    return f"{plural(len(portrait.variables), 'variable')}: {listed(told, min(limit, 4))}"


def _operators(portrait: Portrait, limit: int) -> str:
    counts: dict[str, int] = {}
    for entry in portrait.operators:
        counts[entry.label] = counts.get(entry.label, 0) + entry.count
    ordered = sorted(((label, n) for label, n in counts.items() if n), key=lambda item: (-item[1], item[0]))
    told = [cut(label, 40) if count == 1 else f"{cut(label, 40)} {count:,}" for label, count in ordered]
    return listed(told, 4 * limit, DOT) or "none"


def _custom(portrait: Portrait, limit: int) -> Iterator[str]:
    """Who runs the custom operators, those of one fate together."""
    fates: dict[str, list[str]] = {}
    for name in sorted({entry.custom for entry in portrait.operators if entry.custom is not None and entry.count}):
        fates.setdefault(_fate(name), []).append(cut(name, 40) or "without a name")
    for fate, names in list(fates.items()):
        yield f"{listed(names, limit)}: {fate}"


def _fate(custom: str) -> str:
    """Who runs a custom operator; Flex operators are TensorFlow's own."""
    if custom.startswith("Flex"):
        return "TensorFlow's own, need the Flex delegate"
    known = table("op_versions")["custom_ops"]
    runtimes = [_RUNTIMES[runtime] for runtime in _RUNTIMES if custom in known[runtime]]
    return f"known to {', '.join(runtimes)}" if runtimes else "no known runtime has it by itself"


# -- signatures, inputs, outputs ---------------------------------------------------------------------------------------


def _signatures(portrait: Portrait, limit: int) -> Iterator[str]:
    if not portrait.signatures:
        yield "none"
    for signature in portrait.signatures[:limit]:
        reached = _reached(portrait, signature)
        if reached is None:
            ends = [[cut(named.name, 40) for named in side] for side in (signature.inputs, signature.outputs)]
            yield f"{cut(signature.key, 60)}({listed(ends[0], MAX_NAMES)}) → {listed(ends[1], MAX_NAMES)}"
        else:
            names = _names(signature)
            yield f"{cut(signature.key, 60)} in subgraph {signature.subgraph}"
            yield f"  takes {short_border(reached.inputs, names, MAX_NAMES) or 'nothing'}"
            yield f"  gives {short_border(reached.outputs, names, MAX_NAMES) or 'nothing'}"
    if len(portrait.signatures) > limit:
        yield f"and {len(portrait.signatures) - limit:,} more"


def _reached(portrait: Portrait, signature: Signature) -> Subgraph | None:
    """The subgraph of a signature, where it is another one than the first."""
    if not 0 < signature.subgraph < len(portrait.subgraphs):
        return None
    return portrait.subgraphs[signature.subgraph]


def _names(signature: Signature) -> dict[int, str]:
    return {named.tensor: named.name for named in (*signature.outputs, *signature.inputs)}


def _border(portrait: Portrait, limit: int) -> Iterator[Entry]:
    """Inputs and outputs of the first subgraph."""
    if not portrait.subgraphs:
        return
    first = portrait.subgraphs[0]
    names = next((_names(signature) for signature in portrait.signatures if signature.subgraph == 0), {})
    for side, entries in (
        ("input", list(input_entries(first.inputs, names))),
        ("output", list(output_entries(first.outputs, names))),
    ):
        for label, lines in entries[:limit]:
            yield label, lines if limit > 2 else lines[:1]
        if len(entries) > limit:
            yield "", [f"and more {side}s: --plain lists all"]
        if not entries:
            yield f"{side}s", ["none"]


# -- what the file says of itself --------------------------------------------------------------------------------------


def _about(portrait: Portrait, limit: int) -> Iterator[Entry]:
    about = portrait.about
    if about.error:
        yield "metadata", [f"TFLITE_METADATA cannot be read: {about.error}"]
    pieces = [cut(about.name, 60)] if about.name else []
    for label, value in (("version", about.version), ("by", about.author), ("licence", about.license)):
        if value:
            pieces.append(f"{label} {cut(value, 40)}")
    lines = [DOT.join(pieces), cut(about.summary or "", WIDTH - COLUMN)]
    if any(lines):
        yield "metadata", [line for line in lines if line]
    if about.files:
        told = [_file(file) for file in about.files[:limit]]
        yield "files", told + ([f"and {len(about.files) - limit:,} more"] if len(about.files) > limit else [])


def _file(file: AttachedFile) -> str:
    pieces = [cut(file.name, 60) or "without a name"]
    if file.type and file.type != "UNKNOWN":
        pieces.append(file.type.lower().replace("_", " "))
    if file.owner:
        pieces.append(f"of the {file.owner}" if file.owner in ("model", "subgraph") else f"of {cut(file.owner, 40)}")
    if file.lines is not None:
        pieces.append(plural(file.lines, "line"))
    pieces.append("not in the file" if file.size is None else size(file.size))
    return ", ".join(pieces)


def _subgraphs(portrait: Portrait, limit: int) -> Iterator[str]:
    for subgraph in portrait.subgraphs[:limit]:
        pieces = [plural(subgraph.n_operators, "operator"), f"{plural(subgraph.n_inputs, 'input')}"]
        if subgraph.constant_bytes:
            pieces.append(f"constants {size(subgraph.constant_bytes)}")
        if subgraph.memory.bytes:
            pieces.append(f"activations ≥ {size(subgraph.memory.bytes)}")
        yield f"{subgraph.index} {short_name(subgraph.name)}  {DOT.join(pieces)}"
    if portrait.n_subgraphs > limit:
        yield f"and {portrait.n_subgraphs - limit:,} more"
