"""Estimates how much memory the printed numpy code takes for an image, before the image is decoded.

The sizes follow `calling.pasted`. Few bytes of a contract or an image can ask for much: a row of 16,000 pixels that has
to cover a square, the nearest kernel with its matrix of pixels × pixels.
"""

from __future__ import annotations

import math

from tflint.preprocessing.recipe import Feeding

#: Most bytes to decode and prepare an image. An RGB image that is made smaller may have 70 megapixels: more than
#: the sensors of common cameras.
MAX_IMAGE_BYTES = 2 << 30

#: Bytes per pixel while an image is decoded: Pillow's copies as stored, upright and with the wanted channels take 4
#: bytes each, numpy's of the last 4 twice.
_DECODED_BYTES = 20
_FLOAT_BYTES = 8

Size = tuple[int, int]

#: Copies of a matrix of weights while it is computed: Lanczos, with its two sinc, takes most.
_WEIGHT_COPIES = 8
#: Copies of the image while it is normalized, and while the sRGB curve is undone.
_NORMALIZING_COPIES, _LINEAR_COPIES = 4, 7


def image_bytes(feeding: Feeding, size: Size) -> int:
    """Return the estimated peak in bytes for an image of (height, width) pixels."""
    n_pixels, n_channels = math.prod(size), feeding.n_channels
    n_floats = max(_cells(feeding, size), _cells(feeding, size[::-1]) if _may_turn(feeding) else 0)
    return max(n_pixels * _DECODED_BYTES, n_pixels * n_channels + n_floats * _FLOAT_BYTES)


def _may_turn(feeding: Feeding) -> bool:
    return feeding.entry.get("orientation") == "exif"


def _cells(feeding: Feeding, size: Size) -> int:
    """Most values of float64 at a time, over all steps. `held` are those of the image that goes into a step."""
    n_channels, crop = feeding.n_channels, feeding.part("crop")
    crop = crop if crop.get("mode") != "none" else {}
    held = peak = math.prod(size) * n_channels
    if "share" in crop:  # numpy.pad copies the image, and the square is a view of that copy
        peak = max(peak, 2 * held)
        size = (max(round(min(size) * crop["share"]), 1),) * 2
    target = _target(feeding, size)
    if target is not None:
        scaled, whole = target
        n_scaled, n_whole = math.prod(scaled) * n_channels, math.prod(whole) * n_channels
        peak = max(peak, held + _resize_cells(feeding, size, scaled), held + 2 * n_scaled + n_whole)
        size, held = whole, max(n_scaled, n_whole)
    if "size" in crop:
        padded = (max(size[0], crop["size"][0]), max(size[1], crop["size"][1]))
        peak = max(peak, held + math.prod(padded) * n_channels)
        size, held = (crop["size"][0], crop["size"][1]), math.prod(padded) * n_channels
    n_copies = _LINEAR_COPIES if feeding.entry.get("transfer") == "linear" else _NORMALIZING_COPIES
    return max(peak, held + (n_copies - 1) * math.prod(size) * n_channels)


def _resize_cells(feeding: Feeding, size: Size, scaled: Size) -> int:
    """Values beside the image itself: two matrices of weights, and the image with its rows scaled, then its columns."""
    is_nearest = feeding.part("resize").get("kernel") == "nearest"
    rows, columns = scaled[0] * size[0], scaled[1] * size[1]
    making_rows = size[0] ** 2 + 2 * rows if is_nearest else _WEIGHT_COPIES * rows
    making_columns = rows + (size[1] ** 2 + 2 * columns if is_nearest else _WEIGHT_COPIES * columns)
    n_between, n_scaled = scaled[0] * size[1] * feeding.n_channels, math.prod(scaled) * feeding.n_channels
    # numpy.tensordot copies what is not contiguous: a mirrored or cropped image first, then the one scaled by rows
    n_copied = math.prod(size) * feeding.n_channels if feeding.entry.get("mirror") or feeding.part("crop") else 0
    multiplying = rows + columns + n_between + max(n_copied, n_between + n_scaled)
    return max(making_rows, making_columns, multiplying)


def _target(feeding: Feeding, size: Size) -> tuple[Size, Size] | None:
    """The size to which the image is scaled, and that of the result; None if the contract does not resize."""
    said = feeding.part("resize")
    wanted = said.get("size") or feeding.size
    if said.get("mode") == "none" or not ("mode" in said or "size" in said) or wanted is None:
        return None
    sides = [wanted] if isinstance(wanted, int) else list(wanted)
    whole: Size = (sides[0], sides[-1])
    ratios = whole[0] / size[0], whole[1] / size[1]
    if said.get("mode") == "letterbox":
        return _scaled(size, min(ratios)), whole
    if len(sides) == 1:
        height, width = size
        scaled = (sides[0], sides[0] * width // height) if height < width else (sides[0] * height // width, sides[0])
        return scaled, scaled
    return (_scaled(size, max(ratios)), whole) if said.get("mode") == "cover" else (whole, whole)


def _scaled(size: Size, ratio: float) -> Size:
    return max(round(size[0] * ratio), 1), max(round(size[1] * ratio), 1)
