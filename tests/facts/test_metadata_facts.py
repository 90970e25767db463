"""Test the facts that compare the metadata with the inputs and outputs of the model."""

from __future__ import annotations

import pytest

from tests.helpers.corpus import manifest, model_paths, needs_corpus
from tests.helpers.models import ModelBuilder
from tests.helpers.public_reports import REPORTS, needs_reports
from tflint.api import check
from tflint.config import Config
from tflint.schema import metadata_schema
from tflint.writer import pack

M005 = Config(select=("M005",))


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


# -- real models -------------------------------------------------------------------------------------------------------


@needs_corpus
def test_real_models_that_run_have_a_normalization_that_fits() -> None:
    running = {row["path"] for row in manifest() if row["invoke_ok"] == "yes"}
    paths = [path for path in model_paths() if any(str(path).endswith(name) for name in running)]
    report = check(paths, config=M005)
    assert [(finding.location.file, finding.rule) for finding in report.findings()] == []
