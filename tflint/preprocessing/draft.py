"""Writes a draft: claims that the file makes as keys, guesses as comments with their reasons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import PurePath

import numpy as np

from tflint.contract import parse_contract
from tflint.contract.contract import N_CHANNELS
from tflint.contract.contract_edit import GUESS, comment
from tflint.contract.contract_limits import DTYPES, MAX_RANK
from tflint.facts.quantization.quantization_scheme import base_of
from tflint.normalization.known_normalizations import known_normalizations
from tflint.normalization.range_fit import Fit, unseen_part
from tflint.summary.summary_values import Input, InterfaceMetadata, InterfaceTensor, NamedTensor, Output, Summary
from tflint.userfiles.toml_strings import quoted

_CHANNELS = {1: "GRAY", 3: "RGB", 4: "RGBA"}
#: What the metadata calls colour spaces and kinds of content, in a contract's words.
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


def draft(portrait: Summary) -> str:
    """The text of a contract for a model: satisfies the schema, and says nothing that contradicts the model."""
    lines = [*_head(portrait), *_model(portrait)]
    entry = next((subgraph for subgraph in portrait.subgraphs if subgraph.index == 0), None)
    if entry is not None:
        called = [known for known in portrait.signatures if known.subgraph == 0]
        keys = _keys(entry.inputs, [named for known in called for named in known.inputs])
        for given, key in zip(entry.inputs, keys, strict=True):
            lines += ["", *_input(given, key)]
        keys = _keys(entry.outputs, [named for known in called for named in known.outputs])
        for made, key in zip(entry.outputs, keys, strict=True):
            lines += ["", *_output(made, key, portrait)]
    text = "\n".join(lines) + "\n"
    return parse_contract(text, "the draft").text  # one that satisfies no schema would be a defect of tflint


def _head(portrait: Summary) -> Iterator[str]:
    name = PurePath(portrait.path).name
    yield f"# What a caller of {comment(name)} does before and after the model."
    yield f'# A draft: what stands here, the file says; lines that begin with "{GUESS.strip()}" it does not say.'
    yield "# Confirm each of them with the code of training, and take the mark away or delete the line;"
    yield "# then delete draft = true."
    yield ""


def _model(portrait: Summary) -> Iterator[str]:
    yield "[model]"
    yield "draft = true"
    base = base_of(portrait.scheme)
    if base and base != "no arithmetic":
        yield f"scheme = {_text(base)}"
    is_stateful = any(variable.kind != "hashtable" for variable in portrait.variables)  # tables are only looked up
    yield f"stateful = {_truth(is_stateful)}"


def _keys(border: Sequence[Input | Output], called: Sequence[NamedTensor]) -> list[str]:
    """For each input (or output) the line that finds it: by a name that only it has, else by its index."""
    names: list[list[str]] = []
    for one in border:
        face = one.tensor
        own = [] if face is None else [*(known.name for known in called if known.tensor == face.index), face.name]
        names.append([name for name in own if name])
    lines = []
    for one, own in zip(border, names, strict=True):
        unique = [name for name in own if sum(name in others for others in names) == 1]
        lines.append(f"name = {_text(unique[0])}" if unique else f"index = {one.position}")
    return lines


# -- inputs ------------------------------------------------------------------------------------------------------------


def _input(given: Input, key: str) -> Iterator[str]:
    yield "[[inputs]]"
    yield key
    face, told = given.tensor, given.metadata
    kind = KINDS.get(told.content or "") if told is not None else None
    yield f'kind = "{kind or "raw"}"'
    if kind is None and given.layout is not None:
        yield f'{GUESS}kind = "image"  # instead: its shape is that of a picture'
    if face is None:
        return
    yield from _type_and_shape(face)
    is_picture = kind == "image" or (kind is None and given.layout is not None)
    if is_picture:
        yield from _picture(given, told, is_told=kind == "image")
    yield from _normalization(given, told, is_told=kind == "image")


def _type_and_shape(face: InterfaceTensor) -> Iterator[str]:
    if face.dtype.lower() in DTYPES:
        yield f'dtype = "{face.dtype.lower()}"'
    if face.has_rank and len(face.shape) <= MAX_RANK:
        yield f"shape = [{', '.join(str(-1 if size is None else size) for size in face.dimensions)}]"


def _picture(given: Input, told: InterfaceMetadata | None, *, is_told: bool) -> Iterator[str]:
    if given.layout is not None:
        yield f'{"" if is_told else GUESS}layout = "{given.layout}"'
    space = COLOR_SPACES.get(told.color_space or "") if told is not None else None
    if space is not None:
        yield f'channels = "{space}"'
    elif given.channels in _CHANNELS and not any(fit.order for fit in given.fits):  # else it comes with mean and std
        other = "; BGR is as possible" if given.channels == 3 else ""
        number = f"{given.channels} channel{'s' if given.channels != 1 else ''}"
        yield f'{GUESS}channels = "{_CHANNELS[given.channels]}"  # it has {number}{other}'


def _normalization(given: Input, told: InterfaceMetadata | None, *, is_told: bool) -> Iterator[str]:
    """Mean and std: of a picture's metadata as a claim, all else as guesses."""
    if told is not None and told.mean and told.std and all(map(math.isfinite, (*told.mean, *told.std))):
        doubt = _doubt(given, told, is_told=is_told)
        mark = GUESS if doubt else ""
        yield f"{mark}mean = {_numbers(told.mean)}{doubt}"
        yield f"{mark}std = {_numbers(told.std)}"
        yield f'{mark}units = "u8"'
    elif given.prepares is not None and given.prepares.expects is not None:
        yield from _left_to_the_graph(given.prepares.expects)
    else:
        for number, fit in enumerate(given.fits):
            if number:
                yield "# or, which its numbers fit as well:"
            yield from _guessed(fit)
        if not given.fits and given.layout is not None and given.tensor is not None and given.tensor.dtype in _FLOATS:
            yield f"{GUESS}mean = 127.5  # a float input takes any range: nothing in the file tells"
            yield f"{GUESS}std = 127.5"
            yield f'{GUESS}units = "u8"'
    own = given.tensor.quantization if given.tensor is not None else None
    if own is not None and own.scale is not None and given.tensor is not None and given.tensor.dtype not in _FLOATS:
        yield f'{GUESS}feed = "fold"  # or "raw", where the caller hands over bytes as they are'


def _left_to_the_graph(expects: str) -> Iterator[str]:
    """No mean and std: what the graph begins with normalises pixels itself."""
    yield f"{GUESS}mean = 0  # the graph normalises pixels of {'0 to 255' if expects == 'u8' else '0 to 1'} itself"
    yield f"{GUESS}std = 1"
    yield f'{GUESS}units = "{expects}"'


def _doubt(given: Input, told: InterfaceMetadata, *, is_told: bool) -> str:
    """Why mean and std of the metadata are no claim, as a comment; empty where they are one."""
    if not is_told:
        return "  # the metadata says mean and std, and not of what"
    lengths = {len(told.mean), len(told.std)} - {1}
    n_channels = N_CHANNELS.get(COLOR_SPACES.get(told.color_space or "", ""))
    if len(lengths) > 1 or (n_channels is not None and lengths - {n_channels}):
        return "  # the metadata says so, and not for each channel"
    pairs = list(zip(told.mean, told.std, strict=False))
    if not all(std > 0 for _, std in pairs):
        return "  # the metadata says so, which divides by zero"
    low, high = min(-mean / std for mean, std in pairs), max((255 - mean) / std for mean, std in pairs)
    face = given.tensor
    own = None if face is None else face.quantization
    if face is None or own is None or own.scale is None or own.zero_point is None or face.dtype in _FLOATS:
        return ""
    agrees = unseen_part(low, high, face.dtype, own.scale, own.zero_point) is not None
    return "" if agrees else "  # the metadata says so; scale and zero point stand for another range"


def _guessed(fit: Fit) -> Iterator[str]:
    known = next(one for one in known_normalizations() if one.name == fit.name)
    yield f"{GUESS}mean = {_numbers(known.mean)}  # its scale and zero point fit {fit.short}"
    yield f"{GUESS}std = {_numbers(known.std)}"
    yield f'{GUESS}units = "{known.units}"'
    if fit.order:
        yield f'{GUESS}channels = "{fit.order}"  # the order that these stand in'


# -- outputs -----------------------------------------------------------------------------------------------------------


def _output(made: Output, key: str, portrait: Summary) -> Iterator[str]:
    yield "[[outputs]]"
    yield key
    meaning = made.meaning.kind if made.meaning is not None else ""
    kind, role = _ROLES.get(meaning, ("", ""))
    activation = _ACTIVATIONS.get(meaning, "")
    yield f'kind = "{kind or "raw"}"'
    if activation and not kind:
        yield f'{GUESS}kind = "class_scores"  # instead: a {activation} makes it'
    if role:
        yield f'role = "{role}"'
    if made.tensor is None:
        return
    yield from _type_and_shape(made.tensor)
    if activation:
        yield f'activation = "{activation}"'
    own = made.tensor.quantization
    if own is not None and own.scale is not None and made.tensor.dtype not in _FLOATS:
        yield f"{GUESS}dequantize = true  # it is quantized: real value = (q - zero point) x scale"
    files = made.metadata.files if made.metadata is not None else ()
    labels = [file for file in portrait.about.files if file.name in files and file.lines]
    if labels:
        yield f"{GUESS}labels = {{ file = {_text(labels[0].name)}, count = {labels[0].lines} }}  # in the model's zip"


# -- TOML --------------------------------------------------------------------------------------------------------------


def _numbers(values: Sequence[float]) -> str:
    # The shortest text that is the same float32: metadata holds no more.
    shown = [str(np.float32(value)).removesuffix(".0") for value in values]
    return shown[0] if len(set(shown)) == 1 else f"[{', '.join(shown)}]"


def _text(value: str) -> str:
    """A string in quotes; halves of surrogates, which TOML does not have, become question marks."""
    return quoted(value.encode("utf-8", "replace").decode("utf-8"))


def _truth(value: bool) -> str:
    return "true" if value else "false"
