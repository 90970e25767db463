"""Imports the description of a Core ML model: image inputs with scale and bias, and arrays.

Field numbers are those of Model.proto, FeatureTypes.proto and NeuralNetwork.proto in coremltools 9.0.
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
from tflint.preprocessing.importers.import_entries import dtype_entry, identify_entries, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.protobuf import Message, WireFile

#: Folder of the model in a .mlpackage.
_IN_PACKAGE = "Data/com.apple.CoreML"
#: Fields of Model: version, description, pipelines, and the networks that can have preprocessing.
_VERSION, _DESCRIPTION = 1, 2
_PIPELINES, _PIPELINE = (200, 201), 202
_NETWORKS, _CLASSIFIER, _PROGRAM = (303, 403, 500), 403, 502
_COLOR_SPACES = {10: "GRAY", 20: "RGB", 30: "BGR", 40: "GRAY"}
_ARRAY_TYPES = {65568: "float32", 65600: "float64", 131104: "int32", 131080: "int8", 65552: "float16"}
#: Fields of NeuralNetworkImageScaler: the scale, and a bias per channel.
_SCALE, _BLUE, _GREEN, _RED, _GRAY = 10, 20, 21, 22, 30
_BIASES = {"RGB": (_RED, _GREEN, _BLUE), "BGR": (_BLUE, _GREEN, _RED), "GRAY": (_GRAY,)}


def read(source: str) -> Imported:
    """Import a .mlmodel or a .mlpackage."""
    path = _path(source)
    imported: Imported = with_file(path, lambda read, size: _read(WireFile(path, read, size), path))
    return imported


def _path(source: str) -> str:
    if source.rstrip("/").endswith(".mlmodelc"):
        raise UserError("is a compiled model, which is not supported", place=Place(source), hint="use the .mlmodel")
    folder = Path(source, _IN_PACKAGE)
    names = sorted(path.name for path in folder.glob("*.mlmodel")) if os.path.lexists(folder) else []
    return find(source, [f"{_IN_PACKAGE}/{name}" for name in names or ["model.mlmodel"]], "Core ML model")


def _read(file: WireFile, path: str) -> Imported:
    model = file.message()
    description = model.message(_DESCRIPTION)
    if not model.integer(_VERSION) or description is None or not (description.has(1) or description.has(20)):
        raise UserError("is not a Core ML model: it has no description of its inputs", place=Place(path))
    notes: list[str] = []
    described = description
    if not description.has(1):
        described, offset = next(description.messages(20)), 1
        notes.append("The model has several functions; only the first is imported.")
    else:
        offset = 0
    scalers = dict(_scalers(model))
    inputs = [_input(feature, scalers, notes) for feature in described.messages(1 + offset)]
    outputs = _outputs(model, list(described.messages(3 if offset else 10)), description, notes)
    if model.has(_PROGRAM) and any(entry["kind"] == "image" for _, entry in inputs):
        notes.append("Scale and bias of images are operations in an ML program and are not imported.")
    notes.append("Names are those of the Core ML model; the TFLite model may have different names.")
    return Imported(identify_entries(inputs), identify_entries(outputs), f"coreml {PurePath(path).name}", tuple(notes))


def _scalers(model: Message) -> Iterator[tuple[str, Message]]:
    """Yield input names and their preprocessing, also from pipelines. An empty name means the first input."""
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


def _input(feature: Message, scalers: dict[str, Message], notes: list[str]) -> tuple[str, dict[str, Any]]:
    name, kind = feature.text(1), feature.message(3)
    image = kind.message(4) if kind is not None else None
    if image is not None:
        return name, _image_entry(name, image, scalers.get(name, scalers.get("")), notes)
    return name, {"kind": "raw", **_array(name, kind, notes)}


def _image_entry(name: str, image: Message, preprocessing: Message | None, notes: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": "image"}
    space = _COLOR_SPACES.get(image.integer(3))
    if space is not None:
        entry["channels"] = space
    width, height = image.integer(1), image.integer(2)
    flexible = " or one of several other sizes" if image.has(21) or image.has(31) else ""
    notes.append(f"{label(name)} takes images of {height} × {width} pixels{flexible}; the resize is not specified.")
    if preprocessing is None:
        return entry
    scaler = preprocessing.message(10)
    if scaler is None:
        notes.append(f"A mean image is subtracted from {label(name)}, which a contract cannot express.")
    elif space is not None:
        entry |= _normalization(name, scaler, space, notes)
    return entry


def _normalization(name: str, scaler: Message, space: str, notes: list[str]) -> dict[str, Any]:
    """Return the mean and std of scale × pixel + bias, as the shortest decimals that give the float32 of the file."""
    scale = scaler.real(_SCALE)
    biases = [scaler.real(number) for number in _BIASES[space]]
    if not (math.isfinite(scale) and scale > 0 and all(map(math.isfinite, biases))):
        notes.append(
            f"The scale of {label(name)} is {scale:g}, or a bias is not finite: mean and std are not imported."
        )
        return {}
    try:
        std = _shortest_decimal(1 / scale, lambda value: _as_float32(1 / value) == scale)
        mean = [_mean(bias, scale) for bias in biases]
    except OverflowError:
        notes.append(f"Scale and bias of {label(name)} are too far apart for a mean and a std.")
        return {}
    same = all(one == mean[0] for one in mean)
    return {"mean": mean[0] if same else mean, "std": std, "units": "u8"}


def _mean(bias: float, scale: float) -> float:
    return _shortest_decimal(-bias / scale, lambda value: _as_float32(-value * scale) == bias)


def _shortest_decimal(value: float, is_same: Callable[[float], bool]) -> float:
    """Return `value` rounded to the fewest digits that `is_same` accepts, or unchanged if it accepts none."""
    if not math.isfinite(value):
        raise OverflowError
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, 17))
    return next((number for number in shorter if number and is_same(number)), value) if value else 0.0


def _as_float32(value: float) -> float:
    rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return rounded


def _array(name: str, kind: Message | None, notes: list[str]) -> dict[str, Any]:
    """Return the shape and dtype of an array. For other types of values, return an empty entry and add a note."""
    array = kind.message(5) if kind is not None else None
    if array is None:
        notes.append(f"{label(name)} is neither an array nor an image and is not imported.")
        return {}
    entry = shape_entry(name, array.integers(1), notes) if array.has(1) else {}
    if array.has(21) or array.has(31):
        notes.append(f"{label(name)} accepts several shapes.")
    number = array.integer(2)
    return entry | dtype_entry(name, _ARRAY_TYPES.get(number, f"number {number}"), notes)


# -- outputs -----------------------------------------------------------------------------------------------------------


def _outputs(
    model: Message, features: list[Message], description: Message, notes: list[str]
) -> list[tuple[str, dict[str, Any]]]:
    """Return the outputs, except the predicted class of a classifier, which is not an output of a TFLite model."""
    scores, predicted = description.text(12), description.text(11)
    entries = []
    for feature in features:
        name = feature.text(1)
        if name and name == scores:
            entries.append((name, {"kind": "class_scores", **_labels(model)}))
        elif name and name == predicted:
            notes.append(f"{label(name)} is the predicted class, which Core ML derives from the scores.")
        elif (kind := feature.message(3)) is not None and kind.has(4):
            entries.append((name, {"kind": "raw"}))
            notes.append(f"{label(name)} is an image, which is not an output kind of contracts.")
        else:
            entries.append((name, {"kind": "raw", **_array(name, kind, notes)}))
    return entries


def _labels(model: Message) -> dict[str, Any]:
    classifier = model.message(_CLASSIFIER)
    texts = classifier.message(100) if classifier is not None else None
    count = texts.count(1) if texts is not None else 0
    return {"labels": {"count": count}} if count else {}
