"""Facts about state that a model keeps between invocations."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars
from tflint.facts.facts import Facts
from tflint.facts.graph.reachability import runs_repeatedly


def is_stateful(facts: Facts) -> Scalars:
    """Return whether each model has variable tensors, or assigns resource variables in invocations.

    A model that only reads resource variables keeps no state. Neither does a model that assigns them once, before the
    first invocation (CALL_ONCE): its variables are constants.
    """
    stateful = np.zeros(facts.n("model"), dtype=np.bool_)
    stateful[facts.table("tensor").model[facts.numbers("tensor", "is_variable")]] = True
    assigns = facts.is_one_of("operator", "opcode", {"ASSIGN_VARIABLE"})
    if np.count_nonzero(assigns):
        assigns &= runs_repeatedly(facts)[facts.rows("operator", "subgraph")]
        stateful[facts.table("operator").model[assigns]] = True
    return Scalars(stateful)
