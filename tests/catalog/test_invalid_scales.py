"""Test that a scale with which kernels cannot compute gives one finding, whatever rules read the scale."""

from __future__ import annotations

import math
import re

import pytest

from tests.helpers.facts import named, rows
from tflint import Config, check, resources
from tflint.contract import parse_contract
from tflint.writer.model_edits import edit_model

#: Models that together have every operator with rules about scales.
MODELS = [
    "add_int8", "border_float32", "boxes_and_scores_int8", "concat_int8", "conv_hybrid", "conv_int16x8",
    "conv_int8", "conv_uint8", "depthwise_int8", "fully_connected_int4", "fully_connected_int8", "island_int8",
    "l2_normalization_int8", "log_softmax_int8", "logistic_int16", "logistic_int8", "max_pool_int8",
    "normalized_int8", "padded_int8", "pixels_int8", "reshape_int8", "softmax_int8", "tanh_int16", "tanh_int8",
    "transpose_conv_int8", "wide_int8",
]  # fmt: skip
INVALID = [-0.5, math.nan, math.inf, 0.0, 1e-40, 1e36]


def findings(content: bytes) -> list[tuple[str, str]]:
    report = check(content, config=Config(targets=("litert", "tflm"), ignore=("O", "M")))
    return [(finding.rule, finding.message) for finding in report.findings()]


def quantized_tensors(model: str) -> dict[str, list[float]]:
    """Return the scales of the quantized tensors of a model by name."""
    facts = named(model)
    columns = (rows(facts, "tensor", column) for column in ("name", "is_quantized", "scale"))
    return {name: scales for name, is_quantized, scales in zip(*columns, strict=True) if is_quantized}


@pytest.mark.parametrize("model", MODELS)
def test_one_invalid_scale_gives_one_finding(model: str) -> None:
    content = resources.named_model_path(model).read_bytes()
    before = findings(content)
    for tensor, scales in quantized_tensors(model).items():
        for invalid in INVALID:
            for planted in {(invalid,) * len(scales), (*scales[:-1], invalid)}:
                faulty = edit_model(content, {f"tensors.{tensor}.quantization.scale": list(planted)})
                added = [found for found in findings(faulty) if found not in before]
                assert len(added) == 1, (tensor, planted, added)


CONTRACT = """
[[inputs]]
kind = "image"
channels = "RGB"
mean = 127.5
std = 127.5
units = "u8"
feed = "{feed}"
scale = 0.00784313725490196
zero-point = -1

[[outputs]]
kind = "regression"
tolerance = 0.01
dequantize = true
range = [-1, 1]
"""


@pytest.mark.parametrize("feed", ["fold", "raw"])
def test_one_invalid_scale_gives_one_finding_beside_a_contract(feed: str) -> None:
    contract = parse_contract(CONTRACT.format(feed=feed), "contract")
    content = resources.named_model_path("pixels_int8").read_bytes()
    before = len(list(check(content, contract=contract).findings()))
    for tensor in ("input", "output"):
        for invalid in INVALID:
            faulty = edit_model(content, {f"tensors.{tensor}.quantization.scale": [invalid]})
            assert len(list(check(faulty, contract=contract).findings())) == before + 1, (tensor, invalid)


def test_scales_are_equal_although_they_are_invalid() -> None:
    """Equal scales are no mismatch, even if they are negative, NaN or infinite."""
    for invalid in INVALID:
        edit = {f"tensors.{name}.quantization.scale": [invalid] for name in ("input", "output")}
        found = findings(edit_model(resources.named_model_path("reshape_int8").read_bytes(), edit))
        assert {rule for rule, _ in found} <= {"Q004", "Q005"}, invalid
        assert found, invalid


def test_what_rules_skip_because_of_an_invalid_scale_is_not_checked() -> None:
    content = resources.named_model_path("conv_int8").read_bytes()
    report = check(edit_model(content, {"tensors.output.quantization.scale": [0.0]}))
    reasons = {entry.rule: entry.reason for entry in report.files[0].not_checked}
    assert set(reasons) >= {"Q001", "Q103"}
    assert all("Q004" in reason for reason in reasons.values())


def test_different_scales_are_not_printed_as_equal_numbers() -> None:
    for model, rule, tensor, factor, others in (
        ("reshape_int8", "Q013", "output", 1 + 3e-6, {}),
        ("fully_connected_int8", "Q101", "bias", 1 + 3e-7, {"tensors.output.quantization.scale": [1e-10]}),
        ("conv_int8", "Q001", "bias", 1 + 3e-7, {"tensors.bias.data": [2**31 - 1] * 3}),
    ):
        scales = [scale * factor for scale in quantized_tensors(model)[tensor]]
        content = resources.named_model_path(model).read_bytes()
        found = findings(edit_model(content, {f"tensors.{tensor}.quantization.scale": scales} | others))
        (message,) = [message for of_rule, message in found if of_rule == rule]
        numbers = re.findall(r"\d+\.\d+(?:e-?\d+)?", message)[:2]
        assert numbers[0] != numbers[1], message


def test_the_message_about_biases_shows_a_channel_whose_scale_is_wrong() -> None:
    scales = quantized_tensors("conv_int8")["bias"]
    edit = {"tensors.bias.quantization.scale": [*scales[:-1], 0.5]}
    found = findings(edit_model(resources.named_model_path("conv_int8").read_bytes(), edit))
    (message,) = [message for rule, message in found if rule == "Q001"]
    assert message.startswith("bias scale 0.5 differs from input scale × weights scale (")
