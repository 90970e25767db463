"""Single changes of a contract's preprocessing, to find out whether the golden samples fit a different one better."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.normalization.known_normalizations import Normalization, known_normalizations
from tflint.preprocessing.recipe import RecipeInput
from tflint.values import frozen, replace

Array = NDArray[Any]
Entry = Mapping[str, Any]

_SWAPPED = {"RGB": "BGR", "BGR": "RGB", "RGBA": "BGRA", "BGRA": "RGBA"}
_MODES = ("stretch", "letterbox", "cover")
_KERNELS = ("nearest", "bilinear")
#: Layouts and their counterparts.
_LAYOUTS = {"NHWC": "NCHW", "NCHW": "NHWC"}


def _keep(values: Array) -> Array:
    return values


@frozen(eq=False)
class Change:
    """A change of one key: the changed input of the recipe, and what happens to the preprocessed array afterwards.

    `declared` and `changed` are the values of the key as text.
    """

    key: str
    declared: str
    changed: str
    recipe_input: RecipeInput
    after: Callable[[Array], Array] = _keep


def list_changes(recipe_input: RecipeInput) -> Iterator[Change]:
    """Yield every single change of an image input."""
    if recipe_input.channels in _SWAPPED:
        swapped = _SWAPPED[recipe_input.channels]
        yield _change(recipe_input, "channels", recipe_input.channels, swapped, {"channels": swapped})
    if not recipe_input.is_raw:
        yield from _normalization_changes(recipe_input)
    if recipe_input.layout in _LAYOUTS:
        other = _LAYOUTS[recipe_input.layout]
        yield Change("layout", recipe_input.layout, other, recipe_input, _transpose_to(other))
    resize = recipe_input.part("resize")
    mode, kernel = resize.get("mode"), resize.get("kernel", "bilinear")
    if mode in _MODES:
        for name in _MODES:
            if name != mode:
                changed = {"resize": {**resize, "mode": name}}
                yield _change(recipe_input, "resize.mode", mode, name, changed)
    if mode in _MODES or "size" in resize:
        for name in _KERNELS:
            if name != kernel:
                changed = {"resize": {**resize, "kernel": name}}
                yield _change(recipe_input, "resize.kernel", kernel, name, changed)
    if recipe_input.dtype in ("int8", "uint8") and recipe_input.is_quantized:
        feed = "raw" if recipe_input.is_raw else "fold"
        other = "fold" if recipe_input.is_raw else "raw"
        yield _change(recipe_input, "feed", feed, other, {"feed": other})
        offset = "an offset of 128"
        dtype = np.dtype(recipe_input.dtype)
        yield Change("feed", feed, f"{feed} with {offset}", recipe_input, lambda values: _flip_offset(values, dtype))


def _change(recipe_input: RecipeInput, key: str, declared: str, changed: str, keys: Entry) -> Change:
    return Change(key, declared, changed, replace(recipe_input, entry={**recipe_input.entry, **keys}))


def _normalization_changes(recipe_input: RecipeInput) -> Iterator[Change]:
    declared = _describe_declared(recipe_input)
    current = _real_factors(recipe_input)
    for known in known_normalizations():
        if len(known.mean) not in (1, recipe_input.n_channels):
            continue
        for normalization in _orders(known, recipe_input):
            keys = {
                "mean": list(normalization.mean),
                "std": list(normalization.std),
                "units": normalization.units,
            }
            changed = replace(recipe_input, entry={**_without_range(recipe_input.entry), **keys})
            if not _are_same(_real_factors(changed), current):
                yield Change("mean", declared, normalization.formula, changed)


def _orders(known: Normalization, recipe_input: RecipeInput) -> Iterator[Normalization]:
    """Yield a normalization with its numbers in the channel order of the input."""
    is_reversed = known.order is not None and known.order != recipe_input.channels
    if is_reversed and sorted(known.order or "") == sorted(recipe_input.channels):
        yield replace(known, mean=known.mean[::-1], std=known.std[::-1])
    else:
        yield known


def _without_range(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key != "range"}


def _real_factors(recipe_input: RecipeInput) -> tuple[Array, Array]:
    """Return the factor and the offset that turn a pixel from 0 to 255 into a real value, one per channel."""
    mean, std = recipe_input.normalization
    is_divided = recipe_input.is_unit and recipe_input.takes_bytes
    n_channels = recipe_input.n_channels
    factor = np.broadcast_to((1 / 255 if is_divided else 1.0) / std, (n_channels,))
    return factor, np.broadcast_to(-mean / std, (n_channels,))


def _are_same(one: tuple[Array, Array], other: tuple[Array, Array]) -> bool:
    """Return whether two normalizations differ by less than half of one percent of their range."""
    spans = np.abs(one[0]) * 255
    offsets = np.abs(one[1] - other[1])
    factors = np.abs(one[0] - other[0]) * 255
    return bool((np.maximum(offsets, factors) < 0.005 * spans + 1e-12).all())


def _describe_declared(recipe_input: RecipeInput) -> str:
    mean, std = recipe_input.normalization
    pixel = "px / 255" if recipe_input.is_unit else "px"
    numbers = [", ".join(f"{value:.6g}" for value in values) for values in (mean, std)]
    return f"({pixel} − {numbers[0]}) / {numbers[1]}"


def _transpose_to(layout: str) -> Callable[[Array], Array]:
    axes: Sequence[int] = (0, 3, 1, 2) if layout == "NCHW" else (0, 2, 3, 1)

    def transpose(values: Array) -> Array:
        """Fill the model's shape with the values in the other order, as client code with that layout would."""
        return np.ascontiguousarray(values.transpose(axes)).reshape(values.shape) if values.ndim == 4 else values

    return transpose


def _flip_offset(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return the bytes with the highest bit flipped: the value of the other signedness, 128 more or less."""
    flipped: Array = (values.astype(dtype).view(np.uint8) ^ 0x80).view(dtype)
    return flipped
