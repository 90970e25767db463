"""Declarations of the facts of inputs, outputs and signatures: type, meaning, needs, absence. No numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS
from tflint.facts.fact_declaration import NUM, TEXT, TRUTH, fact

_AFFINE_NEEDS = (
    "operator.opcode operator.inputs operator.output tensor.consumers tensor.producer tensor.is_constant "
    "tensor.n_elements buffer.n_bytes tensor.scale tensor.zero_point"
)
_NO_AFFINE = "the graph does not begin with arithmetic of the input and a small constant"

FACTS = {
    "signature": (
        fact(
            "is_duplicate",
            TRUTH,
            "whether another signature of the model has the same key",
            "interface.signature_names:duplicate_keys",
            "signature.key",
        ),
    ),
    "input": (
        fact(
            "graph_scale",
            NUMBERS,
            "what the graph multiplies it by before anything else, one number or one a channel",
            "interface.input_arithmetic:scale",
            _AFFINE_NEEDS,
            absent=_NO_AFFINE,
            values=True,
        ),
        fact(
            "graph_offset",
            NUMBERS,
            "what the graph adds to it after graph_scale, one number or one a channel",
            "interface.input_arithmetic:offset",
            _AFFINE_NEEDS,
            absent=_NO_AFFINE,
            values=True,
        ),
        fact(
            "graph_expects",
            TEXT,
            "pixels that graph_scale and graph_offset normalise: u8 (0 to 255) or unit (0 to 1)",
            "interface.input_arithmetic:expects",
            "input.graph_scale input.graph_offset",
            absent=f"{_NO_AFFINE}, or that is no normalization",
            values=True,
            domain="u8 unit",
        ),
        fact(
            "graph_map",
            TEXT,
            "graph_scale and graph_offset as people write them: x × 0.00784 − 1",
            "interface.input_arithmetic:formula",
            "input.graph_scale input.graph_offset",
            absent=_NO_AFFINE,
            values=True,
        ),
        fact(
            "first_scale",
            NUM,
            "scale of what the first operator makes of it that does not keep values as they are",
            "interface.input_arithmetic:first_scale",
            _AFFINE_NEEDS,
            absent="several operators read it, or it is not quantized",
            values=True,
        ),
        fact(
            "folded_mean",
            NUMBERS,
            "what the bias of the first convolution provably subtracts from it, one a channel",
            "interface.folded_mean:folded_mean",
            f"{_AFFINE_NEEDS} operator.weights operator.bias",
            absent="the first operator is no float convolution, or no one mean explains all its biases",
            values=True,
        ),
    ),
    "output": (
        fact(
            "meaning",
            TEXT,
            "what it holds, by the operator that makes it: softmax, sigmoid, linear, detection-boxes, …",
            "interface.output_meaning:output_meaning",
            "operator.opcode operator.custom_code tensor.producer",
            absent="the graph does not prove it",
        ),
    ),
    "signature_tensor": (
        fact(
            "is_duplicate",
            TRUTH,
            "whether another input (or output) of the signature has the same name",
            "interface.signature_names:duplicate_names",
            "signature_tensor.name",
        ),
    ),
}
