"""The lines of a portrait about the model as a whole: scheme, size, runtime, memory, state, operators, subgraphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.report.display_names import plural, short_name, size
from tflint.summary.number_text import DOT, cut, dimensions, dtype, listed
from tflint.summary.summary_values import Need, Portrait
from tflint.targets.runtime import load_runtime, runtimes_by_age

_TAILS = {
    "none": "nothing",
    "zip": "zip",
    "broken-zip": "broken zip",
    "padding": "padding",
    "buffers": "buffers",
    "unknown": "unknown data",
}


def scheme(portrait: Portrait) -> str:
    """How the model is quantized, and what stands at its border."""
    if not portrait.conversions:
        return portrait.scheme
    places: dict[str, list[str]] = {}
    for conversion in sorted(portrait.conversions, key=lambda conversion: conversion.operator):
        places.setdefault(conversion.opcode, []).append(str(conversion.operator))
    where = ", ".join(f"{opcode} at {_places(numbers)}" for opcode, numbers in places.items())
    if " input and output" in portrait.scheme:
        return f"{portrait.scheme} ({where})"
    outside = {made.from_dtype if made.side == "input" else made.to_dtype for made in portrait.conversions}
    return f"{portrait.scheme}, {' and '.join(map(dtype, sorted(outside)))} at the border ({where})"


def _places(numbers: Sequence[str]) -> str:
    return f"operator {numbers[0]}" if len(numbers) == 1 else f"operators {listed(numbers[:-1], 4)} and {numbers[-1]}"


def sizes(portrait: Portrait) -> list[str]:
    """Where the bytes are, and how many parts there are."""
    own = portrait.sizes
    kinds = listed([f"{dtype(name)} {size(n_bytes)}" for name, n_bytes in own.by_dtype], 4)
    pieces = [f"constants {size(own.constant_bytes)} ({kinds})" if kinds else "no constants"]
    pieces += [f"{size(n_bytes)} in {cut(name, 40)}" for name, n_bytes in own.external[:2]]
    if own.tail_bytes:
        pieces.append(f"{_TAILS[own.tail]} at the end {size(own.tail_bytes)}")
    counts = (
        plural(portrait.n_operators, "operator"),
        plural(portrait.n_tensors, "tensor"),
        plural(portrait.n_subgraphs, "subgraph"),
    )
    return [f"{size(own.file_bytes)}: {DOT.join(pieces)}", DOT.join(counts)]


def runtime(portrait: Portrait, limit: int) -> str:
    """The oldest releases that run the model, and what the converter says."""
    pieces = [_need(need, limit) for need in portrait.needs]
    if not pieces:
        pieces.append("no built-in operators")
    if portrait.about.min_runtime_version:
        pieces.append(f"the converter says {cut(portrait.about.min_runtime_version, 20)}")
    return DOT.join(pieces)


def _need(need: Need, limit: int) -> str:
    runtime = load_runtime(need.runtime).label
    operators = listed([f"{opcode} v{version}" for opcode, version in need.operators], min(limit, 4))
    if need.release is None:
        return f"no known {runtime} runs {operators}"
    if need.is_oldest:
        return f"{runtime} ≥ {need.release}, the oldest known"
    return f"{runtime} ≥ {need.release} ({operators})"


def memory(portrait: Portrait) -> str:
    """The bound of the activations, of the subgraph that needs most."""
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


def state(portrait: Portrait, limit: int) -> str:
    """What stays from one invocation to the next."""
    told = []
    for variable in portrait.variables:
        shape = "" if variable.shape is None else f"{dtype(variable.dtype or '')} {dimensions(variable.shape)}"
        told.append(f"{short_name(variable.name)} {shape}".strip())
    return f"{plural(len(portrait.variables), 'variable')}: {listed(told, min(limit, 4))}"


def operators(portrait: Portrait, limit: int) -> str:
    """The operators, the commonest first."""
    counts: dict[str, int] = {}
    for entry in portrait.operators:
        counts[entry.label] = counts.get(entry.label, 0) + entry.count
    ordered = sorted(((label, n) for label, n in counts.items() if n), key=lambda item: (-item[1], item[0]))
    told = [cut(label, 40) if count == 1 else f"{cut(label, 40)} {count:,}" for label, count in ordered]
    return listed(told, 4 * limit, DOT) or "none"


def custom(portrait: Portrait, limit: int) -> Iterator[str]:
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
    runtimes = [runtime.label for runtime in runtimes_by_age() if custom in runtime.custom_operators]
    return f"known to {', '.join(runtimes)}" if runtimes else "no known runtime has it by itself"


def subgraphs(portrait: Portrait, limit: int) -> Iterator[str]:
    """Each subgraph in a line."""
    for subgraph in portrait.subgraphs[:limit]:
        pieces = [plural(subgraph.n_operators, "operator"), f"{plural(subgraph.n_inputs, 'input')}"]
        if subgraph.constant_bytes:
            pieces.append(f"constants {size(subgraph.constant_bytes)}")
        if subgraph.memory.bytes:
            pieces.append(f"activations ≥ {size(subgraph.memory.bytes)}")
        yield f"{subgraph.index} {short_name(subgraph.name)}  {DOT.join(pieces)}"
    if portrait.n_subgraphs > limit:
        yield f"and {portrait.n_subgraphs - limit:,} more"
