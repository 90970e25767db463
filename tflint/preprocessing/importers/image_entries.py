"""Converts the parameters of image preprocessing to contract keys: kernels, normalization, resize and crop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Kernels of a contract, by their names in PIL, torchvision and timm. A contract cannot express hamming.
KERNELS = {"nearest": "nearest", "bilinear": "bilinear", "bicubic": "bicubic", "lanczos": "lanczos", "box": "area"}
#: Relative tolerance within which a factor counts as 1/255. Files store this with about 15 digits.
_SAME = 1e-9


def kernel_entry(kernel: str | None, *, antialias: bool = True) -> dict[str, Any]:
    """Return the keys for the kernel of a resize in PIL or torchvision.

    Both align the centers of pixels. The kernel nearest is not antialiased.
    """
    entry: dict[str, Any] = {"coordinates": "half-pixel"}
    if kernel is not None:
        entry |= {"kernel": kernel, "antialias": antialias and kernel != "nearest"}
    return entry


def normalization_entry(
    factor: float, offset: float, mean: float | Sequence[float], std: float | Sequence[float]
) -> dict[str, Any]:
    """Return the keys mean, std and units for (pixel × factor − offset − mean) / std.

    `mean` and `std` are one number, or one per channel. If the factor is 1/255, units is `unit`. For any other factor,
    mean and std are divided by the factor, and units is `u8`. Raises `OverflowError` if a result is not finite, or if
    std is not above 0.
    """
    if math.isclose(factor, 1 / 255, rel_tol=_SAME):
        return {
            "mean": _map(mean, lambda value: value + offset),
            "std": _map(std, lambda value: value),
            "units": "unit",
        }
    means, stds = _map(mean, lambda value: (value + offset) / factor), _map(std, lambda value: value / factor)
    is_finite = all(math.isfinite(value) for value in _as_list(means))
    if not is_finite or not all(0 < value < math.inf for value in _as_list(stds)):
        raise OverflowError
    return {"mean": means, "std": stds, "units": "u8"}


def _map(value: float | Sequence[float], function: Callable[[float], float]) -> float | list[float]:
    return [function(item) for item in value] if isinstance(value, Sequence) else function(value)


def _as_list(value: float | list[float]) -> list[float]:
    return value if isinstance(value, list) else [value]


def shorter_side_then_crop(
    resized: int | Sequence[int], crop: Sequence[int], kernel: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `resize` and `crop` for a resize to a shorter side, or to cover a height and width, and a center crop."""
    return {
        "resize": {"mode": "cover", "size": resized, **kernel},
        "crop": {"mode": "center", "size": list(crop)},
    }
