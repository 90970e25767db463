"""Finds the rows of the main subgraph, the one that runtimes run if no signature is named."""

from __future__ import annotations

from tflint.facts.facts import Facts


def main_subgraph(facts: Facts, model: int) -> int:
    """Return the row of a model's first subgraph, or -1 if it has none."""
    rows = facts.table("subgraph").rows_of(model)
    return rows.start if rows.stop > rows.start else -1


def tensor_row(facts: Facts, model: int, index: int) -> int:
    """Return the row of a tensor of the main subgraph by its index, or -1 if there is none."""
    subgraph = main_subgraph(facts, model)
    rows = facts.table("tensor").rows_of(model)
    row = rows.start + index  # the tensors of the first subgraph come first
    is_valid = index >= 0 and row < rows.stop and int(facts.rows("tensor", "subgraph")[row]) == subgraph
    return row if is_valid else -1
