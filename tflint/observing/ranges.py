"""What samples of an input hold: smallest and largest real value of each channel, and what the input clips of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.calling import Feeding, Recipe
from tflint.errors import UserError
from tflint.observing.arrays import samples
from tflint.values import holder

Array = NDArray[Any]
Values = NDArray[np.float64]


@holder
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
    for feeding, array, what in samples(path, recipe):
        seen = _seen(feeding, _real(feeding, array, what), what)
        before = found.get(feeding.number)
        found[feeding.number] = seen if before is None else _together(before, seen, what)
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


def _real(feeding: Feeding, array: Array, what: str) -> Values:
    """The real values of an array: integers of a quantized input's own type stand for some."""
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_) or np.iscomplexobj(array):
        raise UserError(f"'{what}' holds {array.dtype}, no numbers")
    if not array.size:
        raise UserError(f"'{what}' is empty")
    if feeding.is_quantized and np.issubdtype(array.dtype, np.integer):
        if array.dtype != feeding.dtype:
            raise UserError(
                f"'{what}' is {array.dtype}, and the input '{feeding.name}' takes {feeding.dtype}",
                hint=f"give real values as floats, or {feeding.dtype} as it is fed",
            )
        assert feeding.scale is not None and feeding.zero_point is not None
        dequantized: Values = (array.astype(np.float64) - feeding.zero_point) * feeding.scale
        return dequantized
    return array.astype(np.float64)


def _seen(feeding: Feeding, values: Values, what: str) -> Observed:
    _require_shape(feeding, values, what)
    n_odd = int(values.size - np.isfinite(values).sum())
    if n_odd:
        raise UserError(f"'{what}' holds {n_odd:,} values that are no finite numbers")
    rows = _by_channel(feeding, values)
    bounds = held(feeding)
    step = feeding.scale or 0.0  # values within half a step of an end are rounded to it, and lose nothing
    n_below = 0 if bounds is None else int((values < bounds[0] - step / 2).sum())
    n_above = 0 if bounds is None else int((values > bounds[1] + step / 2).sum())
    has_batch = _has_batch(feeding.shape or ()) and values.ndim == len(feeding.shape or ())
    n_samples = int(values.shape[0]) if has_batch else 1
    return Observed(feeding, rows.min(axis=1), rows.max(axis=1), n_samples, values.size, n_below, n_above)


def _require_shape(feeding: Feeding, values: Values, what: str) -> None:
    """The sizes behind the first axis (the batch) must be the model's; a sample may come without its batch."""
    wanted = feeding.shape
    if not wanted:
        return
    sizes = wanted[1:] if _has_batch(wanted) else wanted
    given = values.shape[values.ndim - len(sizes) :]
    is_other = values.ndim not in (len(sizes), len(sizes) + 1) or len(given) != len(sizes)
    if is_other or any(size not in (-1, own) for size, own in zip(sizes, given, strict=True)):
        raise UserError(
            f"'{what}' has the shape {list(values.shape)}, and the input '{feeding.name}' takes {list(wanted)}",
            hint="the first axis may be any number of samples",
        )


def _has_batch(shape: tuple[int, ...]) -> bool:
    """Whether the first axis is that of samples: one at a time, or any number."""
    return len(shape) > 1 and shape[0] in (1, -1)


def _by_channel(feeding: Feeding, values: Values) -> Values:
    """The values of each channel in a row; of what has no channels all in one."""
    axis = {"NHWC": -1, "HWC": -1, "NDHWC": -1, "NCHW": -3, "CHW": -3, "NCDHW": -4}.get(feeding.layout)
    if feeding.kind != "image" or axis is None or values.ndim < -axis:
        return values.reshape(1, -1)
    rows: Values = np.moveaxis(values, axis, 0)
    return rows.reshape(rows.shape[0], -1)


def _together(one: Observed, other: Observed, what: str) -> Observed:
    if len(one.low) != len(other.low):
        raise UserError(f"'{what}' has {len(other.low)} channels, and what was read before it {len(one.low)}")
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
