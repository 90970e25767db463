"""What outputs mean, where the graph proves it: probabilities, an index, the parts of a detection."""

from __future__ import annotations

from tflint.columns.column import Strings, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.values import frozen

#: What an operator makes of anything.
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
#: The same of activations that are a part of another operator.
_FUSED = {"RELU": "not-negative", "RELU6": "0-to-6", "RELU_N1_TO_1": "-1-to-1", "TANH": "tanh"}
#: What the outputs of the detection operator are, in order (LiteRT, kernels/detection_postprocess.cc).
_DETECTION = ("detection-boxes", "detection-classes", "detection-scores", "detection-count")
#: Operators through which the values pass unchanged, but for rounding and order.
_PASSING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"}
#: Operators whose results no range bounds: what they make are logits, if they are scores.
_LINEAR = {"FULLY_CONNECTED", "CONV_2D"}
_MAX_STEPS = 8


@frozen
class Made:
    """What a tensor holds, and the operator (a row) that makes it so, behind those that only pass it on."""

    kind: str
    operator: int
    opcode: str
    tensor: int


def output_meaning(facts: Facts) -> Strings:
    """What each output holds."""
    made = [made_of(facts, tensor) if tensor >= 0 else None for tensor in facts.rows("output", "tensor").tolist()]
    return strings_of(None if one is None else one.kind for one in made)


def made_of(facts: Facts, tensor: int) -> Made | None:
    """What a tensor holds; None where the graph does not prove it."""
    for _ in range(_MAX_STEPS):
        operator = int(facts.rows("tensor", "producer")[tensor])
        if operator < 0:
            return None
        opcode = text_of(facts.column("operator", "opcode"), operator) or ""
        if opcode not in _PASSING:
            return _made_by(facts, operator, opcode, tensor)
        tensor = int(facts.rows("operator", "input")[operator])
        if tensor < 0:
            return None
    return None


def _made_by(facts: Facts, operator: int, opcode: str, tensor: int) -> Made | None:
    if opcode == "CUSTOM":
        code = text_of(facts.column("operator", "custom_code"), operator) or ""
        outputs = facts.lists("operator", "outputs").row(operator)
        if code != "TFLite_Detection_PostProcess" or tensor not in outputs[: len(_DETECTION)]:
            return None
        return Made(_DETECTION[outputs.index(tensor)], operator, code, tensor)
    fused = text_of(facts.column("operator", "options.fused_activation_function"), operator) or ""
    kind = _KINDS.get(opcode) or _FUSED.get(fused) or ("linear" if opcode in _LINEAR else None)
    return None if kind is None else Made(kind, operator, opcode, tensor)
