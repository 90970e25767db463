"""Facts of inputs that a caller can take for each other without anything to notice it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from tflint.columns.column import Scalars, state_of, text_of
from tflint.facts.facts import Facts


def has_twin(facts: Facts) -> Scalars:
    """Whether another input of the same subgraph has the type and shape of the one that an entry is about."""
    matched = facts.rows("contract_input", "input")
    looks = [_look(facts, row) for row in range(facts.n("input"))]
    numbers = Counter(looks)
    found = [row >= 0 and numbers[looks[row]] > 1 for row in matched.tolist()]
    return Scalars(np.array(found, dtype=np.bool_), state_of(matched < 0))


def _look(facts: Facts, row: int) -> tuple[object, ...]:
    """What a caller sees of an input; of one without a tensor nothing that another has."""
    tensor = int(facts.rows("input", "tensor")[row])
    if tensor < 0:
        return (row,)
    shape = tuple(facts.lists("tensor", "shape").row(tensor))
    return (int(facts.rows("input", "subgraph")[row]), text_of(facts.column("tensor", "dtype"), tensor), shape)
