"""Measures samples of an input: smallest and largest real value per channel, and how many values the input clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.errors import UserError
from tflint.normalization.integer_ranges import real_range
from tflint.preprocessing.observe.array_chunks import Numbers
from tflint.preprocessing.observe.sample_arrays import read_samples
from tflint.preprocessing.observe.sample_files import count_files, select_files
from tflint.preprocessing.observe.sample_images import BrokenImageError, require_pillow
from tflint.preprocessing.recipe import Recipe, RecipeInput
from tflint.resources import json_schema
from tflint.values import frozen

Array = NDArray[Any]
Values = NDArray[np.float64]

#: Most channels that a contract's `observed` can list.
MAX_CHANNELS: int = json_schema("contract")["$defs"]["numbers"]["anyOf"][1]["maxItems"]


@frozen(eq=False)
class Observed:
    """The measured data of an input.

    `low` and `high` are the smallest and largest real value per channel, or of all values if there are no channels.
    `n_below` and `n_above` are the numbers of values that the input clips.
    """

    recipe_input: RecipeInput
    low: Values
    high: Values
    n_samples: int
    n_values: int
    n_below: int
    n_above: int

    @property
    def representable_range(self) -> tuple[float, float] | None:
        """The smallest and largest real value that the input can hold, or None if it is not quantized."""
        return representable_range(self.recipe_input)

    @property
    def used_share(self) -> float | None:
        """The share of the input's range between the smallest and the largest value, 0 to 1; None if not quantized."""
        if self.representable_range is None:
            return None
        low, high = (
            max(float(self.low.min()), self.representable_range[0]),
            min(float(self.high.max()), self.representable_range[1]),
        )
        return max(high - low, 0.0) / (self.representable_range[1] - self.representable_range[0])

    def entry(self) -> dict[str, Any]:
        """Return the contract's `observed`: one number per channel, or a single number."""
        return {"min": _round(self.low), "max": _round(self.high)}


@frozen(eq=False)
class Observation:
    """The measured data of all inputs that have data, in the contract's order.

    `n_read` of the `n_files` data files were read. `n_broken` of these are images that cannot be decoded and were
    skipped; `first_broken` is the reason for the first of them.
    """

    inputs: tuple[Observed, ...]
    n_files: int
    n_read: int
    n_broken: int
    first_broken: str


def observe(
    path: str, recipe: Recipe, *, limit: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Observation:
    """Measure the data at a path. With `limit`, read at most this number of files, spread evenly over all files.

    `progress` is called with the number of files read so far and the number of files to read. Raises `UserError` if
    data cannot be read, does not have the shape or type of its input, or is not finite. Images that cannot be decoded
    are skipped, unless no data are left. Raises `MissingExtraError`, before data are read, if there are images and
    Pillow is not installed.
    """
    count = count_files(path)
    if count.n_images:
        require_pillow()
    n_read = min(count.n_files, limit or count.n_files)
    by_input: dict[int, Observed] = {}
    broken: list[str] = []
    for number, file in enumerate(select_files(path, count.n_files, n_read), 1):
        try:
            for recipe_input, numbers in read_samples(file, recipe):
                measured = _measure(recipe_input, numbers)
                before = by_input.get(recipe_input.number)
                by_input[recipe_input.number] = measured if before is None else _merge(before, measured, numbers.what)
        except BrokenImageError as error:
            if count.n_files == 1:
                raise
            broken.append(error.message)
        if progress is not None:
            progress(number, n_read)
    if not by_input:
        raise UserError(
            f"no data in '{path}' can be read" if broken else f"no data in '{path}'", hint="".join(broken[:1])
        )
    inputs = tuple(by_input[number] for number in sorted(by_input))
    return Observation(inputs, count.n_files, n_read, len(broken), "".join(broken[:1]))


def representable_range(recipe_input: RecipeInput) -> tuple[float, float] | None:
    """Return the smallest and largest real value that an input can hold, or None if it is not quantized."""
    if not recipe_input.is_quantized:
        return None
    assert recipe_input.scale is not None and recipe_input.zero_point is not None
    return real_range((recipe_input.dtype or "").upper(), recipe_input.scale, recipe_input.zero_point)


def _measure(recipe_input: RecipeInput, numbers: Numbers) -> Observed:
    """Measure all values of an array, one run at a time."""
    _require_numbers(recipe_input, numbers)
    _require_shape(recipe_input, numbers)
    axis = _channel_axis(recipe_input, len(numbers.shape))
    n_channels = 1 if axis is None else numbers.shape[axis]
    if n_channels > MAX_CHANNELS:
        raise UserError(f"'{numbers.what}' has {n_channels:,} channels; a contract holds at most {MAX_CHANNELS:,}")
    low, high = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
    bounds = _bounds(recipe_input)
    n_not_finite = n_below = n_above = 0
    for first, run in numbers.runs(axis):
        values = _dequantize(recipe_input, run)
        n_not_finite += int(values.size - np.isfinite(values).sum())
        n_below += int((values < bounds[0]).sum())
        n_above += int((values > bounds[1]).sum())
        rows = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
        here = slice(first, first + len(rows))
        low[here] = np.minimum(low[here], rows.min(axis=1))
        high[here] = np.maximum(high[here], rows.max(axis=1))
    if n_not_finite:
        raise UserError(f"'{numbers.what}' has {n_not_finite:,} values that are not finite numbers")
    has_batch = _has_batch(recipe_input.shape or ()) and len(numbers.shape) == len(recipe_input.shape or ())
    n_samples = numbers.shape[0] if has_batch else 1
    return Observed(recipe_input, low, high, n_samples, numbers.size, n_below, n_above)


def _bounds(recipe_input: RecipeInput) -> tuple[float, float]:
    """Return the real values beyond which the input clips. Values within half a step of an end are rounded to it."""
    ends = representable_range(recipe_input)
    if ends is None:
        return -np.inf, np.inf
    step = recipe_input.scale or 0.0
    return ends[0] - step / 2, ends[1] + step / 2


def _require_numbers(recipe_input: RecipeInput, numbers: Numbers) -> None:
    what, dtype = numbers.what, numbers.dtype
    if dtype.kind not in "biuf":
        raise UserError(f"'{what}' holds {dtype}, not numbers")
    if not numbers.size:
        raise UserError(f"'{what}' is empty")
    if recipe_input.is_quantized and dtype.kind in "iu" and dtype.name != recipe_input.dtype:
        raise UserError(
            f"'{what}' is {dtype}, but the input '{recipe_input.name}' takes {recipe_input.dtype}",
            hint=f"use real values as floats, or quantized values as {recipe_input.dtype}",
        )


def _dequantize(recipe_input: RecipeInput, values: Array) -> Values:
    """Return the real values of an array; integers of the type of a quantized input are dequantized."""
    if recipe_input.is_quantized and values.dtype.kind in "iu":
        assert recipe_input.scale is not None and recipe_input.zero_point is not None
        dequantized: Values = (values.astype(np.float64) - recipe_input.zero_point) * recipe_input.scale
        return dequantized
    return values.astype(np.float64)


def _require_shape(recipe_input: RecipeInput, numbers: Numbers) -> None:
    """Raise `UserError` if a shape differs from the model's after the batch axis. A sample may have no batch axis."""
    expected, shape = recipe_input.shape, numbers.shape
    if not expected:
        return
    sizes = expected[1:] if _has_batch(expected) else expected
    actual = shape[max(len(shape) - len(sizes), 0) :]
    is_wrong_rank = len(shape) not in (len(sizes), len(sizes) + 1) or len(actual) != len(sizes)
    if is_wrong_rank or any(size not in (-1, own) for size, own in zip(sizes, actual, strict=True)):
        raise UserError(
            f"'{numbers.what}' has the shape {list(shape)}, but the input '{recipe_input.name}' takes {list(expected)}",
            hint="the first axis may have any number of samples",
        )


def _has_batch(shape: tuple[int, ...]) -> bool:
    """Return whether the first axis is the batch: its size is 1 or dynamic."""
    return len(shape) > 1 and shape[0] in (1, -1)


def _channel_axis(recipe_input: RecipeInput, rank: int) -> int | None:
    """Return the channel axis of an image, or None for other inputs and unknown layouts."""
    axis = {"NHWC": -1, "HWC": -1, "NDHWC": -1, "NCHW": -3, "CHW": -3, "NCDHW": -4}.get(recipe_input.layout)
    if recipe_input.kind != "image" or axis is None or rank < -axis:
        return None
    return rank + axis


def _merge(one: Observed, other: Observed, what: str) -> Observed:
    if len(one.low) != len(other.low):
        raise UserError(f"'{what}' has {len(other.low)} channels, but earlier data had {len(one.low)}")
    return Observed(
        one.recipe_input,
        np.minimum(one.low, other.low),
        np.maximum(one.high, other.high),
        one.n_samples + other.n_samples,
        one.n_values + other.n_values,
        one.n_below + other.n_below,
        one.n_above + other.n_above,
    )


def _round(values: Values) -> float | list[float]:
    rounded = [float(f"{value:.6g}") for value in values]
    return rounded[0] if len(rounded) == 1 else rounded
