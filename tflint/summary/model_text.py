"""Formats the lines of a summary about the whole model: scheme, size, runtime, memory, state, operators, subgraphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.report.display_names import format_size, plural, short_name
from tflint.summary.number_text import DOT, format_amount, format_dtype, format_shape, join_some, shorten
from tflint.summary.summary_values import RuntimeRequirement, Summary
from tflint.targets.runtime import load_runtime, runtimes_by_age

_TAILS = {
    "none": "no trailing data",
    "zip": "trailing zip",
    "broken-zip": "invalid trailing zip",
    "padding": "trailing padding",
    "buffers": "trailing buffers",
    "unknown": "unknown trailing data",
}


def format_scheme(summary: Summary) -> str:
    """Return the quantization scheme, and the operators that convert the type of inputs and outputs."""
    if not summary.conversions:
        return summary.scheme
    places: dict[str, list[str]] = {}
    for conversion in sorted(summary.conversions, key=lambda conversion: conversion.operator):
        places.setdefault(conversion.opcode, []).append(str(conversion.operator))
    converters = ", ".join(f"{opcode} at {_list_operators(numbers)}" for opcode, numbers in places.items())
    if " input" in summary.scheme or " output" in summary.scheme:  # the scheme lists the types
        return f"{summary.scheme} ({converters})"
    dtypes = {entry.from_dtype if entry.side == "input" else entry.to_dtype for entry in summary.conversions}
    return f"{summary.scheme}, {' and '.join(map(format_dtype, sorted(dtypes)))} input and output ({converters})"


def _list_operators(numbers: Sequence[str]) -> str:
    return (
        f"operator {numbers[0]}" if len(numbers) == 1 else f"operators {join_some(numbers[:-1], 4)} and {numbers[-1]}"
    )


def format_sizes(summary: Summary) -> list[str]:
    """Return two lines: the sizes of the model's parts, and the numbers of operators, tensors and subgraphs."""
    own = summary.sizes
    kinds = join_some([f"{format_dtype(name)} {format_size(n_bytes)}" for name, n_bytes in own.by_dtype], 4)
    pieces = [f"constants {format_size(own.constant_bytes)} ({kinds})" if kinds else "no constants"]
    pieces += [f"{format_size(n_bytes)} in {shorten(name, 40)}" for name, n_bytes in own.external[:2]]
    if own.tail_bytes:
        pieces.append(f"{_TAILS[own.tail]} {format_size(own.tail_bytes)}")
    counts = (
        plural(summary.n_operators, "operator"),
        plural(summary.n_tensors, "tensor"),
        plural(summary.n_subgraphs, "subgraph"),
    )
    return [f"{format_size(own.file_bytes)}: {DOT.join(pieces)}", DOT.join(counts)]


def format_runtimes(summary: Summary, limit: int) -> str:
    """Return the oldest release per runtime that runs the model, and the minimum version from the metadata."""
    pieces = [_format_requirement(need, limit) for need in summary.needs]
    if not pieces:
        pieces.append("no built-in operators")
    if summary.about.min_runtime_version:
        pieces.append(f"min_runtime_version {shorten(summary.about.min_runtime_version, 20)}")
    return DOT.join(pieces)


def _format_requirement(need: RuntimeRequirement, limit: int) -> str:
    runtime = load_runtime(need.runtime).label
    operators = join_some([f"{opcode} v{version}" for opcode, version in need.operators], min(limit, 4))
    if need.release is None:
        return f"no known {runtime} release supports {operators}"
    if need.is_oldest:
        return f"{runtime} ≥ {need.release} (oldest known)"
    return f"{runtime} ≥ {need.release} ({operators})"


def format_memory(summary: Summary) -> str:
    """Return the lower bound of activation memory, for the subgraph with the largest one."""
    largest = max(summary.subgraphs, key=lambda subgraph: subgraph.memory.bytes, default=None)
    if largest is None or not largest.memory.bytes:
        return "activations of unknown size" if largest and largest.memory.unknown else "no activations"
    memory = largest.memory
    within = f"subgraph {largest.index} " if largest.index else ""
    peak = f"{within}operator {memory.operator} {shorten(memory.opcode or '', 40)} {short_name(memory.name)}".rstrip()
    notes = []
    if memory.dynamic:
        notes.append(f"{plural(memory.dynamic, 'dynamic tensor')} counted at the stored size")
    if memory.unknown:
        notes.append(f"{plural(memory.unknown, 'tensor')} of unknown size not counted")
    return "; ".join([f"activations ≥ {format_size(memory.bytes)} (peak at {peak})", *notes])


def format_computation(summary: Summary) -> str:
    """Return the number of MACs, for the subgraph with the most, and the number of parameters of the model."""
    largest = max(summary.subgraphs, key=lambda subgraph: subgraph.computation.macs, default=None)
    parameters = format_amount(summary.n_parameters, "parameter")
    if largest is None:
        return parameters
    found = largest.computation
    within = f" in subgraph {largest.index}" if largest.index else ""
    notes = []
    if found.dynamic:
        notes.append(f"{plural(found.dynamic, 'operator')} counted for the stored shapes")
    if found.unknown:
        notes.append(f"{plural(found.unknown, 'operator')} of unknown size not counted")
    if found.uncounted:
        notes.append(f"{join_some([shorten(name, 40) for name in found.uncounted], 3)} not counted")
    return "; ".join([f"{format_amount(found.macs, 'MAC')}{within}{DOT}{parameters}", *notes])


def format_state(summary: Summary, limit: int) -> str:
    """Return the state that the model keeps between invocations."""
    entries = []
    for variable in summary.variables:
        shape = "" if variable.shape is None else f"{format_dtype(variable.dtype or '')} {format_shape(variable.shape)}"
        entries.append(f"{short_name(variable.name)} {shape}".strip())
    return f"{plural(len(summary.variables), 'variable')}: {join_some(entries, min(limit, 4))}"


def format_operators(summary: Summary, limit: int) -> str:
    """Return the operators, each with its count, most frequent first."""
    counts: dict[str, int] = {}
    for entry in summary.operators:
        counts[entry.label] = counts.get(entry.label, 0) + entry.count
    ordered = sorted(((label, n) for label, n in counts.items() if n), key=lambda item: (-item[1], item[0]))
    entries = [shorten(label, 40) if count == 1 else f"{shorten(label, 40)} {count:,}" for label, count in ordered]
    return join_some(entries, 4 * limit, DOT) or "none"


def format_custom_operators(summary: Summary, limit: int) -> Iterator[str]:
    """Yield the custom operators, grouped by the runtimes that support them."""
    groups: dict[str, list[str]] = {}
    for name in sorted({entry.custom for entry in summary.operators if entry.custom is not None and entry.count}):
        groups.setdefault(_describe_support(name), []).append(shorten(name, 40) or "unnamed")
    for support, names in groups.items():
        yield f"{join_some(names, limit)}: {support}"


def _describe_support(custom: str) -> str:
    if custom.startswith("Flex"):
        return "TensorFlow operators, require the Flex delegate"
    built_in = [runtime.label for runtime in runtimes_by_age() if custom in runtime.custom_operators]
    delegated = [runtime.label for runtime in runtimes_by_age() if custom in runtime.delegate_operators]
    if delegated:
        return f"run by the default delegates of {', '.join(delegated)}"
    return f"built into {', '.join(built_in)}" if built_in else "not built into any known runtime"


def format_subgraphs(summary: Summary, limit: int) -> Iterator[str]:
    """Yield one line per subgraph."""
    for subgraph in summary.subgraphs[:limit]:
        pieces = [plural(subgraph.n_operators, "operator"), f"{plural(subgraph.n_inputs, 'input')}"]
        if subgraph.constant_bytes:
            pieces.append(f"constants {format_size(subgraph.constant_bytes)}")
        if subgraph.memory.bytes:
            pieces.append(f"activations ≥ {format_size(subgraph.memory.bytes)}")
        if subgraph.computation.macs:
            pieces.append(format_amount(subgraph.computation.macs, "MAC"))
        yield f"{subgraph.index} {short_name(subgraph.name)}  {DOT.join(pieces)}"
    if summary.n_subgraphs > limit:
        yield f"and {summary.n_subgraphs - limit:,} more"
