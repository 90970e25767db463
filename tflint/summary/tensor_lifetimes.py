"""From when to when the memory of each activation is needed, in places of the run of all operators one after another.

An input is there from the start of its subgraph, an output to the end, a variable always; anything else from the
operator that makes it to the last one that reads it. Constants, and what is computed from them alone, are no
activations. Operators that change nothing but the shape share one stretch of memory between input and output.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars
from tflint.facts.facts import Facts, taken
from tflint.resources import table
from tflint.values import frozen

Ints = NDArray[Any]

#: A tensor of this size is no real one; the bound keeps sums of it from wrapping around.
MAX_TENSOR_BYTES = float(1 << 40)


@frozen
class Lifetimes:
    """Stretches of memory: `of` says which one a tensor is in (the row of its first tensor), -1 for no activation.

    `bytes`, `first` and `last` are by that row: size, and the first and last operator (a row of the table of all
    operators) at which it is needed. `sizes` holds the bytes of every tensor, NaN where the file does not say.
    """

    of: Ints
    bytes: Ints
    first: Ints
    last: Ints
    sizes: NDArray[np.float64]


def find_lifetimes(facts: Facts) -> Lifetimes:
    """The stretches of memory of all activations of a model."""
    sizes, is_activation = _sizes(facts), _activations(facts)
    first, last = _spans(facts)
    leader = np.where(is_activation, _leaders(facts, is_activation), -1)
    members = np.flatnonzero(is_activation)
    known = np.where(np.isnan(sizes), 0.0, sizes).astype(np.int64)
    n_bytes = np.full(len(leader), np.iinfo(np.int64).max)
    begin, end = first.copy(), last.copy()
    np.minimum.at(n_bytes, leader[members], known[members])
    np.minimum.at(begin, leader[members], first[members])
    np.maximum.at(end, leader[members], last[members])
    return Lifetimes(leader, np.where(leader == np.arange(len(leader)), n_bytes, 0), begin, end, sizes)


def _spans(facts: Facts) -> tuple[Ints, Ints]:
    """First and last operator of each tensor by itself."""
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


def _activations(facts: Facts) -> NDArray[np.bool_]:
    """Tensors that depend on an input and are used; inputs and variables are there whether used or not."""
    always = facts.numbers("tensor", "is_input") | facts.numbers("tensor", "is_variable")
    found: NDArray[np.bool_] = ~facts.numbers("tensor", "is_constant") & facts.numbers("tensor", "depends_on_input")
    n_operators = taken(facts.lists("subgraph", "operators").lengths, facts.rows("tensor", "subgraph"), 0)
    found &= (always | ~_is_unused(facts)) & (n_operators > 0)
    return found


def _leaders(facts: Facts, is_activation: NDArray[np.bool_]) -> Ints:
    """For each tensor the first of those that share its memory: itself, but for views of others."""
    n = facts.n("tensor")
    producers = facts.rows("tensor", "producer")
    is_view = facts.is_one_of("operator", "opcode", set(table("in_place")["views"]))
    sources = np.where(taken(is_view, producers, False), taken(facts.rows("operator", "input"), producers, -1), -1)
    usable = (sources >= 0) & taken(is_activation, sources, False).astype(np.bool_) & is_activation
    usable &= taken(facts.rows("tensor", "subgraph"), sources, -1) == facts.rows("tensor", "subgraph")
    leader = np.where(usable, sources, np.arange(n))
    for _ in range(n.bit_length()):  # each turn halves a chain of views; a ring, in a broken file, has no leader at all
        leader = leader[leader]
    return leader


def _sizes(facts: Facts) -> NDArray[np.float64]:
    """Bytes of each tensor by its stored shape, NaN where nobody knows or nobody would believe it."""
    sizes = np.full(facts.n("tensor"), np.nan)
    known = np.ones(len(sizes), np.bool_)
    for name in ("n_bytes", "rank"):  # an empty shape of unknown rank is no scalar
        state = facts.column("tensor", name).state
        known &= state == 0 if state is not None else True
    column = facts.column("tensor", "n_bytes")
    assert isinstance(column, Scalars)
    known &= column.values < MAX_TENSOR_BYTES
    sizes[known] = column.values[known]
    return sizes
