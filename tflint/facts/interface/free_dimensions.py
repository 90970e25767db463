"""Facts about free dimensions: dimensions that client code may resize, with a size of -1 in the shape signature."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars
from tflint.facts.facts import Facts


def has_free_input(facts: Facts) -> Scalars:
    """Return whether an input of each subgraph has a free dimension."""
    rows = np.flatnonzero(facts.rows("input", "tensor") >= 0)
    sizes, lengths = facts.lists("tensor", "shape_signature").flatten(facts.rows("input", "tensor")[rows])
    owners = facts.rows("input", "subgraph")[np.repeat(rows, lengths)]
    free = np.zeros(facts.n("subgraph"), dtype=np.bool_)
    free[owners[sizes < 0]] = True
    return Scalars(free)
