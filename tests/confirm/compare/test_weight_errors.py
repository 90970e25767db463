"""Test the error of constants against formulas computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.helpers.float_int8_pairs import BODY, POINTWISE, pair_bytes
from tests.helpers.models import ModelBuilder
from tests.helpers.planted_losses import EditedModel, amplify_channel, merge_scales, scale_bias
from tflint.api import load
from tflint.confirm.compare.compared_graph import ComparedGraph, dequantize
from tflint.confirm.compare.loss_causes import has_outlier
from tflint.confirm.compare.tensor_pairing import pair_graphs
from tflint.confirm.compare.weight_errors import WeightError, measure_weights
from tflint.facts.facts import Facts


def measure(reference: bytes, model: bytes) -> list[WeightError]:
    graphs = [ComparedGraph(Facts(load(content).tables)) for content in (reference, model)]
    errors, unreadable = measure_weights(*graphs, pair_graphs(*graphs))
    assert unreadable == []
    return errors


def one(errors: list[WeightError], operator: int, role: str) -> WeightError:
    (found,) = (error for error in errors if error.operator == operator and error.role == role)
    return found


def test_all_constants_of_an_operator_are_compared():
    errors = measure(pair_bytes("chain_float32"), pair_bytes("chain_int8"))
    assert len(errors) == 12
    assert all(error.sqnr > 40 and error.clipped_share == 0 for error in errors)
    assert all(abs(error.gain - 1) < 0.01 for error in errors)
    assert not any(has_outlier(error) for error in errors)


def test_the_sqnr_is_that_of_numpy():
    reference, model = EditedModel(pair_bytes("chain_float32")), EditedModel(pair_bytes("chain_int8"))
    tensor = model.operands(BODY)[1]
    wanted = reference.read(reference.operands(BODY)[1]).astype(np.float64)
    scale = np.array(model.quantization(tensor)["scale"]).reshape(-1, 1, 1, 1)
    noise = ((model.read(tensor) * scale - wanted) ** 2).reshape(len(scale), -1).sum(1)
    signal = (wanted**2).reshape(len(scale), -1).sum(1)
    found = one(measure(pair_bytes("chain_float32"), pair_bytes("chain_int8")), BODY, "weights")
    assert found.sqnr == pytest.approx(10 * math.log10(signal.sum() / noise.sum()))
    worst = (10 * np.log10(signal / noise)).argmin()
    assert found.worst_channel == worst
    assert found.worst_sqnr == pytest.approx(10 * math.log10(signal[worst] / noise[worst]))


def test_an_outlier_channel_costs_the_others_their_accuracy():
    reference = amplify_channel(pair_bytes("chain_float32"), POINTWISE, 5, 40)
    model = amplify_channel(pair_bytes("chain_int8"), POINTWISE, 5, 40)
    assert not has_outlier(one(measure(reference, model), POINTWISE, "weights"))
    found = one(measure(reference, merge_scales(model, POINTWISE)), POINTWISE, "weights")
    assert has_outlier(found)
    assert found.outlier == 5
    assert found.worst_sqnr < 15 < found.sqnr


def test_a_scaled_bias_has_the_factor_as_gain():
    found = one(measure(pair_bytes("chain_float32"), scale_bias(pair_bytes("chain_int8"), BODY, 4)), BODY, "bias")
    assert found.gain == pytest.approx(4, rel=1e-3)
    assert found.sqnr < 0


def test_the_stored_scale_of_a_bias_does_not_count():
    """Kernels ignore it: they use the scale of the input times that of the weights."""
    edited = EditedModel(pair_bytes("chain_int8"))
    bias = edited.operands(BODY)[2]
    edited.quantization(bias)["scale"] = [2 * scale for scale in edited.quantization(bias)["scale"]]
    assert one(measure(pair_bytes("chain_float32"), edited.build()), BODY, "bias").sqnr > 60


def test_clipped_weights_are_counted():
    edited = EditedModel(pair_bytes("chain_int8"))
    weights = edited.operands(BODY)[1]
    quantization = edited.quantization(weights)
    values = edited.read(weights) * 2.0
    quantization["scale"] = [scale / 2 for scale in quantization["scale"]]
    edited.write(weights, np.clip(values, -128, 127).astype(np.int8))
    found = one(measure(pair_bytes("chain_float32"), edited.build()), BODY, "weights")
    assert found.clipped_share == pytest.approx(((values > 127.5) | (values < -128.5)).mean(), abs=0.01)


@pytest.mark.parametrize("dtype", ["FLOAT16", "BFLOAT16", "INT4", "INT8", "INT16"])
def test_every_type_of_weights_is_dequantized(dtype):
    values = [0.5, -1.0, 1.5, 2.0, -2.0, 3.0]

    def build(kind: str) -> bytes:
        is_float = "FLOAT" in kind
        data = values if is_float else [int(value * 2) for value in values]
        return (
            ModelBuilder().tensor("in", "FLOAT32", [1, 3]).tensor("out", "FLOAT32", [1, 2])
            .tensor("w", kind, [2, 3], data=data, scale=None if is_float else 0.5).inputs("in").outputs("out")
            .operator("FULLY_CONNECTED", ["in", "w", None], ["out"]).build()
        )  # fmt: skip

    (found,) = measure(build("FLOAT32"), build(dtype))
    assert found.sqnr == 120.0
    assert found.dtype == dtype


def test_nan_in_weights_is_left_out():
    def build(values: list[float]) -> bytes:
        return (
            ModelBuilder().tensor("in", "FLOAT32", [1, 2]).tensor("out", "FLOAT32", [1, 2])
            .tensor("w", "FLOAT32", [2, 2], data=values).inputs("in").outputs("out")
            .operator("FULLY_CONNECTED", ["in", "w", None], ["out"]).build()
        )  # fmt: skip

    (found,) = measure(build([1.0, math.nan, 2.0, math.inf]), build([1.0, 1.0, 2.0, 1.0]))
    assert found.sqnr == 120.0


def test_scales_that_do_not_fit_the_shape_are_unknown():
    assert dequantize(np.zeros((2, 3), np.int8), [1.0, 2.0, 3.0], [0], 0) is None
    assert dequantize(np.zeros((2, 3), np.int8), [1.0, 2.0, 3.0], [0], 5) is None
    assert dequantize(np.ones((2, 3), np.int8), [1.0, 2.0], [1, 0], 0).tolist() == [[0.0] * 3, [2.0] * 3]
