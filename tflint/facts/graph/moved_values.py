"""Facts that follow values through operators that only move them, such as RESHAPE and TRANSPOSE."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import References
from tflint.facts.facts import Facts, first_elements, values_at

Ints = NDArray[Any]

#: Operators whose outputs contain only values of their first input.
_MOVES = {
    "BATCH_TO_SPACE_ND", "BROADCAST_TO", "DEPTH_TO_SPACE", "EXPAND_DIMS", "GATHER", "GATHER_ND", "RESHAPE",
    "REVERSE_V2", "SLICE", "SPACE_TO_DEPTH", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK",
}  # fmt: skip
#: Each step doubles the distance that is followed, so no graph needs more steps. The limit ends cycles.
_MAX_STEPS = 40


def origin(facts: Facts) -> References:
    """Return the operator that computes the values of each tensor."""
    producers = facts.rows("tensor", "producer")
    sources = values_at(facts.rows("operator", "input"), np.where(_moves(facts, producers), producers, -1), -1)
    return References(producers[_follow(sources)])


def destination(facts: Facts) -> References:
    """Return the first operator that uses the values of each tensor."""
    consumers = facts.lists("tensor", "consumers")
    first = first_elements(consumers, np.arange(len(consumers)), -1).astype(np.int64)
    is_moved = _moves(facts, first) & (values_at(facts.rows("operator", "input"), first, -1) == np.arange(len(first)))
    moved = np.where(is_moved & (consumers.lengths == 1), first, -1)
    return References(first[_follow(values_at(facts.rows("operator", "output"), moved, -1))].astype(np.int32))


def _moves(facts: Facts, operators: Ints) -> NDArray[np.bool_]:
    moves: NDArray[np.bool_] = values_at(facts.is_one_of("operator", "opcode", _MOVES), operators, False)
    return moves.astype(np.bool_)


def _follow(following: Ints) -> Ints:
    """Return the last tensor on the path of each tensor; `following` is the next one on the path, or -1 at its end."""
    ends = np.where(following < 0, np.arange(len(following)), following)
    for _ in range(_MAX_STEPS):
        further = ends[ends]
        if np.array_equal(further, ends):
            break
        ends = further
    return ends
