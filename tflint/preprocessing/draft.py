"""Drafts a contract for a model. What the file specifies becomes keys; guesses become comments with reasons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import PurePath

import numpy as np

from tflint.contract import parse_contract
from tflint.contract.contract import N_CHANNELS
from tflint.contract.contract_edit import GUESS, make_comment
from tflint.contract.contract_limits import DTYPES, MAX_RANK
from tflint.facts.quantization.quantization_scheme import base_scheme_name
from tflint.normalization.known_normalizations import Normalization, known_normalizations
from tflint.normalization.range_fit import Fit, range_shares, unseen_part
from tflint.summary.summary_values import Input, InterfaceMetadata, InterfaceTensor, NamedTensor, Output, Summary
from tflint.userfiles.toml_strings import quote

_CHANNELS = {1: "GRAY", 3: "RGB", 4: "RGBA"}
#: Color spaces and content types of TFLite metadata, as contract values.
COLOR_SPACES = {"RGB": "RGB", "GRAYSCALE": "GRAY"}
KINDS = {"ImageProperties": "image", "AudioProperties": "audio", "FeatureProperties": "raw"}
_ACTIVATIONS = {"softmax": "softmax", "sigmoid": "sigmoid"}
_ROLES = {
    "detection-boxes": ("boxes", "boxes"),
    "detection-classes": ("raw", "classes"),
    "detection-scores": ("class_scores", "scores"),
    "detection-count": ("raw", "count"),
}
_FLOATS = ("FLOAT32", "FLOAT16", "FLOAT64")
_SAME_FIT = "# alternative with the same fit:"
#: Smallest share of each of two ranges that lies in the other one if they count as equal.
_SAME_RANGE = 0.8


def draft_contract(summary: Summary) -> str:
    """Return the text of a contract for a model. It satisfies the schema and does not contradict the model."""
    lines = [*_head(summary), *_model(summary)]
    entry = next((subgraph for subgraph in summary.subgraphs if subgraph.index == 0), None)
    if entry is not None:
        signatures = [signature for signature in summary.signatures if signature.subgraph == 0]
        keys = _keys(entry.inputs, [named for signature in signatures for named in signature.inputs])
        for model_input, key in zip(entry.inputs, keys, strict=True):
            lines += ["", *_input(model_input, key)]
        keys = _keys(entry.outputs, [named for signature in signatures for named in signature.outputs])
        for model_output, key in zip(entry.outputs, keys, strict=True):
            lines += ["", *_output(model_output, key, summary)]
    text = "\n".join(lines) + "\n"
    return parse_contract(text, "the draft").text  # an error here would be a bug in tflint


def _head(summary: Summary) -> Iterator[str]:
    name = PurePath(summary.path).name
    yield f"# Pre- and postprocessing of client code for {make_comment(name)}."
    yield f'# This is a draft. Keys come from the model file; lines that begin with "{GUESS.strip()}" are guesses.'
    yield f'# Compare each guess with the training code: remove "{GUESS.strip()}" to confirm it, or delete the line.'
    yield "# Then delete draft = true."
    yield ""


def _model(summary: Summary) -> Iterator[str]:
    yield "[model]"
    yield "draft = true"
    base = base_scheme_name(summary.scheme)
    if base and base != "no arithmetic":
        yield f"scheme = {_text(base)}"
    yield f"stateful = {_boolean(summary.is_stateful)}"


def _keys(entries: Sequence[Input | Output], signature_names: Sequence[NamedTensor]) -> list[str]:
    """Return, per input (or output), the line that identifies it: its name if this is unique, else its index."""
    names: list[list[str]] = []
    for entry in entries:
        tensor = entry.tensor
        own = (
            []
            if tensor is None
            else [*(named.name for named in signature_names if named.tensor == tensor.index), tensor.name]
        )
        names.append([name for name in own if name])
    lines = []
    for entry, own in zip(entries, names, strict=True):
        unique = [name for name in own if sum(name in others for others in names) == 1]
        lines.append(f"name = {_text(unique[0])}" if unique else f"index = {entry.position}")
    return lines


# -- inputs ------------------------------------------------------------------------------------------------------------


def _input(model_input: Input, key: str) -> Iterator[str]:
    yield "[[inputs]]"
    yield key
    tensor, metadata = model_input.tensor, model_input.metadata
    kind = KINDS.get(metadata.content or "") if metadata is not None else None
    yield f'kind = "{kind or "raw"}"'
    if kind is None and model_input.layout is not None:
        yield f'{GUESS}kind = "image"  # replaces "raw": the input has the shape of an image'
    if tensor is None:
        return
    yield from _type_and_shape(tensor)
    is_image = kind == "image" or (kind is None and model_input.layout is not None)
    if is_image:
        yield from _image(model_input, metadata, is_specified=kind == "image")
    yield from _normalization(model_input, metadata, is_specified=kind == "image")


def _type_and_shape(tensor: InterfaceTensor) -> Iterator[str]:
    if tensor.dtype.lower() in DTYPES:
        yield f'dtype = "{tensor.dtype.lower()}"'
    if tensor.has_rank and len(tensor.shape) <= MAX_RANK:
        yield f"shape = [{', '.join(str(-1 if size is None else size) for size in tensor.dimensions)}]"


def _image(model_input: Input, metadata: InterfaceMetadata | None, *, is_specified: bool) -> Iterator[str]:
    if model_input.layout is not None:
        yield f'{"" if is_specified else GUESS}layout = "{model_input.layout}"'
    space = COLOR_SPACES.get(metadata.color_space or "") if metadata is not None else None
    if space is not None:
        yield f'channels = "{space}"'
    # If a guessed mean and std has a channel order, that order is guessed there.
    elif model_input.first_layer is not None:
        layer = model_input.first_layer
        yield f'{GUESS}channels = "{layer.order}"  # the channel order of {layer.name}, whose first layer this is'
    elif model_input.channels in _CHANNELS and not any(fit.order for fit in model_input.fits):
        alternative = "; BGR is equally possible" if model_input.channels == 3 else ""
        count = f"{model_input.channels} channel{'s' if model_input.channels != 1 else ''}"
        yield f'{GUESS}channels = "{_CHANNELS[model_input.channels]}"  # the input has {count}{alternative}'


def _normalization(model_input: Input, metadata: InterfaceMetadata | None, *, is_specified: bool) -> Iterator[str]:
    """Yield mean and std: as keys if image metadata specifies them, otherwise as guesses."""
    if (
        metadata is not None
        and metadata.mean
        and metadata.std
        and all(map(math.isfinite, (*metadata.mean, *metadata.std)))
    ):
        doubt = _doubt(model_input, metadata, is_specified=is_specified)
        mark = GUESS if doubt else ""
        yield f"{mark}mean = {_numbers(metadata.mean)}{doubt}"
        yield f"{mark}std = {_numbers(metadata.std)}"
        yield f'{mark}units = "u8"'
    elif model_input.prepares is not None and model_input.prepares.expects is not None:
        yield from _normalized_by_graph(model_input.prepares.expects)
    else:
        proposals = _proposals(model_input)
        for number, (introduction, lines) in enumerate(proposals):
            if number:
                yield introduction
            yield from lines
        is_float = model_input.tensor is not None and model_input.tensor.dtype in _FLOATS
        if not proposals and model_input.layout is not None and is_float:
            yield f"{GUESS}mean = 127.5  # not derived from the file: a float input accepts any range"
            yield f"{GUESS}std = 127.5"
            yield f'{GUESS}units = "u8"'
    own = model_input.tensor.quantization if model_input.tensor is not None else None
    if (
        own is not None
        and own.scale is not None
        and model_input.tensor is not None
        and model_input.tensor.dtype not in _FLOATS
    ):
        yield f'{GUESS}feed = "fold"  # or "raw" if client code passes bytes without normalization'


def _proposals(model_input: Input) -> list[tuple[str, Iterator[str]]]:
    """Return the normalizations that fit an input, each with the comment that introduces it as an alternative.

    The normalization of a known first layer comes first, because its source says what training used; but last if the
    input was calibrated for another range.
    """
    layer = model_input.first_layer
    if layer is None or layer.is_in_graph:
        return [(_SAME_FIT, _fit_lines(fit)) for fit in model_input.fits]
    fits = [(_SAME_FIT, _fit_lines(fit)) for fit in model_input.fits if fit.name != layer.normalization]
    known = _find_normalization(layer.normalization)
    pretraining = f"the first layer is that of {layer.name}, which expects {known.short}: {layer.source}"
    lines = _normalization_lines(known, pretraining)
    if _agrees_with_calibration(known, model_input):
        return [("", lines), *fits]
    return [*fits, ("# alternative, outside of the calibrated range:", lines)]


def _agrees_with_calibration(known: Normalization, model_input: Input) -> bool:
    """Return whether the calibrated range of an input is that of a normalization. True if it was not calibrated."""
    own = (model_input.tensor.quantization if model_input.tensor is not None else None) or model_input.calibrated
    if own is None or own.low is None or own.high is None:
        return True
    is_symmetric = own.zero_point == 0 and own.low < 0
    shares = range_shares(known.low, known.high, (own.low, own.high), is_symmetric=is_symmetric)
    return shares is not None and min(shares) >= _SAME_RANGE


def _normalized_by_graph(expects: str) -> Iterator[str]:
    """Yield a normalization that changes nothing, because the first operators of the graph normalize pixels."""
    yield f"{GUESS}mean = 0  # the graph itself normalizes pixels of {'0 to 255' if expects == 'u8' else '0 to 1'}"
    yield f"{GUESS}std = 1"
    yield f'{GUESS}units = "{expects}"'


def _doubt(model_input: Input, metadata: InterfaceMetadata, *, is_specified: bool) -> str:
    """Return a comment on why mean and std of the metadata are a guess, or an empty string if they are reliable."""
    if not is_specified:
        return "  # from the metadata, which does not declare an image"
    lengths = {len(metadata.mean), len(metadata.std)} - {1}
    n_channels = N_CHANNELS.get(COLOR_SPACES.get(metadata.color_space or "", ""))
    if len(lengths) > 1 or (n_channels is not None and lengths - {n_channels}):
        return "  # from the metadata, but not one value per channel"
    pairs = list(zip(metadata.mean, metadata.std, strict=False))
    if not all(std > 0 for _, std in pairs):
        return "  # from the metadata, but std is not above 0"
    low, high = min(-mean / std for mean, std in pairs), max((255 - mean) / std for mean, std in pairs)
    tensor = model_input.tensor
    own = None if tensor is None else tensor.quantization
    if tensor is None or own is None or own.scale is None or own.zero_point is None or tensor.dtype in _FLOATS:
        return ""
    agrees = unseen_part(low, high, tensor.dtype, own.scale, own.zero_point) is not None
    return "" if agrees else "  # from the metadata, but differs from the calibrated range"


def _fit_lines(fit: Fit) -> Iterator[str]:
    yield from _normalization_lines(_find_normalization(fit.name), f"its scale and zero point fit {fit.short}")


def _normalization_lines(known: Normalization, reason: str) -> Iterator[str]:
    yield f"{GUESS}mean = {_numbers(known.mean)}  # {reason}"
    yield f"{GUESS}std = {_numbers(known.std)}"
    yield f'{GUESS}units = "{known.units}"'
    if known.order:
        yield f'{GUESS}channels = "{known.order}"  # the channel order of this mean and std'


def _find_normalization(name: str) -> Normalization:
    return next(normalization for normalization in known_normalizations() if normalization.name == name)


# -- outputs -----------------------------------------------------------------------------------------------------------


def _output(model_output: Output, key: str, summary: Summary) -> Iterator[str]:
    yield "[[outputs]]"
    yield key
    meaning = model_output.meaning.kind if model_output.meaning is not None else ""
    kind, role = _ROLES.get(meaning, ("", ""))
    activation = _ACTIVATIONS.get(meaning, "")
    yield f'kind = "{kind or "raw"}"'
    if activation and not kind:
        yield f'{GUESS}kind = "class_scores"  # replaces "raw": the output of a {activation}'
    if role:
        yield f'role = "{role}"'
    if model_output.tensor is None:
        return
    yield from _type_and_shape(model_output.tensor)
    if activation:
        yield f'activation = "{activation}"'
    own = model_output.tensor.quantization
    if own is not None and own.scale is not None and model_output.tensor.dtype not in _FLOATS:
        yield f"{GUESS}dequantize = true  # the output is quantized: real value = (q - zero point) x scale"
    files = model_output.metadata.files if model_output.metadata is not None else ()
    labels = [file for file in summary.about.files if file.name in files and file.lines]
    if labels:
        name, count = _text(labels[0].name), labels[0].lines
        yield f"{GUESS}labels = {{ file = {name}, count = {count} }}  # packed with the model"


# -- TOML --------------------------------------------------------------------------------------------------------------


def _numbers(values: Sequence[float]) -> str:
    # The shortest decimal with the same float32, which is the type of numbers in metadata.
    texts = [str(np.float32(value)).removesuffix(".0") for value in values]
    return texts[0] if len(set(texts)) == 1 else f"[{', '.join(texts)}]"


def _text(value: str) -> str:
    """Return a string in quotes. Unpaired surrogates, which TOML cannot represent, become question marks."""
    return quote(value.encode("utf-8", "replace").decode("utf-8"))


def _boolean(value: bool) -> str:
    return "true" if value else "false"
