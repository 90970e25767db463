"""Imports the image settings of a Hugging Face image processor: resize, crop, channel order and normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.preprocessing.importers.foreign_fields import Fields, is_count
from tflint.preprocessing.importers.image_entries import kernel_entry, normalization_entry, shorter_side_then_crop

#: Resize kernels, indexed by PIL's number of the kernel. 5 is hamming, which a contract cannot express.
_RESAMPLE = ("nearest", "lanczos", "bilinear", "bicubic", "area", None)
#: Minimum size at which ConvNeXT's processor stretches images. For smaller sizes, it divides by `crop_pct` and crops.
_CONVNEXT_STRETCHED = 384
#: Family whose processors always reverse the channels. The file has no key for this.
_ALWAYS_FLIPPED = "LayoutLMv2"
#: Families in whose older files a size with one number means both sides, and families in which it is the shorter side.
_SQUARE = ("Beit", "DeiT", "Segformer", "ViT")
_SHORTER = ("CLIP", "ChineseCLIP", "MobileNetV1", "MobileNetV2", "MobileViT")
#: Families that interpret the size in a special way, and keys that have the same effect in other families.
_SPECIAL_FAMILIES = ("Levit", "Perceiver", "PoolFormer")
_SPECIAL_KEYS = (
    "do_align_long_axis",
    "do_image_splitting",
    "do_thumbnail",
    "ensure_multiple_of",
    "keep_aspect_ratio",
    "max_pixels",
    "max_size",
    "min_pixels",
    "size_divisor",
)
#: Families with a key to subtract 1 from the rescaled pixels.
_OFFSETS = {"EfficientNet": "rescale_offset", "Vivit": "offset"}


def image_input(fields: Fields, notes: list[str]) -> dict[str, Any]:
    """Return the contract entry of an image. Notes on settings that a contract cannot express are added to `notes`."""
    kind = _family(fields.text("image_processor_type") or fields.text("feature_extractor_type") or "")
    entry: dict[str, Any] = {"kind": "image"}
    entry |= _geometry(fields, kind, notes)
    entry |= _pixels(fields, kind, notes)
    if fields.boolean("do_pad"):
        notes.append(
            "Images are padded (do_pad) to a size that depends on the other images of the batch or on pad_size."
        )
    layout = fields.text("data_format")
    notes.append(
        f"The layout is not set: transformers produces {_layout(layout)}, but a converted model may use a different"
        " layout."
    )
    return entry


def _family(kind: str) -> str:
    """Return the model family of a class: `ViT` for ViTImageProcessorFast."""
    return kind.removesuffix("Fast").removesuffix("ImageProcessor").removesuffix("FeatureExtractor")


def _layout(data_format: str | None) -> str:
    return "channels last" if data_format == "channels_last" else "channels first"


# -- geometry ----------------------------------------------------------------------------------------------------------


def _geometry(fields: Fields, kind: str, notes: list[str]) -> dict[str, Any]:
    do_resize, do_crop = fields.boolean("do_resize"), fields.boolean("do_center_crop")
    kernel = kernel_entry(_kernel(fields, notes))
    size = _size(fields, "size")
    crop = _size(fields, "crop_size")
    entry: dict[str, Any] = {}
    if do_resize is False:
        entry["resize"] = {"mode": "none"}
    elif do_resize is None:
        notes.append(
            "The file does not specify whether images are resized (do_resize); the default of the class applies."
        )
    else:
        entry |= _resize(fields, kind, size, crop if do_crop else None, kernel, notes)
    if do_crop and "crop" not in entry:
        sides = _sides(crop)
        if sides is None:
            notes.append("The file does not specify the crop size (crop_size); the default of the class applies.")
        else:
            entry["crop"] = {"mode": "center", "size": sides}
    elif do_crop is False and "crop" not in entry:
        entry["crop"] = {"mode": "none"}
    return entry


def _kernel(fields: Fields, notes: list[str]) -> str | None:
    number = fields.count("resample", least=0)
    if number is None:
        if fields.boolean("do_resize"):
            notes.append("The file does not specify the resize kernel (resample); the default of the class applies.")
        return None
    if number >= len(_RESAMPLE):
        raise fields.value_error("resample", "one of PIL's numbers, 0 to 5")
    if _RESAMPLE[number] is None:
        notes.append("The resize kernel is PIL's hamming, which a contract cannot express.")
    return _RESAMPLE[number]


def _size(fields: Fields, key: str) -> int | Mapping[str, int] | None:
    """Return a size: a mapping with the names of its sides, or one number, as in older files. None if absent."""
    value = fields.get(key)
    if value is None or is_count(value, 1):
        number: int | None = value
        return number
    if isinstance(value, list) and len(value) == 2:
        height, width = fields.counts(key, 2) or (0, 0)
        return {"height": height, "width": width}
    if not isinstance(value, Mapping):
        raise fields.value_error(key, "an integer above 0, a pair of them, or a mapping of sides to integers")
    sides = Fields.of(value, fields.path, f"{key}.")
    return {str(name): number for name in sides if (number := sides.count(name)) is not None}


def _sides(size: int | Mapping[str, int] | None) -> list[int] | None:
    """Return [height, width]; a single number is both. Return None if the size has other sides."""
    if isinstance(size, int):
        return [size, size]
    if size is None or not {"height", "width"} <= set(size):
        return None
    return [size["height"], size["width"]]


def _resize(
    fields: Fields,
    kind: str,
    size: int | Mapping[str, int] | None,
    crop: int | Mapping[str, int] | None,
    kernel: Mapping[str, Any],
    notes: list[str],
) -> dict[str, Any]:
    """Return the keys `resize` and perhaps `crop`. If a contract cannot express them, return no keys and add a note."""
    if size is None:
        notes.append("The file does not specify the size of the resize (size); the default of the class applies.")
        return {}
    shortest = size.get("shortest_edge") if isinstance(size, Mapping) and len(size) == 1 else None
    if kind == "ConvNext":
        shortest = size if isinstance(size, int) else shortest
        return _convnext(fields, shortest, kernel, notes)
    special_key = next((key for key in _SPECIAL_KEYS if key in fields and fields.get(key) is not False), None)
    if kind in _SPECIAL_FAMILIES or special_key is not None:
        notes.append(f"The resize is not imported: {special_key or kind} computes its size in a special way.")
        return {}
    square = fields.boolean("default_to_square")
    if square is None:
        square = True if kind in _SQUARE else False if kind in _SHORTER else None
    if isinstance(size, int) and square is False:
        shortest = size
    if (isinstance(size, Mapping) and set(size) == {"height", "width"}) or (isinstance(size, int) and square):
        return {"resize": {"mode": "stretch", "size": _sides(size), **kernel}}
    sides = _sides(crop)
    if shortest is not None and sides is not None:
        if max(sides) > shortest:
            notes.append("The crop can be larger than the resized image; the rest is filled with black.")
        return shorter_side_then_crop(shortest, sides, kernel)
    if shortest is not None:
        notes.append(f"The shorter side is resized to {shortest:,} without a crop: the size depends on the image.")
    elif isinstance(size, int):
        notes.append(f"The class decides whether {size:,} is the size of both sides or of the shorter side (size).")
    else:
        settings = ", ".join(f"{side} {number:,}" for side, number in list(size.items())[:4])
        notes.append(f"The size after the resize depends on the image ({settings}).")
    return {}


def _convnext(fields: Fields, side: int | None, kernel: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    if side is None:
        raise fields.value_error("size", "an integer or a shortest_edge for this class")
    if side >= _CONVNEXT_STRETCHED:
        fields.ignore("crop_pct")
        return {"resize": {"mode": "stretch", "size": [side, side], **kernel}}
    share = fields.number("crop_pct", is_positive=True)
    if share is None:
        notes.append("The file does not specify the share of the crop (crop_pct); the default of the class applies.")
        return {}
    if share > 1 or share < 1e-3:
        raise fields.value_error("crop_pct", "a share of 0.001 to 1")
    return shorter_side_then_crop(int(side / share), (side, side), kernel)


# -- pixels ------------------------------------------------------------------------------------------------------------


def _pixels(fields: Fields, kind: str, notes: list[str]) -> dict[str, Any]:
    """Return the contract keys channels, mean, std and units, as far as the file specifies them."""
    is_flipped = bool(fields.boolean("do_flip_channel_order")) or kind == _ALWAYS_FLIPPED
    entry = _normalization(fields, kind, notes)
    has_color = isinstance(entry.get("mean"), list) and len(entry["mean"]) == 3
    if is_flipped:
        entry["channels"] = "BGR"
        if has_color:  # a processor that does both normalizes first, and reverses the channels afterwards
            entry["mean"], entry["std"] = entry["mean"][::-1], _reverse(entry["std"])
    elif has_color or fields.boolean("do_convert_rgb"):
        entry["channels"] = "RGB"
    else:
        notes.append("The channel order is not set: it is that of the decoded image.")
    fields.ignore("do_convert_rgb")
    return entry


def _reverse(value: float | list[float]) -> float | list[float]:
    return value[::-1] if isinstance(value, list) else value


def _normalization(fields: Fields, kind: str, notes: list[str]) -> dict[str, Any]:
    mean, std = fields.numbers("image_mean"), fields.numbers("image_std", is_positive=True)
    do_rescale, do_normalize = fields.boolean("do_rescale"), fields.boolean("do_normalize")
    factor = fields.number("rescale_factor", is_positive=True) or 1 / 255
    key = _OFFSETS.get(kind)
    offset = 1.0 if key is not None and fields.boolean(key) else 0.0
    if isinstance(mean, list) and isinstance(std, list) and len(mean) != len(std):
        raise fields.value_error("image_std", f"a list of {len(mean)} numbers, like image_mean")
    second_std = std if kind == "EfficientNet" and fields.boolean("include_top") else None
    if do_normalize is False or (do_normalize is None and mean is None):
        if do_rescale is None:
            notes.append("The file does not specify whether pixels are rescaled (do_rescale).")
            return {}
        mean, std = 0.0, 1.0
    elif mean is None or std is None:
        notes.append(
            "The file does not specify mean and std (image_mean, image_std); the default of the class applies."
        )
        return {}
    elif do_rescale is None:
        notes.append("The file does not specify do_rescale; a division by 255 before mean and std is assumed.")
    if do_normalize is None and std != 1.0:
        notes.append("The file does not specify do_normalize; its mean and std are assumed to apply.")
    if second_std is not None:
        mean, std = _product(mean, 1.0), _product(std, second_std)
        notes.append("This class divides by image_std twice if include_top is true; std includes both.")
    if do_rescale is False:
        factor, offset = 1.0, 0.0
    try:
        return normalization_entry(factor, offset, mean, std)
    except OverflowError:
        raise fields.value_error("rescale_factor", "a factor that gives finite mean and std") from None


def _channels(value: float | list[float], n_channels: int) -> list[float]:
    return value if isinstance(value, list) else [value] * n_channels


def _product(one: float | list[float], two: float | list[float]) -> float | list[float]:
    """Return the product of two numbers, or the products per channel."""
    if not isinstance(one, list) and not isinstance(two, list):
        return one * two
    n_channels = len(one) if isinstance(one, list) else len(_channels(two, 0))
    return [a * b for a, b in zip(_channels(one, n_channels), _channels(two, n_channels), strict=True)]
