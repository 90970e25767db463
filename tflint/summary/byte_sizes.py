"""Sizes of the parts of a model: constants by type and subgraph, other buffers, external files, trailing data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.summary.cell_values import MAX_LISTED, read_number, read_string, sort_unique
from tflint.summary.summary_values import Sizes

Ints = NDArray[Any]


def measure_sizes(facts: Facts) -> Sizes:
    """Return the sizes of a model's parts, in bytes."""
    n_bytes = facts.numbers("buffer", "n_bytes")
    first = _find_first_tensors(facts)
    constants = first >= 0
    return Sizes(
        read_number(facts, "model", "size", 0),
        int(n_bytes[constants].sum()),
        _sum_by_dtype(facts, first),
        int(n_bytes[~constants].sum()),
        read_number(facts, "model", "tail_bytes", 0),
        read_string(facts, "model", "tail", 0) or "none",
        _read_external(facts),
    )


def count_constant_bytes(facts: Facts) -> Ints:
    """Return the bytes of constants per subgraph. A buffer that several constants share counts once per subgraph."""
    buffers, constant = facts.rows("tensor", "buffer"), facts.numbers("tensor", "is_constant")
    chosen = constant & (buffers >= 0)
    pairs = sort_unique(
        facts.rows("tensor", "subgraph")[chosen].astype(np.int64) * (facts.n("buffer") + 1) + buffers[chosen]
    )
    owners, buffers = np.divmod(pairs, facts.n("buffer") + 1)
    totals = np.bincount(owners, weights=facts.numbers("buffer", "n_bytes")[buffers], minlength=facts.n("subgraph"))
    return totals.astype(np.int64)


def _find_first_tensors(facts: Facts) -> Ints:
    """Return, per buffer, the first tensor that uses it, or -1 if no tensor does."""
    buffers, constant = facts.rows("tensor", "buffer"), facts.numbers("tensor", "is_constant")
    first = np.full(facts.n("buffer"), -1, dtype=np.int64)
    tensors = np.flatnonzero(constant & (buffers >= 0))[::-1]
    first[buffers[tensors]] = tensors
    return first


def _sum_by_dtype(facts: Facts, first: Ints) -> tuple[tuple[str, int], ...]:
    """Return the bytes of constants per type, largest first. The first tensor of a buffer determines its type."""
    dtypes = facts.strings("tensor", "dtype")
    used = np.flatnonzero(first >= 0)
    codes = np.asarray(dtypes.codes)[first[used]]
    totals = np.bincount(codes, weights=facts.numbers("buffer", "n_bytes")[used], minlength=len(dtypes.labels))
    sizes = [(dtypes.labels[code], int(totals[code])) for code in np.flatnonzero(totals).tolist()]
    return tuple(sorted(sizes, key=lambda pair: (-pair[1], pair[0])))


def _read_external(facts: Facts) -> tuple[tuple[str, int], ...]:
    """Return the names of external files, each with the number of bytes that the model uses in it."""
    groups = facts.numbers("external_buffer", "group").astype(np.int64)
    n_groups = facts.n("external_buffer_group")
    inside = (groups >= 0) & (groups < n_groups)
    lengths = facts.numbers("external_buffer", "length").astype(np.float64)
    totals = np.bincount(groups[inside], weights=lengths[inside], minlength=n_groups)
    names = facts.column("external_buffer_group", "name")
    return tuple((text_of(names, row) or "", int(totals[row])) for row in range(min(n_groups, MAX_LISTED)))
