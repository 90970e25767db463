"""Reads what an image processor's configuration says of a picture: its resize, its crop, and what becomes of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.preprocessing.importers.foreign_fields import Fields, is_count
from tflint.preprocessing.importers.image_entries import kernel_entry, normalization, shorter_side_then_crop

#: PIL's numbers for its kernels; 5 is hamming, which a contract has no word for.
_RESAMPLE = ("nearest", "lanczos", "bilinear", "bicubic", "area", None)
#: From this size on ConvNeXT's processor stretches pictures; smaller ones it enlarges by `crop_pct` and crops.
_CONVNEXT_STRETCHED = 384
#: Reverses the channels at its end, without a key for it.
_ALWAYS_FLIPPED = "LayoutLMv2"
#: Families whose older files have one number for a size: of both sides, or of the shorter one.
_SQUARE = ("Beit", "DeiT", "Segformer", "ViT")
_SHORTER = ("CLIP", "ChineseCLIP", "MobileNetV1", "MobileNetV2", "MobileViT")
#: Families, and keys of others, that make something else of a size than their name says.
_OTHERWISE = ("Levit", "Perceiver", "PoolFormer")
_OTHERWISE_BY = (
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
#: The key by which a family takes 1 off what it scaled.
_OFFSETS = {"EfficientNet": "rescale_offset", "Vivit": "offset"}


def image_input(fields: Fields, unsaid: list[str]) -> dict[str, Any]:
    """The entry of a picture; what has no place in it is added to `unsaid`."""
    kind = _family(fields.text("image_processor_type") or fields.text("feature_extractor_type") or "")
    entry: dict[str, Any] = {"kind": "image"}
    entry |= _geometry(fields, kind, unsaid)
    entry |= _pixels(fields, kind, unsaid)
    if fields.truth("do_pad"):
        unsaid.append(
            "Pictures are padded (do_pad), to a size that depends on the others of their batch or on pad_size."
        )
    layout = fields.text("data_format")
    unsaid.append(
        f"The layout of the input is left open: transformers hands over {_layout(layout)}, a converted model may take"
        " the other order."
    )
    return entry


def _family(kind: str) -> str:
    """The models that a class is for: `ViT` of ViTImageProcessorFast."""
    return kind.removesuffix("Fast").removesuffix("ImageProcessor").removesuffix("FeatureExtractor")


def _layout(data_format: str | None) -> str:
    return "channels last" if data_format == "channels_last" else "channels first"


# -- geometry ----------------------------------------------------------------------------------------------------------


def _geometry(fields: Fields, kind: str, unsaid: list[str]) -> dict[str, Any]:
    resized, cropped = fields.truth("do_resize"), fields.truth("do_center_crop")
    kernel = kernel_entry(_kernel(fields, unsaid))
    size = _size(fields, "size")
    crop = _size(fields, "crop_size")
    entry: dict[str, Any] = {}
    if resized is False:
        entry["resize"] = {"mode": "none"}
    elif resized is None:
        unsaid.append("Whether pictures are resized is left to the default of the class (do_resize).")
    else:
        entry |= _resize(fields, kind, size, crop if cropped else None, kernel, unsaid)
    if cropped and "crop" not in entry:
        sides = _sides(crop)
        if sides is None:
            unsaid.append("How much a crop leaves is left to the default of the class (crop_size).")
        else:
            entry["crop"] = {"mode": "center", "size": sides}
    elif cropped is False and "crop" not in entry:
        entry["crop"] = {"mode": "none"}
    return entry


def _kernel(fields: Fields, unsaid: list[str]) -> str | None:
    number = fields.count("resample", least=0)
    if number is None:
        if fields.truth("do_resize"):
            unsaid.append("The kernel of the resize is left to the default of the class (resample).")
        return None
    if number >= len(_RESAMPLE):
        raise fields.wrong("resample", "one of PIL's numbers, 0 to 5")
    if _RESAMPLE[number] is None:
        unsaid.append("The kernel of the resize is PIL's hamming, which a contract has no word for.")
    return _RESAMPLE[number]


def _size(fields: Fields, key: str) -> int | Mapping[str, int] | None:
    """A size as newer files write it, by the names of its sides, or as older ones do, as one number or a pair."""
    value = fields.get(key)
    if value is None or is_count(value, 1):
        number: int | None = value
        return number
    if isinstance(value, list) and len(value) == 2:
        height, width = fields.counts(key, 2) or (0, 0)
        return {"height": height, "width": width}
    if not isinstance(value, Mapping):
        raise fields.wrong(key, "a whole number above 0, a pair of them, or a mapping of sides to them")
    sides = Fields.of(value, fields.path, f"{key}.")
    return {str(name): number for name in sides if (number := sides.count(name)) is not None}


def _sides(size: int | Mapping[str, int] | None) -> list[int] | None:
    """Height and width; of one number both."""
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
    unsaid: list[str],
) -> dict[str, Any]:
    """The keys `resize` and perhaps `crop`; none, and a sentence, where a contract has no words for it."""
    if size is None:
        unsaid.append("The size of the resize is left to the default of the class (size).")
        return {}
    shortest = size.get("shortest_edge") if isinstance(size, Mapping) and len(size) == 1 else None
    if kind == "ConvNext":
        shortest = size if isinstance(size, int) else shortest
        return _convnext(fields, shortest, kernel, unsaid)
    by = next((key for key in _OTHERWISE_BY if key in fields and fields.get(key) is not False), None)
    if kind in _OTHERWISE or by is not None:
        unsaid.append(f"The size after the resize is worked out in another way here ({by or kind}).")
        return {}
    square = fields.truth("default_to_square")
    if square is None:
        square = True if kind in _SQUARE else False if kind in _SHORTER else None
    if isinstance(size, int) and square is False:
        shortest = size
    if (isinstance(size, Mapping) and set(size) == {"height", "width"}) or (isinstance(size, int) and square):
        return {"resize": {"mode": "stretch", "size": _sides(size), **kernel}}
    sides = _sides(crop)
    if shortest is not None and sides is not None:
        if max(sides) > shortest:
            unsaid.append("The crop can be larger than what the resize leaves: what lacks is filled with black.")
        return shorter_side_then_crop(shortest, sides, kernel)
    if shortest is not None:
        unsaid.append(f"The shorter side becomes {shortest:,} and nothing is cropped: the size depends on the picture.")
    elif isinstance(size, int):
        unsaid.append(f"Whether both sides become {size:,} or the shorter one is left to the class (size).")
    else:
        said = ", ".join(f"{side} {number:,}" for side, number in list(size.items())[:4])
        unsaid.append(f"The size after the resize depends on the picture ({said}).")
    return {}


def _convnext(fields: Fields, side: int | None, kernel: Mapping[str, Any], unsaid: list[str]) -> dict[str, Any]:
    if side is None:
        raise fields.wrong("size", "a whole number or a shortest_edge for this class")
    if side >= _CONVNEXT_STRETCHED:
        fields.passes_over("crop_pct")
        return {"resize": {"mode": "stretch", "size": [side, side], **kernel}}
    share = fields.number("crop_pct", is_positive=True)
    if share is None:
        unsaid.append("The share that is cropped is left to the default of the class (crop_pct).")
        return {}
    if share > 1 or share < 1e-3:
        raise fields.wrong("crop_pct", "a share of 0.001 to 1")
    return shorter_side_then_crop(int(side / share), (side, side), kernel)


# -- pixels ------------------------------------------------------------------------------------------------------------


def _pixels(fields: Fields, kind: str, unsaid: list[str]) -> dict[str, Any]:
    """Channels, mean, std and units."""
    is_flipped = bool(fields.truth("do_flip_channel_order")) or kind == _ALWAYS_FLIPPED
    entry = _normalized(fields, kind, unsaid)
    is_colour = isinstance(entry.get("mean"), list) and len(entry["mean"]) == 3
    if is_flipped:
        entry["channels"] = "BGR"
        if is_colour:  # the processors that have both reverse what was normalised
            entry["mean"], entry["std"] = entry["mean"][::-1], _reversed(entry["std"])
    elif is_colour or fields.truth("do_convert_rgb"):
        entry["channels"] = "RGB"
    else:
        unsaid.append("The order of channels is left open: it is that of the picture as it was opened.")
    fields.passes_over("do_convert_rgb")
    return entry


def _reversed(value: float | list[float]) -> float | list[float]:
    return value[::-1] if isinstance(value, list) else value


def _normalized(fields: Fields, kind: str, unsaid: list[str]) -> dict[str, Any]:
    mean, std = fields.numbers("image_mean"), fields.numbers("image_std", is_positive=True)
    rescaled, normalized = fields.truth("do_rescale"), fields.truth("do_normalize")
    factor = fields.number("rescale_factor", is_positive=True) or 1 / 255
    key = _OFFSETS.get(kind)
    offset = 1.0 if key is not None and fields.truth(key) else 0.0
    if isinstance(mean, list) and isinstance(std, list) and len(mean) != len(std):
        raise fields.wrong("image_std", f"as long as image_mean, {len(mean)} numbers")
    again = std if kind == "EfficientNet" and fields.truth("include_top") else None
    if normalized is False or (normalized is None and mean is None):
        if rescaled is None:
            unsaid.append("Whether pixels are scaled is left to the default of the class (do_rescale).")
            return {}
        mean, std = 0.0, 1.0
    elif mean is None or std is None:
        unsaid.append("Mean and std are left to the default of the class (image_mean, image_std).")
        return {}
    elif rescaled is None:
        unsaid.append("The file does not say do_rescale; pixels are taken to be divided by 255 before mean and std.")
    if normalized is None and std != 1.0:
        unsaid.append("The file does not say do_normalize; its mean and std are taken to be used.")
    if again is not None:
        mean, std = _product(mean, 1.0), _product(std, again)
        unsaid.append("This class divides by image_std once more where include_top is true: that is in std.")
    if rescaled is False:
        factor, offset = 1.0, 0.0
    try:
        return normalization(factor, offset, mean, std)
    except OverflowError:
        raise fields.wrong("rescale_factor", "a factor that leaves finite numbers") from None


def _channels(value: float | list[float], n_channels: int) -> list[float]:
    return value if isinstance(value, list) else [value] * n_channels


def _product(one: float | list[float], two: float | list[float]) -> float | list[float]:
    """The product of two numbers, or of those of each channel."""
    if not isinstance(one, list) and not isinstance(two, list):
        return one * two
    n_channels = len(one) if isinstance(one, list) else len(_channels(two, 0))
    return [a * b for a, b in zip(_channels(one, n_channels), _channels(two, n_channels), strict=True)]
