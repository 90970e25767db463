"""Facts about quantization parameters: granularity, per-tensor scales and zero points, integer and real ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Scalars, Strings, lists_by_counts, state_of
from tflint.facts.facts import Facts, first_elements, require_budget, values_at
from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.resources import table

_GRANULARITIES = ["per-tensor", "per-channel", "blockwise", "multi-axis", "custom"]
_DETAILS = {"BlockwiseQuantization": 2, "MultiAxisQuantization": 3, "CustomQuantization": 4}


def _has_integer_type(facts: Facts) -> NDArray[np.bool_]:
    return facts.is_one_of("tensor", "dtype", set(INTEGER_RANGES))


def is_integer(facts: Facts) -> Scalars:
    """Return whether the elements of each tensor are integers."""
    return Scalars(_has_integer_type(facts))


def is_quantized(facts: Facts) -> Scalars:
    """Return whether the elements of each tensor are integers with quantization parameters."""
    return Scalars(_has_integer_type(facts) & _has_parameters(facts))


def _has_parameters(facts: Facts) -> NDArray[np.bool_]:
    detailed = facts.by_label("tensor", "quantization.details", _DETAILS, 0) > 0
    parameters: NDArray[np.bool_] = (facts.lists("tensor", "scale").lengths > 0) | detailed
    return parameters


def granularity(facts: Facts) -> Strings:
    """Return the quantization granularity of each tensor."""
    n_scales = facts.lists("tensor", "scale").lengths
    details = facts.by_label("tensor", "quantization.details", _DETAILS, 0)
    codes = np.where(details > 0, details, np.minimum(np.maximum(n_scales - 1, 0), 1))
    return Strings(codes, _GRANULARITIES, state_of(~facts.numbers("tensor", "is_quantized")))


def has_valid_scales(facts: Facts) -> Scalars:
    """Return whether kernels can compute with all scales of each integer tensor."""
    scales = facts.lists("tensor", "scale")
    is_absent = ~_has_integer_type(facts) | (scales.lengths == 0)
    rows = np.flatnonzero(~is_absent)
    limits = table("scale_limits")
    values, lengths = scales.flatten(rows)
    is_invalid = ~((values >= limits["smallest"]) & (values <= limits["largest"]))  # true for NaN
    n_invalid = np.bincount(np.repeat(rows, lengths)[is_invalid], minlength=len(scales))
    return Scalars(n_invalid == 0, state_of(is_absent))


def has_invalid_scales(facts: Facts, tensors: NDArray[Any]) -> NDArray[np.bool_]:
    """Return, for each of `tensors`, whether it is an integer tensor with a scale that kernels cannot compute with.

    Facts that compute with such a scale are unknown: Q004 and Q005 report it, and other findings would only repeat it.
    """
    is_valid = facts.numbers("tensor", "has_valid_scales")  # true also for tensors without scales
    return ~values_at(is_valid, tensors, True).astype(np.bool_)


def per_tensor_scale(facts: Facts) -> Scalars:
    """Return the scale of each tensor, absent if the tensor does not have exactly one scale."""
    absent = facts.lists("tensor", "scale").lengths != 1
    return Scalars(_first_values(facts, "scale"), state_of(absent, ~facts.numbers("tensor", "has_valid_scales")))


def per_tensor_zero_point(facts: Facts) -> Scalars:
    """Return the zero point of each tensor, absent if the tensor does not have exactly one zero point."""
    return Scalars(_first_values(facts, "zero_point"), state_of(facts.lists("tensor", "zero_point").lengths != 1))


def _first_values(facts: Facts, name: str) -> NDArray[np.float64]:
    lists = facts.lists("tensor", name)
    return first_elements(lists, np.arange(len(lists)), 0.0)


def qmin(facts: Facts) -> Scalars:
    """Return the smallest integer of each tensor's type."""
    return _integer_limits(facts, 0)


def qmax(facts: Facts) -> Scalars:
    """Return the largest integer of each tensor's type."""
    return _integer_limits(facts, 1)


def _integer_limits(facts: Facts, side: int) -> Scalars:
    column = facts.strings("tensor", "dtype")
    limits = np.array([float(INTEGER_RANGES.get(label, (0, 0))[side]) for label in column.labels])
    return Scalars(limits[column.codes], state_of(~_has_integer_type(facts)))


def real_min(facts: Facts) -> Lists:
    """Return the smallest real value that each tensor can hold, one value per scale."""
    return _real_limits(facts, 0)


def real_max(facts: Facts) -> Lists:
    """Return the largest real value that each tensor can hold, one value per scale."""
    return _real_limits(facts, 1)


def amplitude(facts: Facts) -> Scalars:
    """Return the largest absolute real value that each tensor can hold, absent without one scale and one zero point."""
    scales, zeros = facts.lists("tensor", "scale"), facts.lists("tensor", "zero_point")
    scale, zero = (first_elements(lists, np.arange(len(lists)), 0.0) for lists in (scales, zeros))
    with np.errstate(all="ignore"):  # a hostile file may contain any scale
        steps = np.maximum(abs(_integer_limits(facts, 0).values - zero), abs(_integer_limits(facts, 1).values - zero))
        values = steps * scale
    return Scalars(values, state_of(~_has_integer_type(facts) | (scales.lengths != 1) | (zeros.lengths != 1)))


def _real_limits(facts: Facts, side: int) -> Lists:
    scales, zeros = facts.lists("tensor", "scale"), facts.lists("tensor", "zero_point")
    absent = ~_has_integer_type(facts) | (scales.lengths == 0)
    unknown = (scales.lengths != zeros.lengths) | ~facts.numbers("tensor", "has_valid_scales")
    rows = np.flatnonzero(~absent & ~unknown)
    require_budget(int(scales.lengths[rows].sum()), "real values of quantized tensors")
    limits = np.repeat(_integer_limits(facts, side).values[rows], scales.lengths[rows])
    scale, zero = (lists.flatten(rows)[0].astype(np.float64) for lists in (scales, zeros))
    lengths: NDArray[Any] = np.zeros(len(scales), dtype=np.int64)
    lengths[rows] = scales.lengths[rows]
    return lists_by_counts((limits - zero) * scale, lengths, state_of(absent, unknown))
