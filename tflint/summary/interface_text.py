"""Formats the lines of a summary about inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from tflint.normalization.affine_formula import format_affine, format_dequantization
from tflint.normalization.range_fit import ACTIVATION_TYPES, HALF_STEP, Fit
from tflint.summary.number_text import (
    DOT,
    format_dtype,
    format_numbers,
    format_percent,
    format_quantization,
    format_range,
    format_shape,
    format_type,
    quote_name,
    shorten,
)
from tflint.summary.summary_values import Input, InterfaceMetadata, InterfaceTensor, Output, Quantization

#: Minimum number of successive similar inputs or outputs to show as a group, such as the caches of a language model.
MIN_GROUP = 3
#: Maximum number of matching normalizations to name.
MAX_FITS = 3
#: Maximum length of the metadata text in characters, so that it fits on one line.
MAX_METADATA = 89
#: A label and the lines of text after it.
Entry = tuple[str, list[str]]
InputOrOutput = TypeVar("InputOrOutput", Input, Output)

_MEANINGS = {
    "log-softmax": "logarithms of probabilities",
    "sigmoid": "sigmoid: each value is 0 … 1 on its own",
    "tanh": "tanh: −1 … 1",
    "index-of-largest": "index of the largest value",
    "index-of-smallest": "index of the smallest value",
    "unit-vector": "vector of length 1",
    "not-negative": "not negative",
    "0-to-6": "0 … 6",
    "0-to-1": "0 … 1",
    "-1-to-1": "−1 … 1",
    "detection-boxes": "boxes: top, left, bottom, right, as fractions of the image",
    "detection-classes": "classes of the boxes, counted from 0",
    "detection-scores": "scores of the boxes",
    "detection-count": "number of boxes",
}
_PROBABILITIES = {"softmax", "sigmoid", "detection-scores"}


def format_inputs(inputs: Sequence[Input], names: Mapping[int, str]) -> Iterator[Entry]:
    """Yield a label and lines per input. `names` maps tensor indices to the names in a signature."""
    for group in group_similar(inputs):
        first = group[0]
        if len(group) > 1:
            yield "inputs", _format_group(group)
        else:
            yield f"input {first.position}", _format_input(first, names)


def format_outputs(outputs: Sequence[Output], names: Mapping[int, str]) -> Iterator[Entry]:
    """Yield a label and lines per output. `names` maps tensor indices to the names in a signature."""
    for group in group_similar(outputs):
        first = group[0]
        if len(group) > 1:
            yield "outputs", _format_group(group)
        else:
            yield f"output {first.position}", _format_output(first, names)


def group_similar(entries: Sequence[InputOrOutput]) -> list[list[InputOrOutput]]:
    """Group runs of `MIN_GROUP` or more inputs or outputs that differ only in name. Any other is a group of its own."""
    runs: list[list[InputOrOutput]] = []
    for entry in entries:
        if runs and _similarity_key(runs[-1][0]) == _similarity_key(entry) is not None:
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return [part for run in runs for part in ([run] if len(run) >= MIN_GROUP else [[entry] for entry in run])]


def _similarity_key(entry: Input | Output) -> tuple[object, ...] | None:
    """Return the properties that similar inputs share, or None for an input that must not be grouped."""
    tensor = entry.tensor
    details = entry.layout if isinstance(entry, Input) else entry.meaning
    if tensor is None or details is not None or entry.metadata is not None:
        return None
    return tensor.dtype, tensor.dimensions, tensor.has_rank, tensor.quantization


def _format_group(group: Sequence[Input | Output]) -> list[str]:
    first, last = group[0].tensor, group[-1].tensor
    assert first is not None and last is not None
    line = f"{group[0].position} to {group[-1].position}: {len(group):,} × {format_type(first)}"
    if first.quantization is not None:
        line += f"{DOT}{format_quantization(first.quantization)}"
    return [f"{line}{DOT}{quote_name(first.name)} … {quote_name(last.name)}"]


def _format_tensor(tensor: InterfaceTensor, names: Mapping[int, str]) -> str:
    signature_name = names.get(tensor.index, "")
    alias = f" ({shorten(signature_name, 40)})" if signature_name and signature_name != tensor.name else ""
    name = f" {quote_name(tensor.name)}" if tensor.name else ""
    line = f"#{tensor.index}{name}{alias}  {format_type(tensor)}"
    return line if tensor.quantization is None else f"{line}{DOT}{format_quantization(tensor.quantization)}"


# -- inputs ------------------------------------------------------------------------------------------------------------


def _format_input(entry: Input, names: Mapping[int, str]) -> list[str]:
    if entry.tensor is None:
        return ["missing: the tensor index is out of range"]
    lines = [
        _format_tensor(entry.tensor, names),
        _describe_range(entry, entry.tensor),
        _describe_normalization(entry),
        _describe_first_layer(entry),
        _describe_unknowns(entry),
        _format_metadata(entry.metadata),
    ]
    return [line for line in lines if line]


def _describe_range(entry: Input, tensor: InterfaceTensor) -> str:
    """Return the range of an input and the normalizations that match it, or an empty string if it has no range."""
    own = tensor.quantization
    if tensor.dtype in ACTIVATION_TYPES and own is not None:
        if own.low is None or own.high is None:
            return ""
        return f"range {format_range(own.low, own.high)}{_describe_match(entry, tensor)}"
    calibrated = entry.calibrated
    if calibrated is not None and calibrated.low is not None and calibrated.high is not None:
        clipped = f"any value, clipped by QUANTIZE to {format_range(calibrated.low, calibrated.high)}"
        return clipped + _describe_match(entry, tensor)
    if tensor.dtype.startswith(("FLOAT", "BFLOAT")):
        return _describe_float(entry) if entry.layout else ""
    return "no scale: the graph uses the integers directly" if entry.layout and tensor.dtype in ACTIVATION_TYPES else ""


def _describe_normalization(entry: Input) -> str:
    """Return the normalization of pixels that the graph itself applies, or an empty string for other arithmetic."""
    own = entry.prepares
    if own is None or own.expects is None:
        return ""
    pixels = "0 … 255" if own.expects == "u8" else "0 … 1"
    return f"pixels {pixels}: the graph normalizes them itself, {format_affine(own.scale, own.offset)}"


def _describe_first_layer(entry: Input) -> str:
    """Return the known network that the first layer identifies, and the normalization that it expects."""
    layer = entry.first_layer
    if layer is None:
        return ""
    return f"first layer of {layer.name}" + ("" if layer.is_in_graph else f", which expects {layer.short}")


def _describe_float(entry: Input) -> str:
    if entry.prepares is not None and entry.prepares.expects is not None:
        return ""  # the normalization in the graph determines the range
    if entry.metadata is not None and entry.metadata.mean:
        return "any value: the metadata specifies the normalization"
    if entry.first_layer is not None and not entry.first_layer.is_in_graph:
        return "any value: the first layer reveals the range used in pretraining"
    return "any value: the range used in training is not in the file"


def _describe_match(entry: Input, tensor: InterfaceTensor) -> str:
    if not entry.layout:
        return f": the range {format_range(*entry.nominal)}" if entry.nominal else ""
    if not entry.fits:
        return ": matches no known normalization"
    formulas = list(dict.fromkeys(fit.short for fit in entry.fits))
    more = len(formulas) - MAX_FITS
    shown = " or ".join(formulas[:MAX_FITS]) + (f" or {more} more" if more > 0 else "")
    doubt = " (ambiguous)" if len(formulas) > 1 else ""
    unseen = entry.fits[0].unseen
    if unseen:
        return f": close to {shown}{doubt}, {format_percent(unseen)} of it outside of the calibrated range"
    return f": matches {shown}{doubt}{_describe_raw_bytes(entry.fits, tensor)}"


def _describe_raw_bytes(fits: Sequence[Fit], tensor: InterfaceTensor) -> str:
    """Return how exact raw bytes are as input, without normalization, or an empty string if they are not."""
    steps = [fit.raw_steps for fit in fits]
    if tensor.dtype not in ("UINT8", "INT8") or any(step is None for step in steps):
        return ""
    worst = max(step for step in steps if step is not None)
    fed = "raw bytes are" if tensor.dtype == "UINT8" else "raw byte − 128 is"
    if worst <= 0.05:
        return f"; {fed} exact"
    return f"; {fed} within half a step" if worst <= HALF_STEP else ""


def _describe_unknowns(entry: Input) -> str:
    """Return the layout of an image, and its preprocessing that the file does not specify."""
    if not entry.layout:
        return ""
    color_space = entry.metadata.color_space if entry.metadata is not None else None
    is_image = entry.metadata is not None and entry.metadata.content == "ImageProperties"
    missing = ["resize method", "crop"]
    if entry.channels == 3 and color_space != "RGB" and entry.first_layer is None:
        missing.insert(0, "RGB or BGR")
    elif entry.channels == 4:
        missing.insert(0, "meaning of the 4 channels")
    elif entry.channels == 1 and not is_image:
        missing.insert(0, "image or spectrogram")
    return f"{_describe_layout(entry, color_space)}; not in the file: {', '.join(missing)}"


def _describe_layout(entry: Input, color_space: str | None) -> str:
    if color_space in ("RGB", "GRAYSCALE"):
        return f"{entry.layout}, {color_space} (metadata)"
    return f"{entry.layout}, {entry.first_layer.order} (first layer)" if entry.first_layer else f"{entry.layout}"


def _format_metadata(metadata: InterfaceMetadata | None) -> str:
    if metadata is None:
        return ""
    pieces = [quote_name(metadata.name)] if metadata.name else []
    if metadata.mean or metadata.std:
        pieces.append(f"normalization mean {format_numbers(metadata.mean)}, std {format_numbers(metadata.std)}")
    if metadata.content == "AudioProperties":
        pieces.append("audio")
    if metadata.description:
        pieces.append(metadata.description)
    return shorten(f"metadata: {DOT.join(pieces)}", MAX_METADATA) if pieces else ""


# -- outputs -----------------------------------------------------------------------------------------------------------


def _format_output(entry: Output, names: Mapping[int, str]) -> list[str]:
    tensor = entry.tensor
    if tensor is None:
        return ["missing: the tensor index is out of range"]
    pieces = [_describe_meaning(entry), _format_real_value(entry, tensor.quantization), _guess_classes(entry)]
    lines = [_format_tensor(tensor, names), DOT.join(filter(None, pieces)), _format_metadata(entry.metadata)]
    return [line for line in lines if line]


def _describe_meaning(entry: Output) -> str:
    meaning = entry.meaning
    if meaning is None:
        return ""
    if meaning.kind == "softmax":
        kind = f"softmax over {meaning.classes:,}" if meaning.classes else "softmax"
    else:
        kind = _MEANINGS[meaning.kind]
    opcode = "" if meaning.kind.startswith("detection") else f" {meaning.opcode}"
    return f"{kind} (operator {meaning.operator}{opcode})"


def _format_real_value(entry: Output, own: Quantization | None) -> str:
    if own is None or own.scale is None or own.zero_point is None or own.low is None or own.high is None:
        return ""
    formula = format_dequantization(own.scale, own.zero_point)
    if entry.meaning is not None and entry.meaning.kind in _PROBABILITIES:
        return f"probability = {formula}"
    return f"value = {formula}, {format_range(own.low, own.high)}"


def _guess_classes(entry: Output) -> str:
    is_imagenet = entry.meaning is not None and entry.meaning.classes == 1001
    return "perhaps background and 1,000 ImageNet classes" if is_imagenet else ""


def format_interface(entries: Sequence[Input | Output], names: Mapping[int, str], limit: int) -> str:
    """Return the names, types and shapes of the first `limit` inputs or outputs in one line."""
    pieces = []
    for entry in entries[:limit]:
        if entry.tensor is not None:
            name = names.get(entry.tensor.index) or entry.tensor.name
            shape = format_shape(entry.tensor.dimensions)
            pieces.append(f"{shorten(name, 40)} {format_dtype(entry.tensor.dtype)} {shape}")
    more = len(entries) - limit
    return ", ".join(pieces) + (f" and {more:,} more" if more > 0 else "")
