"""The table of stored indices: all numbers in the file that index tensors, buffers, operator codes or subgraphs.

It does not contain the indices of signatures, which have rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import ABSENT, References, Scalars, Strings
from tflint.columns.table import Table
from tflint.facts.facts import Facts, values_at
from tflint.facts.graph.reachability import SUBGRAPH_OPTIONS
from tflint.values import frozen

Ints = NDArray[Any]


@frozen
class _Indices:
    """The indices stored in one field.

    `rows` are the rows of the table `owner` that store the indices. `values` are the indices. `limits` has one number
    per index: how many items it can point to. `optional` is true if the index -1 is valid and means "none".
    """

    field: str
    owner: str
    rows: Ints
    values: Ints
    limits: Ints
    optional: bool = False


def index_table(facts: Facts) -> Table:
    """Return all indices of all models. `owner_row` is the row that stores the index, in the table of its field."""
    parts = list(_collect_indices(facts))
    models = np.concatenate([facts.table(part.owner).model[part.rows] for part in parts])
    order = np.argsort(models, kind="stable").astype(np.int32) if facts.n("model") > 1 else None

    def concatenate(values: list[Any]) -> Ints:
        all_values = np.concatenate(values)
        return all_values if order is None else all_values[order]

    sizes = [len(part.rows) for part in parts]
    which = concatenate([np.repeat(np.arange(len(parts), dtype=np.int8), sizes)])
    owners = concatenate([part.rows.astype(np.int32) for part in parts])
    return Table(
        "index",
        concatenate([models.astype(np.int32)]),
        {
            "field": lambda: Strings(which, [f"{part.owner}.{part.field}" for part in parts]),
            "value": lambda: Scalars(concatenate([part.values for part in parts])),
            "limit": lambda: Scalars(concatenate([part.limits for part in parts])),
            "is_optional": lambda: Scalars(concatenate([np.full(len(p.rows), p.optional) for p in parts])),
            "owner_row": lambda: References(owners),
        },
    )


def _collect_indices(facts: Facts) -> Iterator[_Indices]:
    models = {name: facts.table(name).model for name in ("tensor", "operator", "metadata")}
    n_tensors = facts.lists("subgraph", "tensors").lengths
    counts = {name: facts.lists("model", name).lengths for name in ("buffers", "operator_codes", "subgraphs")}
    subgraph = facts.rows("operator", "subgraph")
    for direction in ("input", "output", "intermediate"):
        rows = np.flatnonzero(facts.is_one_of("operand", "direction", {direction}))
        limits = n_tensors[subgraph[facts.rows("operand", "operator")[rows]]]
        values = facts.numbers("operand", "tensor_index")[rows] if len(rows) else rows
        # LiteRT accepts -1 only among inputs; for an output, allocation fails (subgraph.cc).
        yield _Indices(f"{direction}s", "operand", rows, values, limits, optional=direction != "output")
    for table in ("input", "output"):
        rows = np.arange(facts.n(table))
        if len(rows):
            limits = n_tensors[facts.rows(table, "subgraph")]
            yield _Indices("tensor", table, rows, facts.numbers(table, "tensor_index"), limits)
    for table, field, limit in (
        ("tensor", "buffer", "buffers"),
        ("operator", "opcode_index", "operator_codes"),
        ("metadata", "buffer", "buffers"),
    ):
        rows = np.arange(facts.n(table))
        if len(rows):
            name = field if field.endswith("_index") else f"{field}_index"
            limits = counts[limit][models[table]]
            if table == "tensor":  # buffer 0 means "no data", even if the model has no buffers
                limits = np.maximum(limits, 1)
            yield _Indices(field, table, rows, facts.numbers(table, name), limits)
    yield from _subgraph_indices(facts, counts["subgraphs"])
    yield from _blockwise_indices(facts, n_tensors)


def _subgraph_indices(facts: Facts, n_subgraphs: Ints) -> Iterator[_Indices]:
    """Yield the indices of subgraphs in the options of control-flow operators."""
    models = facts.table("operator").model
    options = facts.tables.node("subgraphs.operators", "Operator").children.values()
    stored = {declared.name for node in options for declared in node.layout.fields}
    for field in [field for field in SUBGRAPH_OPTIONS if field in stored]:  # most models do not call subgraphs
        column = facts.column("operator", f"options.{field}")
        assert isinstance(column, Scalars)
        rows = np.flatnonzero(column.state != ABSENT) if column.state is not None else np.arange(len(models))
        if len(rows):
            yield _Indices(f"options.{field}", "operator", rows, column.values[rows], n_subgraphs[models[rows]])


def _blockwise_indices(facts: Facts, n_tensors: Ints) -> Iterator[_Indices]:
    """Yield the indices of the tensors that contain scales and zero points of blockwise or multi-axis quantization."""
    node = facts.tables.node("subgraphs.tensors", "Tensor")
    quantization = node.children.get("quantization")
    if quantization is None:
        return
    for member in ("BlockwiseQuantization", "MultiAxisQuantization"):
        child = quantization.children.get(f"details.{member}")
        if child is None:
            continue
        links = values_at(quantization.link(f"details.{member}"), node.link("quantization"), -1)
        rows = np.flatnonzero(links >= 0)
        for field in ("scales", "zero_points"):
            values = child.scalar(field)[links[rows]]
            limits = n_tensors[node.parents[rows]]
            yield _Indices(f"quantization.{field}", "tensor", rows, values, limits, optional=field == "zero_points")
