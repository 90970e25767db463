"""Facts about same-scale constraints: operands that must have the same scale and zero point, and groups of tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, lists_by_counts, lists_by_owner, state_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.graph.tensor_uses import connected_components
from tflint.resources import table

Ints = NDArray[Any]

#: Operators whose constant operands may have different scales and zero points. The converter does not requantize these
#: constants.
_CONSTANTS_MAY_DIFFER = {"SELECT", "SELECT_V2", "MAXIMUM", "MINIMUM"}


def same_scale_operands(facts: Facts) -> Lists:
    """Return, for each operator, the quantized operands that must have the same scale and zero point."""
    operators, tensors = facts.rows("operand", "operator"), facts.rows("operand", "tensor")
    opcode, dtype = facts.strings("operator", "opcode"), facts.strings("tensor", "dtype")
    position = facts.numbers("operand", "position")
    directions = {name: facts.is_one_of("operand", "direction", {name}) for name in ("input", "output")}
    quantized = facts.numbers("tensor", "is_quantized")
    constant = facts.numbers("tensor", "is_constant")
    is_constrained_operand = np.zeros(len(operators), dtype=np.bool_)
    constrained = np.zeros(facts.n("operator"), dtype=np.bool_)
    present = np.flatnonzero(tensors >= 0)
    for name, entry in table("same_scale")["operators"].items():
        if name not in opcode.labels:
            continue
        is_op = opcode.codes == list(opcode.labels).index(name)
        rows = present[is_op[operators[present]]]
        if not len(rows):
            continue
        constrained |= is_op
        codes = [code for code, label in enumerate(dtype.labels) if label in entry["dtypes"]]
        fits = quantized[tensors[rows]] & np.isin(dtype.codes[tensors[rows]], codes)
        if name in _CONSTANTS_MAY_DIFFER:
            fits &= ~constant[tensors[rows]]
        fits &= _is_at(entry["inputs"], position[rows]) & directions["input"][rows] | (
            _is_at(entry["outputs"], position[rows]) & directions["output"][rows]
        )
        is_constrained_operand[rows[fits]] = True
    owners = np.where(is_constrained_operand, operators, -1)
    return lists_by_owner(owners, tensors, len(constrained), state_of(~constrained))


def _is_at(positions: Any, position: Ints) -> NDArray[np.bool_]:
    return np.ones(len(position), dtype=np.bool_) if positions == "all" else np.isin(position, positions)


def group_table(facts: Facts) -> Table:
    """Return the groups of tensors that must all have the same scale and zero point, because operators connect them."""
    lists = facts.lists("operator", "same_scale_operands")
    tied = np.flatnonzero(lists.lengths > 1)
    tensors, lengths = lists.flatten(tied)
    first = np.repeat(tensors[np.cumsum(lengths) - lengths], lengths) if len(tensors) else tensors
    leader = connected_components(first, tensors, facts.n("tensor"))
    members = np.flatnonzero(np.bincount(tensors.astype(np.int64)))
    heads, which = np.unique(leader[members], return_inverse=True)
    groups = np.searchsorted(heads, leader[first[np.cumsum(lengths) - lengths]]) if len(tensors) else tensors
    return Table(
        "group",
        facts.table("tensor").model[heads],
        {
            "tensors": lambda: lists_by_owner(which, members, len(heads)),
            "operators": lambda: (
                lists_by_owner(groups, tied, len(heads)) if len(heads) else lists_by_counts(tied, tied)
            ),
        },
    )
