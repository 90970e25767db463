"""Reads the signatures of a model: their keys, and the names of inputs and outputs that client code uses."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.summary.cell_values import MAX_LISTED, find_rows, read_number, read_string
from tflint.summary.summary_values import NamedTensor, Signature


def read_signatures(facts: Facts) -> tuple[Signature, ...]:
    """Return the signatures in stored order."""
    return tuple(_read_signature(facts, row) for row in range(min(facts.n("signature"), MAX_LISTED)))


def _read_signature(facts: Facts, row: int) -> Signature:
    names: dict[str, list[NamedTensor]] = {"input": [], "output": []}
    for entry in find_rows(facts, "signature_tensor", "signature", row):
        direction = read_string(facts, "signature_tensor", "direction", entry) or "input"
        name = read_string(facts, "signature_tensor", "name", entry) or ""
        names[direction].append(NamedTensor(name, read_number(facts, "signature_tensor", "tensor_index", entry)))
    key, subgraph = (
        read_string(facts, "signature", "key", row) or "",
        read_number(facts, "signature", "subgraph_index", row),
    )
    return Signature(key, subgraph, tuple(names["input"]), tuple(names["output"]))
