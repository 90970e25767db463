"""Helper functions of the printed numpy code. They are printed verbatim, so the tested code is the printed code."""

from __future__ import annotations

import numpy as np


def resize(image: np.ndarray, height: int, width: int, how: tuple[str, bool, str]) -> np.ndarray:
    """Resize an image [height, width, channels] without rounding; how: kernel, antialias, coordinates."""
    rows = resize_weights(image.shape[0], height, *how)
    columns = resize_weights(image.shape[1], width, *how)
    return np.tensordot(columns, np.tensordot(rows, image, axes=(1, 0)), axes=(1, 1)).transpose(1, 0, 2)


def resize_weights(n_from: int, n_to: int, kernel: str, antialias: bool, coordinates: str) -> np.ndarray:
    """Return the weight of each source pixel for each target pixel along an axis: [n_to, n_from], rows sum to 1."""
    new, old = np.arange(n_to), np.arange(n_from)
    if coordinates == "align-corners":
        at = new * ((n_from - 1) / max(n_to - 1, 1))
    elif coordinates == "asymmetric":
        at = new * (n_from / n_to)
    else:  # half-pixel: align the centers of pixels
        at = (new + 0.5) * (n_from / n_to) - 0.5
    if kernel == "nearest":
        nearest = np.floor(at if coordinates == "asymmetric" else at + 0.5)
        return np.asarray(np.eye(n_from)[np.clip(nearest.astype(int), 0, n_from - 1)])
    shrink = max(n_from / n_to, 1.0)
    reach = shrink if antialias else 1.0
    d = np.abs(old - at[:, None]) / reach
    if kernel == "area":
        d = old - at[:, None]
        weights = np.clip(np.minimum(d + 0.5, shrink / 2) - np.maximum(d - 0.5, -shrink / 2), 0, None)
    elif kernel == "bicubic":  # Keys, a = -0.5
        near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
        weights = np.where(d < 1, near, np.where(d < 2, far, 0))
    elif kernel == "lanczos":  # three lobes
        weights = np.where(d < 3, np.sinc(d) * np.sinc(d / 3), 0)
    else:  # bilinear
        weights = np.clip(1 - d, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def letterbox(
    image: np.ndarray, height: int, width: int, how: tuple[str, bool, str], value: list[float], is_centered: bool
) -> np.ndarray:
    """Resize an image to fit into height × width with its aspect ratio, and pad the rest with a value."""
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = resize(image, max(round(image.shape[0] * scale), 1), max(round(image.shape[1] * scale), 1), how)
    top = (height - inner.shape[0]) // 2 if is_centered else 0
    left = (width - inner.shape[1]) // 2 if is_centered else 0
    whole = np.empty((height, width, image.shape[2]))
    whole[:] = value
    whole[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return whole


def cover(image: np.ndarray, height: int, width: int, how: tuple[str, bool, str]) -> np.ndarray:
    """Resize an image to cover height × width with its aspect ratio, and crop what exceeds it on both sides."""
    scale = max(height / image.shape[0], width / image.shape[1])
    outer = resize(image, max(round(image.shape[0] * scale), height), max(round(image.shape[1] * scale), width), how)
    return center_crop(outer, height, width)


def shorter_side(image: np.ndarray, size: int, how: tuple[str, bool, str]) -> np.ndarray:
    """Resize an image with its aspect ratio so that its shorter side has the given size."""
    height, width = image.shape[:2]
    if height < width:
        return resize(image, size, size * width // height, how)
    return resize(image, size * height // width, size, how)


def center_crop(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Crop height × width from the center of an image; pad a smaller image with zeros first."""
    short = [max(height - image.shape[0], 0), max(width - image.shape[1], 0)]
    image = np.pad(image, [(n // 2, n - n // 2) for n in short] + [(0, 0)])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def crop_share(image: np.ndarray, share: float) -> np.ndarray:
    """Crop a square from the center of an image, with a share of its shorter side."""
    side = max(round(min(image.shape[:2]) * share), 1)
    return center_crop(image, side, side)


def to_linear(image: np.ndarray) -> np.ndarray:
    """Convert sRGB values to linear light, both from 0 to 255."""
    v = image / 255
    return 255 * np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
