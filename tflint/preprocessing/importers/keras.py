"""Keras: what preprocess_input of an application does, by the application's name or the mode's, and saved models.

A saved model (.keras, or its config.json) does its own scaling inside the graph: its layers are named, not claimed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, parse_json, read_json, zip_member
from tflint.preprocessing.importers.foreign_fields import Fields, is_count, shown
from tflint.preprocessing.importers.import_entries import dtype_entry, identified, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.unknown_names import unknown_name
from tflint.resources import table

_CONFIG = "config.json"
#: Layers that prepare inputs, and the settings of each that say how.
_PREPARING = {
    "Rescaling": ("scale", "offset"),
    "Normalization": ("axis", "mean", "variance"),
    "Resizing": ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio"),
    "CenterCrop": ("height", "width"),
}
#: Deepest nesting of models in a model that is looked through, and most layers of all of them.
_MAX_DEPTH = 20
_MAX_LAYERS = 20_000


def read(source: str) -> Imported:
    """What a name, a .keras file or a config.json says."""
    if not os.path.lexists(source) and PurePath(source).suffix not in (".json", ".keras"):
        return _known(source)
    path = find(source, (_CONFIG,), "config.json of a saved Keras model")
    member = None if path.endswith(".json") else zip_member(path, (_CONFIG,))
    if member is not None:
        fields = parse_json(f"{path}!/{member[0]}", member[1])
    elif path.endswith(".json"):
        fields = read_json(path)
    else:
        raise UserError("is no .keras file: no zip with a config.json", place=Place(path))
    return _saved(fields, f"keras {PurePath(path).name}")


# -- applications ------------------------------------------------------------------------------------------------------


def _known(source: str) -> Imported:
    data = table("preprocessing_keras")
    modes, applications = data["modes"], data["applications"]
    if source.lower() in modes:
        left = "The size of pictures is left open: the mode says what is done to pixels only."
        return Imported(({"kind": "image", **modes[source.lower()]},), (), f"keras mode '{source.lower()}'", (left,))
    plain = {_plain(name): name for name in applications}
    name = plain.get(_plain(source.removeprefix("keras.applications.").rpartition(".")[2]))
    if name is None:
        raise unknown_name(
            source, "Keras", [*applications, *modes], "give a .keras file, or the name of an application or a mode"
        )
    return _application(name, applications[name], modes)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _application(name: str, known: Mapping[str, Any], modes: Mapping[str, Any]) -> Imported:
    size = known["size"]
    entry = {"kind": "image", "layout": "NHWC", **modes[known["mode"]]}
    entry["shape"] = [-1, size or -1, size or -1, 3]
    unsaid = ["How pictures get their size is left open: preprocess_input does not resize."]
    if size:
        unsaid.append(f"{size} × {size} is the default size of {name}: a model built with an input_shape has another.")
    if known["mode"] == "identity":
        unsaid.append(f"preprocess_input of {name} leaves pixels as they are: the model scales them itself.")
    if "include_preprocessing" in known:
        unsaid.append("A model built with include_preprocessing=False does not scale them.")
    outputs = ({"kind": "class_scores", "activation": "softmax", "labels": {"count": 1000, "background": False}},)
    unsaid.append("The output is that of a model with its top, the default classes and the default activation.")
    return Imported((entry,), outputs, f"keras {name}, mode '{known['mode']}'", tuple(unsaid))


# -- saved models ------------------------------------------------------------------------------------------------------


def _saved(fields: Fields, source: str) -> Imported:
    if "config" not in fields or fields.text("class_name") is None:
        raise UserError(
            "is no configuration of a Keras model: class_name or config is missing", place=Place(fields.path)
        )
    unsaid: list[str] = []
    inputs: list[tuple[str, dict[str, Any]]] = []
    for depth, name, kind, config in _layers(fields):
        if kind == "InputLayer" and depth == 1:
            inputs.append((name, _input(name, config, unsaid)))
        elif kind in _PREPARING:
            said = ", ".join(f"{key} {_setting(config.get(key))}" for key in _PREPARING[kind] if key in config)
            unsaid.append(f"The model has a layer {kind} {label(name)} inside, which its caller leaves to it ({said}).")
    unsaid.append("What a caller does before is not in a saved model.")
    if not inputs:
        unsaid.append("The model's inputs are not named in its configuration.")
    return Imported(identified(inputs), (), source, tuple(unsaid))


def _layers(fields: Fields) -> Iterator[tuple[int, str, str, Fields]]:
    """Depth, name, class and settings of all layers, models within models looked through in order."""
    waiting = [(fields, 0)]
    n_layers = 0
    while waiting:
        layer, depth = waiting.pop()
        config = layer.table("config") if isinstance(layer.get("config"), Mapping) else None
        if config is None:
            continue
        n_layers += 1
        if depth > _MAX_DEPTH or n_layers > _MAX_LAYERS:
            raise UserError("has more layers, or is nested deeper, than is read", place=Place(fields.path))
        if depth:
            yield depth, config.text("name") or "", layer.text("class_name") or "", config
        if isinstance(config.get("layers"), list):
            waiting += [(inner, depth + 1) for inner in reversed(list(config.tables("layers")))]


def _input(name: str, config: Fields, unsaid: list[str]) -> dict[str, Any]:
    key = "batch_shape" if "batch_shape" in config else "batch_input_shape"
    sizes = config.get(key)
    entry: dict[str, Any] = {"kind": "raw"}
    if sizes is not None:
        if not isinstance(sizes, list) or not all(size is None or is_count(size, 0) for size in sizes):
            raise config.wrong(key, "a list of sizes, null for any")
        entry |= shape_entry(name, sizes, unsaid)
    dtype = config.get("dtype")
    if isinstance(dtype, str):
        entry |= dtype_entry(name, dtype, unsaid)
    return entry


def _setting(value: Any) -> str:
    if isinstance(value, list) and 0 < len(value) <= 4:
        return f"[{', '.join(map(shown, value))}]"
    return shown(value)
