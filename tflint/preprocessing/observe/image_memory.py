"""Estimates the memory that the printed numpy code takes for an image, before the image is decoded.

The sizes follow from `codegen.numpy_snippets`. Even a small image can need much memory: for example, a row of 16,000
pixels that is resized to cover a square, or the nearest kernel, which uses a matrix of pixels × pixels.
"""

from __future__ import annotations

import math

from tflint.preprocessing.recipe import RecipeInput

#: Maximum number of bytes of memory to decode and preprocess an image. This is enough to downscale an RGB image of 70
#: megapixels, more than common cameras have.
MAX_IMAGE_BYTES = 2 << 30

#: Bytes per pixel while an image is decoded: three copies in Pillow (as stored, rotated, converted) and two in numpy,
#: of 4 bytes each.
_DECODED_BYTES = 20
_FLOAT_BYTES = 8

Size = tuple[int, int]

#: Copies of a weight matrix while it is computed: Lanczos, with two sinc functions, takes the most.
_WEIGHT_COPIES = 8
#: Copies of the image while it is normalized, and while sRGB is converted to linear light.
_NORMALIZING_COPIES, _LINEAR_COPIES = 4, 7


def image_bytes(recipe_input: RecipeInput, size: Size) -> int:
    """Return the estimated peak memory in bytes for an image of (height, width) pixels."""
    n_pixels, n_channels = math.prod(size), recipe_input.n_channels
    n_floats = max(_cells(recipe_input, size), _cells(recipe_input, size[::-1]) if _may_turn(recipe_input) else 0)
    return max(n_pixels * _DECODED_BYTES, n_pixels * n_channels + n_floats * _FLOAT_BYTES)


def _may_turn(recipe_input: RecipeInput) -> bool:
    return recipe_input.entry.get("orientation") == "exif"


def _cells(recipe_input: RecipeInput, size: Size) -> int:
    """Return the peak number of float64 values over all steps."""
    n_channels, crop = recipe_input.n_channels, recipe_input.part("crop")
    crop = crop if crop.get("mode") != "none" else {}
    held = peak = math.prod(size) * n_channels  # values of the image that the next step takes
    if "share" in crop:  # numpy.pad copies the image; the square is a view of that copy
        peak = max(peak, 2 * held)
        size = (max(round(min(size) * crop["share"]), 1),) * 2
    target = _target(recipe_input, size)
    if target is not None:
        scaled, whole = target
        n_scaled, n_whole = math.prod(scaled) * n_channels, math.prod(whole) * n_channels
        peak = max(peak, held + _resize_cells(recipe_input, size, scaled), held + 2 * n_scaled + n_whole)
        size, held = whole, max(n_scaled, n_whole)
    if "size" in crop:
        padded = (max(size[0], crop["size"][0]), max(size[1], crop["size"][1]))
        peak = max(peak, held + math.prod(padded) * n_channels)
        size, held = (crop["size"][0], crop["size"][1]), math.prod(padded) * n_channels
    n_copies = _LINEAR_COPIES if recipe_input.entry.get("transfer") == "linear" else _NORMALIZING_COPIES
    return max(peak, held + (n_copies - 1) * math.prod(size) * n_channels)


def _resize_cells(recipe_input: RecipeInput, size: Size, scaled: Size) -> int:
    """Return the peak number of values of a resize, without the image: two weight matrices and the scaled copies."""
    is_nearest = recipe_input.part("resize").get("kernel") == "nearest"
    rows, columns = scaled[0] * size[0], scaled[1] * size[1]
    making_rows = size[0] ** 2 + 2 * rows if is_nearest else _WEIGHT_COPIES * rows
    making_columns = rows + (size[1] ** 2 + 2 * columns if is_nearest else _WEIGHT_COPIES * columns)
    n_between, n_scaled = scaled[0] * size[1] * recipe_input.n_channels, math.prod(scaled) * recipe_input.n_channels
    # numpy.tensordot copies arrays that are not contiguous: a mirrored or cropped image, then the row-scaled one.
    n_copied = (
        math.prod(size) * recipe_input.n_channels
        if recipe_input.entry.get("mirror") or recipe_input.part("crop")
        else 0
    )
    multiplying = rows + columns + n_between + max(n_copied, n_between + n_scaled)
    return max(making_rows, making_columns, multiplying)


def _target(recipe_input: RecipeInput, size: Size) -> tuple[Size, Size] | None:
    """Return the size to which an image is scaled and the size of the result, or None if the contract has no resize."""
    resize = recipe_input.part("resize")
    target = resize.get("size") or recipe_input.size
    if resize.get("mode") == "none" or not ("mode" in resize or "size" in resize) or target is None:
        return None
    sides = [target] if isinstance(target, int) else list(target)
    whole: Size = (sides[0], sides[-1])
    ratios = whole[0] / size[0], whole[1] / size[1]
    if resize.get("mode") == "letterbox":
        return _scale_size(size, min(ratios)), whole
    if len(sides) == 1:
        height, width = size
        scaled = (sides[0], sides[0] * width // height) if height < width else (sides[0] * height // width, sides[0])
        return scaled, scaled
    return (_scale_size(size, max(ratios)), whole) if resize.get("mode") == "cover" else (whole, whole)


def _scale_size(size: Size, ratio: float) -> Size:
    return max(round(size[0] * ratio), 1), max(round(size[1] * ratio), 1)
