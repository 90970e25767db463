"""Counts parameters and multiply-accumulate operations (MACs), from shapes alone.

The number of MACs of an operator is the fact `operator.n_macs`. docs/show.md describes what is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import PRESENT, UNKNOWN, text_of
from tflint.facts.facts import Facts, values_at
from tflint.facts.graph.operand_roles import operand_at
from tflint.summary.cell_values import find_dynamic_tensors, sort_unique
from tflint.summary.summary_values import Computation

Ints = NDArray[Any]

#: Maximum number of producers between constant weights and the operator that uses them: DENSIFY, then DEQUANTIZE.
_MAX_UNPACKING = 2
#: Operators that only convert the representation of constant weights.
_UNPACKING = {"DENSIFY", "DEQUANTIZE"}
#: Recurrent operators: their constant inputs are weights and biases.
_RECURRENT = {
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    "BIDIRECTIONAL_SEQUENCE_RNN",
    "LSTM",
    "RNN",
    "SVDF",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
}
#: Operators that multiply and accumulate but have no count, and operators that run other subgraphs.
_UNCOUNTED = _RECURRENT | {
    "CALL",
    "CONV_3D_TRANSPOSE",
    "CUSTOM",
    "IF",
    "STABLEHLO_COMPOSITE",
    "STABLEHLO_CONVOLUTION",
    "STABLEHLO_DOT_GENERAL",
    "STABLEHLO_WHILE",
    "WHILE",
}
#: Sizes of tensors are not limited by the file, but a count must be an integer.
_MAX_COUNT = 2**63 - 1


def count_parameters(facts: Facts) -> int:
    """Return the number of elements of all constant weights and biases. Tensors that share a buffer count once."""
    tensors = sort_unique(np.concatenate([*_list_operands(facts)]))
    buffers = facts.rows("tensor", "buffer")[tensors]
    # A constant without a buffer of its own, such as one in an external file, counts as if it had one.
    keys = np.where(buffers >= 0, buffers, facts.n("buffer") + tensors)
    order = np.argsort(keys, kind="stable")
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = keys[order][1:] != keys[order][:-1]
    return _to_count(facts.numbers("tensor", "n_elements")[tensors[order[is_first]]])


def _list_operands(facts: Facts) -> list[Ints]:
    """Return the rows of the constant tensors that operators use as weights or bias."""
    tensors, roles = facts.rows("operand", "tensor"), facts.is_one_of("operand", "role", {"weights", "bias"})
    is_recurrent = facts.is_one_of("operator", "opcode", _RECURRENT)[facts.rows("operand", "operator")]
    is_table = facts.is_one_of("operator", "opcode", {"GATHER"})
    tables = operand_at(facts, "input", np.where(is_table, 0, -1))
    ranks = facts.lists("tensor", "shape").lengths
    tables = tables[(tables >= 0) & (values_at(ranks, tables, 0) >= 2)]
    used = np.concatenate([tensors[roles | is_recurrent], tables])
    constant = facts.numbers("tensor", "is_constant").astype(np.bool_)
    producers, inputs = facts.rows("tensor", "producer"), facts.rows("operator", "input")
    is_unpacking = facts.is_one_of("operator", "opcode", _UNPACKING)
    found = []
    for _ in range(_MAX_UNPACKING + 1):
        used = used[used >= 0]
        found.append(used[constant[used]])
        rows = producers[used[~constant[used]]]
        rows = rows[rows >= 0]
        used = inputs[rows[is_unpacking[rows]]]
    return found


def count_macs(facts: Facts, n_subgraphs: int) -> tuple[Computation, ...]:
    """Return the number of MACs per subgraph, for the first `n_subgraphs` subgraphs in stored order."""
    column = facts.column("operator", "n_macs")
    state = np.zeros(facts.n("operator"), dtype=np.uint8) if column.state is None else column.state
    macs = facts.numbers("operator", "n_macs")
    owners = facts.rows("operator", "subgraph")
    dynamic = values_at(find_dynamic_tensors(facts), facts.rows("operator", "output"), False).astype(np.bool_)
    is_uncounted = facts.is_one_of("operator", "opcode", _UNCOUNTED)
    computations = []
    for subgraph in range(n_subgraphs):
        own = owners == subgraph
        counted = own & (state == PRESENT)
        computations.append(
            Computation(
                _to_count(macs[counted]),
                int(np.count_nonzero(own & (state == UNKNOWN))),
                int(np.count_nonzero(counted & dynamic)),
                _list_labels(facts, np.flatnonzero(own & is_uncounted)),
            )
        )
    return tuple(computations)


def _list_labels(facts: Facts, operators: Ints) -> tuple[str, ...]:
    """Return the distinct opcodes of operators, or the names of custom operators, sorted."""
    codes, opcodes = facts.column("operator", "custom_code"), facts.column("operator", "opcode")
    return tuple(sorted({text_of(codes, row) or text_of(opcodes, row) or "" for row in operators.tolist()}))


def _to_count(values: Ints) -> int:
    total = float(values[np.isfinite(values) & (values > 0)].sum())
    return int(total) if total < _MAX_COUNT else _MAX_COUNT
