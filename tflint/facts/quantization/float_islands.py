"""Facts of float islands: operators that compute in float between two integer stretches of a model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import References, Scalars, lists_by_owner
from tflint.columns.table import Table
from tflint.facts.facts import Facts, taken
from tflint.facts.graph.tensor_uses import connected, uses

Ints = NDArray[Any]


def island_table(facts: Facts) -> Table:
    """Connected operators on float values, reached through a DEQUANTIZE and left through a QUANTIZE."""
    float_ops = _computes_in_float(facts)
    leader = _leaders(facts, float_ops)
    enters, leaves = _from_integers(facts, leader, float_ops), _into_integers(facts, leader, float_ops)
    heads = np.flatnonzero(enters & leaves)
    members = np.flatnonzero(float_ops & np.isin(leader, heads))
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
    """Operators that make a float activation from values that depend on an input, conversions left out."""
    outputs = facts.rows("operator", "output")
    is_float = taken(facts.is_one_of("tensor", "dtype", {"FLOAT32", "FLOAT16"}), outputs, False)
    depends = taken(facts.numbers("tensor", "depends_on_input"), outputs, False)
    conversion = facts.is_one_of("operator", "opcode", {"DEQUANTIZE", "QUANTIZE", "CAST"})
    found: NDArray[np.bool_] = is_float.astype(np.bool_) & depends.astype(np.bool_) & ~conversion
    return found


def _leaders(facts: Facts, float_ops: NDArray[np.bool_]) -> Ints:
    """For each operator the first of the float operators that it hangs together with."""
    tensors, consumers = uses(facts, "input")
    makers = taken(facts.rows("tensor", "producer"), tensors, -1)
    tied = (makers >= 0) & float_ops[consumers] & float_ops[np.maximum(makers, 0)]
    return connected(makers[tied], consumers[tied], facts.n("operator"))


def _from_integers(facts: Facts, leader: Ints, float_ops: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which leaders' islands read a DEQUANTIZE of something that an operator computed."""
    tensors, consumers = uses(facts, "input")
    makers = taken(facts.rows("tensor", "producer"), tensors, -1)
    dequantized = taken(facts.is_one_of("operator", "opcode", {"DEQUANTIZE"}), makers, False).astype(np.bool_)
    source = taken(facts.rows("operator", "input"), makers, -1)
    computed = taken(facts.rows("tensor", "producer"), source, -1) >= 0
    return _marked(leader, consumers[float_ops[consumers] & dequantized & computed])


def _into_integers(facts: Facts, leader: Ints, float_ops: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which leaders' islands make something that a QUANTIZE hands on to another operator."""
    tensors, consumers = uses(facts, "input")
    makers = taken(facts.rows("tensor", "producer"), tensors, -1)
    quantize = facts.is_one_of("operator", "opcode", {"QUANTIZE"})
    goes_on = taken(facts.lists("tensor", "consumers").lengths, facts.rows("operator", "output"), 0) > 0
    from_float = (makers >= 0) & float_ops[np.maximum(makers, 0)]
    return _marked(leader, makers[from_float & quantize[consumers] & goes_on[consumers]])


def _marked(leader: Ints, operators: Ints) -> NDArray[np.bool_]:
    found = np.zeros(len(leader), dtype=np.bool_)
    found[leader[operators]] = True
    return found


def _share(facts: Facts, owners: Ints, members: Ints, heads: Ints) -> NDArray[np.float64]:
    """Which share of its model's multiplications an island computes."""
    macs = facts.numbers("operator", "n_macs")
    models = facts.table("operator").model
    total = np.bincount(models, weights=macs, minlength=facts.n("model"))[models[heads]]
    own = np.bincount(owners, weights=macs[members], minlength=len(heads))
    found: NDArray[np.float64] = own / np.where(total > 0, total, 1)
    return found
