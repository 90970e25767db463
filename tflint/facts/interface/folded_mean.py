"""Detects a mean that was folded into the bias of the first convolution.

The proof is a vector m, one value per input channel, with bias = −Σ weights × m in all output channels. For a trained
bias, no such vector exists: a residual remains.
"""

from __future__ import annotations

import math

import numpy as np

from tflint.columns.column import Lists, lists_of_arrays, text_of
from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import (
    MAX_CHANNELS,
    InputPath,
    Values,
    constant_values,
    input_paths,
    only_consumer,
)

#: Largest number of weights of a convolution that is examined.
_MAX_WEIGHTS = 1 << 16
#: A solution counts only if it cannot be chance: there are at least `_SPARE_EQUATIONS` more equations than unknowns,
#: and the residual, divided by the largest |bias|, is at most `_MAX_RESIDUAL`.
_SPARE_EQUATIONS = 4
_MAX_RESIDUAL = 1e-4


def folded_mean(facts: Facts) -> Lists:
    """Return the mean per channel that the bias of the first convolution provably subtracts, for each input."""
    return lists_of_arrays([_solve_mean(facts, path) for path in input_paths(facts)])


def _solve_mean(facts: Facts, path: InputPath) -> Values | None:
    """Return m with bias = −Σ weights × m in all output channels, or None if m does not exist or is not unique."""
    operator = only_consumer(facts, path.tensor)
    if operator is None or not path.map.is_identity:
        return None
    opcode = text_of(facts.column("operator", "opcode"), operator) or ""
    if opcode not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return None
    weights = int(facts.rows("operator", "weights")[operator])
    biases = constant_values(facts, int(facts.rows("operator", "bias")[operator]), _MAX_WEIGHTS)
    sums = _weight_sums(facts, weights, _n_input_channels(facts, path.tensor), is_depthwise=opcode != "CONV_2D")
    if biases is None or sums is None or len(sums) != len(biases) or not biases.any():
        return None
    if len(biases) < sums.shape[1] + _SPARE_EQUATIONS or not np.isfinite(sums).all():
        return None
    solved = np.linalg.lstsq(sums, -biases, rcond=None)
    mean: Values = solved[0].astype(np.float64)
    rank = solved[2]
    residual = np.abs(sums @ mean + biases).max()
    return mean if rank == sums.shape[1] and residual <= _MAX_RESIDUAL * np.abs(biases).max() else None


def _n_input_channels(facts: Facts, tensor: int) -> int:
    shape = facts.lists("tensor", "shape").row(tensor)
    return int(shape[-1]) if len(shape) == 4 else 0


def _weight_sums(facts: Facts, weights: int, n_inputs: int, *, is_depthwise: bool) -> Values | None:
    """Sum the weights of a convolution over its window. The result has shape [output channels, input channels]."""
    values = constant_values(facts, weights, _MAX_WEIGHTS)
    shape = [int(size) for size in facts.lists("tensor", "shape").row(weights)] if values is not None else []
    fits_shape = values is not None and len(values) == math.prod(
        shape
    )  # the source of a DEQUANTIZE may be shaped differently
    if values is None or not fits_shape or len(shape) != 4 or not 0 < n_inputs <= MAX_CHANNELS:
        return None
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # a hostile file can overflow; `_solve_mean` checks for finite sums
        return _window_sums(values.reshape(shape), n_inputs, is_depthwise=is_depthwise)


def _window_sums(kernel: Values, n_inputs: int, *, is_depthwise: bool) -> Values | None:
    shape = kernel.shape
    if not is_depthwise:  # [output, height, width, input]
        dense: Values = kernel.sum(axis=(1, 2))
        return dense if shape[3] == n_inputs else None
    if shape[0] != 1 or shape[3] % n_inputs:
        return None
    sums = np.zeros((shape[3], n_inputs))  # [1, height, width, input × multiplier]
    sums[np.arange(shape[3]), np.arange(shape[3]) // (shape[3] // n_inputs)] = kernel.sum(axis=(0, 1, 2))
    return sums
