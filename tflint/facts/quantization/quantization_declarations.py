"""Declarations of the facts of quantization: type, meaning, needed columns, and when absent or unknown. No numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, ColumnDeclaration, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TENSORS, TEXT, TRUTH, fact

_NO_SCALES = "the tensors at work have no quantization scales"

FACTS = {
    "model": (
        fact(
            "scheme",
            TEXT,
            "quantization scheme of the whole model: float32, full int8, dynamic range, mixed, …",
            "quantization.quantization_scheme:model_scheme",
            "operator.scheme tensor.n_elements input.tensor output.tensor signature.subgraph",
        ),
        fact(
            "base_scheme",
            TEXT,
            "the scheme without the types at the border: float32, full int8, dynamic range, mixed, …",
            "quantization.quantization_scheme:base_scheme",
            "model.scheme",
        ),
        fact(
            "claims_int8",
            TRUTH,
            "whether the file's name, the description or the metadata's name call the model int8",
            "quantization.int8_claim:claims_int8",
            "file.name model.description model.metadata_name",
        ),
    ),
    "operator": (
        fact(
            "scheme",
            TEXT,
            "how it computes: float32, float16-weights, dynamic-range, weight-only, int8, uint8, int16x8, "
            "int4, int16 or other",
            "quantization.quantization_scheme:operator_scheme",
            "operator.input operator.weights tensor.dtype tensor.producer",
            domain="float32 float16 float16-weights dynamic-range weight-only int8 uint8 int16x8 int4 int16 other",
        ),
        fact(
            "expected_bias_scale",
            NUMBERS,
            "input scale × weights scale, one a channel of the weights' scales",
            "quantization.bias_scale:expected_scale",
            "operator.input operator.weights tensor.scale",
            absent=_NO_SCALES,
            unknown="the input has more than one scale",
        ),
        fact(
            "bias_scale_error",
            NUMBERS,
            "|bias scale − expected| / expected, one a channel",
            "quantization.bias_scale:scale_error",
            "operator.expected_bias_scale operator.bias",
            absent="the bias or the others have no scales",
            unknown="bias and weights have unlike numbers of scales",
        ),
        fact(
            "bias_shift_steps",
            NUMBERS,
            "steps of the output by which a wrong bias scale shifts each channel",
            "quantization.bias_scale:shift_steps",
            "operator.expected_bias_scale operator.bias operator.output",
            absent="the bias is no integer constant, or a scale is missing",
            unknown="numbers of scales and channels do not match",
            values=True,
        ),
        fact(
            "output_multiplier",
            NUMBERS,
            "factor by which the kernel rescales its accumulator to the output, as ADD, SUB, "
            "SQUARED_DIFFERENCE and the convolutions compute it",
            "quantization.bias_scale:output_multiplier",
            "operator.inputs operator.output tensor.scale",
            absent="the operator is another one, or a scale is missing",
        ),
        fact(
            "required_output_scale",
            NUM,
            "output scale that the kernel assumes, whatever the file says",
            "quantization.fixed_outputs:required_scale",
            "operator.opcode operator.input operator.output tensor.dtype",
            absent="the kernel takes any",
        ),
        fact(
            "required_output_zero_point",
            NUM,
            "output zero point that the kernel assumes, whatever the file says",
            "quantization.fixed_outputs:required_zero_point",
            "operator.opcode operator.input operator.output tensor.dtype",
            absent="the kernel takes any",
        ),
        fact(
            "same_scale_operands",
            TENSORS,
            "operands that must share scale and zero point because the kernel copies or compares raw integers",
            "quantization.same_scale:same_scale_operands",
            "operator.opcode operand.tensor tensor.dtype",
            absent="the operator has no such constraint",
        ),
    ),
    "tensor": (
        fact(
            "is_integer",
            TRUTH,
            "whether elements are integers of 2 to 64 bits",
            "quantization.quantization_parameters:is_integer",
            "tensor.dtype",
        ),
        fact(
            "is_quantized",
            TRUTH,
            "whether elements are integers with quantization parameters",
            "quantization.quantization_parameters:is_quantized",
            "tensor.dtype tensor.scale tensor.quantization.details",
        ),
        fact(
            "granularity",
            TEXT,
            "per-tensor, per-channel, blockwise, multi-axis or custom",
            "quantization.quantization_parameters:granularity",
            "tensor.scale tensor.quantization.details",
            absent="it is not quantized",
            domain="per-tensor per-channel blockwise multi-axis custom",
        ),
        fact(
            "per_tensor_scale",
            NUM,
            "its one scale",
            "quantization.quantization_parameters:per_tensor_scale",
            "tensor.scale",
            absent="it has none, or more than one",
        ),
        fact(
            "per_tensor_zero_point",
            NUM,
            "its one zero point",
            "quantization.quantization_parameters:per_tensor_zero_point",
            "tensor.zero_point",
            absent="it has none, or more than one",
        ),
        fact(
            "qmin",
            NUM,
            "smallest integer of the type",
            "quantization.quantization_parameters:qmin",
            "tensor.dtype",
            absent="the type is no integer",
        ),
        fact(
            "qmax",
            NUM,
            "largest integer of the type",
            "quantization.quantization_parameters:qmax",
            "tensor.dtype",
            absent="the type is no integer",
        ),
        fact(
            "real_min",
            NUMBERS,
            "smallest real value it can hold, one a scale: (qmin − zero point) × scale",
            "quantization.quantization_parameters:real_min",
            "tensor.scale tensor.zero_point tensor.qmin",
            absent="it is not quantized",
            unknown="numbers of scales and zero points differ",
        ),
        fact(
            "real_max",
            NUMBERS,
            "largest real value it can hold, one a scale: (qmax − zero point) × scale",
            "quantization.quantization_parameters:real_max",
            "tensor.scale tensor.zero_point tensor.qmax",
            absent="it is not quantized",
            unknown="numbers of scales and zero points differ",
        ),
        fact(
            "all_zero",
            TRUTH,
            "whether every stored value of a bias is zero",
            "quantization.bias_scale:all_zero",
            "operator.bias buffer.data",
            absent="it is no constant integer or float bias",
            values=True,
        ),
    ),
}

_GROUP = TableDeclaration(
    "group",
    "a chain of tensors that must all share scale and zero point, through one or more operators",
    {
        column.name: column
        for column in (
            ColumnDeclaration("tensors", TENSORS, "its tensors, by index"),
            ColumnDeclaration("operators", reference("operator", many=True), "the operators that tie them"),
        )
    },
    ("operator.same_scale_operands",),
    "quantization.same_scale:group_table",
)
_ISLAND = TableDeclaration(
    "island",
    "connected operators that compute in float between two integer stretches: behind a DEQUANTIZE, before a QUANTIZE",
    {
        column.name: column
        for column in (
            ColumnDeclaration("first", reference("operator"), "its first operator"),
            ColumnDeclaration("operators", reference("operator", many=True), "its operators, in order of execution"),
            ColumnDeclaration("macs_share", NUM, "its share of the model's multiply-accumulate operations, 0 to 1"),
        )
    },
    ("operator.opcode", "operand.tensor", "tensor.dtype", "operator.n_macs"),
    "quantization.float_islands:island_table",
)

#: Tables that are derived as a whole.
TABLES = (
    _GROUP,
    _ISLAND,
)
