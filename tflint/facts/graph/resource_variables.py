"""Facts about resource variables: those that the model reads, but never writes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Texts, lists_by_owner
from tflint.facts.facts import Facts, require_budget, values_at
from tflint.facts.graph.tensor_uses import operand_rows

Ints = NDArray[Any]
Truths = NDArray[np.bool_]

#: Operators that take the handle of a variable without writing the variable. Control flow passes the handle to another
#: subgraph; there, the handle of an ASSIGN_VARIABLE is not the output of a VAR_HANDLE.
_DO_NOT_WRITE = {"READ_VARIABLE", "CALL", "CALL_ONCE", "IF", "WHILE", "STABLEHLO_COMPOSITE"}


def unassigned_variables(facts: Facts) -> Lists:
    """Return, per model, the first VAR_HANDLE of each variable that a READ_VARIABLE reads and no operator writes."""
    handles = np.flatnonzero(facts.is_one_of("operator", "opcode", {"VAR_HANDLE"}))
    models = facts.table("operator").model
    if not len(handles):
        return lists_by_owner(handles, handles, facts.n("model"))
    variables = np.full(facts.n("operator"), -1, dtype=np.int64)
    variables[handles] = _variable_numbers(facts, handles)
    tensors, users = operand_rows(facts, "input")
    taken = values_at(
        variables, values_at(facts.rows("tensor", "producer"), tensors, -1), -1
    )  # variable of each operand
    is_read, is_written = (
        _mark_variables(taken, chosen[users], len(handles))
        for chosen in (
            facts.is_one_of("operator", "opcode", {"READ_VARIABLE"}),
            ~facts.is_one_of("operator", "opcode", _DO_NOT_WRITE),
        )
    )
    first = np.full(len(handles), -1, dtype=np.int64)
    first[variables[handles[::-1]]] = handles[::-1]  # of repeated indices, numpy keeps the last assignment
    unassigned = first[is_read & ~is_written]
    unassigned = unassigned[~_writes_unknown_variables(facts, tensors, users, taken)[models[unassigned]]]
    return lists_by_owner(models[unassigned], unassigned, facts.n("model"))


def _variable_numbers(facts: Facts, handles: Ints) -> Ints:
    """Return the number of the variable of each VAR_HANDLE. Within a model, container and name identify a variable."""
    container, name = (facts.column("operator", f"options.{field}") for field in ("container", "shared_name"))
    assert isinstance(container, Texts)
    assert isinstance(name, Texts)
    require_budget(int(container.lengths[handles].sum() + name.lengths[handles].sum()), "bytes of variable names")
    models = facts.table("operator").model
    numbers: dict[object, int] = {}
    keys = ((int(models[row]), container.text(row), name.text(row)) for row in handles.tolist())
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _mark_variables(taken: Ints, chosen: Truths, n: int) -> Truths:
    """Return, per variable, whether one of the chosen operands takes it. `n` is at least the number of variables."""
    marks = np.zeros(n, dtype=np.bool_)
    marks[taken[chosen & (taken >= 0)]] = True
    return marks


def _writes_unknown_variables(facts: Facts, tensors: Ints, users: Ints, taken: Ints) -> Truths:
    """Return whether each model has an ASSIGN_VARIABLE whose handle does not come from a VAR_HANDLE."""
    assigns = facts.is_one_of("operator", "opcode", {"ASSIGN_VARIABLE"})[users]
    is_handle = facts.is_one_of("tensor", "dtype", {"RESOURCE"})[tensors]
    marks = np.zeros(facts.n("model"), dtype=np.bool_)
    marks[facts.table("operator").model[users[assigns & is_handle & (taken < 0)]]] = True
    return marks
