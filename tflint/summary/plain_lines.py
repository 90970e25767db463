"""Renders a summary as lines for diffs, one fact per line. The same model always gives the same lines.

The lines contain exact numbers. They contain no path, and no indices of tensors or operators, because a new operator
would shift the indices. Inputs and outputs have the stored order, which matters to client code. Other lists are sorted
by name.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence

from tflint.report.display_names import clean, first_segment
from tflint.summary.number_text import format_dtype
from tflint.summary.summary_values import (
    FileStatements,
    Input,
    InterfaceMetadata,
    InterfaceTensor,
    Output,
    Quantization,
    Subgraph,
    Summary,
)


def render(summary: Summary) -> str:
    """Return the lines, with a final newline."""
    return "".join(f"{clean(line)}\n" for line in _list_facts(summary))


def _list_facts(summary: Summary) -> Iterator[str]:
    yield "file model"
    yield f"scheme {summary.scheme}"
    for entry in summary.conversions:
        types = f"{format_dtype(entry.from_dtype)} to {format_dtype(entry.to_dtype)}"
        yield f"conversion {entry.side} {entry.position} {entry.opcode} {types}"
    yield from _sizes(summary)
    for need in summary.needs:
        yield f"needs {need.runtime} {need.release or 'unknown'}"
    yield from _about(summary.about)
    tensors = {subgraph.index: _names(subgraph) for subgraph in summary.subgraphs}
    for signature in summary.signatures:
        yield f"signature {signature.key} subgraph {signature.subgraph}"
        for side, names in (("input", signature.inputs), ("output", signature.outputs)):
            for name in sorted(names, key=lambda name: name.name):
                tensor = tensors.get(signature.subgraph, {}).get(name.tensor, "not an input or output")
                yield f"signature {signature.key} {side} {name.name} is {tensor}"
    for subgraph in summary.subgraphs:
        yield from _subgraph(subgraph)
    for variable in sorted(summary.variables, key=lambda variable: (variable.kind, variable.name)):
        shape = "" if variable.shape is None else f" {format_dtype(variable.dtype or '')} {_list(variable.shape)}"
        yield f"state {variable.kind} {variable.name}{shape}"
    for count in summary.operators:
        yield f"operator {count.label} version {count.version} count {count.count}"


def _sizes(summary: Summary) -> Iterator[str]:
    sizes = summary.sizes
    yield f"count operators {summary.n_operators}"
    yield f"count subgraphs {summary.n_subgraphs}"
    yield f"count tensors {summary.n_tensors}"
    yield f"count parameters {summary.n_parameters}"
    yield f"size file {sizes.file_bytes}"
    yield f"size constants {sizes.constant_bytes}"
    for name, n_bytes in sorted(sizes.by_dtype):
        yield f"size constants {format_dtype(name)} {n_bytes}"
    yield f"size other-buffers {sizes.other_buffer_bytes}"
    yield f"size tail {sizes.tail_bytes} {sizes.tail}"
    for name, n_bytes in sorted(sizes.external):
        yield f"size external {n_bytes} {name}"


def _about(about: FileStatements) -> Iterator[str]:
    texts = (
        ("converter", about.description),
        ("min_runtime_version", about.min_runtime_version),
        ("metadata name", about.name),
        ("metadata description", about.summary),
        ("metadata version", about.version),
        ("metadata author", about.author),
        ("metadata license", about.license),
        ("metadata min_parser_version", about.min_parser_version),
        ("metadata error", about.error),
    )
    yield from (f"{label} {text}" for label, text in texts if text)
    yield from (f"entry {name}" for name in sorted(about.entries))
    for file in sorted(about.files, key=lambda file: (file.name, file.owner or "")):
        yield f"attached {file.name} type {(file.type or 'none').lower()}"
        yield f"attached {file.name} owner {file.owner or 'none'}"
        yield f"attached {file.name} size {'missing' if file.size is None else file.size}"
        if file.lines is not None:
            yield f"attached {file.name} lines {file.lines}"


def _subgraph(subgraph: Subgraph) -> Iterator[str]:
    head = f"subgraph {subgraph.index}"
    yield f"{head} name {subgraph.name}".rstrip()
    yield f"{head} operators {subgraph.n_operators}"
    yield f"{head} tensors {subgraph.n_tensors}"
    yield f"{head} constants {subgraph.constant_bytes}"
    yield f"{head} activations {subgraph.memory.bytes}"
    if subgraph.memory.opcode:
        yield f"{head} activations-peak {subgraph.memory.opcode} {first_segment(subgraph.memory.name)}".rstrip()
    yield f"{head} macs {subgraph.computation.macs}"
    before = "" if subgraph.index == 0 else f"{head} "
    for entry in subgraph.inputs:
        yield from (f"{before}input {entry.position} {fact}" for fact in _input(entry))
    for output in subgraph.outputs:
        yield from (f"{before}output {output.position} {fact}" for fact in _output(output))


def _input(entry: Input) -> Iterator[str]:
    yield from _tensor(entry.tensor)
    if entry.layout:
        yield f"layout {entry.layout}"
    if entry.calibrated is not None:
        yield from (f"behind {fact}" for fact in _quantization(entry.calibrated))
    yield from (f"fits {fit.name} unseen {fit.unseen:.4f}" for fit in entry.fits)
    if entry.prepares is not None:
        yield f"graph-scale {' '.join(map(repr, entry.prepares.scale))}"
        yield f"graph-offset {' '.join(map(repr, entry.prepares.offset))}"
    if entry.first_layer is not None:
        normalization = "in-graph" if entry.first_layer.is_in_graph else entry.first_layer.normalization
        yield f"first-layer {entry.first_layer.name} normalization {normalization}"
    yield from _metadata(entry.metadata)


def _output(entry: Output) -> Iterator[str]:
    yield from _tensor(entry.tensor)
    if entry.meaning is not None:
        yield f"meaning {entry.meaning.kind} by {entry.meaning.opcode}"
        if entry.meaning.classes is not None:
            yield f"classes {entry.meaning.classes}"
    yield from _metadata(entry.metadata)


def _tensor(tensor: InterfaceTensor | None) -> Iterator[str]:
    if tensor is None:
        yield "missing"
        return
    yield f"name {tensor.name}".rstrip()
    yield f"dtype {format_dtype(tensor.dtype)}"
    yield f"shape {_list(-1 if size is None else size for size in tensor.dimensions) if tensor.has_rank else 'unknown'}"
    if tensor.quantization is not None:
        yield from _quantization(tensor.quantization)


def _quantization(own: Quantization) -> Iterator[str]:
    if own.details is not None:
        yield f"quantization {own.details}"
    if own.scale is None:
        yield f"scales {own.n_scales}"
        return
    yield f"scale {short_float(own.scale)}"
    yield f"zero_point {'none' if own.zero_point is None else own.zero_point}"


def _metadata(metadata: InterfaceMetadata | None) -> Iterator[str]:
    if metadata is None:
        return
    texts = (
        ("name", metadata.name),
        ("description", metadata.description),
        ("content", metadata.content),
        ("color_space", metadata.color_space),
    )
    yield from (f"metadata {label} {text}" for label, text in texts if text)
    numbers = (
        ("mean", metadata.mean),
        ("std", metadata.std),
        ("min", metadata.stats_min),
        ("max", metadata.stats_max),
    )
    yield from (f"metadata {label} {_list(map(short_float, values))}" for label, values in numbers if values)


def _names(subgraph: Subgraph) -> dict[int, str]:
    """Return the names of inputs and outputs (`input 0`) by tensor index."""
    sides: tuple[tuple[str, Sequence[Input | Output]], ...] = (("output", subgraph.outputs), ("input", subgraph.inputs))
    return {
        entry.tensor.index: f"{side} {entry.position}"
        for side, entries in sides
        for entry in entries
        if entry.tensor is not None
    }


def _list(values: Iterable[object]) -> str:
    return ",".join(map(str, values)) or "scalar"


def short_float(value: float) -> str:
    """Return the shortest decimal that converts to the same float32, which is the type of numbers in a file."""
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if _as_float32(float(text)) == _as_float32(value):
            return text
    return repr(value)


def _as_float32(value: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return value
