"""Sums up the error of activations over samples, so that memory does not grow with the number of samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.compare.compared_graph import GraphTensor, dequantize
from tflint.confirm.compare.error_measures import cosine, is_usable, noise_ratio, to_decibels
from tflint.values import frozen

Array = NDArray[Any]

#: Larger absolute values of the reference count as placeholders for infinity, such as the padding of a maximum.
MAX_MAGNITUDE = 1e30


@frozen
class ActivationError:
    """The error of a tensor over all samples.

    `sqnr` is in dB; `noise` is the noise-to-signal ratio. `bias` is the mean error, in steps of the tensor if it is
    quantized. `clipped_share` is the share of values whose reference is more than half a step outside of the tensor's
    range. `clipped_noise` is the power of the error that storing these values causes, relative to the power of the
    whole error; `rounding_noise` is that of the other values. `storage_noise` is the noise-to-signal ratio of both,
    which does not depend on the inputs. `low` and `high` are the limits of the reference, `root_mean_square` its size.
    `n_excluded` is the number of values that are not finite or beyond `MAX_MAGNITUDE`.
    """

    n_values: int
    sqnr: float
    noise: float
    cosine: float
    bias: float
    clipped_share: float
    clipped_noise: float
    rounding_noise: float
    storage_noise: float
    largest_error: float
    low: float
    high: float
    root_mean_square: float
    error_power: float
    n_excluded: int


class ActivationSums:
    """The sums of one tensor. `add` takes the values of a sample."""

    def __init__(self, tensor: GraphTensor, reference: GraphTensor) -> None:
        self._tensor, self._reference = tensor, reference
        self.n_values = self.n_excluded = self.n_clipped = 0
        self.signal = self.actual = self.product = self.error = self.total = 0.0
        self.clipped = self.rounded = self.largest = 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, actual: Array, wanted: Array) -> None:
        """Add the values of a sample, as stored. Values of different sizes are ignored."""
        ours, theirs = to_real(actual, self._tensor), to_real(wanted, self._reference)
        if ours is None or theirs is None or ours.size != theirs.size or not ours.size:
            return
        ours, theirs = ours.reshape(-1), theirs.reshape(-1)
        usable = is_usable(ours) & is_usable(theirs) & (np.abs(theirs) <= MAX_MAGNITUDE)
        if not usable.all():
            self.n_excluded += int(usable.size - np.count_nonzero(usable))
            ours, theirs = ours[usable], theirs[usable]
        if not ours.size:
            return
        error = ours - theirs
        self.n_values += ours.size
        self.signal += float(theirs @ theirs)
        self.actual += float(ours @ ours)
        self.product += float(ours @ theirs)
        self.error += float(error @ error)
        self.total += float(error.sum())
        self.largest = max(self.largest, float(np.abs(error).max()))
        self.low, self.high = min(self.low, float(theirs.min())), max(self.high, float(theirs.max()))
        self._add_range(theirs)

    def _add_range(self, wanted: Array) -> None:
        """Add the errors of clipping and rounding that follow from scale and zero point alone."""
        limits, step = self._tensor.limits, self._tensor.step
        if limits is None or step is None:
            return
        inside = np.clip(wanted, *limits)
        lost = wanted - np.floor(inside / step + 0.5) * step
        outside = np.abs(wanted - inside) > step / 2
        self.n_clipped += int(np.count_nonzero(outside))
        clipped = float((lost[outside] ** 2).sum())
        self.clipped += clipped
        self.rounded += float(lost @ lost) - clipped

    def result(self) -> ActivationError | None:
        """Return the error of the tensor, None if no values were compared."""
        if not self.n_values:
            return None
        n = self.n_values
        noise = noise_ratio(self.error, self.signal)
        return ActivationError(
            n,
            to_decibels(noise),
            noise,
            cosine(self.product, self.actual, self.signal),
            self.total / n / (self._tensor.step or 1.0),
            self.n_clipped / n,
            noise_ratio(self.clipped, self.error) if self.error > 0 else 0.0,
            noise_ratio(self.rounded, self.error) if self.error > 0 else 0.0,
            noise_ratio(self.clipped + self.rounded, self.signal),
            self.largest / (self._tensor.step or 1.0),
            self.low,
            self.high,
            math.sqrt(self.signal / n),
            self.error / n,
            self.n_excluded,
        )


def to_real(values: Array, tensor: GraphTensor) -> Array | None:
    """Return the real values of stored values, None if the tensor does not contain real numbers."""
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    if values.dtype.kind in "iu" and tensor.is_quantized:
        return dequantize(values, tensor.scales, tensor.zero_points, tensor.axis)
    return None


class PerturbationSums:
    """The noise-to-signal ratio that a small change of the inputs causes in a tensor of the reference."""

    def __init__(self, reference: GraphTensor) -> None:
        self._reference = reference
        self.signal = self.error = 0.0

    def add(self, changed: Array, wanted: Array) -> None:
        """Add the values of a sample with and without the change."""
        ours, theirs = to_real(changed, self._reference), to_real(wanted, self._reference)
        if ours is None or theirs is None or ours.size != theirs.size:
            return
        usable = is_usable(ours) & is_usable(theirs) & (np.abs(theirs) <= MAX_MAGNITUDE)
        error = np.where(usable, ours - theirs, 0.0).reshape(-1)
        wanted_values = np.where(usable, theirs, 0.0).reshape(-1)
        self.error += float(error @ error)
        self.signal += float(wanted_values @ wanted_values)

    @property
    def noise(self) -> float:
        """The noise-to-signal ratio."""
        return noise_ratio(self.error, self.signal)
