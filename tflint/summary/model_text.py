"""The lines of a portrait about the model as a whole: scheme, size, runtime, memory, state, operators, subgraphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.report.display_names import format_size, plural, short_name
from tflint.resources import table
from tflint.summary.number_text import DOT, format_dtype, format_shape, join_some, shorten
from tflint.summary.summary_values import RuntimeRequirement, Summary

_TAILS = {
    "none": "nothing",
    "zip": "zip",
    "broken-zip": "broken zip",
    "padding": "padding",
    "buffers": "buffers",
    "unknown": "unknown data",
}
_RUNTIMES = {"tflite": "TFLite", "litert": "LiteRT", "tflm": "TFLM"}


def format_scheme(portrait: Summary) -> str:
    """How the model is quantized, and what stands at its border."""
    if not portrait.conversions:
        return portrait.scheme
    places: dict[str, list[str]] = {}
    for conversion in sorted(portrait.conversions, key=lambda conversion: conversion.operator):
        places.setdefault(conversion.opcode, []).append(str(conversion.operator))
    where = ", ".join(f"{opcode} at {_places(numbers)}" for opcode, numbers in places.items())
    if "at the border" in portrait.scheme:
        return f"{portrait.scheme} ({where})"
    outside = {made.from_dtype if made.side == "input" else made.to_dtype for made in portrait.conversions}
    return f"{portrait.scheme}, {' and '.join(map(format_dtype, sorted(outside)))} at the border ({where})"


def _places(numbers: Sequence[str]) -> str:
    return (
        f"operator {numbers[0]}" if len(numbers) == 1 else f"operators {join_some(numbers[:-1], 4)} and {numbers[-1]}"
    )


def format_sizes(portrait: Summary) -> list[str]:
    """Where the bytes are, and how many parts there are."""
    own = portrait.sizes
    kinds = join_some([f"{format_dtype(name)} {format_size(n_bytes)}" for name, n_bytes in own.by_dtype], 4)
    pieces = [f"constants {format_size(own.constant_bytes)} ({kinds})" if kinds else "no constants"]
    pieces += [f"{format_size(n_bytes)} in {shorten(name, 40)}" for name, n_bytes in own.external[:2]]
    if own.tail_bytes:
        pieces.append(f"{_TAILS[own.tail]} at the end {format_size(own.tail_bytes)}")
    counts = (
        plural(portrait.n_operators, "operator"),
        plural(portrait.n_tensors, "tensor"),
        plural(portrait.n_subgraphs, "subgraph"),
    )
    return [f"{format_size(own.file_bytes)}: {DOT.join(pieces)}", DOT.join(counts)]


def format_runtimes(portrait: Summary, limit: int) -> str:
    """The oldest releases that run the model, and what the converter says."""
    pieces = [_need(need, limit) for need in portrait.needs]
    if not pieces:
        pieces.append("no built-in operators")
    if portrait.about.min_runtime_version:
        pieces.append(f"the converter says {shorten(portrait.about.min_runtime_version, 20)}")
    return DOT.join(pieces)


def _need(need: RuntimeRequirement, limit: int) -> str:
    runtime = _RUNTIMES[need.runtime]
    operators = join_some([f"{opcode} v{version}" for opcode, version in need.operators], min(limit, 4))
    if need.release is None:
        return f"no known {runtime} runs {operators}"
    if need.is_oldest:
        return f"{runtime} ≥ {need.release}, the oldest known"
    return f"{runtime} ≥ {need.release} ({operators})"


def format_memory(portrait: Summary) -> str:
    """The bound of the activations, of the subgraph that needs most."""
    largest = max(portrait.subgraphs, key=lambda subgraph: subgraph.memory.bytes, default=None)
    if largest is None or not largest.memory.bytes:
        return "activations of unknown size" if largest and largest.memory.unknown else "no activations"
    memory = largest.memory
    within = f"subgraph {largest.index} " if largest.index else ""
    where = f"{within}operator {memory.operator} {shorten(memory.opcode or '', 40)} {short_name(memory.name)}".rstrip()
    doubts = []
    if memory.dynamic:
        doubts.append(f"{plural(memory.dynamic, 'tensor')} of dynamic shape counted as stored")
    if memory.unknown:
        doubts.append(f"{plural(memory.unknown, 'tensor')} of unknown size left out")
    return "; ".join([f"activations ≥ {format_size(memory.bytes)}, at {where}", *doubts])


def format_state(portrait: Summary, limit: int) -> str:
    """What stays from one invocation to the next."""
    told = []
    for variable in portrait.variables:
        shape = "" if variable.shape is None else f"{format_dtype(variable.dtype or '')} {format_shape(variable.shape)}"
        told.append(f"{short_name(variable.name)} {shape}".strip())
    return f"{plural(len(portrait.variables), 'variable')}: {join_some(told, min(limit, 4))}"


def format_operators(portrait: Summary, limit: int) -> str:
    """The operators, the commonest first."""
    counts: dict[str, int] = {}
    for entry in portrait.operators:
        counts[entry.label] = counts.get(entry.label, 0) + entry.count
    ordered = sorted(((label, n) for label, n in counts.items() if n), key=lambda item: (-item[1], item[0]))
    told = [shorten(label, 40) if count == 1 else f"{shorten(label, 40)} {count:,}" for label, count in ordered]
    return join_some(told, 4 * limit, DOT) or "none"


def format_custom_operators(portrait: Summary, limit: int) -> Iterator[str]:
    """Who runs the custom operators, those of one fate together."""
    fates: dict[str, list[str]] = {}
    for name in sorted({entry.custom for entry in portrait.operators if entry.custom is not None and entry.count}):
        fates.setdefault(_fate(name), []).append(shorten(name, 40) or "without a name")
    for fate, names in list(fates.items()):
        yield f"{join_some(names, limit)}: {fate}"


def _fate(custom: str) -> str:
    """Who runs a custom operator; Flex operators are TensorFlow's own."""
    if custom.startswith("Flex"):
        return "TensorFlow's own, need the Flex delegate"
    known = table("op_versions")["custom_ops"]
    runtimes = [_RUNTIMES[runtime] for runtime in _RUNTIMES if custom in known[runtime]]
    return f"known to {', '.join(runtimes)}" if runtimes else "no known runtime has it by itself"


def format_subgraphs(portrait: Summary, limit: int) -> Iterator[str]:
    """Each subgraph in a line."""
    for subgraph in portrait.subgraphs[:limit]:
        pieces = [plural(subgraph.n_operators, "operator"), f"{plural(subgraph.n_inputs, 'input')}"]
        if subgraph.constant_bytes:
            pieces.append(f"constants {format_size(subgraph.constant_bytes)}")
        if subgraph.memory.bytes:
            pieces.append(f"activations ≥ {format_size(subgraph.memory.bytes)}")
        yield f"{subgraph.index} {short_name(subgraph.name)}  {DOT.join(pieces)}"
    if portrait.n_subgraphs > limit:
        yield f"and {portrait.n_subgraphs - limit:,} more"
