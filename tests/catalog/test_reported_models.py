"""Test rules on models of public bug reports: each fault is found at its place, and the sound versions have none."""

from __future__ import annotations

import pytest

from tests.helpers.public_reports import REPORTS, needs_reports
from tflint.api import check

#: Symptom: file in the folder of the reports, rule, severity, and the part of the model that the finding names.
FAULTS = {
    "accuracy falls because the weights are not in the file": (
        "t20-readvar/model.tflite", "K107", "error", "batch_normalization/beta",
    ),
    "wrong outputs of a convolution whose scales are along the input channels": (
        "a03-wrong-channel-axis/model.tflite", "Q010", "error", "layer/kernel",
    ),
    "a FULLY_CONNECTED that is refused for its axis": (
        "a03-wrong-channel-axis/fully_connected.tflite", "Q010", "error", "layer/kernel",
    ),
    "a division by a constant zero": (
        "a01-div-zero-const/model.tflite", "Q122", "warning", "truediv",
    ),
    "a detector without detections, because boxes and scores share one scale": (
        "a05-yolo-concat/model.tflite", "Q018", "warning", "Sigmoid_11",
    ),
    "smaller logits after the conversion to float16": (
        "t17-float16-overflow/model.tflite", "Q033", "warning", "functional_6_1/scores_1/MatMul",
    ),
    "the same answer for every input, because the calibration data was empty": (
        "t01-zeros/model.tflite", "Q123", "warning", "image",
    ),
    "images that are normalized twice, because the calibration data was normalized": (
        "t21-rescale-inside-calibrated-pm1/model.tflite", "Q126", "error", "image",
    ),
    "noise instead of remainders, because the dividend is quantized": (
        "a06-mod-of-quantized/model.tflite", "Q041", "warning", "PartitionedCall:01",
    ),
    "a batch of four is refused, although the batch is free": (
        "t15-constant-reshape/model.tflite", "D009", "warning", "Reshape",
    ),
    "a bundle that no LLM runtime can open": (
        "b13-llm-task-without-prefill/model.task", "K108", "error", "",
    ),
}  # fmt: skip

#: Files without the fault of the rule: the float or sound versions of the models above.
SOUND = [
    ("a03-wrong-channel-axis/good.tflite", "Q010"),
    ("a05-yolo-concat/float32.tflite", "Q018"),
    ("t21-rescale-inside-calibrated-pm1/model.tflite", "Q127"),  # Q126 names the cause
    ("t24-no-dequantize/model.tflite", "Q126"),
    ("b13-llm-task-without-prefill/model.tflite", "K108"),  # not in a bundle
]


def findings_of(file: str, rule: str) -> list:
    return [finding for finding in check([REPORTS / file]).findings() if finding.rule == rule]


@needs_reports
@pytest.mark.parametrize("symptom", FAULTS)
def test_the_symptom_has_one_finding_at_its_cause(symptom):
    file, rule, severity, name = FAULTS[symptom]
    (finding,) = findings_of(file, rule)
    assert finding.severity == severity
    assert name in " ".join([*map(str, finding.location.names), finding.location.path])


@needs_reports
@pytest.mark.parametrize(("file", "rule"), SOUND)
def test_the_sound_version_has_no_finding(file, rule):
    assert findings_of(file, rule) == []
