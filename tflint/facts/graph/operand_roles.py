"""Facts about roles: which operand is the data input, the weights or the bias, and the role of each tensor."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import References, Scalars, Strings, state_of
from tflint.facts.facts import Facts, values_at
from tflint.resources import table

Ints = NDArray[Any]

_OPERAND_ROLES = ["input", "weights", "bias", "output", "intermediate", "state", "constant"]
_TENSOR_ROLES = ["unused", "activation", "constant", "weights", "bias", "variable", "output", "input"]


@functools.cache
def _positions(role: str) -> dict[str, int]:
    """Return, by opcode, the position of the input that has a role. For "channel_axis", return the axis."""
    roles = table("operand_roles")["roles"]
    return {opcode: entry[role] for opcode, entry in roles.items() if role in entry}


def operand_at(facts: Facts, direction: str, positions: Ints) -> Ints:
    """Return the row of the tensor at a position among each operator's inputs or outputs, or -1 if there is none.

    `direction` is "input" or "output". `positions` has one position per operator. For a negative position, the result
    is -1.
    """
    node = facts.tables.node("subgraphs.operators", "Operator")
    n_inputs, n_outputs = node.vector("inputs").lengths, node.vector("outputs").lengths
    total = n_inputs + n_outputs + node.vector("intermediates").lengths
    begins = np.cumsum(total) - total + (n_inputs if direction == "output" else 0)
    inside = (positions >= 0) & (positions < (n_outputs if direction == "output" else n_inputs))
    return values_at(facts.rows("operand", "tensor"), np.where(inside, begins + positions, -1), -1)


def operator_input(facts: Facts) -> References:
    """Return the data input of each operator, as listed in the table of operand roles; by default, its first input."""
    return References(operand_at(facts, "input", facts.by_label("operator", "opcode", _positions("input"), 0)))


def operator_weights(facts: Facts) -> References:
    """Return the weights of each operator."""
    return References(operand_at(facts, "input", facts.by_label("operator", "opcode", _positions("weights"), -1)))


def operator_bias(facts: Facts) -> References:
    """Return the bias of each operator."""
    return References(operand_at(facts, "input", facts.by_label("operator", "opcode", _positions("bias"), -1)))


def operator_output(facts: Facts) -> References:
    """Return the first output of each operator."""
    return References(operand_at(facts, "output", np.zeros(facts.n("operator"), dtype=np.int64)))


def channel_axis(facts: Facts) -> Scalars:
    """Return the axis of the output channels in the weights of each operator."""
    axes = facts.by_label("operator", "opcode", _positions("channel_axis"), -1)
    return Scalars(axes, state_of(axes < 0))


def operand_role(facts: Facts) -> Strings:
    """Return the role of each operand in its operator."""
    operators, tensors = facts.rows("operand", "operator"), facts.rows("operand", "tensor")
    position = facts.numbers("operand", "position")
    codes = np.zeros(len(operators), dtype=np.int64)
    constant = values_at(facts.numbers("tensor", "is_constant"), tensors, False).astype(np.bool_)
    data = facts.by_label("operator", "opcode", _positions("input"), 0)[operators]
    codes[constant & (position != data)] = _OPERAND_ROLES.index("constant")
    codes[values_at(facts.numbers("tensor", "is_variable"), tensors, False).astype(np.bool_)] = _OPERAND_ROLES.index(
        "state"
    )
    for role in ("weights", "bias"):
        at = facts.by_label("operator", "opcode", _positions(role), -1)[operators]
        codes[position == at] = _OPERAND_ROLES.index(role)
    for direction in ("output", "intermediate"):
        codes[facts.is_one_of("operand", "direction", {direction})] = _OPERAND_ROLES.index(direction)
    return Strings(codes, _OPERAND_ROLES)


def tensor_role(facts: Facts) -> Strings:
    """Return the role of each tensor. If a tensor has several roles, the one latest in `_TENSOR_ROLES` wins."""
    codes = np.zeros(facts.n("tensor"), dtype=np.int64)

    def mark(rows: Ints, role: str) -> None:
        codes[rows] = np.maximum(codes[rows], _TENSOR_ROLES.index(role))

    tensors = facts.rows("operand", "tensor")
    mark(tensors[tensors >= 0], "activation")
    mark(np.flatnonzero(facts.numbers("tensor", "is_constant")), "constant")
    for role in ("weights", "bias"):
        chosen = facts.is_one_of("operand", "role", {role}) & (tensors >= 0)
        mark(tensors[chosen], role)
    mark(np.flatnonzero(facts.numbers("tensor", "is_variable")), "variable")
    mark(np.flatnonzero(facts.numbers("tensor", "is_output")), "output")
    mark(np.flatnonzero(facts.numbers("tensor", "is_input")), "input")
    return Strings(codes, _TENSOR_ROLES)
