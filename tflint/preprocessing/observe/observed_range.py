"""What samples of an input hold: smallest and largest real value of each channel, and what the input clips of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.errors import UserError
from tflint.preprocessing.observe.array_chunks import Numbers
from tflint.preprocessing.observe.sample_arrays import samples
from tflint.preprocessing.recipe import Feeding, Recipe
from tflint.resources import json_schema
from tflint.values import frozen

Array = NDArray[Any]
Values = NDArray[np.float64]

#: Most channels that a contract's `observed` can list.
MAX_CHANNELS: int = json_schema("contract")["$defs"]["numbers"]["anyOf"][1]["maxItems"]


@frozen(eq=False)
class Observed:
    """What an input was fed: `low` and `high` one a channel (or one), `n_values`, and how many lie beyond its range."""

    feeding: Feeding
    low: Values
    high: Values
    n_samples: int
    n_values: int
    n_below: int
    n_above: int

    @property
    def held(self) -> tuple[float, float] | None:
        """The real values that the input can hold; None where it is not quantized."""
        return held(self.feeding)

    @property
    def used(self) -> float | None:
        """The share of the input's range between the smallest and the largest value seen."""
        if self.held is None:
            return None
        low, high = max(float(self.low.min()), self.held[0]), min(float(self.high.max()), self.held[1])
        return max(high - low, 0.0) / (self.held[1] - self.held[0])

    def entry(self) -> dict[str, Any]:
        """The contract's `observed`: one number where there is one channel, else one a channel."""
        return {"min": _rounded(self.low), "max": _rounded(self.high)}


def observe(path: str, recipe: Recipe) -> list[Observed]:
    """What the data at a path holds for each input that it has some of, in the contract's order.

    Raises `UserError` for data that cannot be read, is of another shape or type than the input, or is not finite.
    """
    found: dict[int, Observed] = {}
    for feeding, numbers in samples(path, recipe):
        seen = _seen(feeding, numbers)
        before = found.get(feeding.number)
        found[feeding.number] = seen if before is None else _together(before, seen, numbers.what)
    if not found:
        raise UserError(f"there is no data in '{path}'")
    return [found[number] for number in sorted(found)]


def held(feeding: Feeding) -> tuple[float, float] | None:
    """The real values that an input can hold; None where it is not quantized."""
    if not feeding.is_quantized:
        return None
    assert feeding.scale is not None and feeding.zero_point is not None
    low, high = ((limit - feeding.zero_point) * feeding.scale for limit in feeding.limits)
    return low, high


def _seen(feeding: Feeding, numbers: Numbers) -> Observed:
    """Look at all values of an array, a run at a time."""
    _require_numbers(feeding, numbers)
    _require_shape(feeding, numbers)
    axis = _channel_axis(feeding, len(numbers.shape))
    n_channels = 1 if axis is None else numbers.shape[axis]
    if n_channels > MAX_CHANNELS:
        raise UserError(f"'{numbers.what}' has {n_channels:,} channels; a contract holds at most {MAX_CHANNELS:,}")
    low, high = np.full(n_channels, np.inf), np.full(n_channels, -np.inf)
    bounds = _bounds(feeding)
    n_odd = n_below = n_above = 0
    for first, run in numbers.runs(axis):
        values = _real(feeding, run)
        n_odd += int(values.size - np.isfinite(values).sum())
        n_below += int((values < bounds[0]).sum())
        n_above += int((values > bounds[1]).sum())
        rows = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
        here = slice(first, first + len(rows))
        low[here] = np.minimum(low[here], rows.min(axis=1))
        high[here] = np.maximum(high[here], rows.max(axis=1))
    if n_odd:
        raise UserError(f"'{numbers.what}' holds {n_odd:,} values that are not finite numbers")
    has_batch = _has_batch(feeding.shape or ()) and len(numbers.shape) == len(feeding.shape or ())
    n_samples = numbers.shape[0] if has_batch else 1
    return Observed(feeding, low, high, n_samples, numbers.size, n_below, n_above)


def _bounds(feeding: Feeding) -> tuple[float, float]:
    """The real values beyond which the input clips: those within half a step of an end are rounded to it."""
    ends = held(feeding)
    if ends is None:
        return -np.inf, np.inf
    step = feeding.scale or 0.0
    return ends[0] - step / 2, ends[1] + step / 2


def _require_numbers(feeding: Feeding, numbers: Numbers) -> None:
    what, dtype = numbers.what, numbers.dtype
    if dtype.kind not in "biuf":
        raise UserError(f"'{what}' holds {dtype}, not numbers")
    if not numbers.size:
        raise UserError(f"'{what}' is empty")
    if feeding.is_quantized and dtype.kind in "iu" and dtype.name != feeding.dtype:
        raise UserError(
            f"'{what}' is {dtype}, but the input '{feeding.name}' takes {feeding.dtype}",
            hint=f"give real values as floats, or {feeding.dtype} as it is fed",
        )


def _real(feeding: Feeding, values: Array) -> Values:
    """The real values of an array: integers of a quantized input's own type stand for some."""
    if feeding.is_quantized and values.dtype.kind in "iu":
        assert feeding.scale is not None and feeding.zero_point is not None
        dequantized: Values = (values.astype(np.float64) - feeding.zero_point) * feeding.scale
        return dequantized
    return values.astype(np.float64)


def _require_shape(feeding: Feeding, numbers: Numbers) -> None:
    """The sizes behind the first axis (the batch) must be the model's; a sample may come without its batch."""
    wanted, shape = feeding.shape, numbers.shape
    if not wanted:
        return
    sizes = wanted[1:] if _has_batch(wanted) else wanted
    given = shape[max(len(shape) - len(sizes), 0) :]
    is_other = len(shape) not in (len(sizes), len(sizes) + 1) or len(given) != len(sizes)
    if is_other or any(size not in (-1, own) for size, own in zip(sizes, given, strict=True)):
        raise UserError(
            f"'{numbers.what}' has the shape {list(shape)}, but the input '{feeding.name}' takes {list(wanted)}",
            hint="the first axis may be any number of samples",
        )


def _has_batch(shape: tuple[int, ...]) -> bool:
    """Whether the first axis is that of samples: one at a time, or any number."""
    return len(shape) > 1 and shape[0] in (1, -1)


def _channel_axis(feeding: Feeding, rank: int) -> int | None:
    """The axis of an image's channels; None if nothing has channels."""
    axis = {"NHWC": -1, "HWC": -1, "NDHWC": -1, "NCHW": -3, "CHW": -3, "NCDHW": -4}.get(feeding.layout)
    if feeding.kind != "image" or axis is None or rank < -axis:
        return None
    return rank + axis


def _together(one: Observed, other: Observed, what: str) -> Observed:
    if len(one.low) != len(other.low):
        raise UserError(f"'{what}' has {len(other.low)} channels, but earlier data had {len(one.low)}")
    return Observed(
        one.feeding,
        np.minimum(one.low, other.low),
        np.maximum(one.high, other.high),
        one.n_samples + other.n_samples,
        one.n_values + other.n_values,
        one.n_below + other.n_below,
        one.n_above + other.n_above,
    )


def _rounded(values: Values) -> float | list[float]:
    shown = [float(f"{value:.6g}") for value in values]
    return shown[0] if len(shown) == 1 else shown
