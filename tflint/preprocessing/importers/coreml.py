"""Reads a Core ML model's description: image inputs, their scale and bias, and arrays. Numbers are the fields' of the
format (Model.proto, FeatureTypes.proto and NeuralNetwork.proto of coremltools 9.0).
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, with_file
from tflint.preprocessing.importers.import_entries import dtype_entry, identified, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.protobuf import Message, WireFile

#: Where a package keeps its model.
_IN_PACKAGE = "Data/com.apple.CoreML"
#: Model: its version, its description, pipelines, and the kinds of networks that have preprocessing of their own.
_VERSION, _DESCRIPTION = 1, 2
_PIPELINES, _PIPELINE = (200, 201), 202
_NETWORKS, _CLASSIFIER, _PROGRAM = (303, 403, 500), 403, 502
_COLOR_SPACES = {10: "GRAY", 20: "RGB", 30: "BGR", 40: "GRAY"}
_ARRAY_TYPES = {65568: "float32", 65600: "float64", 131104: "int32", 131080: "int8", 65552: "float16"}
#: NeuralNetworkImageScaler: its factor, and a bias for each channel.
_SCALE, _BLUE, _GREEN, _RED, _GRAY = 10, 20, 21, 22, 30
_BIASES = {"RGB": (_RED, _GREEN, _BLUE), "BGR": (_BLUE, _GREEN, _RED), "GRAY": (_GRAY,)}


def read(source: str) -> Imported:
    """What a .mlmodel, or the one in a .mlpackage, says."""
    path = _path(source)
    made: Imported = with_file(path, lambda read, size: _read(WireFile(path, read, size), path))
    return made


def _path(source: str) -> str:
    if source.rstrip("/").endswith(".mlmodelc"):
        raise UserError("is a compiled model, which is not read", place=Place(source), hint="give the .mlmodel")
    folder = Path(source, _IN_PACKAGE)
    names = sorted(path.name for path in folder.glob("*.mlmodel")) if os.path.lexists(folder) else []
    return find(source, [f"{_IN_PACKAGE}/{name}" for name in names or ["model.mlmodel"]], "Core ML model")


def _read(file: WireFile, path: str) -> Imported:
    model = file.message()
    description = model.message(_DESCRIPTION)
    if not model.integer(_VERSION) or description is None or not (description.has(1) or description.has(20)):
        raise UserError("is no Core ML model: it has no description of its inputs", place=Place(path))
    unsaid: list[str] = []
    described = description
    if not description.has(1):
        described, offset = next(description.messages(20)), 1
        unsaid.append("The model has several functions; the first is described.")
    else:
        offset = 0
    scalers = dict(_scalers(model))
    inputs = [_input(feature, scalers, unsaid) for feature in described.messages(1 + offset)]
    outputs = _outputs(model, list(described.messages(3 if offset else 10)), description, unsaid)
    if model.has(_PROGRAM) and any(entry["kind"] == "image" for _, entry in inputs):
        unsaid.append("Scale and bias of an ML program's pictures are operations inside of it: they are not read.")
    unsaid.append("Names are those of the Core ML model; the TFLite model may have others.")
    return Imported(identified(inputs), identified(outputs), f"coreml {PurePath(path).name}", tuple(unsaid))


def _scalers(model: Message) -> Iterator[tuple[str, Message]]:
    """The preprocessing of each picture by the input's name (empty: of the first one); pipelines are looked into."""
    for number in _NETWORKS:
        network = model.message(number)
        for preprocessing in network.messages(2) if network is not None else ():
            yield preprocessing.text(1), preprocessing
    pipelines = [model.message(_PIPELINE)]
    pipelines += [kind.message(1) for number in _PIPELINES if (kind := model.message(number)) is not None]
    for pipeline in pipelines:
        for inner in pipeline.messages(1) if pipeline is not None else ():
            yield from _scalers(inner)


# -- inputs ------------------------------------------------------------------------------------------------------------


def _input(feature: Message, scalers: dict[str, Message], unsaid: list[str]) -> tuple[str, dict[str, Any]]:
    name, kind = feature.text(1), feature.message(3)
    picture = kind.message(4) if kind is not None else None
    if picture is not None:
        return name, _picture(name, picture, scalers.get(name, scalers.get("")), unsaid)
    return name, {"kind": "raw", **_array(name, kind, unsaid)}


def _picture(name: str, picture: Message, preprocessing: Message | None, unsaid: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": "image"}
    space = _COLOR_SPACES.get(picture.integer(3))
    if space is not None:
        entry["channels"] = space
    width, height = picture.integer(1), picture.integer(2)
    flexible = " or one of several other sizes" if picture.has(21) or picture.has(31) else ""
    unsaid.append(
        f"{label(name)} takes pictures of {height} × {width} pixels{flexible}; how they get there is not said."
    )
    if preprocessing is None:
        return entry
    scaler = preprocessing.message(10)
    if scaler is None:
        unsaid.append(f"A mean image is subtracted from {label(name)}, which a contract has no place for.")
    elif space is not None:
        entry |= _normalization(name, scaler, space, unsaid)
    return entry


def _normalization(name: str, scaler: Message, space: str, unsaid: list[str]) -> dict[str, Any]:
    """Mean and std of scale × pixel + bias: the plainest numbers that give the file's 32-bit floats."""
    scale = scaler.real(_SCALE)
    biases = [scaler.real(number) for number in _BIASES[space]]
    if not (math.isfinite(scale) and scale > 0 and all(map(math.isfinite, biases))):
        unsaid.append(f"The scale of {label(name)} is {scale:g}, which is no division by a std.")
        return {}
    try:
        std = _plainest(1 / scale, lambda value: _as_float32(1 / value) == scale)
        mean = [_mean(bias, scale) for bias in biases]
    except OverflowError:
        unsaid.append(f"Scale and bias of {label(name)} are too far apart for a mean and a std.")
        return {}
    same = all(one == mean[0] for one in mean)
    return {"mean": mean[0] if same else mean, "std": std, "units": "u8"}


def _mean(bias: float, scale: float) -> float:
    return _plainest(-bias / scale, lambda value: _as_float32(-value * scale) == bias)


def _plainest(value: float, is_same: Callable[[float], bool]) -> float:
    """The number of fewest digits that `is_same` takes for the value, itself where there is none."""
    if not math.isfinite(value):
        raise OverflowError
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 17))
    return next((one for one in shorter if one and is_same(one)), value) if value else 0.0


def _as_float32(value: float) -> float:
    made: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return made


def _array(name: str, kind: Message | None, unsaid: list[str]) -> dict[str, Any]:
    """Shape and type of an array; none of another kind of value."""
    array = kind.message(5) if kind is not None else None
    if array is None:
        unsaid.append(f"{label(name)} is no array and no picture: nothing of it is taken.")
        return {}
    entry = shape_entry(name, array.integers(1), unsaid) if array.has(1) else {}
    if array.has(21) or array.has(31):
        unsaid.append(f"The shape of {label(name)} is one of several that it can have.")
    number = array.integer(2)
    return entry | dtype_entry(name, _ARRAY_TYPES.get(number, f"number {number}"), unsaid)


# -- outputs -----------------------------------------------------------------------------------------------------------


def _outputs(
    model: Message, features: list[Message], description: Message, unsaid: list[str]
) -> list[tuple[str, dict[str, Any]]]:
    """The outputs; of a classifier its probabilities, since the class itself is none of a TFLite model's outputs."""
    scores, predicted = description.text(12), description.text(11)
    made = []
    for feature in features:
        name = feature.text(1)
        if name and name == scores:
            made.append((name, {"kind": "class_scores", **_labels(model)}))
        elif name and name == predicted:
            unsaid.append(f"{label(name)} is the class itself, as Core ML makes it of the scores.")
        elif (kind := feature.message(3)) is not None and kind.has(4):
            made.append((name, {"kind": "raw"}))
            unsaid.append(f"{label(name)} is a picture, which a contract has no kind of output for.")
        else:
            made.append((name, {"kind": "raw", **_array(name, kind, unsaid)}))
    return made


def _labels(model: Message) -> dict[str, Any]:
    classifier = model.message(_CLASSIFIER)
    texts = classifier.message(100) if classifier is not None else None
    count = texts.count(1) if texts is not None else 0
    return {"labels": {"count": count}} if count else {}
