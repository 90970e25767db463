"""Test that one cause gives one finding, which describes all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.helpers.models import ModelBuilder
from tests.helpers.public_reports import REPORTS, needs_reports
from tflint import Config, Finding, check, resources
from tflint.contract import parse_contract
from tflint.writer.model_edits import edit_model

IMAGE = """
[[inputs]]
kind = "image"
channels = "{channels}"
mean = 127.5
std = 127.5
units = "u8"
shape = {shape}
"""


def findings(model: str, contract: str, rules: Sequence[str], edit: dict | None = None) -> list[Finding]:
    content = edit_model(resources.named_model_path(model).read_bytes(), edit or {})
    report = check(content, contract=parse_contract(contract, "contract") if contract else None)
    return [finding for finding in report.findings() if finding.rule in rules]


def detection_contract(roles: Sequence[str]) -> str:
    return "".join(f'[[outputs]]\nindex = {k}\nkind = "raw"\nrole = "{role}"\n' for k, role in enumerate(roles))


def test_rgba_for_an_rgb_model_is_one_finding_with_both_shapes() -> None:
    (finding,) = findings("image_float32", IMAGE.format(channels="RGBA", shape="[1, 16, 16, 4]"), ["D002", "D007"])
    assert finding.rule == "D007"
    assert "[1, 16, 16, 3]" in finding.message
    assert "[1, 16, 16, 4]" in finding.message


def test_a_wrong_shape_alone_is_still_reported() -> None:
    (finding,) = findings("image_float32", IMAGE.format(channels="RGB", shape="[1, 8, 8, 3]"), ["D002", "D007"])
    assert finding.rule == "D002"


def test_detection_outputs_in_another_order_are_one_finding_with_the_whole_order() -> None:
    contract = detection_contract(["scores", "boxes", "count", "classes"])
    (finding,) = findings("detection_float32", contract, ["M009"])
    assert "[boxes, classes, scores, count]" in finding.message
    assert "[scores, boxes, count, classes]" in finding.message
    assert finding.location.path == "outputs[0].role"
    assert [related.location.path for related in finding.related] == [f"outputs[{k}].role" for k in (1, 2, 3)]


def test_only_the_wrong_roles_are_related() -> None:
    (finding,) = findings("detection_float32", detection_contract(["boxes", "scores", "classes", "count"]), ["M009"])
    assert finding.location.path == "outputs[1].role"
    assert [related.location.path for related in finding.related] == ["outputs[2].role"]


def test_outputs_without_a_role_are_not_compared() -> None:
    contract = detection_contract(["boxes", "classes"])
    assert findings("detection_float32", contract, ["M009"]) == []
    wrong = '[[outputs]]\nindex = 2\nkind = "raw"\nrole = "count"\n'
    (finding,) = findings("detection_float32", wrong, ["M009"])
    assert "[none, none, count, none]" in finding.message


PADDED = ("value", "input", "padded", "output")


def scales_of_padded(scale: float, tensors: Sequence[str] = PADDED) -> dict:
    return {f"tensors.{name}.quantization.scale": [scale] for name in tensors}


@pytest.mark.parametrize(
    ("scale", "rule"), [(1.33e36, "Q128"), (math.nan, "Q004"), (0.0, "Q004"), (-1.0, "Q004"), (2e4, "Q109")]
)
def test_a_scale_that_spreads_from_a_padding_constant_is_one_finding(scale: float, rule: str) -> None:
    rules = ["Q004", "Q005", "Q109", "Q128"]
    (finding,) = findings("padded_int8", "", rules, scales_of_padded(scale))
    assert finding.rule == rule
    assert finding.location.names[-1] == "value"
    assert {related.location.names[-1] for related in finding.related} >= {"input", "padded", "output"}


def test_a_large_scale_that_spreads_without_a_constant_is_one_finding_at_the_first_tensor() -> None:
    edit = scales_of_padded(1e36, ["padded", "output"])
    (finding,) = findings("padded_int8", "", ["Q005", "Q128"], edit)
    assert (finding.rule, finding.location.names[-1]) == ("Q005", "padded")
    assert "padding" not in finding.fix


def test_different_large_scales_are_different_findings() -> None:
    edit = scales_of_padded(1e36, ["padded"]) | scales_of_padded(1e30, ["output"])
    assert [finding.location.names[-1] for finding in findings("padded_int8", "", ["Q005"], edit)] == [
        "padded",
        "output",
    ]


def negations(number: int) -> bytes:
    """Return a model with a FULLY_CONNECTED in int8 before each of some NEG in float, and twenty at the end."""
    builder = ModelBuilder().tensor("codes_0", "INT8", [1, 4], scale=0.01, zero_point=0).inputs("codes_0")

    def dense(source: str, target: str) -> None:
        builder.tensor(f"weights_{target}", "INT8", [4, 4], data=[1] * 16, scale=0.01, zero_point=0)
        builder.tensor(target, "INT8", [1, 4], scale=0.01, zero_point=0)
        builder.operator("FULLY_CONNECTED", [source, f"weights_{target}"], [target], version=4)

    for k in range(number):
        dense(f"codes_{k}", f"dense_{k}")
        builder.tensor(f"real_{k}", "FLOAT32", [1, 4]).tensor(f"negated_{k}", "FLOAT32", [1, 4])
        builder.tensor(f"codes_{k + 1}", "INT8", [1, 4], scale=0.01, zero_point=0)
        builder.operator("DEQUANTIZE", [f"dense_{k}"], [f"real_{k}"], version=2)
        builder.operator("NEG", [f"real_{k}"], [f"negated_{k}"])
        builder.operator("QUANTIZE", [f"negated_{k}"], [f"codes_{k + 1}"])
    last = f"codes_{number}"
    for k in range(20):
        dense(last, f"last_{k}")
        last = f"last_{k}"
    return builder.outputs(last).build()


@pytest.mark.parametrize(("number", "rule"), [(2, "Q118"), (20, "Q027")])
def test_many_float_islands_are_one_finding_with_all_operators(number: int, rule: str) -> None:
    found = [finding for finding in check(negations(number)).findings() if finding.rule in ("Q027", "Q118")]
    (finding,) = found
    assert (finding.rule, finding.severity) == (rule, "note" if rule == "Q118" else "warning")
    assert f"[{number} NEG]" in finding.message
    assert f"{2 * number} conversions" in finding.message
    assert "0.0%" not in finding.message
    assert finding.location.names[-1] == "negated_0"
    assert "also operator 6 NEG" in [related.message for related in finding.related]


@needs_reports
def test_the_public_report_of_a_float_operator_before_the_last_quantize() -> None:
    found = [finding for finding in check(REPORTS / "a06-mod-of-quantized").findings() if finding.rule == "Q027"]
    assert len(found) == 1
    assert "FLOOR_MOD" in found[0].message


@needs_reports
def test_the_public_report_of_a_padding_with_the_lowest_float() -> None:
    report = check(REPORTS / "a07-maxpool-pad-lowest")
    (finding,) = [finding for finding in report.findings() if finding.severity != "note"]
    assert (finding.rule, finding.location.names[-1]) == ("Q128", "PadV2/constant_values")
    assert "-3.4e+38" in finding.message
    assert "pad with a value in the range of the data" in finding.fix


@needs_reports
def test_the_public_report_of_a_model_that_only_reads_variables_asks_for_no_reset() -> None:
    assert "K006" not in {finding.rule for finding in check(REPORTS / "t20-readvar").findings()}


def test_float_inputs_and_outputs_of_an_integer_model_are_one_finding() -> None:
    content = resources.named_model_path("border_float32").read_bytes()
    found = [f for f in check(content).findings() if f.name.startswith("integer-model-float")]
    (finding,) = found
    assert (finding.rule, finding.severity, finding.location.names[-1]) == ("Q028", "note", "input")
    assert finding.related[-1].location.names[-1] == "output"
    assert "inputs (1) and outputs (1): [input, output]" in finding.message


def notes_without_metadata(config: Config) -> list[tuple[str, str]]:
    content = edit_model(resources.named_model_path("image_float32").read_bytes(), {"metadata": "absent"})
    return [(f.rule, f.severity) for f in check(content, config=config).findings() if f.rule in ("M001", "M002")]


def test_missing_metadata_and_missing_normalization_are_one_finding() -> None:
    assert notes_without_metadata(Config()) == [("M002", "note")]


def test_a_note_about_metadata_does_not_hide_a_required_normalization() -> None:
    assert notes_without_metadata(Config(metadata_require=("normalization",))) == [("M001", "error"), ("M002", "note")]
    assert ("M002", "error") in notes_without_metadata(Config(metadata_require=("normalization", "metadata")))


@needs_reports
def test_the_public_report_of_reordered_detection_outputs() -> None:
    report = check(REPORTS / "a14-detection-order")
    (finding,) = [finding for finding in report.findings() if finding.severity == "error"]
    assert finding.rule == "M009"
    assert len(finding.related) == 3
    assert {Path(related.location.file).name for related in finding.related} == {"model.contract.toml"}
