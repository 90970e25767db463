"""Facts about arithmetic: multiply-accumulate operations per operator, and their integer share per model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars, state_of
from tflint.facts.facts import Facts, values_at

#: Operators in which each output element sums over all weights of its channel. (An output element of DEPTHWISE_CONV_2D
#: sums over one plane of the weights.)
_PER_OUTPUT = {"CONV_2D", "FULLY_CONNECTED"}
_INTEGER_SCHEMES = {"int8", "uint8", "int16x8", "int4", "int2", "int16"}


def n_macs(facts: Facts) -> Scalars:
    """Return the number of multiply-accumulate operations of each operator, computed from the stored shapes."""
    inputs, weights, outputs = (facts.rows("operator", role) for role in ("input", "weights", "output"))
    elements = facts.numbers("tensor", "n_elements")
    n_in, n_weights, n_out = (values_at(elements, rows, 0.0) for rows in (inputs, weights, outputs))
    macs = np.zeros(len(inputs))
    dense = facts.is_one_of("operator", "opcode", _PER_OUTPUT)
    macs[dense] = _ratio(n_out * n_weights, _dimension(facts, weights, 0))[dense]
    depthwise = facts.is_one_of("operator", "opcode", {"DEPTHWISE_CONV_2D"})
    macs[depthwise] = _ratio(n_out * n_weights, _dimension(facts, weights, 3))[depthwise]
    spatial = facts.is_one_of("operator", "opcode", {"CONV_3D"})
    macs[spatial] = _ratio(n_out * n_weights, _dimension(facts, weights, 4))[spatial]
    transposed = facts.is_one_of("operator", "opcode", {"TRANSPOSE_CONV"})
    macs[transposed] = _ratio(n_in * n_weights, _dimension(facts, weights, 3))[transposed]
    product = facts.is_one_of("operator", "opcode", {"BATCH_MATMUL"})
    adjoint = facts.numbers("operator", "options.adj_x").astype(np.bool_)
    inner = np.where(adjoint, _dimension(facts, inputs, -2), _dimension(facts, inputs, -1))
    macs[product] = (n_out * inner)[product]
    counted = dense | depthwise | spatial | transposed | product
    return Scalars(macs, state_of(~counted, counted & ~((macs >= 0) & np.isfinite(macs))))


def _ratio(total: NDArray[Any], parts: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(all="ignore"):
        ratio: NDArray[Any] = total / np.where(parts > 0, parts, np.nan)
    return ratio


def _dimension(facts: Facts, tensors: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Return the size of each tensor's shape along `axis`, or 0 if the shape does not have that axis."""
    shapes = facts.lists("tensor", "shape")
    sizes = np.zeros(len(tensors))
    if not len(shapes):
        return sizes
    lengths = values_at(shapes.lengths, tensors, 0)
    position = axis if axis >= 0 else lengths + axis
    rows = np.flatnonzero((position >= 0) & (position < lengths))
    at = position if isinstance(position, int) else position[rows]
    sizes[rows] = shapes.take(shapes.starts[tensors[rows]] + at * shapes.stride)
    return sizes


def integer_share(facts: Facts) -> Scalars:
    """Return the share of each model's multiply-accumulate operations that are computed in integers."""
    counted = facts.column("operator", "n_macs")
    assert isinstance(counted, Scalars)
    macs = counted.values if counted.state is None else np.where(counted.state == 0, counted.values, 0.0)
    models = facts.table("operator").model
    integer = facts.is_one_of("operator", "scheme", _INTEGER_SCHEMES)
    n_models = facts.n("model")
    total = np.bincount(models, weights=macs, minlength=n_models)
    share = np.bincount(models, weights=macs * integer, minlength=n_models) / np.where(total > 0, total, 1)
    return Scalars(share, state_of(total <= 0))
