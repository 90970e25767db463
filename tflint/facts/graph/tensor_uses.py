"""Facts of the graph: who makes and who reads a tensor, when, and whether it is there in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, References, Scalars, lists_by_owner, state_of
from tflint.facts.facts import Facts, taken

Ints = NDArray[Any]


def is_input(facts: Facts) -> Scalars:
    """Whether a tensor is an input of its subgraph."""
    return _is_border(facts, "input")


def is_output(facts: Facts) -> Scalars:
    """Whether a tensor is an output of its subgraph."""
    return _is_border(facts, "output")


def _is_border(facts: Facts, table: str) -> Scalars:
    rows = facts.rows(table, "tensor")
    found = np.zeros(facts.n("tensor"), dtype=np.bool_)
    found[rows[rows >= 0]] = True
    return Scalars(found)


def uses(facts: Facts, direction: str) -> tuple[Ints, Ints]:
    """Tensor and operator rows of all operands of a direction that name a tensor, in order of execution."""
    wanted = facts.is_one_of("operand", "direction", {direction}) & (facts.rows("operand", "tensor") >= 0)
    return facts.rows("operand", "tensor")[wanted], facts.rows("operand", "operator")[wanted]


def producer(facts: Facts) -> References:
    """The first operator that has a tensor as output."""
    tensors, operators = uses(facts, "output")
    first = np.full(facts.n("tensor"), -1, dtype=np.int32)
    first[tensors[::-1]] = operators[::-1]
    return References(first)


def producers(facts: Facts) -> Lists:
    """All operators that have a tensor as output."""
    return lists_by_owner(*uses(facts, "output"), facts.n("tensor"))


def consumers(facts: Facts) -> Lists:
    """Operators that have a tensor as input."""
    return lists_by_owner(*uses(facts, "input"), facts.n("tensor"))


def first_use(facts: Facts) -> Scalars:
    """Index of the first operator that makes or reads a tensor."""
    return _use(facts, np.minimum, np.iinfo(np.int64).max)


def last_use(facts: Facts) -> Scalars:
    """Index of the last operator that makes or reads a tensor."""
    return _use(facts, np.maximum, -1)


def _use(facts: Facts, better: np.ufunc, start: int) -> Scalars:
    tensors = facts.rows("operand", "tensor")
    order = facts.numbers("operator", "index").astype(np.int64)[facts.rows("operand", "operator")]
    found = np.full(facts.n("tensor"), start, dtype=np.int64)
    better.at(found, tensors[tensors >= 0], order[tensors >= 0])
    unused = found == start
    return Scalars(np.where(unused, 0, found), state_of(unused))


def connected(first: Ints, second: Ints, n_rows: int) -> Ints:
    """For each of some rows the smallest one that it hangs together with, through pairs of rows."""
    leader = np.arange(n_rows)
    while len(first):  # the smallest row of a chain spreads until nothing changes
        before = leader.copy()
        np.minimum.at(leader, second, leader[first])
        np.minimum.at(leader, first, leader[second])
        leader = leader[leader]
        if np.array_equal(before, leader):
            break
    return leader


def is_available(facts: Facts) -> Scalars:
    """Whether an operator's input has a value when the operator runs.

    A tensor without elements needs none. LiteRT stops at one without data with "Input tensor … lacks data", except at
    RESHAPE's shape operand, of which it may need the shape only (subgraph.cc).
    """
    tensors, operators = facts.rows("operand", "tensor"), facts.rows("operand", "operator")
    always = (
        facts.numbers("tensor", "is_constant")
        | facts.numbers("tensor", "is_variable")
        | facts.numbers("tensor", "is_input")
        | (facts.numbers("tensor", "n_elements") == 0)
    )
    order = facts.numbers("operator", "index").astype(np.int64)
    made = taken(facts.rows("tensor", "producer"), tensors, -1)
    in_time = (made >= 0) & (taken(order, made, 0) < order[operators])
    position = facts.numbers("operand", "position")
    is_shape = facts.is_one_of("operator", "opcode", {"RESHAPE"})[operators] & (position == 1)
    is_shape &= taken(facts.lists("tensor", "shape").lengths, tensors, 1) != 1
    no_input = ~facts.is_one_of("operand", "direction", {"input"}) | (tensors < 0)
    return Scalars(taken(always, tensors, False).astype(np.bool_) | in_time | is_shape, state_of(no_input))
