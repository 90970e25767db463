"""Imports Keras settings: preprocess_input of an application or a mode by name, and saved models.

Preprocessing layers of a saved model (.keras, or its config.json) are part of the graph. They therefore give notes
instead of contract keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, parse_json, read_json, zip_member
from tflint.preprocessing.importers.foreign_fields import Fields, format_value, is_count
from tflint.preprocessing.importers.import_entries import dtype_entry, identify_entries, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.unknown_names import unknown_name
from tflint.resources import table

_CONFIG = "config.json"
#: The preprocessing layers of Keras, each with the settings that a note lists.
_PREPROCESSING = {
    "Rescaling": ("scale", "offset"),
    "Normalization": ("axis", "mean", "variance"),
    "Resizing": ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio"),
    "CenterCrop": ("height", "width"),
}
#: Maximum nesting of models in a model, and maximum number of layers in total.
_MAX_DEPTH = 20
_MAX_LAYERS = 20_000


def read(source: str) -> Imported:
    """Import a .keras file, a config.json, or the name of an application or mode."""
    if not os.path.lexists(source) and PurePath(source).suffix not in (".json", ".keras"):
        return _read_known(source)
    path = find(source, (_CONFIG,), "config.json of a saved Keras model")
    member = None if path.endswith(".json") else zip_member(path, (_CONFIG,))
    if member is not None:
        fields = parse_json(f"{path}!/{member[0]}", member[1])
    elif path.endswith(".json"):
        fields = read_json(path)
    else:
        raise UserError("is not a .keras file: it is not a zip with a config.json", place=Place(path))
    return _read_saved(fields, f"keras {PurePath(path).name}")


# -- applications ------------------------------------------------------------------------------------------------------


def _read_known(source: str) -> Imported:
    data = table("preprocessing_keras")
    modes, applications = data["modes"], data["applications"]
    if source.lower() in modes:
        note = "The size of images is not set: a mode specifies only the normalization."
        return Imported(({"kind": "image", **modes[source.lower()]},), (), f"keras mode '{source.lower()}'", (note,))
    plain = {_plain(name): name for name in applications}
    name = plain.get(_plain(source.removeprefix("keras.applications.").rpartition(".")[2]))
    if name is None:
        raise unknown_name(
            source, "Keras", [*applications, *modes], "use a .keras file, or the name of an application or mode"
        )
    return _application(name, applications[name], modes)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _application(name: str, known: Mapping[str, Any], modes: Mapping[str, Any]) -> Imported:
    size = known["size"]
    entry = {"kind": "image", "layout": "NHWC", **modes[known["mode"]]}
    entry["shape"] = [-1, size or -1, size or -1, 3]
    notes = ["The resize method is not set: preprocess_input does not resize."]
    if size:
        notes.append(f"{size} × {size} is the default size of {name}; a model built with input_shape may differ.")
    if known["mode"] == "identity":
        notes.append(f"preprocess_input of {name} does not change pixels: the model itself rescales them.")
    if "include_preprocessing" in known:
        notes.append("A model built with include_preprocessing=False does not rescale pixels.")
    outputs = ({"kind": "class_scores", "activation": "softmax", "labels": {"count": 1000, "background": False}},)
    notes.append("The output assumes include_top=True with the default classes and activation.")
    return Imported((entry,), outputs, f"keras {name}, mode '{known['mode']}'", tuple(notes))


# -- saved models ------------------------------------------------------------------------------------------------------


def _read_saved(fields: Fields, source: str) -> Imported:
    if "config" not in fields or fields.text("class_name") is None:
        raise UserError(
            "is not the configuration of a Keras model: class_name or config is missing", place=Place(fields.path)
        )
    notes: list[str] = []
    inputs: list[tuple[str, dict[str, Any]]] = []
    for depth, name, kind, config in _layers(fields):
        if kind == "InputLayer" and depth == 1:
            inputs.append((name, _input(name, config, notes)))
        elif kind in _PREPROCESSING:
            settings = ", ".join(f"{key} {_setting(config.get(key))}" for key in _PREPROCESSING[kind] if key in config)
            notes.append(
                f"The model contains the layer {kind} {label(name)} ({settings}); client code must not repeat it."
            )
    notes.append("A saved model does not specify the preprocessing of client code.")
    if not inputs:
        notes.append("The configuration of the model does not contain its inputs.")
    return Imported(identify_entries(inputs), (), source, tuple(notes))


def _layers(fields: Fields) -> Iterator[tuple[int, str, str, Fields]]:
    """Yield depth, name, class and settings of all layers in order, including those of nested models."""
    pending = [(fields, 0)]
    n_layers = 0
    while pending:
        layer, depth = pending.pop()
        config = layer.table("config") if isinstance(layer.get("config"), Mapping) else None
        if config is None:
            continue
        n_layers += 1
        if depth > _MAX_DEPTH or n_layers > _MAX_LAYERS:
            raise UserError(
                f"has more than {_MAX_LAYERS:,} layers, or models nested more than {_MAX_DEPTH} deep",
                place=Place(fields.path),
            )
        if depth:
            yield depth, config.text("name") or "", layer.text("class_name") or "", config
        if isinstance(config.get("layers"), list):
            pending += [(inner, depth + 1) for inner in reversed(list(config.tables("layers")))]


def _input(name: str, config: Fields, notes: list[str]) -> dict[str, Any]:
    key = "batch_shape" if "batch_shape" in config else "batch_input_shape"
    sizes = config.get(key)
    entry: dict[str, Any] = {"kind": "raw"}
    if sizes is not None:
        if not isinstance(sizes, list) or not all(size is None or is_count(size, 0) for size in sizes):
            raise config.value_error(key, "a list of sizes, with null for a dynamic one")
        entry |= shape_entry(name, sizes, notes)
    dtype = config.get("dtype")
    if isinstance(dtype, str):
        entry |= dtype_entry(name, dtype, notes)
    return entry


def _setting(value: Any) -> str:
    if isinstance(value, list) and 0 < len(value) <= 4:
        return f"[{', '.join(map(format_value, value))}]"
    return format_value(value)
