"""Facts of reachability: what an output needs, what depends on an input, which subgraphs are ever run."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import ABSENT, Scalars
from tflint.facts.facts import Facts

#: Operators that act on something beside their outputs (variables, tables, other subgraphs).
_EFFECTS = {"ASSIGN_VARIABLE", "CALL_ONCE", "CALL", "HASHTABLE_IMPORT", "WHILE", "IF", "CUSTOM", "DELEGATE"}
#: Fields of operator options that name a subgraph.
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
    """Whether an output of the operator's subgraph depends on it, or it has effects of its own."""
    needed = facts.numbers("tensor", "is_output").tolist()
    effects = facts.is_one_of("operator", "opcode", _EFFECTS).tolist()
    variables = facts.numbers("tensor", "is_variable").tolist()
    inputs, outputs = _rows(facts, "inputs"), _rows(facts, "outputs")
    reaches = np.zeros(facts.n("operator"), dtype=np.bool_)
    for operator in range(len(reaches) - 1, -1, -1):  # stored order is execution order: one pass backwards
        made, read = outputs[operator], inputs[operator]
        if effects[operator] or any(needed[t] for t in made) or any(variables[t] for t in read):
            reaches[operator] = True
            for tensor in read:
                needed[tensor] = True
    return Scalars(reaches)


def depends_on_input(facts: Facts) -> Scalars:
    """Whether a tensor's value depends on an input of its subgraph."""
    depends = (facts.numbers("tensor", "is_input") | facts.numbers("tensor", "is_variable")).tolist()
    for read, made in zip(_rows(facts, "inputs"), _rows(facts, "outputs"), strict=True):
        if any(depends[tensor] for tensor in read):
            for tensor in made:
                depends[tensor] = True
    return Scalars(np.array(depends, dtype=np.bool_))


def _rows(facts: Facts, name: str) -> list[list[int]]:
    """The operands of every operator as Python's lists: a walk asks for them one by one, where arrays are slow."""
    lists = facts.lists("operator", name)
    values, lengths = lists.flatten(np.arange(len(lists)))
    flat, ends = values.tolist(), np.cumsum(lengths).tolist()
    return [flat[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def subgraph_reachable(facts: Facts) -> Scalars:
    """Whether a subgraph is the first, has a signature, or is called by a reachable one."""
    reachable = facts.numbers("subgraph", "is_entry").copy()
    callers, callees = subgraph_calls(facts)
    while True:
        before = int(reachable.sum())
        reachable[callees[reachable[callers]]] = True
        if int(reachable.sum()) == before:
            return Scalars(reachable)


def subgraph_entry(facts: Facts) -> Scalars:
    """Whether callers call a subgraph: it is the first, or has a signature."""
    entry = facts.numbers("subgraph", "index") == 0
    signed = facts.rows("signature", "subgraph")
    entry[signed[signed >= 0]] = True
    return Scalars(entry)


def subgraph_calls(facts: Facts) -> tuple[np.ndarray, np.ndarray]:
    """Rows of calling and called subgraphs, one pair a call."""
    callers, callees = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    owners = facts.rows("operator", "subgraph")
    models = facts.table("operator").model
    for field in SUBGRAPH_OPTIONS:
        column = facts.column("operator", f"options.{field}")
        assert isinstance(column, Scalars)
        there = np.ones(len(owners), dtype=np.bool_) if column.state is None else column.state != ABSENT
        called = facts.tables.model_rows("subgraphs", column.values[there], models[there])
        callers.append(owners[there][called >= 0])
        callees.append(called[called >= 0])
    return np.concatenate(callers), np.concatenate(callees)
