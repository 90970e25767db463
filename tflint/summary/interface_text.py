"""The lines of a portrait about inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from tflint.normalization.affine_formula import formula_of
from tflint.normalization.range_fit import HALF_STEP, LIMITS, Fit
from tflint.summary.number_text import (
    DOT,
    format_dequantization,
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

#: Neighbours of one kind that are shown as one from this many on: caches of a language model, for the most part.
MIN_GROUP = 3
#: Normalisations that are named where several fit.
MAX_FITS = 3
#: What metadata says is cut to a line of a screen.
MAX_METADATA = 89
#: A label, and the lines beside it.
Entry = tuple[str, list[str]]
InputOrOutput = TypeVar("InputOrOutput", Input, Output)

_MEANINGS = {
    "log-softmax": "logarithms of probabilities",
    "sigmoid": "sigmoid: each value by itself is 0 … 1",
    "tanh": "tanh: −1 … 1",
    "index-of-largest": "the index of the largest value",
    "index-of-smallest": "the index of the smallest value",
    "unit-vector": "a vector of length 1",
    "not-negative": "not negative",
    "0-to-6": "0 … 6",
    "0-to-1": "0 … 1",
    "-1-to-1": "−1 … 1",
    "detection-boxes": "boxes: top, left, bottom, right, as parts of the picture",
    "detection-classes": "classes of the boxes, counted from 0",
    "detection-scores": "scores of the boxes",
    "detection-count": "how many boxes there are",
}
_PROBABILITIES = {"softmax", "sigmoid", "detection-scores"}


def format_inputs(inputs: Sequence[Input], names: Mapping[int, str]) -> Iterator[Entry]:
    """The inputs of a subgraph; `names` are those that a signature gives to tensors."""
    for group in group_similar(inputs):
        first = group[0]
        yield ("inputs", _alike(group)) if len(group) > 1 else (f"input {first.position}", _input(first, names))


def format_outputs(outputs: Sequence[Output], names: Mapping[int, str]) -> Iterator[Entry]:
    """The outputs of a subgraph."""
    for group in group_similar(outputs):
        yield (
            ("outputs", _alike(group)) if len(group) > 1 else (f"output {group[0].position}", _output(group[0], names))
        )


def group_similar(entries: Sequence[InputOrOutput]) -> list[list[InputOrOutput]]:
    """Inputs or outputs one by one, neighbours that differ in nothing but their names together."""
    runs: list[list[InputOrOutput]] = []
    for entry in entries:
        if runs and _looks(runs[-1][0]) == _looks(entry) is not None:
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return [part for run in runs for part in ([run] if len(run) >= MIN_GROUP else [[entry] for entry in run])]


def _looks(entry: Input | Output) -> tuple[object, ...] | None:
    """What makes inputs alike; None for one that has something to say of its own."""
    tensor = entry.tensor
    told = entry.layout if isinstance(entry, Input) else entry.meaning
    if tensor is None or told is not None or entry.metadata is not None:
        return None
    return tensor.dtype, tensor.dimensions, tensor.has_rank, tensor.quantization


def _alike(group: Sequence[Input | Output]) -> list[str]:
    first, last = group[0].tensor, group[-1].tensor
    assert first is not None and last is not None
    told = f"{group[0].position} to {group[-1].position}: {len(group):,} × {format_type(first)}"
    if first.quantization is not None:
        told += f"{DOT}{format_quantization(first.quantization)}"
    return [f"{told}{DOT}{quote_name(first.name)} … {quote_name(last.name)}"]


def _face(tensor: InterfaceTensor, names: Mapping[int, str]) -> str:
    named = names.get(tensor.index, "")
    alias = f" ({shorten(named, 40)})" if named and named != tensor.name else ""
    name = f" {quote_name(tensor.name)}" if tensor.name else ""
    line = f"#{tensor.index}{name}{alias}  {format_type(tensor)}"
    return line if tensor.quantization is None else f"{line}{DOT}{format_quantization(tensor.quantization)}"


# -- inputs ------------------------------------------------------------------------------------------------------------


def _input(entry: Input, names: Mapping[int, str]) -> list[str]:
    if entry.tensor is None:
        return ["a tensor that the file does not have"]
    lines = [
        _face(entry.tensor, names),
        _range(entry, entry.tensor),
        _prepared(entry),
        _unsaid(entry),
        _told(entry.metadata),
    ]
    return [line for line in lines if line]


def _range(entry: Input, tensor: InterfaceTensor) -> str:
    """What an input can hold, and which normalisation that fits."""
    own = tensor.quantization
    if tensor.dtype in LIMITS and own is not None:
        return (
            ""
            if own.low is None or own.high is None
            else f"holds {format_range(own.low, own.high)}{_fitting(entry, tensor)}"
        )
    made = entry.calibrated
    if made is not None and made.low is not None and made.high is not None:
        behind = f"takes any value; QUANTIZE behind it holds {format_range(made.low, made.high)}"
        return behind + _fitting(entry, tensor)
    if tensor.dtype.startswith(("FLOAT", "BFLOAT")):
        return _any_value(entry) if entry.layout else ""
    return "no scale: the graph takes the integers as they are" if entry.layout and tensor.dtype in LIMITS else ""


def _held(own: Quantization | None) -> str:
    return "" if own is None or own.low is None or own.high is None else format_range(own.low, own.high)


def _prepared(entry: Input) -> str:
    """What the graph does to pixels itself; arithmetic that normalises none is an operator like others."""
    own = entry.prepares
    if own is None or own.expects is None:
        return ""
    pixels = "0 … 255" if own.expects == "u8" else "0 … 1"
    return f"the graph normalises it itself, {formula_of(own.scale, own.offset)}: for pixels of {pixels}"


def _any_value(entry: Input) -> str:
    if entry.prepares is not None and entry.prepares.expects is not None:
        return ""  # the graph tells
    is_told = entry.metadata is not None and entry.metadata.mean
    said = "the metadata says how to normalise" if is_told else "the file does not say which range it was trained for"
    return f"takes any value: {said}"


def _fitting(entry: Input, tensor: InterfaceTensor) -> str:
    if not entry.layout:
        return f": the range {format_range(*entry.nominal)}" if entry.nominal else ""
    if not entry.fits:
        return ": fits no known normalisation of pixels"
    shorts = list(dict.fromkeys(fit.short for fit in entry.fits))
    more = len(shorts) - MAX_FITS
    named = " or ".join(shorts[:MAX_FITS]) + (f" or {more} more" if more > 0 else "")
    which = " (nobody can tell which)" if len(shorts) > 1 else ""
    unseen = entry.fits[0].unseen
    if unseen:
        return f": close to {named}{which}, {format_percent(unseen)} of it unseen in calibration"
    return f": fits {named}{which}{_raw(entry.fits, tensor)}"


def _raw(fits: Sequence[Fit], tensor: InterfaceTensor) -> str:
    """Whether a caller may feed bytes as they are."""
    steps = [fit.raw_steps for fit in fits]
    if tensor.dtype not in ("UINT8", "INT8") or any(step is None for step in steps):
        return ""
    worst = max(step for step in steps if step is not None)
    fed = "raw bytes are" if tensor.dtype == "UINT8" else "raw byte − 128 is"
    if worst <= 0.05:
        return f"; {fed} exact"
    return f"; {fed} within half a step" if worst <= HALF_STEP else ""


def _unsaid(entry: Input) -> str:
    """What a file cannot say of a picture, whatever is in it."""
    if not entry.layout:
        return ""
    said = entry.metadata.color_space if entry.metadata is not None else None
    is_picture = entry.metadata is not None and entry.metadata.content == "ImageProperties"
    missing = ["resize method", "crop"]
    if entry.channels == 3 and said != "RGB":
        missing.insert(0, "RGB or BGR")
    elif entry.channels == 4:
        missing.insert(0, "what the 4 channels are")
    elif entry.channels == 1 and not is_picture:
        missing.insert(0, "picture or spectrogram")
    known = f"{entry.layout}, {said} by its metadata" if said in ("RGB", "GRAYSCALE") else entry.layout
    return f"{known}; the file cannot say: {', '.join(missing)}"


def _told(metadata: InterfaceMetadata | None) -> str:
    """What the metadata says."""
    if metadata is None:
        return ""
    pieces = [quote_name(metadata.name)] if metadata.name else []
    if metadata.mean or metadata.std:
        pieces.append(f"normalised with mean {format_numbers(metadata.mean)}, std {format_numbers(metadata.std)}")
    if metadata.content == "AudioProperties":
        pieces.append("audio")
    if metadata.description:
        pieces.append(metadata.description)
    return shorten(f"metadata: {DOT.join(pieces)}", MAX_METADATA) if pieces else ""


# -- outputs -----------------------------------------------------------------------------------------------------------


def _output(entry: Output, names: Mapping[int, str]) -> list[str]:
    tensor = entry.tensor
    if tensor is None:
        return ["a tensor that the file does not have"]
    pieces = [piece for piece in (_meaning(entry), _dequantized(entry, tensor.quantization), _classes(entry)) if piece]
    lines = [_face(tensor, names), DOT.join(pieces), _told(entry.metadata)]
    return [line for line in lines if line]


def _meaning(entry: Output) -> str:
    meaning = entry.meaning
    if meaning is None:
        return ""
    if meaning.kind == "softmax":
        told = f"softmax over {meaning.classes:,}" if meaning.classes else "softmax"
    else:
        told = _MEANINGS[meaning.kind]
    opcode = "" if meaning.kind.startswith("detection") else f" {meaning.opcode}"
    return f"{told} (operator {meaning.operator}{opcode})"


def _dequantized(entry: Output, own: Quantization | None) -> str:
    if own is None or own.scale is None or own.zero_point is None or own.low is None or own.high is None:
        return ""
    if entry.meaning is not None and entry.meaning.kind in _PROBABILITIES:
        return f"probability = {format_dequantization(own)}"
    return f"value = {format_dequantization(own)}, {format_range(own.low, own.high)}"


def _classes(entry: Output) -> str:
    is_imagenet = entry.meaning is not None and entry.meaning.classes == 1001
    return "1,001: perhaps background + ImageNet's 1,000" if is_imagenet else ""


def format_interface(entries: Sequence[Input | Output], names: Mapping[int, str], limit: int) -> str:
    """Inputs or outputs in one piece, for signatures of further subgraphs: names, types and shapes of the first few."""
    told = []
    for entry in entries[:limit]:
        if entry.tensor is not None:
            name = names.get(entry.tensor.index) or entry.tensor.name
            shape = format_shape(entry.tensor.dimensions)
            told.append(f"{shorten(name, 40)} {format_dtype(entry.tensor.dtype)} {shape}")
    more = len(entries) - limit
    return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")
