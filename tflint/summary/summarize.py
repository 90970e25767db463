"""Builds the summary of a model from its facts."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.summary.activation_memory import compute_memory_bounds
from tflint.summary.byte_sizes import count_constant_bytes, measure_sizes
from tflint.summary.cell_values import MAX_LISTED, read_number, read_string
from tflint.summary.computation import count_macs, count_parameters
from tflint.summary.file_statements import read_statements
from tflint.summary.interface_summary import find_conversions, read_inputs, read_outputs
from tflint.summary.model_state import find_variables
from tflint.summary.oldest_runtime import find_requirements
from tflint.summary.operator_counts import count_operators
from tflint.summary.signature_list import read_signatures
from tflint.summary.summary_values import Subgraph, Summary


def summarize(facts: Facts, path: str) -> Summary:
    """Return the summary of the only model in `facts`. `path` is the path of the model to show.

    Raises `ValueError` if the facts do not cover exactly one readable model, and `FactError` if a fact crashes.
    """
    if facts.tables.n_models != 1:
        raise ValueError(f"a summary covers one readable model, not {facts.tables.n_models}")
    operators = count_operators(facts)
    return Summary(
        path=path,
        scheme=read_string(facts, "model", "scheme", 0) or "",
        conversions=find_conversions(facts),
        n_operators=read_number(facts, "model", "n_operators", 0),
        n_tensors=read_number(facts, "model", "n_tensors", 0),
        n_subgraphs=facts.n("subgraph"),
        n_parameters=count_parameters(facts),
        sizes=measure_sizes(facts),
        needs=find_requirements(operators),
        operators=operators,
        signatures=read_signatures(facts),
        subgraphs=_summarize_subgraphs(facts),
        variables=find_variables(facts),
        is_stateful=bool(facts.numbers("model", "is_stateful")[0]),
        about=read_statements(facts),
    )


def _summarize_subgraphs(facts: Facts) -> tuple[Subgraph, ...]:
    """Return the subgraphs. Only those that client code can run have inputs and outputs: the first and those of
    signatures.
    """
    n = min(facts.n("subgraph"), MAX_LISTED)
    constants, bounds, computations = count_constant_bytes(facts), compute_memory_bounds(facts, n), count_macs(facts, n)
    lengths = {name: facts.lists("subgraph", name).lengths for name in ("operators", "tensors")}
    owners = {name: facts.rows(name, "subgraph") for name in ("input", "output")}
    is_entry = facts.numbers("subgraph", "is_entry")
    return tuple(
        Subgraph(
            read_number(facts, "subgraph", "index", row),
            read_string(facts, "subgraph", "name", row) or "",
            int(lengths["operators"][row]),
            int(lengths["tensors"][row]),
            int((owners["input"] == row).sum()),
            int((owners["output"] == row).sum()),
            int(constants[row]),
            bounds[row],
            computations[row],
            read_inputs(facts, row) if is_entry[row] else (),
            read_outputs(facts, row) if is_entry[row] else (),
        )
        for row in range(n)
    )
