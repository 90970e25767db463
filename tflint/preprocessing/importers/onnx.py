"""Reads the inputs, outputs and image properties of an ONNX model. Numbers are those of onnx.proto (onnx 1.23)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import with_file
from tflint.preprocessing.importers.import_entries import dtype_entry, identified, label, shape_entry
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
#: What becomes of pixels of 0 to 255; the range of 16 to 235 is another scale of the source.
_RANGES: Mapping[str, dict[str, Any]] = {
    "nominalrange_0_255": {"mean": 0, "std": 1, "units": "u8"},
    "normalized_0_1": {"mean": 0, "std": 1, "units": "unit"},
    "normalized_1_1": {"mean": 0.5, "std": 0.5, "units": "unit"},
    "nominalrange_16_235": {"range": [16, 235]},
}
#: Names of further metadata that one sentence lists.
_MAX_LISTED = 20


def read(source: str) -> Imported:
    """What a .onnx file says."""
    made: Imported = with_file(source, lambda read, size: _read(WireFile(source, read, size), source))
    return made


def _read(file: WireFile, path: str) -> Imported:
    model = file.message()
    graph = model.message(7)
    if not model.integer(1) or graph is None:
        raise UserError("is no ONNX model: it has no version or no graph", place=Place(path))
    unsaid: list[str] = []
    constants = {tensor.text(8) for tensor in graph.messages(5)}
    fed = [value for value in graph.messages(11) if value.text(1) not in constants]
    pixels = _pixels(model, unsaid)
    inputs = [_entry(value, unsaid) for value in fed]
    if pixels:
        _add_pixels(inputs, pixels, unsaid)
    outputs = [
        (name, {**entry, "kind": "raw"}) for name, entry in (_entry(value, unsaid) for value in graph.messages(12))
    ]
    for _, entry in outputs:
        entry.pop("layout", None)
    unsaid.append("Names, shapes and layout are those of the ONNX model: a converter to TFLite may change them.")
    return Imported(identified(inputs), identified(outputs), f"onnx {PurePath(path).name}", tuple(unsaid))


def _entry(value: Message, unsaid: list[str]) -> tuple[str, dict[str, Any]]:
    name, kind = value.text(1), value.message(2)
    tensor = kind.message(1) if kind is not None else None
    entry: dict[str, Any] = {"kind": _KINDS.get(kind.text(6) if kind is not None else "", "raw")}
    if tensor is None:
        unsaid.append(f"{label(name)} is no tensor: nothing of it is taken.")
        return name, entry
    number, shape = tensor.integer(1), tensor.message(2)
    entry |= dtype_entry(name, _DTYPES.get(number, f"number {number} of ONNX"), unsaid)
    if shape is not None:
        axes = list(shape.messages(1))
        entry |= shape_entry(name, [axis.integer(1) if axis.has(1) else None for axis in axes], unsaid)
        entry |= _layout(axes) if entry["kind"] == "image" else {}
    return name, entry


def _layout(axes: list[Message]) -> dict[str, Any]:
    """The layout where the axes are marked: batch and channel by name, the features between them in their order."""
    spatial = iter("HW")
    letters = tuple(
        _AXES.get(axis.text(3)) or (next(spatial, "") if axis.text(3) == "DATA_FEATURE" else "") for axis in axes
    )
    return {"layout": _LAYOUTS[letters]} if letters in _LAYOUTS else {}


# -- image properties --------------------------------------------------------------------------------------------------


def _pixels(model: Message, unsaid: list[str]) -> dict[str, Any]:
    """What the model's properties say of all its pictures; other properties are named."""
    properties = {entry.text(1): entry.text(2) for entry in model.messages(14)}
    known: Mapping[str, Mapping[str, Any]] = {
        _FORMAT: {key: {"channels": value} for key, value in _FORMATS.items()},
        _GAMMA: {key: {"transfer": value} for key, value in _TRANSFERS.items()},
        _RANGE: _RANGES,
    }
    made: dict[str, Any] = {}
    for key, meanings in known.items():
        value = properties.pop(key, None)
        if value is not None and value.lower() in meanings:
            made |= meanings[value.lower()]
        elif value is not None:
            unsaid.append(f"{key} is {label(value)}, which is not known here.")
    if "names" in properties and "imgsz" in properties:
        unsaid.append("The metadata is that of an Ultralytics export, whose .tflite has it, too: import it from there.")
    if properties:
        listed = ", ".join(label(key) for key in list(properties)[:_MAX_LISTED])
        unsaid.append(
            f"Further metadata has no place in a contract: {listed}{', …' if len(properties) > _MAX_LISTED else ''}."
        )
    return made


def _add_pixels(inputs: list[tuple[str, dict[str, Any]]], pixels: Mapping[str, Any], unsaid: list[str]) -> None:
    """The properties are of all pictures: of inputs that are marked as such, or of the only input."""
    pictures = [entry for _, entry in inputs if entry["kind"] == "image"] or [
        entry for _, entry in inputs if len(inputs) == 1
    ]
    if not pictures:
        unsaid.append("Which inputs are the pictures that the image properties speak of is not said.")
    for entry in pictures:
        entry |= {"kind": "image", **pixels}
