"""Facts about float32 inputs and outputs that a model converts to or from integers."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Lists, lists_by_owner
from tflint.facts.facts import Facts, distinct, values_at


def float_interface(facts: Facts) -> Lists:
    """Return the float32 inputs of each model that only QUANTIZE reads, then the outputs that DEQUANTIZE computes."""
    converts = {opcode: facts.is_one_of("operator", "opcode", {opcode}) for opcode in ("QUANTIZE", "DEQUANTIZE")}
    consumers = facts.lists("tensor", "consumers")
    operators, lengths = consumers.flatten(slice(None))
    readers = np.repeat(np.arange(len(lengths)), lengths)
    n_quantize = np.bincount(readers[converts["QUANTIZE"][operators]], minlength=len(lengths))
    producers = facts.rows("tensor", "producer")
    tensors = np.concatenate(
        [
            _interface_tensors(facts, "input", (lengths > 0) & (n_quantize == lengths)),
            _interface_tensors(facts, "output", values_at(converts["DEQUANTIZE"], producers, False).astype(np.bool_)),
        ]
    )
    return lists_by_owner(facts.table("tensor").model[tensors], tensors, facts.n("model"))


def _interface_tensors(facts: Facts, table: str, is_converted: np.ndarray) -> np.ndarray:
    """Return the converted float32 tensors among the inputs (or outputs) of subgraphs that client code can run."""
    tensors = facts.rows(table, "tensor")
    is_entry = facts.numbers("subgraph", "is_entry").astype(np.bool_)[facts.rows(table, "subgraph")]
    wanted = is_converted & facts.is_one_of("tensor", "dtype", {"FLOAT32"})
    return distinct(tensors[is_entry & values_at(wanted, tensors, False).astype(np.bool_)])
