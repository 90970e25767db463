"""Reads timm's data configurations: config.json of a hub repository, a pretrained_cfg, or a name that is known.

What the keys mean, and what an absent one stands for, is in timm/data/config.py and timm/data/transforms_factory.py of
timm 1.0.31.
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
#: Keys that say where weights come from and how layers are called.
_INERT = (
    "architecture", "classifier", "custom_load", "description", "file", "first_conv", "fixed_input_size", "global_pool",
    "hf_hub_filename", "hf_hub_id", "license", "min_input_size", "model_args", "notes", "num_classes", "num_features",
    "origin_url", "paper_ids", "paper_name", "pool_size", "source", "tag", "test_pool_size", "url",
)  # fmt: skip


def read(source: str) -> Imported:
    """What a file or a folder with a config.json says, or the table of known names."""
    if not os.path.lexists(source) and PurePath(source).suffix != ".json":
        return _known(source)
    path = find(source, ("config.json",), "config.json")
    fields = read_json(path)
    cfg = fields.table("pretrained_cfg") or fields
    if not any(key in cfg for key in _DEFAULTS):
        raise UserError("is no configuration of timm's: it has neither input_size nor mean", place=Place(path))
    unsaid: list[str] = []
    inputs, outputs = _entries(cfg, fields.count("num_classes", least=0), unsaid)
    if cfg is not fields:
        fields.passes_over(*_INERT)
        unsaid += fields.unread()
    return Imported((inputs,), outputs, f"timm {PurePath(path).name}", tuple(unsaid))


def _known(name: str) -> Imported:
    """What the table says of an architecture, or of an architecture and a tag."""
    data = table("preprocessing_timm")
    plain = name.removeprefix("hf_hub:").removeprefix("hf-hub:").removeprefix("timm/")
    architecture, _, tag = plain.partition(".")
    tags: Mapping[str, int] | None = data["models"].get(architecture)
    if tags is None:
        raise unknown_name(name, "timm", data["models"], "give the path of its config.json")
    if tag and tag not in tags:
        raise unknown_name(
            name, "timm", [f"{architecture}.{known}" for known in tags], "give the path of its config.json"
        )
    unsaid: list[str] = []
    if not tag:
        tag = next(iter(tags))
        others = sum(data["configs"][tags[other]] != data["configs"][tags[tag]] for other in tags)
        unsaid.append(
            f"'{architecture}' is taken with its default weights, {tag}"
            + (f"; {others} of its others are prepared for in another way." if others else ".")
        )
    cfg = Fields(data["configs"][tags[tag]], name)
    inputs, outputs = _entries(cfg, cfg.count("num_classes", least=0), unsaid)
    return Imported((inputs,), outputs, f"timm {architecture}.{tag}", tuple(unsaid))


def _entries(
    cfg: Fields, n_classes: int | None, unsaid: list[str]
) -> tuple[dict[str, Any], tuple[Mapping[str, Any], ...]]:
    channels, height, width = cfg.counts("input_size", 3) or _default("input_size", unsaid)
    mean, std = _of_channels(cfg, "mean", channels, unsaid), _of_channels(cfg, "std", channels, unsaid)
    entry: dict[str, Any] = {"kind": "image"}
    if channels in _CHANNELS:
        entry["channels"] = _CHANNELS[channels]
    entry |= {"mean": mean, "std": std, "units": "unit"}
    entry |= _geometry(cfg, height, width, mean, unsaid)
    _say_of_tests(cfg, unsaid)
    unsaid.append("The layout of the input is left open: timm's models take NCHW, a converted model may take NHWC.")
    n_classes = cfg.count("num_classes", least=0) if n_classes is None else n_classes
    if "label_names" in cfg:
        unsaid.append("The names of the classes (label_names) belong into a file of labels.")
    cfg.passes_over("label_names", "label_descriptions", *_INERT)
    unsaid += cfg.unread()
    return entry, _outputs(n_classes)


def _of_channels(cfg: Fields, key: str, channels: int, unsaid: list[str]) -> Any:
    """Mean or std: one number, or one a channel."""
    value = cfg.numbers(key, is_positive=key == "std")
    if value is None:
        return _default(key, unsaid)
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, list) and len(value) != channels:
        raise cfg.wrong(key, f"a list of {channels} numbers, as many as the input has channels")
    return value


def _default(key: str, unsaid: list[str]) -> Any:
    unsaid.append(f"{key} is not in the configuration: timm's default is taken.")
    return _DEFAULTS[key]


def _geometry(cfg: Fields, height: int, width: int, mean: Any, unsaid: list[str]) -> dict[str, Any]:
    name = cfg.choice("interpolation", (*KERNELS, "hamming", "random")) or _default("interpolation", unsaid)
    if name not in KERNELS:
        unsaid.append(f"The kernel of the resize is {name}, which a contract has no word for.")
    kernel = kernel_entry(KERNELS.get(name))
    share = cfg.number("crop_pct", is_positive=True) or _default("crop_pct", unsaid)
    if not 1e-3 <= share <= 1e3:
        raise cfg.wrong("crop_pct", "a share of about 1")
    crop = cfg.choice("crop_mode", _CROPS) or _default("crop_mode", unsaid)
    sizes = [max(1, math.floor(side / share)) for side in (height, width)]
    if crop == "center":
        return shorter_side_then_crop(sizes[0] if height == width else sizes, [height, width], kernel)
    mode = "stretch" if crop == "squash" else "letterbox"
    made: dict[str, Any] = {"resize": {"mode": mode, "size": sizes, **kernel}}
    if sizes != [height, width]:
        made["crop"] = {"mode": "center", "size": [height, width]}
    if mode == "letterbox":
        fill = [float(round(255 * one)) for one in (mean if isinstance(mean, list) else [mean])]
        made["padding"] = {"value": fill, "position": "center"}
    return made


def _say_of_tests(cfg: Fields, unsaid: list[str]) -> None:
    size, share = cfg.counts("test_input_size", 3), cfg.number("test_crop_pct", is_positive=True)
    if size is not None or share is not None:
        wanted = [f"an input of {size[1]} × {size[2]}"] if size is not None else []
        wanted += [f"a crop_pct of {share:g}"] if share is not None else []
        unsaid.append(f"For tests timm recommends {' and '.join(wanted)} for these weights.")


def _outputs(n_classes: int | None) -> tuple[Mapping[str, Any], ...]:
    """Classifiers of timm's give logits; without classes, the features before them."""
    if n_classes is None:
        return ()
    if n_classes == 0:
        return ({"kind": "embedding"},)
    return ({"kind": "class_scores", "activation": "logits", "labels": {"count": n_classes}},)
