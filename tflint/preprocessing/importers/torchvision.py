"""Imports the transforms of torchvision's weights by name: `ResNet50_Weights.IMAGENET1K_V2` or `resnet50`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.preprocessing.importers.image_entries import KERNELS, kernel_entry, shorter_side_then_crop
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.unknown_names import unknown_name
from tflint.resources import table

#: Prefix of the weights of classifiers with the 1,000 ImageNet classes.
_IMAGENET, _N_IMAGENET = "IMAGENET1K", 1000
#: Suffix of weights without a trained classifier.
_FEATURES = "_FEATURES"


def read(source: str) -> Imported:
    """Import the settings of weights by name. The name of a model or a class of weights means its default weights."""
    data = table("preprocessing_torchvision")
    classes: Mapping[str, Any] = data["classes"]
    name, _, weight = source.partition(".")
    of_model = {known["model"]: key for key, known in classes.items()}
    key = of_model.get(name.lower(), name)
    if key not in classes or (weight and weight not in ("DEFAULT", *classes[key]["weights"])):
        weights = [f"{key}.{weight}" for key, known in classes.items() for weight in known["weights"]]
        raise unknown_name(
            source,
            "torchvision",
            [*of_model, *classes, *weights],
            "use a name such as resnet50 or ResNet50_Weights.IMAGENET1K_V1",
        )
    known = classes[key]
    notes: list[str] = []
    if weight in ("", "DEFAULT"):
        weight = known["default"]
        notes += _default_weight_notes(source, known)
    own = known["weights"][weight]
    preset = data["presets"][own["preset"]] | own
    entry, outputs = _entries(preset, weight, notes)
    return Imported((entry,), outputs, f"torchvision {key}.{weight}", tuple(notes))


def _default_weight_notes(source: str, known: Mapping[str, Any]) -> list[str]:
    default = known["default"]
    others = [name for name, own in known["weights"].items() if own != known["weights"][default]]
    different = f"; {', '.join(others)} need different preprocessing." if others else "."
    return [f"'{source}' stands for its default weights, {default}{different}"]


def _entries(
    preset: Mapping[str, Any], weight: str, notes: list[str]
) -> tuple[dict[str, Any], tuple[Mapping[str, Any], ...]]:
    entry: dict[str, Any] = {"kind": "image", "channels": "RGB"}
    entry |= {key: preset[key] for key in ("mean", "std")}
    entry["units"] = "unit"
    outputs: tuple[Mapping[str, Any], ...] = ()
    if "crop_size" in preset:
        kernel = kernel_entry(KERNELS[preset["interpolation"]], antialias=preset["antialias"])
        entry |= shorter_side_then_crop(preset["resize_size"], [preset["crop_size"]] * 2, kernel)
        n_classes = {"count": _N_IMAGENET} if weight.startswith(_IMAGENET) else None
        if weight.endswith(_FEATURES):
            notes.append("These weights do not include a classifier: its output is meaningless.")
        else:
            outputs = (
                {"kind": "class_scores", "activation": "logits", **({"labels": n_classes} if n_classes else {})},
            )
    elif "resize_size" in preset:
        notes.append(
            f"The shorter side is resized to {preset['resize_size']}, {preset['interpolation']} and antialiased,"
            " without a crop: the size depends on the image."
        )
    else:
        notes.append("Images of any size are passed: the model itself resizes and normalizes them.")
    notes.append("The layout is not set: torchvision models take NCHW, but a converted model may take NHWC.")
    return entry, outputs
