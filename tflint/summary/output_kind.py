"""Finds the meaning of an output (its kind and the number of classes) from the operator that computes it."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.facts.interface.output_meaning import find_meaning as find_proven_meaning
from tflint.summary.cell_values import read_list, read_number
from tflint.summary.summary_values import Meaning


def summarize_meaning(facts: Facts, tensor: int) -> Meaning | None:
    """Return the meaning of a tensor (a row of the tensor table), or None if the graph does not determine it."""
    origin = find_proven_meaning(facts, tensor)
    if origin is None or origin.kind == "linear":
        return None
    index = read_number(facts, "operator", "index", origin.operator)
    classes = _count_classes(facts, origin.tensor) if origin.opcode == "SOFTMAX" else None
    return Meaning(origin.kind, origin.opcode, index, classes)


def _count_classes(facts: Facts, tensor: int) -> int | None:
    shape = read_list(facts, "tensor", "shape", tensor)
    return int(shape[-1]) if shape and shape[-1] > 0 else None
