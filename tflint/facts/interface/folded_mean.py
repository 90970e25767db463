"""A mean that was folded into the bias of a first convolution.

It is proved where one vector m explains all biases as −Σ weights × m: a bias of the training's own would leave a rest.
"""

from __future__ import annotations

import math

import numpy as np

from tflint.columns.column import Lists, lists_of_arrays, text_of
from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import MAX_CHANNELS, Values, Walk, constant_of, only_reader, walks

#: The weights of a first convolution that are looked at have at most so many elements.
_MAX_WEIGHTS = 1 << 16
#: So many equations more than unknowns, and so small a rest, make chance impossible.
_SPARE_EQUATIONS = 4
_REST = 1e-4


def folded_mean(facts: Facts) -> Lists:
    """What the bias of the first convolution provably subtracts from the input, one number a channel."""
    return lists_of_arrays([_folded(facts, walk) for walk in walks(facts)])


def _folded(facts: Facts, walk: Walk) -> Values | None:
    """The m with bias = −Σ weights × m in all output channels; None where no m, or no one m, does that."""
    operator = only_reader(facts, walk.tensor)
    if operator is None or not walk.map.is_identity:
        return None
    opcode = text_of(facts.column("operator", "opcode"), operator) or ""
    if opcode not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return None
    weights = int(facts.rows("operator", "weights")[operator])
    biases = constant_of(facts, int(facts.rows("operator", "bias")[operator]), _MAX_WEIGHTS)
    sums = _sums(facts, weights, _last(facts, walk.tensor), is_depthwise=opcode != "CONV_2D")
    if biases is None or sums is None or len(sums) != len(biases) or not biases.any():
        return None
    if len(biases) < sums.shape[1] + _SPARE_EQUATIONS or not np.isfinite(sums).all():
        return None
    solved = np.linalg.lstsq(sums, -biases, rcond=None)
    found: Values = solved[0].astype(np.float64)
    rank = solved[2]
    rest = np.abs(sums @ found + biases).max()
    return found if rank == sums.shape[1] and rest <= _REST * np.abs(biases).max() else None


def _last(facts: Facts, tensor: int) -> int:
    shape = facts.lists("tensor", "shape").row(tensor)
    return int(shape[-1]) if len(shape) == 4 else 0


def _sums(facts: Facts, weights: int, n_inputs: int, *, is_depthwise: bool) -> Values | None:
    """The weights of a convolution summed over its window: a row an output channel, a column an input channel."""
    values = constant_of(facts, weights, _MAX_WEIGHTS)
    shape = [int(size) for size in facts.lists("tensor", "shape").row(weights)] if values is not None else []
    is_whole = values is not None and len(values) == math.prod(shape)  # a DEQUANTIZE may unpack another shape
    if values is None or not is_whole or len(shape) != 4 or not 0 < n_inputs <= MAX_CHANNELS:
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # of a hostile file; sums that are not finite prove nothing
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
