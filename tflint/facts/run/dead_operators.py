"""Finds the operator at which a model stops depending on its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.facts.run.main_subgraph import main_subgraph, tensor_row
from tflint.facts.run.model_run import ModelRun

#: Operators that select, count, compare or round: few different results are normal for them.
SELECTING = frozenset(
    (
        *("ARG_MAX", "ARG_MIN", "TOPK_V2", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "WHERE", "UNIQUE"),
        *("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "REDUCE_ANY", "REDUCE_ALL"),
        *("LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", "SIGN", "FLOOR", "CEIL", "ROUND", "FLOOR_DIV", "FLOOR_MOD"),
        *("SHAPE", "RANK", "ONE_HOT", "BUCKETIZE", "HASHTABLE_LOOKUP", "HASHTABLE_FIND", "CUSTOM"),
    )
)
#: Operators that limit or move values: after a constant value, they are constant, too, but they do not cause it.
_LIMITING = frozenset(
    (
        *("LOGISTIC", "SOFTMAX", "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "MAXIMUM"),
        *("MINIMUM", "QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "PACK", "UNPACK"),
        *("TRANSPOSE", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "CONCATENATION", "GATHER", "GATHER_ND", "PAD"),
        *("LOG_SOFTMAX", "L2_NORMALIZATION", "BROADCAST_TO", "TILE", "READ_VARIABLE", "ASSIGN_VARIABLE", "VAR_HANDLE"),
    )
)


def are_outputs_unchanged(facts: Facts, model: int, run: ModelRun) -> bool | None:
    """Return whether all outputs that depend on an input were the same for all generated inputs.

    Returns None if the model did not run, or no output depends on an input.
    """
    depends = facts.numbers("tensor", "depends_on_input")
    tensors = facts.rows("output", "tensor")
    rows = facts.table("output").rows_of(model)
    found = [
        output.is_unchanged
        for output in run.outputs
        if output.is_unchanged is not None
        and output.position >= 0
        and rows.start + output.position < rows.stop
        and (tensor := int(tensors[rows.start + output.position])) >= 0
        and depends[tensor]
    ]
    return all(found) if found else None


def find_dead_operator(facts: Facts, model: int, run: ModelRun) -> int:
    """Return the row of the first operator that lost the dependency on the inputs, or -1.

    It is the first whose outputs were the same for all generated inputs although an input of it was not. It must feed a
    model output. An operator that only selects or limits values, and that only such operators follow, does not count:
    the output of a classifier that is sure of one class does not change.
    """
    watched, unchanged = (
        {tensor_row(facts, model, index) for index in indices} for indices in (run.tensors, run.unchanged)
    )
    inputs = facts.lists("operator", "inputs")
    outputs = facts.lists("operator", "outputs")
    changing = {int(row) for row in facts.rows("input", "tensor")[facts.table("input").rows_of(model)]}
    for operator in _main_operators(facts, model):
        results = [row for row in outputs.row(operator) if row >= 0]
        if not results or not watched.issuperset(results):
            continue
        if not unchanged.issuperset(results):
            changing.update(results)
        elif changing.intersection(inputs.row(operator)) and _computes(facts, operator):
            return operator
    return -1


def _main_operators(facts: Facts, model: int) -> Iterator[int]:
    subgraph = main_subgraph(facts, model)
    rows = facts.table("operator").rows_of(model)
    owners = facts.rows("operator", "subgraph")
    return (row for row in range(rows.start, rows.stop) if owners[row] == subgraph)


def _computes(facts: Facts, operator: int) -> bool:
    """Return whether an operator, or one between it and a model output, does more than select or limit values."""
    consumers = facts.lists("tensor", "consumers")
    outputs = facts.lists("operator", "outputs")
    waiting, known = [operator], {operator}
    computes = False
    reaches_output = False
    is_output = facts.numbers("tensor", "is_output")
    while waiting:
        current = waiting.pop()
        opcode = text_of(facts.column("operator", "opcode"), current) or ""
        if opcode in SELECTING:
            continue
        computes = computes or opcode not in _LIMITING
        for tensor in outputs.row(current):
            if tensor < 0:
                continue
            reaches_output = reaches_output or bool(is_output[tensor])
            following = [row for row in consumers.row(tensor) if row not in known]
            known.update(following)
            waiting += following
    return computes and reaches_output


def find_selections(facts: Facts, tensors: Sequence[int]) -> list[bool]:
    """Return whether the value of each tensor follows from an operator that selects, counts or compares."""
    producers = facts.rows("tensor", "producer")
    inputs = facts.lists("operator", "inputs")
    opcodes = facts.column("operator", "opcode")
    found = []
    for tensor in tensors:
        waiting, known, is_selection = [tensor], {tensor}, False
        while waiting and not is_selection:
            current = waiting.pop()
            operator = int(producers[current]) if current >= 0 else -1
            if operator < 0:
                continue
            is_selection = (text_of(opcodes, operator) or "") in SELECTING
            following = [row for row in inputs.row(operator) if row >= 0 and row not in known]
            known.update(following)
            waiting += following
        found.append(is_selection)
    return found
