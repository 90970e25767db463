"""The table of float islands (operators that compute in float between integer parts), and facts about them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, References, Scalars, lists_by_owner, state_of, text_of, texts_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts, distinct, values_at
from tflint.facts.graph.tensor_uses import connected_components, operand_rows
from tflint.values import frozen

Ints = NDArray[Any]

_CONVERSIONS = {"DEQUANTIZE", "QUANTIZE", "CAST"}


@frozen(eq=False)
class _Islands:
    """The float islands of a batch.

    `heads` is the first operator of each island. `members` are the operators of all islands, and `owners` the numbers
    of their islands. `conversions` are the DEQUANTIZE and QUANTIZE operators around the islands.
    """

    heads: Ints
    members: Ints
    owners: Ints
    conversions: Ints


def island_table(facts: Facts) -> Table:
    """Return the float islands: connected float operators that read from a DEQUANTIZE and feed a QUANTIZE."""
    found = _islands(facts)
    return Table(
        "island",
        facts.table("operator").model[found.heads],
        {
            "first": lambda: References(found.heads),
            "operators": lambda: lists_by_owner(found.owners, found.members, len(found.heads)),
            "macs_share": lambda: Scalars(_share(facts, found.owners, found.members, found.heads)),
        },
    )


def islands(facts: Facts) -> Lists:
    """Return the float islands of each model."""
    heads = _islands(facts).heads
    return lists_by_owner(facts.table("operator").model[heads], np.arange(len(heads)), facts.n("model"))


def island_opcodes(facts: Facts) -> Lists:
    """Return the operators in the float islands of each model, with their numbers, the most frequent first."""
    members = _islands(facts).members
    models = facts.table("operator").model[members].tolist()
    counts: list[Counter[str]] = [Counter() for _ in range(facts.n("model"))]
    for model, operator in zip(models, members.tolist(), strict=True):
        counts[model][text_of(facts.column("operator", "opcode"), operator) or ""] += 1
    return texts_of([[f"{count} {opcode}" for opcode, count in of_model.most_common()] for of_model in counts])


def n_conversions(facts: Facts) -> Scalars:
    """Return the number of DEQUANTIZE and QUANTIZE operators around the float islands of each model."""
    return Scalars(_count_by_model(facts, _islands(facts).conversions))


def operator_share(facts: Facts) -> Scalars:
    """Return the share of each model's operators that are in float islands; conversions do not count."""
    computing = np.flatnonzero(~facts.is_one_of("operator", "opcode", _CONVERSIONS))
    n_all = _count_by_model(facts, computing)
    return Scalars(_count_by_model(facts, _islands(facts).members) / np.maximum(n_all, 1), state_of(n_all == 0))


def macs_share(facts: Facts) -> Scalars:
    """Return the share of each model's multiply-accumulate operations that its float islands compute."""
    found = _islands(facts)
    shares = _share(facts, found.owners, found.members, found.heads)
    models = facts.table("operator").model[found.heads]
    return Scalars(np.bincount(models, weights=shares, minlength=facts.n("model")).astype(np.float64))


def _count_by_model(facts: Facts, operators: Ints) -> NDArray[np.float64]:
    return np.bincount(facts.table("operator").model[operators], minlength=facts.n("model")).astype(np.float64)


def _islands(facts: Facts) -> _Islands:
    return facts.memoize("float islands", lambda: _find_islands(facts))


def _find_islands(facts: Facts) -> _Islands:
    float_ops = _computes_in_float(facts)
    leader = _leaders(facts, float_ops)
    entries, readers = _entries(facts, float_ops)
    feeders, exits = _exits(facts, float_ops)
    is_head = _mark_leaders(leader, readers) & _mark_leaders(leader, feeders)
    heads = np.flatnonzero(is_head)
    members = np.flatnonzero(float_ops & is_head[leader])
    conversions = np.concatenate([entries[is_head[leader[readers]]], exits[is_head[leader[feeders]]]])
    return _Islands(heads, members, np.searchsorted(heads, leader[members]), distinct(conversions))


def _computes_in_float(facts: Facts) -> NDArray[np.bool_]:
    """Return whether each operator computes a float output that depends on an input. Conversions do not count."""
    outputs = facts.rows("operator", "output")
    is_float = values_at(facts.is_one_of("tensor", "dtype", {"FLOAT32", "FLOAT16"}), outputs, False)
    depends = values_at(facts.numbers("tensor", "depends_on_input"), outputs, False)
    conversion = facts.is_one_of("operator", "opcode", _CONVERSIONS)
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


def _entries(facts: Facts, float_ops: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the DEQUANTIZE operators of activations, and the float operator that reads each of them."""
    tensors, consumers = operand_rows(facts, "input")
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    dequantized = values_at(facts.is_one_of("operator", "opcode", {"DEQUANTIZE"}), producers, False).astype(np.bool_)
    source = values_at(facts.rows("operator", "input"), producers, -1)
    is_activation = values_at(facts.rows("tensor", "producer"), source, -1) >= 0
    is_activation |= values_at(facts.numbers("tensor", "is_input"), source, False).astype(np.bool_)
    found = float_ops[consumers] & dequantized & is_activation
    return producers[found], consumers[found]


def _exits(facts: Facts, float_ops: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return float operators, and the QUANTIZE that reads each of them and whose output is used."""
    tensors, consumers = operand_rows(facts, "input")
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    quantize = facts.is_one_of("operator", "opcode", {"QUANTIZE"})
    outputs = facts.rows("operator", "output")
    is_used = values_at(facts.lists("tensor", "consumers").lengths, outputs, 0) > 0
    is_used |= values_at(facts.numbers("tensor", "is_output"), outputs, False).astype(np.bool_)
    from_float = (producers >= 0) & float_ops[np.maximum(producers, 0)]
    found = from_float & quantize[consumers] & is_used[consumers]
    return producers[found], consumers[found]


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
