"""Facts about calibrated ranges: the one of each input, and activations whose range is too narrow for real data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, References, lists_by_counts, lists_by_owner
from tflint.facts.facts import Facts, first_elements, list_lengths, values_at
from tflint.facts.graph.tensor_uses import operand_rows

Ints = NDArray[Any]
Truths = NDArray[np.bool_]

#: Operators whose output the converter calibrates. The other ones copy a scale, or their kernel fixes it.
_CALIBRATED = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "MUL", "SUB"}
#: Scales below these limits belong to tensors that calibration found to be zero. The ranges of the types are equal.
_DEAD_SCALES = {"INT8": 2e-6, "UINT8": 2e-6, "INT16": 2e-6 * 255 / 65535}
#: Smallest normal float32. Q004 reports smaller scales.
_SMALLEST_SCALE = 1.17549435e-38


def input_range_tensor(facts: Facts) -> References:
    """Return the tensor that holds the calibrated range of each input.

    That is the input or, for a float input, the output of a QUANTIZE that is the only operator that reads it.
    """
    tensors = facts.rows("input", "tensor")
    n_consumers = list_lengths(facts.lists("tensor", "consumers"), tensors)
    readers = first_elements(facts.lists("tensor", "consumers"), tensors, -1).astype(np.int64)
    is_quantized_later = values_at(facts.is_one_of("operator", "opcode", {"QUANTIZE"}), readers, False).astype(np.bool_)
    outputs = values_at(facts.rows("operator", "output"), readers, -1)
    later = np.where(is_quantized_later & (n_consumers == 1), outputs, -1)
    is_quantized = values_at(facts.numbers("tensor", "is_quantized"), tensors, False).astype(np.bool_)
    is_float = values_at(facts.is_one_of("tensor", "dtype", {"FLOAT32"}), tensors, False).astype(np.bool_)
    return References(np.where(is_quantized, tensors, np.where(is_float, later, -1)).astype(np.int32))


def dead_activations(facts: Facts) -> Lists:
    """Return, per model, the operators whose output calibration found to be zero although their operands are not.

    Operators that get only such outputs, or inputs that are zero, are left out: they are a consequence.
    """
    dead = _has_dead_scale(facts)
    outputs = facts.rows("operator", "output")
    candidates = facts.is_one_of("operator", "opcode", _CALIBRATED) & values_at(dead, outputs, False).astype(np.bool_)
    models = facts.table("operator").model
    if not candidates.any():
        return lists_by_counts(outputs[:0], np.zeros(facts.n("model"), dtype=np.int64))
    tensors, operators = operand_rows(facts, "input")
    of_candidates = candidates[operators]
    tensors, operators = tensors[of_candidates], operators[of_candidates]
    is_alive = facts.numbers("tensor", "depends_on_input") & ~dead & ~facts.numbers("tensor", "is_constant")
    gets_values = np.zeros(len(models), dtype=np.bool_)
    gets_values[operators[is_alive[tensors]]] = True
    gets_zeros = np.zeros(len(models), dtype=np.bool_)
    gets_zeros[operators[_is_zero(facts, tensors, operators)]] = True
    found = np.flatnonzero(candidates & gets_values & ~gets_zeros)
    return lists_by_owner(models[found], found, facts.n("model"))


def _has_dead_scale(facts: Facts) -> Truths:
    """Return whether the only scale of each tensor is so small that the tensor was zero when it was calibrated."""
    scales = facts.lists("tensor", "scale")
    values = first_elements(scales, np.arange(len(scales)), 0.0)
    dtypes = facts.strings("tensor", "dtype")
    limits = np.array([_DEAD_SCALES.get(label, 0.0) for label in dtypes.labels])[dtypes.codes]
    dead: Truths = (scales.lengths == 1) & (values >= _SMALLEST_SCALE) & (values < limits)
    return dead


def _is_zero(facts: Facts, tensors: Ints, operators: Ints) -> Truths:
    """Return whether each operand is a factor or a matrix of weights that contains only zeros."""
    biases = facts.rows("operator", "bias")[operators]
    is_sum = facts.is_one_of("operator", "opcode", {"ADD", "SUB"})[operators]
    is_factor = facts.numbers("tensor", "is_constant")[tensors] & (tensors != biases) & ~is_sum
    rows = np.flatnonzero(is_factor)
    shares, lengths = facts.lists("tensor", "zero_share").flatten(tensors[rows])
    n_zero = np.bincount(np.repeat(np.arange(len(rows)), lengths), weights=shares == 1, minlength=len(rows))
    zero = np.zeros(len(tensors), dtype=np.bool_)
    zero[rows] = (lengths > 0) & (n_zero == lengths)
    return zero
