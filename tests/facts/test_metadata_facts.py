"""Test the facts that compare the metadata with the inputs and outputs of the model."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.helpers.corpus import manifest, model_paths, needs_corpus
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import NAMED
from tests.helpers.public_reports import REPORTS, needs_reports
from tflint.api import check
from tflint.config import Config
from tflint.findings import Finding
from tflint.schema import metadata_schema
from tflint.writer import edit_model, pack

M005 = Config(select=("M005",))
M006 = Config(select=("M006",))


def image_model(
    dtype: str, scale: float | None, zero_point: int, mean: list[float], std: list[float], *, kind: str = "Image"
) -> bytes:
    """Return a model with one input, whose metadata specifies mean and std."""
    parameters = {} if scale is None else {"scale": [scale], "zero_point": [zero_point]}
    quantized = {"scale": [1 / 127.5], "zero_point": [-1]}
    unit = {"options": {"type": "NormalizationOptions", "mean": mean, "std": std}}
    entry = {"name": "x", "content": {"content_properties": {"type": f"{kind}Properties"}}, "process_units": [unit]}
    root = {"subgraph_metadata": [{"input_tensor_metadata": [entry]}]}
    return (
        ModelBuilder()
        .tensor("input", dtype, [1, 16, 16, 3], **parameters)
        .tensor("output", "INT8", [1, 16, 16, 3], **quantized)
        .operator("QUANTIZE", ["input"], ["output"])
        .inputs("input")
        .outputs("output")
        .metadata("TFLITE_METADATA", pack(root, metadata_schema()))
        .build()
    )


def messages(content: bytes, config: Config) -> list[str]:
    return [finding.message for finding in check(content, config=config).findings()]


# -- normalization -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "mean", "std"),
    [
        ("INT8", 1 / 127.5, -1, [0.0], [255.0]),  # calibrated for -1 to 1, 0 to 1 in the metadata
        ("INT8", 0.00778162, 1, [0.0], [255.0]),
        ("INT8", 0.00776, -2, [0.0], [255.0]),  # a little more than half of the range
        ("INT8", 1 / 255, -128, [127.5], [127.5]),
        ("UINT8", 1 / 255, 0, [127.5, 127.5, 127.5], [127.5, 127.5, 127.5]),
        ("UINT8", 1.0, 0, [127.5], [127.5]),
        ("INT16", 1 / 32767, 0, [0.0], [1.0]),  # raw bytes make no sense for 16 bits
        ("FLOAT32", None, 0, [0.0], [1.0]),  # a QUANTIZE follows, which was calibrated for -1 to 1
        ("FLOAT32", None, 0, [0.0], [255.0]),
    ],
)
def test_metadata_that_contradicts_the_calibrated_range_is_found_without_a_contract(
    dtype: str, scale: float | None, zero_point: int, mean: list[float], std: list[float]
) -> None:
    (message,) = messages(image_model(dtype, scale, zero_point, mean, std), M005)
    assert message.startswith("with the metadata's mean ")
    assert "the input was calibrated for " in message


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "mean", "std"),
    [
        ("INT8", 1 / 127.5, -1, [127.5], [127.5]),
        ("UINT8", 0.0078125, 128, [127.5], [127.5]),
        ("UINT8", 0.007874016, 128, [0.0], [1.0]),  # mean 0 and std 1: raw bytes
        ("INT8", 1 / 127.5, -1, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
        ("INT8", 0.018658, -14, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
        ("INT8", 1 / 127, 0, [0.0], [255.0]),  # a symmetric scale
        ("INT8", 0.9 / 127, 0, [0.0], [255.0]),  # the same of data that reached only 0.9
        ("INT16", 1 / 32767, 0, [0.0], [255.0]),
        ("FLOAT32", None, 0, [127.5], [127.5]),
        ("INT8", 1 / 127.5, -1, [0.0], [0.0]),  # no valid std
        ("INT8", 1 / 127.5, -1, [0.0, 0.0], [255.0, 255.0, 255.0]),
        ("INT8", 1 / 127.5, -1, [0.0] * 5, [255.0] * 5),  # no image has five channels
    ],
)
def test_metadata_that_fits_the_calibrated_range_is_no_finding(
    dtype: str, scale: float | None, zero_point: int, mean: list[float], std: list[float]
) -> None:
    assert messages(image_model(dtype, scale, zero_point, mean, std), M005) == []


def test_features_are_not_pixels() -> None:
    assert messages(image_model("INT8", 1 / 127.5, -1, [0.0], [255.0], kind="Feature"), M005) == []


@needs_reports
def test_a_metadata_unit_of_a_public_report_is_found() -> None:
    report = check(REPORTS / "t25-metadata-unit" / "model.tflite")
    assert [finding.rule for finding in report.findings() if finding.severity == "error"] == ["M005"]


# -- order of the outputs ----------------------------------------------------------------------------------------------

#: Rows of the tensors of the detector.
BOXES, CLASSES, SCORES, COUNT = 3, 4, 5, 6


def described(edit: dict[str, Any]) -> list[Finding]:
    return list(check(edit_model(NAMED["described_float32"](), edit), config=M006).findings())


def test_metadata_in_the_order_of_another_conversion_is_one_finding() -> None:
    (finding,) = described({"outputs": [SCORES, BOXES, COUNT, CLASSES]})
    assert finding.location.path == "subgraphs[0].outputs[0]"
    assert finding.message == (
        "the metadata describes the outputs in the order [location, category, score, number of detections], "
        "but the model returns them in the order [score, location, number of detections, category]"
    )


def test_metadata_in_the_order_of_the_model_is_no_finding() -> None:
    assert described({}) == []


def test_an_output_that_the_metadata_does_not_name_leaves_the_order_open() -> None:
    assert described({"outputs": [SCORES, BOXES, COUNT]}) == []


def named_outputs(tensors: list[str], labels: list[str], signature: list[str] | None = None) -> bytes:
    """Return a model with outputs of these names, described in the metadata by labels."""
    root = {"subgraph_metadata": [{"output_tensor_metadata": [{"name": label} for label in labels]}]}
    builder = ModelBuilder().tensor("input", "FLOAT32", [2])
    for name in tensors:
        builder = builder.tensor(name, "FLOAT32", [2]).operator("RELU", ["input"], [name])
    builder = builder.inputs("input").outputs(*tensors).metadata("TFLITE_METADATA", pack(root, metadata_schema()))
    if signature is not None:
        builder = builder.signature("serving", {"x": "input"}, dict(zip(signature, tensors, strict=True)))
    return builder.build()


@pytest.mark.parametrize(
    ("tensors", "labels", "signature", "n_findings"),
    [
        (["a", "b"], ["b", "a"], None, 1),
        (["a", "b"], ["a", "b"], None, 0),
        (["a", "b"], ["a", "a"], None, 0),  # not an order
        (["a", "b"], ["probability", "a"], None, 0),  # partly named
        (["a", "b"], ["label", "score"], None, 0),
        (["t:0", "t:1"], ["logits", "boxes"], ["boxes", "logits"], 1),
        (["t:0", "t:1"], ["boxes", "logits"], ["boxes", "logits"], 0),
        (["a", "b"], ["a", "b"], ["b", "a"], 0),  # names of tensors and signature contradict each other
    ],
)
def test_names_of_tensors_and_signatures_tell_the_order(
    tensors: list[str], labels: list[str], signature: list[str] | None, n_findings: int
) -> None:
    assert len(messages(named_outputs(tensors, labels, signature), M006)) == n_findings


def test_very_many_outputs_take_linear_time() -> None:
    names = [f"output_{k}" for k in range(3000)]
    content = named_outputs(names, names[::-1], names)
    begin = time.process_time()
    assert len(messages(content, M006)) == 1
    assert time.process_time() - begin < 10


# -- real models -------------------------------------------------------------------------------------------------------


@needs_corpus
def test_real_models_that_run_have_metadata_that_fits() -> None:
    running = {row["path"] for row in manifest() if row["invoke_ok"] == "yes"}
    paths = [path for path in model_paths() if any(str(path).endswith(name) for name in running)]
    report = check(paths, config=Config(select=("M005", "M006")))
    assert [(finding.location.file, finding.rule) for finding in report.findings()] == []
