"""Single changes of a contract's preprocessing, to find out whether the golden samples fit a different one better."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.normalization.known_normalizations import known_normalizations
from tflint.preprocessing.recipe import RecipeInput
from tflint.values import frozen, replace

Array = NDArray[Any]
Entry = Mapping[str, Any]

_SWAPPED = {"RGB": "BGR", "BGR": "RGB", "RGBA": "BGRA", "BGRA": "RGBA"}
_MODES = ("stretch", "letterbox", "cover")
_KERNELS = ("nearest", "bilinear")
#: Kernels that a filter against aliasing changes.
_ANTIALIASED = ("bilinear", "bicubic", "lanczos")
#: Usual padding of a letterbox: black, YOLO's gray, the middle, white.
_PADDINGS = (0, 114, 128, 255)
#: Layouts and their counterparts.
_LAYOUTS = {"NHWC": "NCHW", "NCHW": "NHWC", "HWC": "CHW", "CHW": "HWC"}
#: Differences below this share of the range of pixels, or of std, count as rounding of the same normalization.
_SAME_SHARE = 0.005


def _keep(values: Array) -> Array:
    return values


@frozen(eq=False)
class Change:
    """A change of one key: the changed input of the recipe, and what happens to its array afterwards.

    `declared` and `changed` are the values of the key as text. `after` takes the array of the recipe, before it gets
    the shape of the tensor.
    """

    key: str
    declared: str
    changed: str
    recipe_input: RecipeInput
    after: Callable[[Array], Array] = _keep


def list_changes(recipe_input: RecipeInput) -> Iterator[Change]:
    """Yield every single change of an image input. If two keys explain the samples equally well, the first counts."""
    yield from _channel_changes(recipe_input, swaps_numbers=False)
    if not recipe_input.is_raw:
        yield from _normalization_changes(recipe_input)
    yield from _channel_changes(recipe_input, swaps_numbers=True)
    if recipe_input.is_cast:
        uncast = {key: value for key, value in recipe_input.entry.items() if key != "cast"}
        yield Change("cast", str(recipe_input.entry["cast"]), "none", replace(recipe_input, entry=uncast))
    if recipe_input.layout in _LAYOUTS:
        other = _LAYOUTS[recipe_input.layout]
        yield Change("layout", _describe_value(recipe_input, "layout", recipe_input.layout), other, recipe_input,
                     _transpose_to(other))  # fmt: skip
    yield from _resize_changes(recipe_input)
    if recipe_input.dtype in ("int8", "uint8") and recipe_input.is_quantized:
        yield from _feed_changes(recipe_input)


def _change(recipe_input: RecipeInput, key: str, declared: str, changed: str, keys: Entry) -> Change:
    return Change(key, declared, changed, _with_keys(recipe_input, keys))


def _with_keys(recipe_input: RecipeInput, keys: Entry) -> RecipeInput:
    return replace(recipe_input, entry={**recipe_input.entry, **keys})


def _describe_value(recipe_input: RecipeInput, key: str, value: str) -> str:
    """Return a value as text, marked as the default if the contract does not specify the key."""
    return value if is_specified(recipe_input, key) else f"default {value}"


def is_specified(recipe_input: RecipeInput, key: str) -> bool:
    """Return whether the contract specifies a key, such as `resize.kernel`."""
    table, _, name = key.rpartition(".")
    return name in (recipe_input.part(table) if table else recipe_input.entry)


# -- channels and normalization ----------------------------------------------------------------------------------------


def _channel_changes(recipe_input: RecipeInput, *, swaps_numbers: bool) -> Iterator[Change]:
    """Yield the other order of the channels, with mean and std as declared or in the order of their channels."""
    if recipe_input.channels not in _SWAPPED:
        return
    other = _SWAPPED[recipe_input.channels]
    declared = _describe_value(recipe_input, "channels", recipe_input.channels)
    mean, std = recipe_input.normalization
    if not swaps_numbers:
        yield _change(recipe_input, "channels", declared, other, {"channels": other})
    elif len(mean) > 1 and not recipe_input.is_raw:
        keys = {"channels": other, "mean": _swap(mean), "std": _swap(std)}
        yield _change(recipe_input, "channels", declared, f"{other} with mean and std in this order", keys)


def _swap(numbers: Any) -> list[float]:
    """Exchange the numbers of the first and the third channel."""
    values = list(map(float, numbers))
    return values if len(values) == 1 else [values[2], values[1], values[0], *values[3:]]


@frozen
class _Numbers:
    """The numbers of a normalization, as a contract specifies them."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    units: str

    def __str__(self) -> str:
        return f"mean = {_format(self.mean)}, std = {_format(self.std)}, units = {self.units}"

    @property
    def without_key(self) -> str:
        """The text of the numbers without its first key, for messages that begin with `mean =`."""
        return str(self).removeprefix("mean = ")

    @property
    def keys(self) -> Entry:
        """The keys of the contract."""
        return {"mean": list(self.mean), "std": list(self.std), "units": self.units}

    def in_units(self, units: str) -> _Numbers:
        """Return the same normalization for pixels in other units."""
        factor = 1.0 if units == self.units else 255.0 if units == "u8" else 1 / 255
        mean, std = (tuple(value * factor for value in values) for values in (self.mean, self.std))
        return _Numbers(mean, std, units)


def _normalization_changes(recipe_input: RecipeInput) -> Iterator[Change]:
    mean, std = recipe_input.normalization
    declared = _Numbers(tuple(mean), tuple(std), "unit" if recipe_input.is_unit else "u8")
    current = _real_factors(recipe_input)
    for numbers in _list_normalizations(recipe_input, declared):
        changed = replace(recipe_input, entry={**_without_range(recipe_input.entry), **numbers.keys})
        if not _are_same(_real_factors(changed), current):
            yield Change(*_describe_difference(recipe_input, declared, numbers), changed)


def _list_normalizations(recipe_input: RecipeInput, declared: _Numbers) -> Iterator[_Numbers]:
    """Yield the declared numbers in the other units and the other order, and the known normalizations."""
    yield declared
    yield replace(declared, units="u8" if declared.units == "unit" else "unit")
    n_channels = recipe_input.n_channels
    if n_channels >= 3:
        yield replace(declared, mean=tuple(_swap(declared.mean)), std=tuple(_swap(declared.std)))
    for known in known_normalizations():
        numbers = _Numbers(known.mean, known.std, known.units)
        if len(known.mean) == 1:
            yield numbers
        elif len(known.mean) == n_channels and sorted(known.order or "") == sorted(recipe_input.channels):
            is_swapped = known.order != recipe_input.channels
            swapped = replace(numbers, mean=tuple(_swap(known.mean)), std=tuple(_swap(known.std)))
            yield swapped if is_swapped else numbers


def _without_range(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key != "range"}


def _describe_difference(recipe_input: RecipeInput, declared: _Numbers, changed: _Numbers) -> tuple[str, str, str]:
    """Return the key in which two normalizations differ, and its values: std, units or range if only this differs."""
    if "mean" not in recipe_input.entry:
        return "mean", f"default {declared}", changed.without_key
    same = changed.in_units(declared.units)
    has_same_mean = _are_close(same.mean, declared.mean, 0.0 if declared.units == "unit" else 1.0)
    has_same_std = _are_close(same.std, declared.std, 0.0)
    if has_same_mean and has_same_std:
        limits = recipe_input.entry.get("range")
        return "range", str(limits), str([0, 1] if declared.units == "unit" else [0, 255])
    if (
        changed.units != declared.units
        and _are_close(changed.mean, declared.mean, 0.0)
        and _are_close(changed.std, declared.std, 0.0)
    ):
        return "units", declared.units, changed.units
    if has_same_mean:
        return "std", _format(declared.std), _format(same.std)
    return "mean", str(declared), changed.without_key


def _are_close(one: tuple[float, ...], other: tuple[float, ...], tolerance: float) -> bool:
    return bool(np.allclose(one, other, rtol=_SAME_SHARE, atol=tolerance))


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
    return bool((np.maximum(offsets, factors) < _SAME_SHARE * spans + 1e-12).all())


def _format(numbers: tuple[float, ...]) -> str:
    texts = [f"{value:.6g}" for value in numbers]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


# -- layout, resize and feed -------------------------------------------------------------------------------------------


def _transpose_to(layout: str) -> Callable[[Array], Array]:
    order = (2, 0, 1) if layout.endswith("CHW") else (1, 2, 0)

    def transpose(values: Array) -> Array:
        """Return the values in the other order, as client code with that layout would pass them."""
        n_before = values.ndim - 3
        axes = (*range(n_before), *(n_before + axis for axis in order))
        return np.ascontiguousarray(values.transpose(axes)) if n_before >= 0 else values

    return transpose


def _resize_changes(recipe_input: RecipeInput) -> Iterator[Change]:
    resize = recipe_input.part("resize")
    mode, kernel = resize.get("mode"), resize.get("kernel", "bilinear")
    if mode not in _MODES:
        return
    yield from _mode_changes(recipe_input, mode)
    for name in _KERNELS:
        if name != kernel:
            declared = _describe_value(recipe_input, "resize.kernel", kernel)
            yield _change(recipe_input, "resize.kernel", declared, name, {"resize": {**resize, "kernel": name}})
    if kernel in _ANTIALIASED:
        antialias = bool(resize.get("antialias", False))
        declared = _describe_value(recipe_input, "resize.antialias", _format_truth(antialias))
        changed = {"resize": {**resize, "antialias": not antialias}}
        yield _change(recipe_input, "resize.antialias", declared, _format_truth(not antialias), changed)


def _mode_changes(recipe_input: RecipeInput, mode: str) -> Iterator[Change]:
    """Yield the other resize modes, and other paddings of a letterbox."""
    resize, padding = recipe_input.part("resize"), recipe_input.part("padding")
    for name in _MODES:
        if name == mode:
            continue
        yield _change(recipe_input, "resize.mode", mode, name, {"resize": {**resize, "mode": name}})
    if mode != "letterbox" and padding:
        return
    key = "padding.value" if mode == "letterbox" else "resize.mode"
    current = recipe_input.pad_value
    declared = _describe_value(recipe_input, key, _format(tuple(current)) if mode == "letterbox" else mode)
    for value in _PADDINGS:
        if current != [value]:
            keys = {"resize": {**resize, "mode": "letterbox"}, "padding": {**padding, "value": value}}
            changed = str(value) if mode == "letterbox" else f"letterbox with padding.value = {value}"
            yield _change(recipe_input, key, declared, changed, keys)


def _format_truth(value: bool) -> str:
    return "true" if value else "false"


def _feed_changes(recipe_input: RecipeInput) -> Iterator[Change]:
    """Yield the other feed, and the declared one with the offset of the other signedness."""
    feed, other = ("raw", "fold") if recipe_input.is_raw else ("fold", "raw")
    declared = _describe_value(recipe_input, "feed", feed)
    yield _change(recipe_input, "feed", declared, other, {"feed": other})
    dtype = np.dtype(recipe_input.dtype)
    changed = f"{feed} with an offset of 128"
    yield Change("feed", declared, changed, recipe_input, lambda values: _flip_offset(values, dtype))


def _flip_offset(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return the bytes with the highest bit flipped: the value of the other signedness, 128 more or less."""
    flipped: Array = (values.astype(dtype).view(np.uint8) ^ 0x80).view(dtype)
    return flipped
