"""Small models of one operator with weights and a bias, in every quantization scheme that converters write.

Tensors are named input, weights, bias, output. Scales are those of a converter: int8 weights are symmetric and reach
127 in every channel, the bias scale is input scale times weight scale.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

from tests.helpers.models.builder import ModelBuilder

_UNIT_SCALE = 1 / 127.5  # int8 with zero point -1 (uint8: 127 or 128) then spans [-1, 1]
_CONV_SCALES = (0.004, 0.006, 0.003)
_CONV_WEIGHTS = (127, -64, -38, 127, 90, -127)
_CONV_BIAS = (0.25, -0.125, 0.0625)
_CONV_OPTIONS: dict[str, Any] = {"padding": "VALID", "stride_w": 1, "stride_h": 1}


def as_float32(value: float) -> float:
    """Return the value rounded to float32, as stored in the file."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return float(rounded)


def bias_scales(input_scale: float, weight_scales: Sequence[float]) -> list[float]:
    """Return input scale times weight scale per channel, in float32."""
    return [as_float32(as_float32(input_scale) * as_float32(scale)) for scale in weight_scales]


def quantized(values: Sequence[float], scales: Sequence[float]) -> list[int]:
    """Return the values divided by their scales and rounded; a single scale applies to all."""
    spread = list(scales) * (len(values) if len(scales) == 1 else 1)
    return [round(value / scale) for value, scale in zip(values, spread, strict=True)]


def _real_weights() -> list[float]:
    return [q * _CONV_SCALES[i // 2] for i, q in enumerate(_CONV_WEIGHTS)]


def _conv(builder: ModelBuilder, *, version: int, weights: str = "weights", **options: Any) -> bytes:
    builder.operator("CONV_2D", ["input", weights, "bias"], ["output"], _CONV_OPTIONS | options, version=version)
    return builder.inputs("input").outputs("output").build()


def conv_int8() -> bytes:
    """Return a CONV_2D with per-channel int8 weights and int32 bias."""
    scales = bias_scales(_UNIT_SCALE, _CONV_SCALES)
    builder = (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4, 4, 2], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("weights", "INT8", [3, 1, 1, 2], data=_CONV_WEIGHTS, scale=_CONV_SCALES)
        .tensor("bias", "INT32", [3], data=quantized(_CONV_BIAS, scales), scale=scales)
        .tensor("output", "INT8", [1, 4, 4, 3], scale=_UNIT_SCALE, zero_point=-1)
    )
    return _conv(builder, version=3)


def conv_uint8() -> bytes:
    """Return a CONV_2D in the legacy scheme: uint8, asymmetric, one scale per tensor."""
    weight_scale = 0.006
    scales = bias_scales(_UNIT_SCALE, [weight_scale])
    weights = [128 + q for q in quantized(_real_weights(), [weight_scale])]
    builder = (
        ModelBuilder()
        .tensor("input", "UINT8", [1, 4, 4, 2], scale=_UNIT_SCALE, zero_point=128)
        .tensor("weights", "UINT8", [3, 1, 1, 2], data=weights, scale=weight_scale, zero_point=128)
        .tensor("bias", "INT32", [3], data=quantized(_CONV_BIAS, scales), scale=scales)
        .tensor("output", "UINT8", [1, 4, 4, 3], scale=_UNIT_SCALE, zero_point=128)
    )
    return _conv(builder, version=1)


def conv_float32() -> bytes:
    """Return a CONV_2D without quantization."""
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4, 4, 2])
        .tensor("weights", "FLOAT32", [3, 1, 1, 2], data=_real_weights())
        .tensor("bias", "FLOAT32", [3], data=_CONV_BIAS)
        .tensor("output", "FLOAT32", [1, 4, 4, 3])
    )
    return _conv(builder, version=1)


def conv_hybrid() -> bytes:
    """Return a CONV_2D with dynamic range: float activations and bias, per-channel int8 weights."""
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4, 4, 2])
        .tensor("weights", "INT8", [3, 1, 1, 2], data=_CONV_WEIGHTS, scale=_CONV_SCALES)
        .tensor("bias", "FLOAT32", [3], data=_CONV_BIAS)
        .tensor("output", "FLOAT32", [1, 4, 4, 3])
    )
    return _conv(builder, version=5)


def conv_float16_weights() -> bytes:
    """Return a CONV_2D whose weights and bias are stored as float16 and converted by DEQUANTIZE."""
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4, 4, 2])
        .tensor("weights_float16", "FLOAT16", [3, 1, 1, 2], data=_real_weights())
        .tensor("bias_float16", "FLOAT16", [3], data=_CONV_BIAS)
        .tensor("weights", "FLOAT32", [3, 1, 1, 2])
        .tensor("bias", "FLOAT32", [3])
        .tensor("output", "FLOAT32", [1, 4, 4, 3])
        .operator("DEQUANTIZE", ["weights_float16"], ["weights"], version=3)
        .operator("DEQUANTIZE", ["bias_float16"], ["bias"], version=3)
    )
    return _conv(builder, version=1)


def conv_int16x8() -> bytes:
    """Return a CONV_2D with int16 activations, per-channel int8 weights and int64 bias."""
    input_scale = 1 / 32767
    scales = bias_scales(input_scale, _CONV_SCALES)
    builder = (
        ModelBuilder()
        .tensor("input", "INT16", [1, 4, 4, 2], scale=input_scale)
        .tensor("weights", "INT8", [3, 1, 1, 2], data=_CONV_WEIGHTS, scale=_CONV_SCALES)
        .tensor("bias", "INT64", [3], data=quantized(_CONV_BIAS, scales), scale=scales)
        .tensor("output", "INT16", [1, 4, 4, 3], scale=2 / 32767)
    )
    return _conv(builder, version=8, quantized_bias_type="INT64")


def depthwise_int8() -> bytes:
    """Return a DEPTHWISE_CONV_2D, whose weights have their channels on the last axis."""
    weight_scales = [0.002, 0.003]
    scales = bias_scales(_UNIT_SCALE, weight_scales)
    weights = [127, -20, -64, 30, 12, -45, 33, 127, -90, 70, 8, -5, 44, -61, -17, 52, 81, -99]
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "depth_multiplier": 1}
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4, 4, 2], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("weights", "INT8", [1, 3, 3, 2], data=weights, scale=weight_scales, axis=3)
        .tensor("bias", "INT32", [2], data=quantized([0.25, -0.125], scales), scale=scales)
        .tensor("output", "INT8", [1, 2, 2, 2], scale=0.01, zero_point=4)
        .operator("DEPTHWISE_CONV_2D", ["input", "weights", "bias"], ["output"], options, version=3)
        .inputs("input")
        .outputs("output")
        .build()
    )


def fully_connected_int8() -> bytes:
    """Return a FULLY_CONNECTED with one weight scale per tensor."""
    weights = [127, -64, 30, 8, -38, 101, -7, 55, 90, -126, 14, -71]
    return _fully_connected("INT8", weights, 0.004, version=4)


def fully_connected_int4() -> bytes:
    """Return a FULLY_CONNECTED with int4 weights, two per byte."""
    return _fully_connected("INT4", [7, -4, 2, 1, -3, 6, -1, 3, 5, -7, 1, -5], 0.07, version=10)


def _fully_connected(dtype: str, weights: Sequence[int], weight_scale: float, *, version: int) -> bytes:
    scales = bias_scales(_UNIT_SCALE, [weight_scale])
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("weights", dtype, [3, 4], data=weights, scale=weight_scale)
        .tensor("bias", "INT32", [3], data=quantized(_CONV_BIAS, scales), scale=scales)
        .tensor("output", "INT8", [1, 3], scale=0.012, zero_point=3)
        .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["output"], version=version)
        .inputs("input")
        .outputs("output")
        .build()
    )


def transpose_conv_int8() -> bytes:
    """Return a TRANSPOSE_CONV: input 0 is the output shape, input 2 the activations, input 3 the bias."""
    weight_scales = [0.003, 0.005]
    scales = bias_scales(_UNIT_SCALE, weight_scales)
    weights = [127, -64, 30, 8, -38, 101, -7, 55, 90, -126, 14, -71, 62, -127, 5, 40]
    options = {"padding": "VALID", "stride_w": 2, "stride_h": 2}
    return (
        ModelBuilder()
        .tensor("output_shape", "INT32", [4], data=[1, 4, 4, 2])
        .tensor("input", "INT8", [1, 2, 2, 2], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("weights", "INT8", [2, 2, 2, 2], data=weights, scale=weight_scales)
        .tensor("bias", "INT32", [2], data=quantized([0.25, -0.125], scales), scale=scales)
        .tensor("output", "INT8", [1, 4, 4, 2], scale=0.01, zero_point=4)
        .operator("TRANSPOSE_CONV", ["output_shape", "weights", "input", "bias"], ["output"], options, version=3)
        .inputs("input")
        .outputs("output")
        .build()
    )


def wide_int8() -> bytes:
    """Return a FULLY_CONNECTED with forty inputs, which has enough weights for rules about shares."""
    weight_scale = 0.004
    weights = [127, *(round(90 * math.sin(k)) for k in range(1, 40))]
    scales = bias_scales(_UNIT_SCALE, [weight_scale])
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 40], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("weights", "INT8", [1, 40], data=weights, scale=weight_scale)
        .tensor("bias", "INT32", [1], data=quantized(_CONV_BIAS[:1], scales), scale=scales)
        .tensor("output", "INT8", [1, 1], scale=_UNIT_SCALE, zero_point=-1)
        .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["output"], version=4)
        .inputs("input")
        .outputs("output")
        .build()
    )
