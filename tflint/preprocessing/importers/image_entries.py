"""What pictures are prepared by, in a contract's words: kernels, the arithmetic of pixels, resize and crop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Kernels by the names that PIL, torchvision and timm have for them; hamming has none in a contract.
KERNELS = {"nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic", "lanczos": "lanczos", "box": "area"}
#: Relative difference between a factor written with 15 digits and 1/255.
_SAME = 1e-9


def kernel_entry(kernel: str | None, *, antialias: bool = True) -> dict[str, Any]:
    """A resize as PIL and torchvision do it: half-pixel centres, smoothed where that is said but for nearest."""
    entry: dict[str, Any] = {"coordinates": "half-pixel"}
    if kernel is not None:
        entry |= {"kernel": kernel, "antialias": antialias and kernel != "nearest"}
    return entry


def normalization(
    factor: float, offset: float, mean: float | Sequence[float], std: float | Sequence[float]
) -> dict[str, Any]:
    """Mean, std and units for (pixel × factor − offset − mean) / std; mean and std are one number, or one a channel.

    A factor of 1/255 is the unit scale; any other is divided out, so that the result is in units of pixels. Raises
    `OverflowError` where that leaves no finite numbers, or no std above 0.
    """
    if math.isclose(factor, 1 / 255, rel_tol=_SAME):
        return {"mean": _each(mean, lambda one: one + offset), "std": _each(std, lambda one: one), "units": "unit"}
    made = _each(mean, lambda one: (one + offset) / factor), _each(std, lambda one: one / factor)
    if not all(math.isfinite(one) for one in _all(made[0])) or not all(0 < one < math.inf for one in _all(made[1])):
        raise OverflowError
    return {"mean": made[0], "std": made[1], "units": "u8"}


def _each(value: float | Sequence[float], make: Callable[[float], float]) -> float | list[float]:
    return [make(one) for one in value] if isinstance(value, Sequence) else make(value)


def _all(value: float | list[float]) -> list[float]:
    return value if isinstance(value, list) else [value]


def shorter_side_then_crop(
    resized: int | Sequence[int], crop: Sequence[int], kernel: Mapping[str, Any]
) -> dict[str, Any]:
    """The keys `resize` and `crop` of a picture whose shorter side is resized, or that is resized until it covers a
    height and width, and of which the middle is cut out.
    """
    return {
        "resize": {"mode": "cover", "size": resized, **kernel},
        "crop": {"mode": "center", "size": list(crop)},
    }
