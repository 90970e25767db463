"""Small models of one activation whose kernel fixes the quantization of the output."""

from __future__ import annotations

from typing import Any

from tests.helpers.models.builder import ModelBuilder


def logistic_int8() -> bytes:
    """Return a LOGISTIC: probabilities in [0, 1) with a scale of 1/256."""
    return _activation("LOGISTIC", "INT8", output_scale=1 / 256, output_zero_point=-128, version=2)


def logistic_int16() -> bytes:
    """Return a symmetric 16-bit LOGISTIC."""
    return _activation("LOGISTIC", "INT16", output_scale=1 / 32768, output_zero_point=0, version=3)


def softmax_int8() -> bytes:
    """Return a SOFTMAX: probabilities in [0, 1) with a scale of 1/256."""
    return _activation("SOFTMAX", "INT8", {"beta": 1.0}, output_scale=1 / 256, output_zero_point=-128, version=2)


def tanh_int8() -> bytes:
    """Return a TANH: [-1, 1) with a scale of 1/128."""
    return _activation("TANH", "INT8", output_scale=1 / 128, output_zero_point=0, version=2)


def tanh_int16() -> bytes:
    """Return a symmetric 16-bit TANH."""
    return _activation("TANH", "INT16", output_scale=1 / 32768, output_zero_point=0, version=3)


def l2_normalization_int8() -> bytes:
    """Return an L2_NORMALIZATION: [-1, 1) with a scale of 1/128."""
    return _activation("L2_NORMALIZATION", "INT8", output_scale=1 / 128, output_zero_point=0, version=2)


def log_softmax_int8() -> bytes:
    """Return a LOG_SOFTMAX: [-16, 0] with a scale of 1/16."""
    return _activation("LOG_SOFTMAX", "INT8", output_scale=16 / 256, output_zero_point=127, version=2)


def boxes_and_scores_int8() -> bytes:
    """Return the end of a detector: boxes and the scores of a LOGISTIC in a CONCATENATION, which needs one scale."""
    scale = 0.004
    return (
        ModelBuilder()
        .tensor("boxes", "INT8", [1, 4, 2], scale=scale, zero_point=-128)
        .tensor("logits", "INT8", [1, 2, 2, 2], scale=0.05, zero_point=-1)
        .tensor("scores", "INT8", [1, 2, 2, 2], scale=1 / 256, zero_point=-128)
        .tensor("new_shape", "INT32", [3], data=[1, 4, 2])
        .tensor("listed", "INT8", [1, 4, 2], scale=1 / 256, zero_point=-128)
        .tensor("rescaled", "INT8", [1, 4, 2], scale=scale, zero_point=-128)
        .tensor("output", "INT8", [1, 4, 4], scale=scale, zero_point=-128)
        .operator("LOGISTIC", ["logits"], ["scores"], version=2)
        .operator("RESHAPE", ["scores", "new_shape"], ["listed"])
        .operator("QUANTIZE", ["listed"], ["rescaled"], version=2)
        .operator("CONCATENATION", ["boxes", "rescaled"], ["output"], {"axis": 2}, version=2)
        .inputs("boxes", "logits")
        .outputs("output")
        .build()
    )


def _activation(
    opcode: str,
    dtype: str,
    options: dict[str, Any] | None = None,
    *,
    output_scale: float,
    output_zero_point: int,
    version: int,
) -> bytes:
    input_scale, zero_point = (1 / 8192, 0) if dtype == "INT16" else (0.05, -1)
    return (
        ModelBuilder()
        .tensor("input", dtype, [1, 4], scale=input_scale, zero_point=zero_point)
        .tensor("output", dtype, [1, 4], scale=output_scale, zero_point=output_zero_point)
        .operator(opcode, ["input"], ["output"], options, version=version)
        .inputs("input")
        .outputs("output")
        .build()
    )
