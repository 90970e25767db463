"""The transforms of torchvision's weights, by the name of a weight (`ResNet50_Weights.IMAGENET1K_V2`) or of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.preprocessing.importers.image_entries import KERNELS, kernel_entry, shorter_side_then_crop
from tflint.preprocessing.importers.imported import Imported
from tflint.preprocessing.importers.unknown_names import unknown_name
from tflint.resources import table

#: All weights of a classifier whose names begin so tell the 1,000 classes of ImageNet apart.
_IMAGENET, _N_IMAGENET = "IMAGENET1K", 1000
#: Weights whose names end so have none for the classifier.
_FEATURES = "_FEATURES"


def read(source: str) -> Imported:
    """What the table says of a weight; of a model, or of a class of weights, what it says of the default one."""
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
            "give a name such as resnet50 or ResNet50_Weights.IMAGENET1K_V1",
        )
    known = classes[key]
    unsaid: list[str] = []
    if weight in ("", "DEFAULT"):
        weight = known["default"]
        unsaid += _said_of_default(source, known)
    own = known["weights"][weight]
    preset = data["presets"][own["preset"]] | own
    entry, outputs = _entries(preset, weight, unsaid)
    return Imported((entry,), outputs, f"torchvision {key}.{weight}", tuple(unsaid))


def _said_of_default(source: str, known: Mapping[str, Any]) -> list[str]:
    default = known["default"]
    others = [name for name, own in known["weights"].items() if own != known["weights"][default]]
    tail = f"; for {', '.join(others)} pictures are prepared in another way." if others else "."
    return [f"'{source}' is taken with its default weights, {default}{tail}"]


def _entries(
    preset: Mapping[str, Any], weight: str, unsaid: list[str]
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
            unsaid.append("These weights are of the features alone: what the classifier answers has no meaning.")
        else:
            outputs = (
                {"kind": "class_scores", "activation": "logits", **({"labels": n_classes} if n_classes else {})},
            )
    elif "resize_size" in preset:
        unsaid.append(
            f"The shorter side becomes {preset['resize_size']}, {preset['interpolation']} and antialiased, and nothing"
            " is cropped: the size depends on the picture."
        )
    else:
        unsaid.append("Pictures are handed over in their own size: the model resizes and normalises them itself.")
    unsaid.append(
        "The layout of the input is left open: torchvision's models take NCHW, a converted model may take NHWC."
    )
    return entry, outputs
