"""Generates input values of a kind: noise, a ramp, constants, or a smooth image-like pattern.

The values depend only on the seed, the kind, the shape, the type and the range, so two interpreters get the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: The kinds of input of a survey, in order.
KINDS = ("noise", "ramp", "low", "high", "smooth", "other noise")
#: Number of cosine waves of a smooth pattern.
_WAVES = 6
#: Default range of floating-point inputs.
_UNIT = (-1.0, 1.0)
#: Default range of integers without quantization, such as token ids or indices: small enough for any vocabulary.
_INDICES = (0, 1)


def generate(kind: str, shape: Sequence[int], dtype: np.dtype[Any], limits: Sequence[float], seed: int) -> Array:
    """Return an array of a kind; `limits` are its smallest and largest value, in the units of `dtype`.

    Strings are short and have no limits.
    """
    shape = tuple(shape)
    if dtype.kind in "SOU":
        text = b"" if kind == "low" else kind.encode()
        return np.full(shape, text, dtype=np.object_)
    rng = np.random.default_rng([seed, KINDS.index(kind), *shape])
    share = np.asarray(_shares(kind, shape, rng))
    if dtype.kind == "b":
        return np.asarray(share >= 0.5)
    low, high = limits
    values = low + share * (high - low)
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        values = np.clip(np.floor(values + 0.5), float(bounds.min), float(bounds.max))
    return np.asarray(values, dtype=dtype)


def default_limits(dtype: np.dtype[Any], *, is_quantized: bool) -> tuple[float, float]:
    """Return the range of generated values of a type, if nothing else is known about the input."""
    if dtype.kind in "fc":
        return _UNIT
    if dtype.kind in "iu" and (is_quantized or dtype.itemsize == 1):
        bounds = np.iinfo(dtype)
        return float(bounds.min), float(bounds.max)
    return _INDICES


def _shares(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return values from 0 to 1."""
    if kind in ("low", "high"):
        return np.full(shape, 0.0 if kind == "low" else 1.0, dtype=np.float32)
    if kind == "ramp":
        size = math.prod(shape)
        return np.linspace(0.0, 1.0, size, dtype=np.float32).reshape(shape) if size else np.zeros(shape)
    if kind == "smooth":
        return _smooth(shape, rng)
    return rng.random(shape, dtype=np.float32)


def _smooth(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return a sum of slow waves along every axis with more than 4 elements, as in a photograph out of focus."""
    total = np.zeros(shape, dtype=np.float32)
    for _ in range(_WAVES):
        phase = np.full((1,) * len(shape), rng.random() * 2 * math.pi)
        for axis, size in enumerate(shape):
            turns = rng.uniform(0.0, 2.0) if size > 4 else rng.uniform(0.0, 0.3)
            steps = np.arange(size, dtype=np.float64) * (turns * 2 * math.pi / max(size, 1))
            phase = phase + steps.reshape([-1 if number == axis else 1 for number in range(len(shape))])
        total += np.cos(phase).astype(np.float32)
    result: Array = np.clip(total / (2 * math.sqrt(_WAVES)) + 0.5, 0.0, 1.0)
    return result
