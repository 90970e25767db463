"""The table of float islands: operators that compute in float between two integer parts of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import References, Scalars, lists_by_owner
from tflint.columns.table import Table
from tflint.facts.facts import Facts, values_at
from tflint.facts.graph.tensor_uses import connected_components, operand_rows

Ints = NDArray[Any]


def island_table(facts: Facts) -> Table:
    """Return the float islands: connected float operators that read from a DEQUANTIZE and feed a QUANTIZE."""
    float_ops = _computes_in_float(facts)
    leader = _leaders(facts, float_ops)
    reads_integers, feeds_integers = (
        _reads_integers(facts, leader, float_ops),
        _feeds_integers(facts, leader, float_ops),
    )
    is_head = reads_integers & feeds_integers
    heads = np.flatnonzero(is_head)
    members = np.flatnonzero(float_ops & is_head[leader])
    owners = np.searchsorted(heads, leader[members])
    return Table(
        "island",
        facts.table("operator").model[heads],
        {
            "first": lambda: References(heads),
            "operators": lambda: lists_by_owner(owners, members, len(heads)),
            "macs_share": lambda: Scalars(_share(facts, owners, members, heads)),
        },
    )


def _computes_in_float(facts: Facts) -> NDArray[np.bool_]:
    """Return whether each operator computes a float output that depends on an input. Conversions do not count."""
    outputs = facts.rows("operator", "output")
    is_float = values_at(facts.is_one_of("tensor", "dtype", {"FLOAT32", "FLOAT16"}), outputs, False)
    depends = values_at(facts.numbers("tensor", "depends_on_input"), outputs, False)
    conversion = facts.is_one_of("operator", "opcode", {"DEQUANTIZE", "QUANTIZE", "CAST"})
    computes: NDArray[np.bool_] = is_float.astype(np.bool_) & depends.astype(np.bool_) & ~conversion
    return computes


def _leaders(facts: Facts, float_ops: NDArray[np.bool_]) -> Ints:
    """Return, for each operator, the first operator of its connected component (its leader).

    Only connections between two float operators count, so an operator that is not float is its own leader.
    """
    tensors, consumers = operand_rows(facts, "input")
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    tied = (producers >= 0) & float_ops[consumers] & float_ops[np.maximum(producers, 0)]
    return connected_components(producers[tied], consumers[tied], facts.n("operator"))


def _reads_integers(facts: Facts, leader: Ints, float_ops: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, for each leader, whether a float operator of its component reads a dequantized activation."""
    tensors, consumers = operand_rows(facts, "input")
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    dequantized = values_at(facts.is_one_of("operator", "opcode", {"DEQUANTIZE"}), producers, False).astype(np.bool_)
    source = values_at(facts.rows("operator", "input"), producers, -1)
    computed = values_at(facts.rows("tensor", "producer"), source, -1) >= 0
    return _mark_leaders(leader, consumers[float_ops[consumers] & dequantized & computed])


def _feeds_integers(facts: Facts, leader: Ints, float_ops: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return, for each leader, whether its component feeds a QUANTIZE whose output another operator reads."""
    tensors, consumers = operand_rows(facts, "input")
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    quantize = facts.is_one_of("operator", "opcode", {"QUANTIZE"})
    is_consumed = values_at(facts.lists("tensor", "consumers").lengths, facts.rows("operator", "output"), 0) > 0
    from_float = (producers >= 0) & float_ops[np.maximum(producers, 0)]
    return _mark_leaders(leader, producers[from_float & quantize[consumers] & is_consumed[consumers]])


def _mark_leaders(leader: Ints, operators: Ints) -> NDArray[np.bool_]:
    marks = np.zeros(len(leader), dtype=np.bool_)
    marks[leader[operators]] = True
    return marks


def _share(facts: Facts, owners: Ints, members: Ints, heads: Ints) -> NDArray[np.float64]:
    """Return each island's share of the multiply-accumulate operations of its model."""
    macs = facts.numbers("operator", "n_macs")
    models = facts.table("operator").model
    total = np.bincount(models, weights=macs, minlength=facts.n("model"))[models[heads]]
    own = np.bincount(owners, weights=macs[members], minlength=len(heads))
    shares: NDArray[np.float64] = own / np.where(total > 0, total, 1)
    return shares
