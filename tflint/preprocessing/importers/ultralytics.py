"""Reads the metadata of an Ultralytics export: in the zip behind a .tflite, or metadata.yaml or metadata.json.

The file says size, task and names; what the framework does to pictures is fixed in its predictors (ultralytics 8.4:
engine/predictor.py, data/augment.py) and is added by task.
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
#: Tasks whose pictures are fitted in whole and padded.
_LETTERBOXED = ("detect", "segment", "pose", "obb")
#: The grey of the padding.
_PADDING = 114
#: The detection head whose predictor stretches pictures instead.
_STRETCHED_HEAD = "RTDETRDecoder"
_INERT = ("author", "date", "description", "docs", "license", "stride", "version", "batch", "head", "dynamic")


def read(source: str) -> Imported:
    """What the metadata says, together with what the framework always does."""
    path = find(source, _FILES, "metadata.yaml or metadata.json")
    fields = _fields(path)
    unsaid: list[str] = []
    size, task = _size(fields), fields.text("task")
    if size is None or task is None:
        raise UserError("is no metadata of an Ultralytics export: imgsz or task is missing", place=Place(path))
    channels = fields.count("channels") or 3
    entry: dict[str, Any] = {"kind": "image", "mean": 0, "std": 1, "units": "unit"}
    if channels in _CHANNELS:
        entry["channels"] = _CHANNELS[channels]
    else:
        unsaid.append(f"Pictures have {channels:,} channels.")
    entry |= _geometry(fields, task, size, unsaid)
    names = _n_names(fields)
    outputs = _outputs(fields, task, names, unsaid)
    _say_the_rest(fields, names, unsaid)
    return Imported((entry,), outputs, f"ultralytics {PurePath(fields.path).name}", tuple(unsaid))


def _fields(path: str) -> Fields:
    suffix = PurePath(path).suffix.lower()
    if suffix == ".json":
        return read_json(path)
    if suffix in (".yaml", ".yml"):
        return read_yaml(path)
    member = zip_member(path, _FILES[1:])
    if member is None:
        raise UserError("has no zip with a metadata.json in it or behind it", place=Place(path))
    return parse_json(f"{path}!/{member[0]}", member[1])


def _size(fields: Fields) -> list[int] | None:
    """Height and width."""
    value = fields.get("imgsz")
    if is_count(value, 1):
        return [value, value]
    if isinstance(value, list) and len(value) == 1 and is_count(value[0], 1):
        return [value[0], value[0]]
    return fields.counts("imgsz", 2)


def _geometry(fields: Fields, task: str, size: list[int], unsaid: list[str]) -> dict[str, Any]:
    if task == "classify":
        kernel = kernel_entry("bilinear")
        if size[0] != size[1]:
            return {"resize": {"mode": "stretch", "size": size, **kernel}}
        return shorter_side_then_crop(size[0], size, kernel)
    if task not in _LETTERBOXED:
        unsaid.append(
            f"How the task '{task[:40]}' prepares pictures is not known here; it takes {size[0]} × {size[1]}."
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
    """How many classes have names: a list, or a mapping of 0, 1, … to names."""
    value = fields.get("names")
    if value is None:
        return None
    if not isinstance(value, list | Mapping) or not value:
        raise fields.wrong("names", "the names of the classes")
    return len(value)


def _outputs(fields: Fields, task: str, names: int | None, unsaid: list[str]) -> tuple[Mapping[str, Any], ...]:
    labels = {"labels": {"count": names}} if names else {}
    if task == "classify":
        return ({"kind": "class_scores", "activation": "softmax", **labels},)
    if task != "detect":
        unsaid.append("What the outputs hold is not said in the metadata.")
        return ()
    order = _box_order(fields, unsaid)
    unsaid.append("A detector's output holds boxes and scores in one tensor; whether boxes are in pixels is not said.")
    return ({"kind": "boxes", **labels, **({"box-order": order} if order else {})},)


def _box_order(fields: Fields, unsaid: list[str]) -> str | None:
    """Corners where boxes are final, centres and sizes before a suppression that the caller does."""
    end_to_end, options = fields.truth("end2end"), fields.table("args")
    suppresses = options.truth("nms") if options is not None else None
    if end_to_end or suppresses:
        return "xmin-ymin-xmax-ymax"
    if end_to_end is False and not suppresses and fields.text("head") != _STRETCHED_HEAD:
        return "cx-cy-w-h"
    unsaid.append("The order of a box's numbers is left open: older metadata does not say it (end2end).")
    return None


def _say_the_rest(fields: Fields, names: int | None, unsaid: list[str]) -> None:
    if names:
        unsaid.append(f"The names of the {names:,} classes belong into a file of labels.")
    unsaid.append("The layout of the input is left open: it depends on the exporter's version; the model says which.")
    unsaid.append("How a quantized input is fed is not in the metadata (feed).")
    fields.passes_over("args", "end2end", *_INERT)
    unsaid += fields.unread()
