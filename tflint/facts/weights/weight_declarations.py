"""Declarations of the facts of constant values: type, meaning, needed columns, and when absent or unknown. No numpy."""

from __future__ import annotations

from tflint.columns.column_types import NUMBERS, reference
from tflint.facts.fact_declaration import NUM, fact

_NO_VALUES = "it is no constant, or its type is no number"
_UNREADABLE = (
    "the data lies elsewhere, does not fit the shape or the number of scales, or is too much; or the type is not known"
)
_NO_FLOATS = "it is no constant, or its type is no float"
_VALUE_NEEDS = (
    "tensor.is_constant tensor.n_bytes tensor.dtype tensor.scale tensor.quantized_dimension buffer.n_bytes "
    "operator.weights operator.channel_axis"
)

FACTS = {
    "buffer": (
        fact(
            "identity",
            reference("buffer"),
            "the first buffer of the model with the same content: itself where there is none before it",
            "weights.equal_buffers:buffer_identity",
            "buffer.n_bytes",
            absent="it has no data",
            unknown="its data lies outside of the file, or more is shared than a file of its size can mean",
            values=True,
        ),
    ),
    "tensor": (
        fact(
            "value_min",
            NUMBERS,
            "smallest stored value of each channel (of the scales where there are several, of the "
            "operator for weights without scales, else one for all); of floats the smallest finite one",
            "weights.weight_columns:value_min",
            _VALUE_NEEDS,
            absent=_NO_VALUES,
            unknown=f"{_UNREADABLE}; or a channel has no finite value",
            values=True,
        ),
        fact(
            "value_max",
            NUMBERS,
            "largest stored value of each channel, as value_min has them",
            "weights.weight_columns:value_max",
            _VALUE_NEEDS,
            absent=_NO_VALUES,
            unknown=f"{_UNREADABLE}; or a channel has no finite value",
            values=True,
        ),
        fact(
            "zero_share",
            NUMBERS,
            "share of each channel's stored values that equal the zero point, or are 0.0",
            "weights.weight_columns:zero_share",
            f"{_VALUE_NEEDS} tensor.zero_point",
            absent=_NO_VALUES,
            unknown=f"{_UNREADABLE}; or channels have unlike zero points",
            values=True,
        ),
        fact(
            "saturated_share",
            NUMBERS,
            "share of each channel's stored values at an end of the type: -128, -127 and 127 "
            "of INT8 with zero point 0 (likewise for other signed types), else the smallest and the largest integer",
            "weights.weight_columns:saturated_share",
            f"{_VALUE_NEEDS} tensor.zero_point",
            absent="it is no constant, or its type is no integer of 4 bits or more",
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "n_nan",
            NUM,
            "stored values that are NaN",
            "weights.weight_columns:n_nan",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "n_inf",
            NUM,
            "stored values that are infinite",
            "weights.weight_columns:n_inf",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
        fact(
            "n_denormal",
            NUM,
            "stored values that are denormal: not zero, but below the smallest normal number",
            "weights.weight_columns:n_denormal",
            _VALUE_NEEDS,
            absent=_NO_FLOATS,
            unknown=_UNREADABLE,
            values=True,
        ),
    ),
}
