"""Imports timm's data configurations: config.json of a hub repository, a pretrained_cfg, or a known model name.

Keys and their defaults are interpreted as by timm/data/config.py and timm/data/transforms_factory.py of timm 1.0.31.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, read_json
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.preprocessing.importers.image_entries import KERNELS, kernel_entry, shorter_side_then_crop
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.unknown_names import unknown_name
from tflint.resources import table

_DEFAULTS: Mapping[str, Any] = {
    "input_size": [3, 224, 224],
    "interpolation": "bicubic",
    "crop_pct": 0.875,
    "crop_mode": "center",
    "mean": [0.485, 0.456, 0.406],
    "std": [0.229, 0.224, 0.225],
}
_CHANNELS = {1: "GRAY", 3: "RGB"}
_CROPS = ("center", "squash", "border")
#: Keys about the origin of weights and the names of layers.
_INERT = (
    "architecture", "classifier", "custom_load", "description", "file", "first_conv", "fixed_input_size", "global_pool",
    "hf_hub_filename", "hf_hub_id", "license", "min_input_size", "model_args", "notes", "num_classes", "num_features",
    "origin_url", "paper_ids", "paper_name", "pool_size", "source", "tag", "test_pool_size", "url",
)  # fmt: skip


def read(source: str) -> Imported:
    """Import a configuration, a folder with a config.json, or a known name."""
    if not os.path.lexists(source) and PurePath(source).suffix != ".json":
        return _read_known(source)
    path = find(source, ("config.json",), "config.json")
    fields = read_json(path)
    cfg = fields.table("pretrained_cfg") or fields
    if not any(key in cfg for key in _DEFAULTS):
        raise UserError("is not a timm configuration: it has no input_size, mean or similar key", place=Place(path))
    notes: list[str] = []
    inputs, outputs = _entries(cfg, fields.count("num_classes", least=0), notes)
    if cfg is not fields:
        fields.ignore(*_INERT)
        notes += fields.describe_unread()
    return Imported((inputs,), outputs, f"timm {PurePath(path).name}", tuple(notes))


def _read_known(name: str) -> Imported:
    """Import the settings of a known name: an architecture, or an architecture with a tag for its weights."""
    data = table("preprocessing_timm")
    plain = name.removeprefix("hf_hub:").removeprefix("hf-hub:").removeprefix("timm/")
    architecture, _, tag = plain.partition(".")
    tags: Mapping[str, int] | None = data["models"].get(architecture)
    if tags is None:
        raise unknown_name(name, "timm", data["models"], "pass the path of its config.json")
    if tag and tag not in tags:
        raise unknown_name(
            name, "timm", [f"{architecture}.{known}" for known in tags], "pass the path of its config.json"
        )
    notes: list[str] = []
    if not tag:
        tag = next(iter(tags))
        others = sum(data["configs"][tags[other]] != data["configs"][tags[tag]] for other in tags)
        notes.append(
            f"'{architecture}' stands for its default weights, {tag}"
            + (f"; {others} of its other weights need different preprocessing." if others else ".")
        )
    cfg = Fields(data["configs"][tags[tag]], name)
    inputs, outputs = _entries(cfg, cfg.count("num_classes", least=0), notes)
    return Imported((inputs,), outputs, f"timm {architecture}.{tag}", tuple(notes))


def _entries(
    cfg: Fields, n_classes: int | None, notes: list[str]
) -> tuple[dict[str, Any], tuple[Mapping[str, Any], ...]]:
    channels, height, width = cfg.counts("input_size", 3) or _default("input_size", notes)
    mean, std = _per_channel(cfg, "mean", channels, notes), _per_channel(cfg, "std", channels, notes)
    entry: dict[str, Any] = {"kind": "image"}
    if channels in _CHANNELS:
        entry["channels"] = _CHANNELS[channels]
    entry |= {"mean": mean, "std": std, "units": "unit"}
    entry |= _geometry(cfg, height, width, mean, notes)
    _add_test_note(cfg, notes)
    notes.append("The layout is not set: timm models take NCHW, but a converted model may take NHWC.")
    n_classes = cfg.count("num_classes", least=0) if n_classes is None else n_classes
    if "label_names" in cfg:
        notes.append("The names of the classes (label_names) belong in a label file.")
    cfg.ignore("label_names", "label_descriptions", *_INERT)
    notes += cfg.describe_unread()
    return entry, _outputs(n_classes)


def _per_channel(cfg: Fields, key: str, channels: int, notes: list[str]) -> Any:
    """Return the mean or std under `key`: one number if all channels have the same, else one per channel."""
    value = cfg.numbers(key, is_positive=key == "std")
    if value is None:
        return _default(key, notes)
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, list) and len(value) != channels:
        raise cfg.value_error(key, f"a list of {channels} numbers, one per channel")
    return value


def _default(key: str, notes: list[str]) -> Any:
    notes.append(f"{key} is not in the configuration: timm's default is used.")
    return _DEFAULTS[key]


def _geometry(cfg: Fields, height: int, width: int, mean: Any, notes: list[str]) -> dict[str, Any]:
    name = cfg.choice("interpolation", (*KERNELS, "hamming", "random")) or _default("interpolation", notes)
    if name not in KERNELS:
        notes.append(f"The resize kernel is {name}, which a contract cannot express.")
    kernel = kernel_entry(KERNELS.get(name))
    share = cfg.number("crop_pct", is_positive=True) or _default("crop_pct", notes)
    if not 1e-3 <= share <= 1e3:
        raise cfg.value_error("crop_pct", "a share from 0.001 to 1000")
    crop = cfg.choice("crop_mode", _CROPS) or _default("crop_mode", notes)
    sizes = [max(1, math.floor(side / share)) for side in (height, width)]
    if crop == "center":
        return shorter_side_then_crop(sizes[0] if height == width else sizes, [height, width], kernel)
    mode = "stretch" if crop == "squash" else "letterbox"
    entry: dict[str, Any] = {"resize": {"mode": mode, "size": sizes, **kernel}}
    if sizes != [height, width]:
        entry["crop"] = {"mode": "center", "size": [height, width]}
    if mode == "letterbox":
        padding = [float(round(255 * value)) for value in (mean if isinstance(mean, list) else [mean])]
        entry["padding"] = {"value": padding, "position": "center"}
    return entry


def _add_test_note(cfg: Fields, notes: list[str]) -> None:
    size, share = cfg.counts("test_input_size", 3), cfg.number("test_crop_pct", is_positive=True)
    if size is not None or share is not None:
        settings = [f"an input of {size[1]} × {size[2]}"] if size is not None else []
        settings += [f"a crop_pct of {share:g}"] if share is not None else []
        notes.append(f"For evaluation, timm recommends {' and '.join(settings)} for these weights.")


def _outputs(n_classes: int | None) -> tuple[Mapping[str, Any], ...]:
    """Return the output entry: the logits of a classifier, or an embedding if the model has 0 classes."""
    if n_classes is None:
        return ()
    if n_classes == 0:
        return ({"kind": "embedding"},)
    return ({"kind": "class_scores", "activation": "logits", "labels": {"count": n_classes}},)
