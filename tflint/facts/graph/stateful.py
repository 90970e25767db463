"""Facts about state that a model keeps between invocations."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars
from tflint.facts.facts import Facts

#: Operators that create, read or write a resource variable.
_VARIABLES = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}


def is_stateful(facts: Facts) -> Scalars:
    """Return whether each model has variable tensors or resource variables."""
    stateful = np.zeros(facts.n("model"), dtype=np.bool_)
    stateful[facts.table("tensor").model[facts.numbers("tensor", "is_variable")]] = True
    stateful[facts.table("operator").model[facts.is_one_of("operator", "opcode", _VARIABLES)]] = True
    return Scalars(stateful)
