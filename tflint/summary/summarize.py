"""Brings the parts of a portrait together."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.summary.activation_memory import memories
from tflint.summary.byte_sizes import constant_bytes, sizes
from tflint.summary.cell_values import MAX_LISTED, number, text
from tflint.summary.file_statements import about
from tflint.summary.interface_summary import conversions, inputs_of, outputs_of
from tflint.summary.model_state import variables
from tflint.summary.oldest_runtime import needs
from tflint.summary.operator_counts import operator_counts
from tflint.summary.signature_list import signatures
from tflint.summary.summary_values import Portrait, Subgraph


def portrait_of(facts: Facts, path: str) -> Portrait:
    """The portrait of the one model whose facts these are; `path` is what it is called.

    Raises ValueError where the facts are not those of exactly one readable model, `FactError` where a fact crashes.
    """
    if facts.tables.n_models != 1:
        raise ValueError(f"a portrait shows one readable model, not {facts.tables.n_models}")
    operators = operator_counts(facts)
    return Portrait(
        path=path,
        scheme=text(facts, "model", "scheme", 0) or "",
        conversions=conversions(facts),
        n_operators=number(facts, "model", "n_operators", 0),
        n_tensors=number(facts, "model", "n_tensors", 0),
        n_subgraphs=facts.n("subgraph"),
        sizes=sizes(facts),
        needs=needs(operators),
        operators=operators,
        signatures=signatures(facts),
        subgraphs=_subgraphs(facts),
        variables=variables(facts),
        about=about(facts),
    )


def _subgraphs(facts: Facts) -> tuple[Subgraph, ...]:
    """The subgraphs, with the border of those that callers call: the first, and those that have a signature."""
    n = min(facts.n("subgraph"), MAX_LISTED)
    constants, bounds = constant_bytes(facts), memories(facts, n)
    lengths = {name: facts.lists("subgraph", name).lengths for name in ("operators", "tensors")}
    border = {name: facts.rows(name, "subgraph") for name in ("input", "output")}
    is_entry = facts.numbers("subgraph", "is_entry")
    return tuple(
        Subgraph(
            number(facts, "subgraph", "index", row),
            text(facts, "subgraph", "name", row) or "",
            int(lengths["operators"][row]),
            int(lengths["tensors"][row]),
            int((border["input"] == row).sum()),
            int((border["output"] == row).sum()),
            int(constants[row]),
            bounds[row],
            inputs_of(facts, row) if is_entry[row] else (),
            outputs_of(facts, row) if is_entry[row] else (),
        )
        for row in range(n)
    )
