"""Measures the error of constants: weights, biases and others, dequantized, against those of the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.compare.compared_graph import ComparedGraph, GraphOperator, GraphTensor
from tflint.confirm.compare.error_measures import is_usable, noise_ratio, to_decibels
from tflint.confirm.compare.tensor_pairing import Pairing
from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.values import frozen

Array = NDArray[Any]

#: Operators whose kernels ignore the scales of an integer bias.
_FIXED_BIAS_SCALES = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")


@frozen
class WeightError:
    """The error of a constant.

    `role` is `weights`, `bias` or `constant`. `sqnr` and `worst_sqnr` (of the channel `worst_channel`) are in dB, None
    if there is only one channel. `mean_noise` is the mean noise-to-signal ratio of the channels, each at most 1.
    `clipped_share` is the share of values outside the range of the stored integers. `gain` is the factor between the
    reference and the model that fits best. `channel_ratio` is the largest absolute value of a channel relative to the
    median of the channels (1 if that is zero), `outlier` that channel. `largest_error` is the largest difference.
    """

    operator: int
    opcode: str
    tensor: int
    reference: int
    name: str
    role: str
    dtype: str
    n_scales: int
    sqnr: float
    worst_channel: int | None
    worst_sqnr: float | None
    mean_noise: float
    clipped_share: float
    gain: float
    channel_ratio: float
    outlier: int
    largest_error: float
    error_power: float


def measure_weights(
    reference: ComparedGraph, model: ComparedGraph, pairing: Pairing
) -> tuple[list[WeightError], list[str]]:
    """Return the error of each paired constant in execution order, and the names of those that cannot be read."""
    errors, unreadable = [], []
    seen = set()
    for operator in model.operators:
        for tensor in operator.inputs:
            origin = model.origin(tensor) if tensor >= 0 else -1
            if origin in seen or origin not in pairing.constants:
                continue
            seen.add(origin)
            error = _measure(reference, model, operator, origin, pairing.constants[origin])
            if error is None:
                unreadable.append(model.tensors[origin].name)
            else:
                errors.append(error)
    return errors, unreadable


def _measure(
    reference: ComparedGraph, model: ComparedGraph, operator: GraphOperator, tensor: int, partner: int
) -> WeightError | None:
    found = model.tensors[tensor]
    role = _role(model, operator, tensor)
    wanted = reference.read_real(partner, _bias_scales(reference, partner))
    actual = model.read_real(tensor, _bias_scales(model, tensor))
    if wanted is None or actual is None:
        return None
    wanted = wanted.reshape(actual.shape)
    finite = is_usable(wanted) & is_usable(actual)
    wanted, actual = np.where(finite, wanted, 0.0), np.where(finite, actual, 0.0)
    signal, noise, peaks = _by_channel(wanted, actual, _channel_axis(found, operator, role))
    ratios = [noise_ratio(*pair) for pair in zip(noise.tolist(), signal.tolist(), strict=True)]
    worst = int(np.argmax(ratios))
    power = float(signal.sum())
    median = float(np.median(peaks))
    return WeightError(
        operator.number,
        operator.opcode,
        tensor,
        partner,
        found.name,
        role,
        found.dtype,
        len(found.scales),
        to_decibels(noise_ratio(float(noise.sum()), power)),
        worst if len(ratios) > 1 else None,
        to_decibels(ratios[worst]) if len(ratios) > 1 else None,
        float(np.mean([min(ratio, 1.0) for ratio in ratios])),
        _clipped_share(found, wanted),
        float((wanted * actual).sum()) / power if power > 0 else 1.0,
        float(peaks.max()) / median if median > 0 else 1.0,
        int(peaks.argmax()),
        float(np.abs(wanted - actual).max(initial=0.0)),
        float(noise.sum()) / max(wanted.size, 1),
    )


def _role(model: ComparedGraph, operator: GraphOperator, tensor: int) -> str:
    for role, operand in (("weights", operator.weights), ("bias", operator.bias)):
        if operand >= 0 and model.origin(operand) == tensor:
            return role
    return "constant"


def _bias_scales(graph: ComparedGraph, tensor: int) -> tuple[float, ...] | None:
    """Return the scales that kernels use for an integer bias: input scale times weights scale.

    None if the tensor is not such a bias; its own scales then apply.
    """
    for number in graph.consumers.get(tensor, ()):
        operator = graph.operators[number]
        if operator.bias != tensor or operator.opcode not in _FIXED_BIAS_SCALES or operator.weights < 0:
            continue
        data = next((one for one in operator.inputs if one >= 0 and not graph.is_constant(one)), -1)
        step, weights = graph.tensors[data].step if data >= 0 else None, graph.tensors[operator.weights]
        if step is not None and weights.is_quantized:
            return tuple(step * scale for scale in weights.scales)
    return None


def _channel_axis(tensor: GraphTensor, operator: GraphOperator, role: str) -> int | None:
    axis = tensor.axis if len(tensor.scales) > 1 else operator.channel_axis if role == "weights" else None
    return axis if axis is not None and 0 <= axis < len(tensor.shape) else None


def _by_channel(wanted: Array, actual: Array, axis: int | None) -> tuple[Array, Array, Array]:
    """Return power of the signal, power of the error and largest absolute value per channel."""
    if axis is None:
        one, other = wanted.reshape(1, -1), actual.reshape(1, -1)
    else:
        one, other = (np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1) for values in (wanted, actual))
    return (one**2).sum(axis=1), ((one - other) ** 2).sum(axis=1), np.abs(one).max(axis=1, initial=0.0)


def _clipped_share(tensor: GraphTensor, wanted: Array) -> float:
    """Return the share of values that are more than half a step outside of the range of the stored integers."""
    if not tensor.is_quantized or tensor.dtype == "INT32":
        return 0.0
    low, high = INTEGER_RANGES[tensor.dtype]
    shape = [-1 if number == tensor.axis else 1 for number in range(wanted.ndim)]
    scales, zeros = np.array(tensor.scales), np.array(tensor.zero_points or (0,), dtype=np.float64)
    if len(scales) > 1 or len(zeros) > 1:
        scales, zeros = scales.reshape(shape if len(scales) > 1 else -1), zeros.reshape(shape if len(zeros) > 1 else -1)
    elif wanted.ndim == 0:
        scales, zeros = scales.reshape(()), zeros.reshape(())
    steps = wanted / scales + zeros
    return float(((steps < low - 0.5 - 1e-6) | (steps > high + 0.5 + 1e-6)).mean())


def by_operator(errors: list[WeightError]) -> dict[int, list[WeightError]]:
    """Return the errors by the number of their operator."""
    found: dict[int, list[WeightError]] = {}
    for error in errors:
        found.setdefault(error.operator, []).append(error)
    return found
