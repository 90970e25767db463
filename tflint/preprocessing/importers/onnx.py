"""Imports inputs, outputs and image properties of an ONNX model. Field numbers are those of onnx.proto (onnx 1.23)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import with_file
from tflint.preprocessing.importers.import_entries import dtype_entry, identify_entries, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.protobuf import Message, WireFile

_DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 22: "int4",
}  # fmt: skip
_KINDS = {"IMAGE": "image", "AUDIO": "audio"}
_LAYOUTS = {("N", "C", "H", "W"): "NCHW", ("N", "H", "W", "C"): "NHWC"}
_AXES = {"DATA_BATCH": "N", "DATA_CHANNEL": "C"}
_FORMAT, _GAMMA, _RANGE = "Image.BitmapPixelFormat", "Image.ColorSpaceGamma", "Image.NominalPixelRange"
_FORMATS = {"gray8": "GRAY", "rgb8": "RGB", "bgr8": "BGR", "rgba8": "RGBA", "bgra8": "BGRA"}
_TRANSFERS = {"srgb": "srgb", "linear": "linear"}
#: Contract keys by the pixel range in the model. For 16 to 235, this is the range of the source, else a normalization.
_RANGES: Mapping[str, dict[str, Any]] = {
    "nominalrange_0_255": {"mean": 0, "std": 1, "units": "u8"},
    "normalized_0_1": {"mean": 0, "std": 1, "units": "unit"},
    "normalized_1_1": {"mean": 0.5, "std": 0.5, "units": "unit"},
    "nominalrange_16_235": {"range": [16, 235]},
}
#: Maximum number of other properties that a note lists.
_MAX_LISTED = 20


def read(source: str) -> Imported:
    """Import a .onnx file."""
    imported: Imported = with_file(source, lambda read, size: _read(WireFile(source, read, size), source))
    return imported


def _read(file: WireFile, path: str) -> Imported:
    model = file.message()
    graph = model.message(7)
    if not model.integer(1) or graph is None:
        raise UserError("is not an ONNX model: it has no version or no graph", place=Place(path))
    notes: list[str] = []
    constants = {tensor.text(8) for tensor in graph.messages(5)}
    non_constant = [value for value in graph.messages(11) if value.text(1) not in constants]
    pixels = _pixels(model, notes)
    inputs = [_entry(value, notes) for value in non_constant]
    if pixels:
        _add_pixels(inputs, pixels, notes)
    outputs = [
        (name, {**entry, "kind": "raw"}) for name, entry in (_entry(value, notes) for value in graph.messages(12))
    ]
    for _, entry in outputs:
        entry.pop("layout", None)
    notes.append("Names, shapes and layout are those of the ONNX model; a conversion to TFLite may change them.")
    return Imported(identify_entries(inputs), identify_entries(outputs), f"onnx {PurePath(path).name}", tuple(notes))


def _entry(value: Message, notes: list[str]) -> tuple[str, dict[str, Any]]:
    name, kind = value.text(1), value.message(2)
    tensor = kind.message(1) if kind is not None else None
    entry: dict[str, Any] = {"kind": _KINDS.get(kind.text(6) if kind is not None else "", "raw")}
    if tensor is None:
        notes.append(f"{label(name)} is not a tensor and is not imported.")
        return name, entry
    number, shape = tensor.integer(1), tensor.message(2)
    entry |= dtype_entry(name, _DTYPES.get(number, f"number {number} of ONNX"), notes)
    if shape is not None:
        axes = list(shape.messages(1))
        entry |= shape_entry(name, [axis.integer(1) if axis.has(1) else None for axis in axes], notes)
        entry |= _layout(axes) if entry["kind"] == "image" else {}
    return name, entry


def _layout(axes: list[Message]) -> dict[str, Any]:
    """Return the key `layout` if all axes have denotations: batch, channel, or feature for height and width."""
    spatial = iter("HW")
    letters = tuple(
        _AXES.get(axis.text(3)) or (next(spatial, "") if axis.text(3) == "DATA_FEATURE" else "") for axis in axes
    )
    return {"layout": _LAYOUTS[letters]} if letters in _LAYOUTS else {}


# -- image properties --------------------------------------------------------------------------------------------------


def _pixels(model: Message, notes: list[str]) -> dict[str, Any]:
    """Return the keys for the image properties of the model, with notes on its other properties."""
    properties = {entry.text(1): entry.text(2) for entry in model.messages(14)}
    known: Mapping[str, Mapping[str, Any]] = {
        _FORMAT: {key: {"channels": value} for key, value in _FORMATS.items()},
        _GAMMA: {key: {"transfer": value} for key, value in _TRANSFERS.items()},
        _RANGE: _RANGES,
    }
    entry: dict[str, Any] = {}
    for key, meanings in known.items():
        value = properties.pop(key, None)
        if value is not None and value.lower() in meanings:
            entry |= meanings[value.lower()]
        elif value is not None:
            notes.append(f"{key} is {label(value)}, which is not a known value.")
    if "names" in properties and "imgsz" in properties:
        notes.append("The metadata is that of an Ultralytics export: use --from ultralytics with its .tflite file.")
    if properties:
        names = ", ".join(label(key) for key in list(properties)[:_MAX_LISTED])
        notes.append(f"Other metadata has no contract key: {names}{', …' if len(properties) > _MAX_LISTED else ''}.")
    return entry


def _add_pixels(inputs: list[tuple[str, dict[str, Any]]], pixels: Mapping[str, Any], notes: list[str]) -> None:
    """Add the image properties to all inputs with the denotation IMAGE, or to the only input."""
    images = [entry for _, entry in inputs if entry["kind"] == "image"] or [
        entry for _, entry in inputs if len(inputs) == 1
    ]
    if not images:
        notes.append("The image properties are not imported: the model does not specify which inputs are images.")
    for entry in images:
        entry |= {"kind": "image", **pixels}
