"""Facts about the uses of tensors: producers, consumers, first and last use, and whether an operand has a value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, References, Scalars, lists_by_owner, state_of
from tflint.facts.facts import Facts, values_at

Ints = NDArray[Any]


def is_input(facts: Facts) -> Scalars:
    """Return whether each tensor is an input of its subgraph."""
    return _is_in_table(facts, "input")


def is_output(facts: Facts) -> Scalars:
    """Return whether each tensor is an output of its subgraph."""
    return _is_in_table(facts, "output")


def _is_in_table(facts: Facts, table: str) -> Scalars:
    rows = facts.rows(table, "tensor")
    flags = np.zeros(facts.n("tensor"), dtype=np.bool_)
    flags[rows[rows >= 0]] = True
    return Scalars(flags)


def operand_rows(facts: Facts, direction: str) -> tuple[Ints, Ints]:
    """Return two arrays, the tensor row and the operator row of each operand, in order of execution.

    `direction` is "input", "output" or "intermediate". Operands of other directions and without a tensor are left out.
    """
    selected = facts.is_one_of("operand", "direction", {direction}) & (facts.rows("operand", "tensor") >= 0)
    return facts.rows("operand", "tensor")[selected], facts.rows("operand", "operator")[selected]


def producer(facts: Facts) -> References:
    """Return the first operator that writes each tensor, absent if no operator writes it."""
    tensors, operators = operand_rows(facts, "output")
    first = np.full(facts.n("tensor"), -1, dtype=np.int32)
    first[tensors[::-1]] = operators[::-1]  # of repeated indices, numpy keeps the last assignment: the first operator
    return References(first)


def producers(facts: Facts) -> Lists:
    """Return all operators that write each tensor."""
    return lists_by_owner(*operand_rows(facts, "output"), facts.n("tensor"))


def consumers(facts: Facts) -> Lists:
    """Return the operators that read each tensor."""
    return lists_by_owner(*operand_rows(facts, "input"), facts.n("tensor"))


def first_use(facts: Facts) -> Scalars:
    """Return the index of the first operator that writes or reads each tensor."""
    return _extreme_use(facts, np.minimum, np.iinfo(np.int64).max)


def last_use(facts: Facts) -> Scalars:
    """Return the index of the last operator that writes or reads each tensor."""
    return _extreme_use(facts, np.maximum, -1)


def _extreme_use(facts: Facts, better: np.ufunc, start: int) -> Scalars:
    tensors = facts.rows("operand", "tensor")
    order = facts.numbers("operator", "index").astype(np.int64)[facts.rows("operand", "operator")]
    extremes = np.full(facts.n("tensor"), start, dtype=np.int64)
    better.at(extremes, tensors[tensors >= 0], order[tensors >= 0])
    unused = extremes == start
    return Scalars(np.where(unused, 0, extremes), state_of(unused))


def connected_components(first: Ints, second: Ints, n_rows: int) -> Ints:
    """Return, for each row, the smallest row of its connected component.

    The pairs `first[k]`, `second[k]` are the edges between the rows 0 to `n_rows` - 1.
    """
    leader = np.arange(n_rows)
    while len(first):  # propagates the smallest row along the edges until nothing changes
        before = leader.copy()
        np.minimum.at(leader, second, leader[first])
        np.minimum.at(leader, first, leader[second])
        leader = leader[leader]
        if np.array_equal(before, leader):
            break
    return leader


def is_available(facts: Facts) -> Scalars:
    """Return whether each operator input has a value when the operator runs.

    A tensor without elements needs no value. For other inputs without data, LiteRT reports "Input tensor … lacks data"
    (subgraph.cc). The shape operand of RESHAPE is an exception: LiteRT may need only the shape of that tensor.
    """
    tensors, operators = facts.rows("operand", "tensor"), facts.rows("operand", "operator")
    always = (
        facts.numbers("tensor", "is_constant")
        | facts.numbers("tensor", "is_variable")
        | facts.numbers("tensor", "is_input")
        | (facts.numbers("tensor", "n_elements") == 0)
    )
    order = facts.numbers("operator", "index").astype(np.int64)
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    in_time = (producers >= 0) & (values_at(order, producers, 0) < order[operators])
    position = facts.numbers("operand", "position")
    is_shape = facts.is_one_of("operator", "opcode", {"RESHAPE"})[operators] & (position == 1)
    is_shape &= values_at(facts.lists("tensor", "shape").lengths, tensors, 1) != 1
    no_input = ~facts.is_one_of("operand", "direction", {"input"}) | (tensors < 0)
    return Scalars(values_at(always, tensors, False).astype(np.bool_) | in_time | is_shape, state_of(no_input))
