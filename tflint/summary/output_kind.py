"""What an output means, as its caller reads it: by the operator that makes it, and how many classes it is over."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.facts.interface.output_meaning import made_of
from tflint.summary.cell_values import read_list, read_number
from tflint.summary.summary_values import Meaning


def find_meaning(facts: Facts, tensor: int) -> Meaning | None:
    """The meaning of a tensor (a row of its table); None where the graph does not prove one."""
    made = made_of(facts, tensor)
    if made is None or made.kind == "linear":
        return None
    index = read_number(facts, "operator", "index", made.operator)
    return Meaning(made.kind, made.opcode, index, _classes(facts, made.tensor) if made.opcode == "SOFTMAX" else None)


def _classes(facts: Facts, tensor: int) -> int | None:
    """How many classes a softmax is over: its last dimension."""
    shape = read_list(facts, "tensor", "shape", tensor)
    return int(shape[-1]) if shape and shape[-1] > 0 else None
