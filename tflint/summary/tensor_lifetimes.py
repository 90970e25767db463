"""Computes the lifetime of each activation: the first and last operator at which its memory is needed.

Operators run one after another. Most tensors are allocated from the operator that computes them to the last operator
that reads them. An input is already allocated at the start of its subgraph, an output stays allocated until the end,
and a variable is always allocated. Constants and tensors computed only from constants are not activations. The input
and output of an operator that changes only the shape share one memory block.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars
from tflint.facts.facts import Facts, values_at
from tflint.resources import table
from tflint.values import frozen

Ints = NDArray[Any]

#: Maximum size of a tensor in bytes. Larger tensors are not plausible, and their sums could overflow.
MAX_TENSOR_BYTES = float(1 << 40)


@frozen
class Lifetimes:
    """Memory blocks of activations. A block is identified by its leader: the row of the first tensor in it.

    `leader` is, per tensor, the leader of its block, or -1 if the tensor is not an activation. `bytes`, `first` and
    `last` are indexed by leader: the size of the block, and the first and last operator (rows of the operator table)
    that need it. `sizes` is, per tensor, its number of bytes, or NaN if this is unknown.
    """

    leader: Ints
    bytes: Ints
    first: Ints
    last: Ints
    sizes: NDArray[np.float64]


def find_lifetimes(facts: Facts) -> Lifetimes:
    """Return the memory blocks of all activations of a model."""
    sizes, is_activation = _tensor_bytes(facts), _find_activations(facts)
    first, last = _find_spans(facts)
    leader = np.where(is_activation, _find_leaders(facts, is_activation), -1)
    members = np.flatnonzero(is_activation)
    known = np.where(np.isnan(sizes), 0.0, sizes).astype(np.int64)
    n_bytes = np.full(len(leader), np.iinfo(np.int64).max)
    begin, end = first.copy(), last.copy()
    np.minimum.at(n_bytes, leader[members], known[members])
    np.minimum.at(begin, leader[members], first[members])
    np.maximum.at(end, leader[members], last[members])
    return Lifetimes(leader, np.where(leader == np.arange(len(leader)), n_bytes, 0), begin, end, sizes)


def _find_spans(facts: Facts) -> tuple[Ints, Ints]:
    """Return, per tensor, the first and last operator that need it. Memory blocks that tensors share are ignored."""
    counts = facts.lists("subgraph", "operators").lengths
    owners = facts.rows("tensor", "subgraph")
    begins, ends = (np.cumsum(counts) - counts)[owners], np.cumsum(counts)[owners]
    unused = _is_unused(facts)
    first, last = (
        np.where(unused, begins, begins + facts.numbers("tensor", name)).astype(np.int64)
        for name in ("first_use", "last_use")
    )
    always = facts.numbers("tensor", "is_variable")
    first = np.where(facts.numbers("tensor", "is_input") | always, begins, first)
    last = np.where(facts.numbers("tensor", "is_output") | always, np.maximum(ends - 1, begins), last)
    return first, last


def _is_unused(facts: Facts) -> NDArray[np.bool_]:
    state = facts.column("tensor", "first_use").state
    return np.zeros(facts.n("tensor"), np.bool_) if state is None else state != 0


def _find_activations(facts: Facts) -> NDArray[np.bool_]:
    """Return, per tensor, whether it is an activation: it depends on an input and is used.

    Inputs and variables are activations even if they are unused.
    """
    always = facts.numbers("tensor", "is_input") | facts.numbers("tensor", "is_variable")
    marked: NDArray[np.bool_] = ~facts.numbers("tensor", "is_constant") & facts.numbers("tensor", "depends_on_input")
    n_operators = values_at(facts.lists("subgraph", "operators").lengths, facts.rows("tensor", "subgraph"), 0)
    marked &= (always | ~_is_unused(facts)) & (n_operators > 0)
    return marked


def _find_leaders(facts: Facts, is_activation: NDArray[np.bool_]) -> Ints:
    """Return, per tensor, the first tensor with the same memory block: the tensor itself, unless it is a view."""
    n = facts.n("tensor")
    producers = facts.rows("tensor", "producer")
    is_view = facts.is_one_of("operator", "opcode", set(table("in_place")["views"]))
    sources = np.where(
        values_at(is_view, producers, False), values_at(facts.rows("operator", "input"), producers, -1), -1
    )
    usable = (sources >= 0) & values_at(is_activation, sources, False).astype(np.bool_) & is_activation
    usable &= values_at(facts.rows("tensor", "subgraph"), sources, -1) == facts.rows("tensor", "subgraph")
    leader = np.where(usable, sources, np.arange(n))
    # Pointer doubling: each pass halves the length of a chain of views. A cycle, in an invalid file, has no leader.
    for _ in range(n.bit_length()):
        leader = leader[leader]
    return leader


def _tensor_bytes(facts: Facts) -> NDArray[np.float64]:
    """Return, per tensor, the bytes of its stored shape, or NaN if the size is unknown or implausible."""
    sizes = np.full(facts.n("tensor"), np.nan)
    known = np.ones(len(sizes), np.bool_)
    for name in ("n_bytes", "rank"):  # an empty shape of unknown rank is not a scalar
        state = facts.column("tensor", name).state
        known &= state == 0 if state is not None else True
    column = facts.column("tensor", "n_bytes")
    assert isinstance(column, Scalars)
    known &= column.values < MAX_TENSOR_BYTES
    sizes[known] = column.values[known]
    return sizes
