"""What an output means, as far as the operator that makes it proves."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.portrait.rows import number, text, values
from tflint.portrait.values import Meaning

#: Operators whose output is a function of known range and meaning.
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
#: Activations that are fused into another operator.
_FUSED = {"RELU": "not-negative", "RELU6": "0-to-6", "RELU_N1_TO_1": "-1-to-1", "TANH": "tanh"}
#: What the outputs of the detection operator are, in order (LiteRT, kernels/detection_postprocess.cc).
_DETECTION = ("detection-boxes", "detection-classes", "detection-scores", "detection-count")
#: Operators through which the values pass unchanged, but for rounding and order.
_PASSING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"}
_MAX_STEPS = 8


def meaning_of(facts: Facts, tensor: int) -> Meaning | None:
    """The meaning of a tensor (a row of its table); None where the graph does not prove one."""
    for _ in range(_MAX_STEPS):
        operator = int(facts.rows("tensor", "producer")[tensor])
        if operator < 0:
            return None
        opcode = text(facts, "operator", "opcode", operator) or ""
        if opcode not in _PASSING:
            return _made_by(facts, operator, opcode, tensor)
        tensor = int(facts.rows("operator", "input")[operator])
        if tensor < 0:
            return None
    return None


def _made_by(facts: Facts, operator: int, opcode: str, tensor: int) -> Meaning | None:
    index = number(facts, "operator", "index", operator)
    if opcode == "CUSTOM":
        code = text(facts, "operator", "custom_code", operator)
        outputs = facts.lists("operator", "outputs").row(operator)
        if code != "TFLite_Detection_PostProcess" or tensor not in outputs[: len(_DETECTION)]:
            return None
        return Meaning(_DETECTION[outputs.index(tensor)], code, index, None)
    fused = text(facts, "operator", "options.fused_activation_function", operator) or ""
    kind = _KINDS.get(opcode) or _FUSED.get(fused)
    if kind is None:
        return None
    return Meaning(kind, opcode, index, _classes(facts, tensor) if opcode == "SOFTMAX" else None)


def _classes(facts: Facts, tensor: int) -> int | None:
    """How many classes a softmax is over: its last dimension."""
    shape = values(facts, "tensor", "shape", tensor)
    return int(shape[-1]) if shape and shape[-1] > 0 else None
