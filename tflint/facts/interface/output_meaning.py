"""Meaning of outputs, if the graph determines it: probabilities, an index, a part of a detection result."""

from __future__ import annotations

from tflint.columns.column import Strings, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.values import frozen

#: Meaning of an operator's output by opcode. It does not depend on the operator's inputs.
_KINDS = {
    "SOFTMAX": "softmax",
    "LOG_SOFTMAX": "log-softmax",
    "LOGISTIC": "sigmoid",
    "TANH": "tanh",
    "ARG_MAX": "index-of-largest",
    "ARG_MIN": "index-of-smallest",
    "L2_NORMALIZATION": "unit-vector",
    "RELU": "not-negative",
    "RELU6": "0-to-6",
    "RELU_0_TO_1": "0-to-1",
    "RELU_N1_TO_1": "-1-to-1",
}
#: Meaning of an operator's output by the activation function that is fused into the operator.
_FUSED = {"RELU": "not-negative", "RELU6": "0-to-6", "RELU_N1_TO_1": "-1-to-1", "TANH": "tanh"}
#: Outputs of the detection operator, in order (LiteRT, kernels/detection_postprocess.cc).
_DETECTION = ("detection-boxes", "detection-classes", "detection-scores", "detection-count")
#: Operators that keep values unchanged, except for rounding and order.
_PASSING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"}
#: Operators with unbounded results. If the results are scores, they are logits.
_LINEAR = {"FULLY_CONNECTED", "CONV_2D"}
_MAX_STEPS = 8


@frozen
class OutputMeaning:
    """The meaning of a tensor, and the operator that determines the meaning.

    `operator` is the row of that operator, and `tensor` the row of its output. `opcode` is its opcode, or its custom
    code if it is a custom operator.
    """

    kind: str
    operator: int
    opcode: str
    tensor: int


def output_meaning(facts: Facts) -> Strings:
    """Return the kind of values of each output, absent if the graph does not determine it."""
    tensors = facts.rows("output", "tensor").tolist()
    meanings = [find_meaning(facts, tensor) if tensor >= 0 else None for tensor in tensors]
    return strings_of(None if meaning is None else meaning.kind for meaning in meanings)


def find_meaning(facts: Facts, tensor: int) -> OutputMeaning | None:
    """Return the meaning of a tensor, or None if the graph does not determine it."""
    for _ in range(_MAX_STEPS):
        operator = int(facts.rows("tensor", "producer")[tensor])
        if operator < 0:
            return None
        opcode = text_of(facts.column("operator", "opcode"), operator) or ""
        if opcode not in _PASSING:
            return _operator_meaning(facts, operator, opcode, tensor)
        tensor = int(facts.rows("operator", "input")[operator])
        if tensor < 0:
            return None
    return None


def _operator_meaning(facts: Facts, operator: int, opcode: str, tensor: int) -> OutputMeaning | None:
    if opcode == "CUSTOM":
        code = text_of(facts.column("operator", "custom_code"), operator) or ""
        outputs = facts.lists("operator", "outputs").row(operator)
        if code != "TFLite_Detection_PostProcess" or tensor not in outputs[: len(_DETECTION)]:
            return None
        return OutputMeaning(_DETECTION[outputs.index(tensor)], operator, code, tensor)
    fused = text_of(facts.column("operator", "options.fused_activation_function"), operator) or ""
    kind = _KINDS.get(opcode) or _FUSED.get(fused) or ("linear" if opcode in _LINEAR else None)
    return None if kind is None else OutputMeaning(kind, operator, opcode, tensor)
