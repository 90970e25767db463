"""Declarations of the facts about quantization. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, ColumnDeclaration, TableDeclaration, reference
from tflint.facts.fact_declaration import NUM, TENSOR, TENSORS, TEXT, TEXTS, TRUTH, fact

_NO_SCALES = "the operator has no weights, or its input or its weights have no scale"
_INVALID_SCALE = "a scale is invalid or too large (Q004, Q005)"
_ISLAND_NEEDS = "operator.opcode operand.tensor tensor.dtype"
_SHARED_SCALES = (
    "tensor.scale tensor.has_valid_scales tensor.is_constant tensor.first_use operator.same_scale_operands "
    "operator.inputs"
)

FACTS = {
    "model": (
        fact(
            "scheme",
            TEXT,
            "quantization scheme of the whole model: float32, full int8, dynamic range, mixed, …",
            "quantization.quantization_scheme:model_scheme",
            "operator.scheme tensor.n_elements tensor.granularity input.tensor output.tensor signature.subgraph",
        ),
        fact(
            "base_scheme",
            TEXT,
            "scheme without the types of inputs, outputs and weights: float32, full int8, dynamic range, mixed, …",
            "quantization.quantization_scheme:base_scheme",
            "model.scheme",
        ),
        fact(
            "claimed_scheme",
            TEXT,
            "int8 or dynamic-range, if the file name, the description or the name in the metadata calls the model so",
            "quantization.scheme_claim:claimed_scheme",
            "file.name model.description model.metadata_name",
            absent="none of them calls the model int8 or dynamic-range",
            domain="int8 dynamic-range",
        ),
        fact(
            "n_large_float_weights",
            NUM,
            "number of CONV_2D and FULLY_CONNECTED operators with constant FLOAT32 weights of at least 1,024 elements, "
            "which dynamic range quantization converts",
            "quantization.quantization_scheme:n_large_float_weights",
            "operator.opcode operator.weights tensor.dtype tensor.is_constant tensor.n_elements",
        ),
        fact(
            "islands",
            reference("island", many=True),
            "float islands: groups of operators that compute in float between integer parts of the model",
            "quantization.float_islands:islands",
            _ISLAND_NEEDS,
        ),
        fact(
            "island_opcodes",
            TEXTS,
            "operators in float islands with their numbers, the most frequent first: 34 NEG, …",
            "quantization.float_islands:island_opcodes",
            _ISLAND_NEEDS,
        ),
        fact(
            "n_island_conversions",
            NUM,
            "number of DEQUANTIZE and QUANTIZE operators between float islands and integer parts",
            "quantization.float_islands:n_conversions",
            _ISLAND_NEEDS,
        ),
        fact(
            "island_operator_share",
            NUM,
            "share of the operators that are in float islands, 0 to 1; conversions do not count",
            "quantization.float_islands:operator_share",
            _ISLAND_NEEDS,
            absent="the model has no operators other than conversions",
        ),
        fact(
            "island_macs_share",
            NUM,
            "share of the multiply-accumulate operations that float islands compute, 0 to 1",
            "quantization.float_islands:macs_share",
            f"{_ISLAND_NEEDS} operator.n_macs",
        ),
        fact(
            "dead_activations",
            reference("operator", many=True),
            "operators whose output calibration found to be zero (a scale below 2e-6 at 8 bits, 7.8e-9 at 16 bits), "
            "although their operands are not: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, ADD, MUL and SUB",
            "quantization.calibrated_ranges:dead_activations",
            "operator.opcode operator.output operator.bias operand.tensor tensor.scale tensor.dtype "
            "tensor.depends_on_input tensor.is_constant tensor.zero_share",
            values=True,
        ),
    ),
    "operator": (
        fact(
            "scheme",
            TEXT,
            "how the operator computes: float32, float16-weights, dynamic-range, weight-only, int8, uint8, int16x8, "
            "int4, int2, int16 or other",
            "quantization.quantization_scheme:operator_scheme",
            "operator.input operator.weights tensor.dtype tensor.producer",
            domain="float32 float16 float16-weights dynamic-range weight-only int8 uint8 int16x8 int4 int2 int16 other",
        ),
        fact(
            "expected_bias_scale",
            NUMBERS,
            "input scale × weights scale, one per scale of the weights",
            "quantization.bias_scale:expected_scale",
            "operator.input operator.weights tensor.scale tensor.has_valid_scales",
            absent=_NO_SCALES,
            unknown=f"the input has more than one scale, or {_INVALID_SCALE}",
        ),
        fact(
            "bias_scale_error",
            NUMBERS,
            "|bias scale − expected| / expected, one per channel; infinite if the bias scale is NaN",
            "quantization.bias_scale:scale_error",
            "operator.expected_bias_scale operator.bias",
            absent="the bias, the input or the weights have no scale",
            unknown="the bias and the weights have different numbers of scales, the input has more than one scale, or "
            f"{_INVALID_SCALE}",
        ),
        fact(
            "worst_bias_scales",
            NUMBERS,
            "bias scale and expected scale of the channel with the largest bias_scale_error",
            "quantization.bias_scale:worst_scales",
            "operator.bias_scale_error operator.expected_bias_scale operator.bias tensor.scale",
            absent="bias_scale_error is absent",
            unknown="bias_scale_error is unknown",
        ),
        fact(
            "bias_shift_steps",
            NUMBERS,
            "shift of each channel by a wrong bias scale, in output steps",
            "quantization.bias_scale:shift_steps",
            "operator.expected_bias_scale operator.bias operator.output",
            absent="the bias is not an integer constant, or a scale is missing",
            unknown=f"the numbers of scales and channels do not match, or {_INVALID_SCALE}",
            values=True,
        ),
        fact(
            "output_multiplier",
            NUMBERS,
            "factor by which the kernel rescales its accumulator to the output",
            "quantization.bias_scale:output_multiplier",
            "operator.inputs operator.output tensor.scale tensor.has_valid_scales",
            absent="it is not a convolution, FULLY_CONNECTED, ADD, SUB or SQUARED_DIFFERENCE, or a scale is missing",
            unknown=f"the input has more than one scale, or {_INVALID_SCALE}",
        ),
        fact(
            "required_output_scale",
            NUM,
            "output scale that the kernel assumes, whatever scale the file specifies",
            "quantization.fixed_outputs:required_scale",
            "operator.opcode operator.input operator.output tensor.dtype",
            absent="the kernel accepts any output scale",
        ),
        fact(
            "required_output_zero_point",
            NUM,
            "output zero point that the kernel assumes, whatever zero point the file specifies",
            "quantization.fixed_outputs:required_zero_point",
            "operator.opcode operator.input operator.output tensor.dtype",
            absent="the kernel accepts any output zero point",
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
    "input": (
        fact(
            "range_tensor",
            TENSOR,
            "tensor with the calibrated range of the input: the input, or the output of a QUANTIZE that is the only "
            "operator that reads a float input",
            "quantization.calibrated_ranges:input_range_tensor",
            "tensor.consumers tensor.dtype tensor.is_quantized operator.opcode operator.output",
            absent="neither the input nor a QUANTIZE after it is quantized",
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
            "has_valid_scales",
            TRUTH,
            "whether kernels can compute with all scales: positive normal numbers of at most 1e10",
            "quantization.quantization_parameters:has_valid_scales",
            "tensor.dtype tensor.scale",
            absent="the tensor has no scale, or its type is not an integer type",
        ),
        fact(
            "is_scale_origin",
            TRUTH,
            "whether the tensor is the first of those that share its invalid or implausibly large scale",
            "quantization.shared_scales:is_scale_origin",
            _SHARED_SCALES,
            absent="all scales are valid, and at most 10,000",
        ),
        fact(
            "scale_followers",
            TENSORS,
            "other tensors that share the scale, because operators between them do not rescale",
            "quantization.shared_scales:scale_followers",
            _SHARED_SCALES,
            absent="is_scale_origin is false or absent",
        ),
        fact(
            "per_tensor_scale",
            NUM,
            "scale of the tensor, if it has exactly one",
            "quantization.quantization_parameters:per_tensor_scale",
            "tensor.scale tensor.has_valid_scales",
            absent="the tensor has no scale or more than one",
            unknown=_INVALID_SCALE,
        ),
        fact(
            "per_tensor_zero_point",
            NUM,
            "zero point of the tensor, if it has exactly one",
            "quantization.quantization_parameters:per_tensor_zero_point",
            "tensor.zero_point",
            absent="the tensor has no zero point or more than one",
        ),
        fact(
            "qmin",
            NUM,
            "smallest integer of the tensor's type",
            "quantization.quantization_parameters:qmin",
            "tensor.dtype",
            absent="its type is not an integer type",
        ),
        fact(
            "qmax",
            NUM,
            "largest integer of the tensor's type",
            "quantization.quantization_parameters:qmax",
            "tensor.dtype",
            absent="its type is not an integer type",
        ),
        fact(
            "real_min",
            NUMBERS,
            "smallest real value that the tensor can hold: (qmin − zero point) × scale, one per scale",
            "quantization.quantization_parameters:real_min",
            "tensor.scale tensor.zero_point tensor.qmin tensor.has_valid_scales",
            absent="it is not quantized",
            unknown=f"it has different numbers of scales and zero points, or {_INVALID_SCALE}",
        ),
        fact(
            "real_max",
            NUMBERS,
            "largest real value that the tensor can hold: (qmax − zero point) × scale, one per scale",
            "quantization.quantization_parameters:real_max",
            "tensor.scale tensor.zero_point tensor.qmax tensor.has_valid_scales",
            absent="it is not quantized",
            unknown=f"it has different numbers of scales and zero points, or {_INVALID_SCALE}",
        ),
        fact(
            "amplitude",
            NUM,
            "largest absolute real value that the tensor can hold",
            "quantization.quantization_parameters:amplitude",
            "tensor.scale tensor.zero_point tensor.qmin tensor.qmax",
            absent="it is not quantized, or does not have exactly one scale and one zero point",
        ),
        fact(
            "all_zero",
            TRUTH,
            "whether the tensor is a bias whose stored values are all zero",
            "quantization.bias_scale:all_zero",
            "operator.bias buffer.data",
            absent="the tensor is not a constant bias of type INT32, INT64 or FLOAT32",
            values=True,
        ),
    ),
}

_GROUP = TableDeclaration(
    "group",
    "a group of tensors that must share scale and zero point, connected by one or more operators",
    {
        column.name: column
        for column in (
            ColumnDeclaration("tensors", TENSORS, "tensors of the group, by index"),
            ColumnDeclaration(
                "operators", reference("operator", many=True), "operators that connect the tensors of the group"
            ),
        )
    },
    ("operator.same_scale_operands",),
    "quantization.same_scale:group_table",
)
_ISLAND = TableDeclaration(
    "island",
    "a float island: connected operators that compute in float between a DEQUANTIZE and a QUANTIZE",
    {
        column.name: column
        for column in (
            ColumnDeclaration("first", reference("operator"), "first operator of the island"),
            ColumnDeclaration(
                "operators", reference("operator", many=True), "operators of the island, in order of execution"
            ),
            ColumnDeclaration(
                "macs_share",
                NUM,
                "share of the model's multiply-accumulate operations that the island computes, 0 to 1",
            ),
        )
    },
    ("operator.opcode", "operand.tensor", "tensor.dtype", "operator.n_macs"),
    "quantization.float_islands:island_table",
)

#: Derived tables.
TABLES = (
    _GROUP,
    _ISLAND,
)
