"""Lower bound of activation memory: the largest number of bytes that must be allocated while one operator runs.

If an operator can work in place, its output may reuse the memory of inputs that no later operator reads. Kernels need
additional memory (scratch buffers, padding, alignment). A delegate that fuses operators may need less memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.facts.facts import Facts, values_at
from tflint.resources import table
from tflint.summary.cell_values import find_dynamic_tensors, read_number, read_string, sort_unique
from tflint.summary.summary_values import Memory
from tflint.summary.tensor_lifetimes import Ints, Lifetimes, find_lifetimes


def compute_memory_bounds(facts: Facts, n_subgraphs: int) -> tuple[Memory, ...]:
    """Return the lower bound per subgraph, for the first `n_subgraphs` subgraphs in stored order."""
    lifetimes = find_lifetimes(facts)
    live = _count_live_bytes(facts, lifetimes)
    ends = np.cumsum(facts.lists("subgraph", "operators").lengths)
    counts = facts.lists("subgraph", "operators").lengths
    unknown, dynamic = _count_uncertain(facts, lifetimes)
    return tuple(
        _find_peak(facts, live, int(ends[row] - counts[row]), int(ends[row]), int(unknown[row]), int(dynamic[row]))
        for row in range(n_subgraphs)
    )


def _find_peak(facts: Facts, live: Ints, begin: int, end: int, unknown: int, dynamic: int) -> Memory:
    """Return the lower bound for one subgraph, which has the operators `begin` to `end` (exclusive)."""
    if not live[begin:end].any():
        return Memory(0, None, None, "", unknown, dynamic)
    peak = begin + int(np.argmax(live[begin:end]))
    output = int(facts.rows("operator", "output")[peak])
    return Memory(
        int(live[peak]),
        read_number(facts, "operator", "index", peak),
        read_string(facts, "operator", "custom_code", peak) or read_string(facts, "operator", "opcode", peak),
        (read_string(facts, "tensor", "name", output) or "") if output >= 0 else "",
        unknown,
        dynamic,
    )


def _count_live_bytes(facts: Facts, lifetimes: Lifetimes) -> Ints:
    """Return, per operator, the number of bytes that must be allocated while it runs."""
    n_operators = facts.n("operator")
    changes = np.zeros(n_operators + 1, dtype=np.int64)
    used = np.flatnonzero(lifetimes.bytes > 0)
    if n_operators:
        np.add.at(changes, lifetimes.first[used], lifetimes.bytes[used])
        np.subtract.at(changes, np.maximum(lifetimes.last[used], lifetimes.first[used]) + 1, lifetimes.bytes[used])
    live: Ints = np.cumsum(changes[:n_operators]) - _count_reusable_bytes(facts, lifetimes)
    return live


def _count_reusable_bytes(facts: Facts, lifetimes: Lifetimes) -> Ints:
    """Return, per operator, the bytes that it reuses in place: the smaller of what it frees and what it allocates."""
    operators = facts.rows("operand", "operator")
    leaders = values_at(lifetimes.leader, facts.rows("operand", "tensor"), -1)
    in_place = facts.is_one_of("operator", "opcode", set(table("in_place")["in_place"]))
    chosen = np.flatnonzero((leaders >= 0) & in_place[operators])
    operators, leaders = operators[chosen], leaders[chosen]
    is_output = facts.is_one_of("operand", "direction", {"output"})[chosen]
    is_freed = ~is_output & (lifetimes.last[leaders] == operators)
    is_allocated = is_output & (lifetimes.first[leaders] == operators)
    freed, allocated = (
        _count_bytes(operators[mask], leaders[mask], lifetimes, facts.n("operator"))
        for mask in (is_freed, is_allocated)
    )
    return np.minimum(freed, allocated)


def _count_bytes(operators: Ints, leaders: Ints, lifetimes: Lifetimes, n_operators: int) -> Ints:
    """Return the bytes per operator. A memory block counts once per operator, because MUL may read a tensor twice."""
    pairs = sort_unique(operators.astype(np.int64) * len(lifetimes.leader) + leaders)
    operators, leaders = np.divmod(pairs, max(len(lifetimes.leader), 1))
    totals = np.bincount(operators, weights=lifetimes.bytes[leaders], minlength=n_operators)
    return totals.astype(np.int64)


def _count_uncertain(facts: Facts, lifetimes: Lifetimes) -> tuple[Ints, Ints]:
    """Return, per subgraph, the number of activations of unknown size and of activations with a dynamic dimension."""
    is_activation = lifetimes.leader >= 0
    return (
        _count_per_subgraph(facts, is_activation & np.isnan(lifetimes.sizes)),
        _count_per_subgraph(facts, is_activation & find_dynamic_tensors(facts)),
    )


def _count_per_subgraph(facts: Facts, is_counted: NDArray[np.bool_]) -> Ints:
    return np.bincount(facts.rows("tensor", "subgraph")[is_counted], minlength=facts.n("subgraph"))
