"""A lower bound of the memory that activations take: the most bytes that must be there while one operator runs.

Where an operator can work in place, the smaller of what dies and what is born at it counts once. What kernels need
besides (scratch, padding, alignment) comes on top; a delegate that fuses operators may need less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.facts.facts import Facts, taken
from tflint.resources import table
from tflint.summary.cell_values import read_number, read_string, sort_unique
from tflint.summary.summary_values import Memory
from tflint.summary.tensor_lifetimes import Ints, Lifetimes, find_lifetimes


def compute_memory_bounds(facts: Facts, n_subgraphs: int) -> tuple[Memory, ...]:
    """The bounds of the first subgraphs, in stored order."""
    spans = find_lifetimes(facts)
    live = _live(facts, spans)
    ends = np.cumsum(facts.lists("subgraph", "operators").lengths)
    counts = facts.lists("subgraph", "operators").lengths
    unknown, dynamic = _doubtful(facts, spans)
    return tuple(
        _memory(facts, live, int(ends[row] - counts[row]), int(ends[row]), int(unknown[row]), int(dynamic[row]))
        for row in range(n_subgraphs)
    )


def _memory(facts: Facts, live: Ints, begin: int, end: int, unknown: int, dynamic: int) -> Memory:
    """The bound over the operators from `begin` to before `end`."""
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


def _live(facts: Facts, spans: Lifetimes) -> Ints:
    """Bytes that must be there while each operator runs."""
    n_operators = facts.n("operator")
    changes = np.zeros(n_operators + 1, dtype=np.int64)
    there = np.flatnonzero(spans.bytes > 0)
    if n_operators:
        np.add.at(changes, spans.first[there], spans.bytes[there])
        np.subtract.at(changes, np.maximum(spans.last[there], spans.first[there]) + 1, spans.bytes[there])
    live: Ints = np.cumsum(changes[:n_operators]) - _shared(facts, spans)
    return live


def _shared(facts: Facts, spans: Lifetimes) -> Ints:
    """Bytes that an operator that can work in place need not have twice: the less of what dies and what is born."""
    operators, of = facts.rows("operand", "operator"), taken(spans.of, facts.rows("operand", "tensor"), -1)
    in_place = facts.is_one_of("operator", "opcode", set(table("in_place")["in_place"]))
    chosen = np.flatnonzero((of >= 0) & in_place[operators])
    operators, of = operators[chosen], of[chosen]
    is_output = facts.is_one_of("operand", "direction", {"output"})[chosen]
    dying = ~is_output & (spans.last[of] == operators)
    born = is_output & (spans.first[of] == operators)
    freed, needed = (_bytes_at(operators[some], of[some], spans, facts.n("operator")) for some in (dying, born))
    return np.minimum(freed, needed)


def _bytes_at(operators: Ints, stretches: Ints, spans: Lifetimes, n_operators: int) -> Ints:
    """Bytes of the stretches at each operator, each once: MUL may read one tensor twice."""
    pairs = sort_unique(operators.astype(np.int64) * len(spans.of) + stretches)
    operators, stretches = np.divmod(pairs, max(len(spans.of), 1))
    totals = np.bincount(operators, weights=spans.bytes[stretches], minlength=n_operators)
    return totals.astype(np.int64)


def _doubtful(facts: Facts, spans: Lifetimes) -> tuple[Ints, Ints]:
    """For each subgraph, how many activations have no known size, and how many a dimension that is not fixed."""
    signatures = facts.lists("tensor", "shape_signature")
    sizes, lengths = signatures.flatten(np.arange(len(signatures)))
    loose = np.bincount(np.repeat(np.arange(len(signatures)), lengths)[sizes < 0], minlength=len(signatures)) > 0
    return _per_subgraph(facts, (spans.of >= 0) & np.isnan(spans.sizes)), _per_subgraph(facts, (spans.of >= 0) & loose)


def _per_subgraph(facts: Facts, chosen: NDArray[np.bool_]) -> Ints:
    return np.bincount(facts.rows("tensor", "subgraph")[chosen], minlength=facts.n("subgraph"))
