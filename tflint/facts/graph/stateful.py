"""Facts of what a model keeps from one call to the next."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars
from tflint.facts.facts import Facts

#: Operators that hold, read or write a resource.
_VARIABLES = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}


def is_stateful(facts: Facts) -> Scalars:
    """Whether a model has variable tensors or resource variables."""
    found = np.zeros(facts.n("model"), dtype=np.bool_)
    found[facts.table("tensor").model[facts.numbers("tensor", "is_variable")]] = True
    found[facts.table("operator").model[facts.is_one_of("operator", "opcode", _VARIABLES)]] = True
    return Scalars(found)
