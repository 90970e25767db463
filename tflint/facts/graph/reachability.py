"""Facts about reachability: operators that outputs need, tensors that depend on inputs, subgraphs that can run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import ABSENT, Scalars
from tflint.facts.facts import Facts

#: Operators with side effects: they change variables or tables, or call other subgraphs.
_SIDE_EFFECTS = {"ASSIGN_VARIABLE", "CALL_ONCE", "CALL", "HASHTABLE_IMPORT", "WHILE", "IF", "CUSTOM", "DELEGATE"}
#: Fields of operator options that hold the index of a subgraph.
SUBGRAPH_OPTIONS = (
    "then_subgraph_index",
    "else_subgraph_index",
    "cond_subgraph_index",
    "body_subgraph_index",
    "init_subgraph_index",
    "decomposition_subgraph_index",
    "subgraph",
)


def reaches_output(facts: Facts) -> Scalars:
    """Return whether each operator is needed: an output of its subgraph depends on it, or it has side effects."""
    needed = facts.numbers("tensor", "is_output").tolist()
    effects = facts.is_one_of("operator", "opcode", _SIDE_EFFECTS).tolist()
    variables = facts.numbers("tensor", "is_variable").tolist()
    inputs, outputs = _operand_lists(facts, "inputs"), _operand_lists(facts, "outputs")
    reaches = np.zeros(facts.n("operator"), dtype=np.bool_)
    for operator in range(len(reaches) - 1, -1, -1):  # one pass is enough: the stored order is the execution order
        reads, writes = inputs[operator], outputs[operator]
        if effects[operator] or any(needed[t] for t in writes) or any(variables[t] for t in reads):
            reaches[operator] = True
            for tensor in reads:
                needed[tensor] = True
    return Scalars(reaches)


def depends_on_input(facts: Facts) -> Scalars:
    """Return whether each tensor's value depends on an input of its subgraph."""
    depends = (facts.numbers("tensor", "is_input") | facts.numbers("tensor", "is_variable")).tolist()
    for reads, writes in zip(_operand_lists(facts, "inputs"), _operand_lists(facts, "outputs"), strict=True):
        if any(depends[tensor] for tensor in reads):
            for tensor in writes:
                depends[tensor] = True
    return Scalars(np.array(depends, dtype=np.bool_))


def _operand_lists(facts: Facts, name: str) -> list[list[int]]:
    """Return the operands of each operator as Python lists, which are faster than arrays to read one by one."""
    lists = facts.lists("operator", name)
    values, lengths = lists.flatten(np.arange(len(lists)))
    flat, ends = values.tolist(), np.cumsum(lengths).tolist()
    return [flat[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def is_reachable(facts: Facts) -> Scalars:
    """Return whether each subgraph is the first, has a signature, or is called by a reachable subgraph."""
    return Scalars(_reachable_by(facts, SUBGRAPH_OPTIONS))


def runs_repeatedly(facts: Facts) -> NDArray[np.bool_]:
    """Return whether each subgraph can run in every invocation. A subgraph that only CALL_ONCE calls runs once."""
    return _reachable_by(facts, [option for option in SUBGRAPH_OPTIONS if option != "init_subgraph_index"])


def _reachable_by(facts: Facts, options: Sequence[str]) -> NDArray[np.bool_]:
    """Return whether each subgraph is an entry, or is called by a reachable subgraph through one of `options`."""
    reachable: NDArray[np.bool_] = facts.numbers("subgraph", "is_entry").astype(np.bool_)
    callers, callees = subgraph_calls(facts, options)
    while True:
        before = int(reachable.sum())
        reachable[callees[reachable[callers]]] = True
        if int(reachable.sum()) == before:
            return reachable


def is_entry(facts: Facts) -> Scalars:
    """Return whether client code can run each subgraph: it is the first or has a signature."""
    entry = facts.numbers("subgraph", "index") == 0
    with_signature = facts.rows("signature", "subgraph")
    entry[with_signature[with_signature >= 0]] = True
    return Scalars(entry)


def subgraph_calls(facts: Facts, options: Sequence[str] = SUBGRAPH_OPTIONS) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of calling and called subgraphs, one pair per call through one of the operator options."""
    callers, callees = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    owners = facts.rows("operator", "subgraph")
    models = facts.table("operator").model
    for field in options:
        column = facts.column("operator", f"options.{field}")
        assert isinstance(column, Scalars)
        has_option = np.ones(len(owners), dtype=np.bool_) if column.state is None else column.state != ABSENT
        rows = facts.tables.model_rows("subgraphs", column.values[has_option], models[has_option])
        callers.append(owners[has_option][rows >= 0])
        callees.append(rows[rows >= 0])
    return np.concatenate(callers), np.concatenate(callees)
