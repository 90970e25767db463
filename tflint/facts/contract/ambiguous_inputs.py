"""Facts about inputs that client code can swap without an error: they have the same type and shape."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tflint.columns.column import Scalars, state_of, text_of
from tflint.facts.facts import Facts


def has_twin(facts: Facts) -> Scalars:
    """Return, for each entry, whether another input of the subgraph has the type and shape of the entry's input."""
    rows = facts.rows("contract_input", "input")
    keys = [_type_and_shape(facts, row) for row in range(facts.n("input"))]
    counts = Counter(keys)
    twins = [row >= 0 and counts[keys[row]] > 1 for row in rows.tolist()]
    return Scalars(np.array(twins, dtype=np.bool_), state_of(rows < 0))


def _type_and_shape(facts: Facts, row: int) -> tuple[object, ...]:
    """Return the subgraph, type and shape of an input. For an input without a tensor, return a unique key."""
    tensor = int(facts.rows("input", "tensor")[row])
    if tensor < 0:
        return (row,)
    shape = tuple(facts.lists("tensor", "shape").row(tensor))
    return (int(facts.rows("input", "subgraph")[row]), text_of(facts.column("tensor", "dtype"), tensor), shape)
