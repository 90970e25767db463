"""Imports the metadata of an Ultralytics export: metadata.yaml, metadata.json, or the zip appended to a .tflite file.

The metadata specifies size, task and names. The preprocessing of each task is fixed in the framework's predictors
(ultralytics 8.4: engine/predictor.py, data/augment.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, parse_json, read_json, read_yaml, zip_member
from tflint.preprocessing.importers.foreign_fields import Fields, is_count
from tflint.preprocessing.importers.image_entries import kernel_entry, shorter_side_then_crop
from tflint.preprocessing.importers.imported import Imported

_FILES = ("metadata.yaml", "metadata.json")
_CHANNELS = {1: "GRAY", 3: "RGB"}
#: Tasks that letterbox images.
_LETTERBOXED = ("detect", "segment", "pose", "obb")
#: The gray value of the padding.
_PADDING = 114
#: Detection head whose predictor stretches images instead of letterboxing them.
_STRETCHED_HEAD = "RTDETRDecoder"
_INERT = ("author", "date", "description", "docs", "license", "stride", "version", "batch", "head", "dynamic")


def read(source: str) -> Imported:
    """Import the metadata, with the fixed behavior of the framework."""
    path = find(source, _FILES, "metadata.yaml or metadata.json")
    fields = _fields(path)
    notes: list[str] = []
    size, task = _size(fields), fields.text("task")
    if size is None or task is None:
        raise UserError("is not metadata of an Ultralytics export: imgsz or task is missing", place=Place(path))
    channels = fields.count("channels") or 3
    entry: dict[str, Any] = {"kind": "image", "mean": 0, "std": 1, "units": "unit"}
    if channels in _CHANNELS:
        entry["channels"] = _CHANNELS[channels]
    else:
        notes.append(f"Images have {channels:,} channels, which a contract cannot express.")
    entry |= _geometry(fields, task, size, notes)
    names = _n_names(fields)
    outputs = _outputs(fields, task, names, notes)
    _add_notes(fields, names, notes)
    return Imported((entry,), outputs, f"ultralytics {PurePath(fields.path).name}", tuple(notes))


def _fields(path: str) -> Fields:
    suffix = PurePath(path).suffix.lower()
    if suffix == ".json":
        return read_json(path)
    if suffix in (".yaml", ".yml"):
        return read_yaml(path)
    member = zip_member(path, _FILES[1:])
    if member is None:
        raise UserError("does not contain a zip with a metadata.json", place=Place(path))
    return parse_json(f"{path}!/{member[0]}", member[1])


def _size(fields: Fields) -> list[int] | None:
    """Return [height, width], or None if the metadata does not specify them."""
    value = fields.get("imgsz")
    if is_count(value, 1):
        return [value, value]
    if isinstance(value, list) and len(value) == 1 and is_count(value[0], 1):
        return [value[0], value[0]]
    return fields.counts("imgsz", 2)


def _geometry(fields: Fields, task: str, size: list[int], notes: list[str]) -> dict[str, Any]:
    if task == "classify":
        kernel = kernel_entry("bilinear")
        if size[0] != size[1]:
            return {"resize": {"mode": "stretch", "size": size, **kernel}}
        return shorter_side_then_crop(size[0], size, kernel)
    if task not in _LETTERBOXED:
        notes.append(
            f"The preprocessing of the task '{task[:40]}' is not supported; its image size is {size[0]} × {size[1]}."
        )
        return {}
    kernel = kernel_entry("bilinear", antialias=False)  # OpenCV's INTER_LINEAR
    if fields.text("head") == _STRETCHED_HEAD:
        return {"resize": {"mode": "stretch", "size": size, **kernel}}
    return {
        "resize": {"mode": "letterbox", "size": size, **kernel},
        "padding": {"value": _PADDING, "position": "center"},
    }


def _n_names(fields: Fields) -> int | None:
    """Return the number of class names (a list, or a mapping of index to name), or None if the key is absent."""
    value = fields.get("names")
    if value is None:
        return None
    if not isinstance(value, list | Mapping) or not value:
        raise fields.value_error("names", "a list or mapping of class names")
    return len(value)


def _outputs(fields: Fields, task: str, names: int | None, notes: list[str]) -> tuple[Mapping[str, Any], ...]:
    labels = {"labels": {"count": names}} if names else {}
    if task == "classify":
        return ({"kind": "class_scores", "activation": "softmax", **labels},)
    if task != "detect":
        notes.append("The metadata does not describe the outputs.")
        return ()
    order = _box_order(fields, notes)
    notes.append(
        "The output of a detector has boxes and scores in one tensor; the units of the boxes are not specified."
    )
    return ({"kind": "boxes", **labels, **({"box-order": order} if order else {})},)


def _box_order(fields: Fields, notes: list[str]) -> str | None:
    """Return the box order: corners if the boxes are final, or centers and sizes if client code must suppress boxes."""
    end_to_end, options = fields.boolean("end2end"), fields.table("args")
    suppresses = options.boolean("nms") if options is not None else None
    if end_to_end or suppresses:
        return "xmin-ymin-xmax-ymax"
    if end_to_end is False and not suppresses and fields.text("head") != _STRETCHED_HEAD:
        return "cx-cy-w-h"
    notes.append("The box order is not set: older metadata does not specify it (end2end).")
    return None


def _add_notes(fields: Fields, names: int | None, notes: list[str]) -> None:
    if names:
        notes.append(f"The names of the {names:,} classes belong in a label file.")
    notes.append("The layout is not set: it depends on the version of the exporter; see the model.")
    notes.append("The metadata does not specify how a quantized input is fed (feed).")
    fields.ignore("args", "end2end", *_INERT)
    notes += fields.describe_unread()
