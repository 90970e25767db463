"""Declarations of the facts about the values of constants. Does not import numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, reference
from tflint.facts.fact_declaration import NUM, TRUTH, fact

_NO_VALUES = "the tensor is not a constant, or its type is not numeric"
_UNREADABLE = (
    "the data is in another file, is sparse, does not match the shape or the number of scales, or exceeds the size "
    "budget; or its type is unknown"
)
_NO_FLOATS = "the tensor is not a constant, or its type is not a float type"
_VALUE_NEEDS = (
    "tensor.is_constant tensor.n_bytes tensor.dtype tensor.scale tensor.quantized_dimension buffer.n_bytes "
    "operator.weights operator.channel_axis"
)

FACTS = {
    "buffer": (
        fact(
            "identity",
            reference("buffer"),
            "first buffer of the model with the same content, which may be the buffer itself",
            "weights.equal_buffers:buffer_identity",
            "buffer.n_bytes",
            absent="the buffer has no data",
            unknown="the data is outside of the file, or the buffers to compare are larger than the file in total",
            values=True,
        ),
    ),
    "tensor": (
        fact(
            "value_min",
            NUMBERS,
            "smallest stored value of each channel, finite values only; with several scales, one channel per scale, "
            "for weights without scales, the channels of their operator, otherwise one channel",
            "weights.weight_columns:value_min",
            _VALUE_NEEDS,
            absent=_NO_VALUES,
            unknown=f"{_UNREADABLE}; or a channel has no finite value",
            values=True,
        ),
        fact(
            "value_max",
            NUMBERS,
            "largest stored value of each channel, finite values only; channels as for value_min",
            "weights.weight_columns:value_max",
            _VALUE_NEEDS,
            absent=_NO_VALUES,
            unknown=f"{_UNREADABLE}; or a channel has no finite value",
            values=True,
        ),
        fact(
            "zero_share",
            NUMBERS,
            "share of the stored values of each channel that are equal to the zero point, or 0.0 for floats",
            "weights.weight_columns:zero_share",
            f"{_VALUE_NEEDS} tensor.zero_point",
            absent=_NO_VALUES,
            unknown=f"{_UNREADABLE}; or its channels have different zero points",
            values=True,
        ),
        fact(
            "saturated_share",
            NUMBERS,
            "share of the stored values of each channel at a limit of the type: the smallest and the largest integer, "
            "and −qmax for signed types with zero point 0 (INT8: -128, -127 and 127)",
            "weights.weight_columns:saturated_share",
            f"{_VALUE_NEEDS} tensor.zero_point",
            absent="the tensor is not a constant, or its type is not an integer type of at least 4 bits",
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "is_clustered",
            TRUTH,
            "whether the stored values are at most 16 distinct numbers, in the whole tensor or in the median channel",
            "weights.clustered_weights:is_clustered",
            f"{_VALUE_NEEDS} tensor.saturated_share tensor.role tensor.n_elements",
            absent="the tensor is not 8-bit weights, or its median channel has fewer than 3, or at most 5 %, saturated "
            "values",
            values=True,
        ),
        fact(
            "n_nan",
            NUM,
            "number of stored values that are NaN",
            "weights.weight_columns:n_nan",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "n_inf",
            NUM,
            "number of stored values that are infinite",
            "weights.weight_columns:n_inf",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "n_denormal",
            NUM,
            "number of stored values that are denormal: not zero, but smaller than the smallest normal number",
            "weights.weight_columns:n_denormal",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "n_extreme",
            NUM,
            "number of stored values that are the largest finite value of the type or its negative (FLOAT16: ±65504)",
            "weights.weight_columns:n_extreme",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "values",
            NUMBERS,
            "real values of a constant that has at most 16 elements",
            "weights.small_values:values",
            "tensor.is_constant tensor.n_elements tensor.dtype tensor.buffer tensor.scale tensor.zero_point",
            absent="the tensor is not a constant, is empty or has more than 16 elements; its elements have fewer than "
            "8 bits, or are not numbers; it has several scales; or its data is sparse, or does not match its shape",
            values=True,
        ),
    ),
}
