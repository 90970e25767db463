"""Test that the operator where an error is born ranks first, with its cause, on pairs with a planted fault."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers.float_int8_pairs import (
    BODY,
    DEPTHWISE,
    NECK,
    POINTWISE,
    STEM,
    needs_runtime,
    pair_bytes,
    pair_path,
    write_samples,
)
from tests.helpers.planted_losses import EditedModel, amplify_channel, clip_range, merge_scales, scale_bias
from tests.helpers.public_reports import REPORTS, needs_reports
from tflint.confirm.compare import comparison_json
from tflint.confirm.compare.comparison import CompareOptions, Comparison, compare_models
from tflint.resources import json_schema
from tflint.userfiles.schema_check import is_valid

pytestmark = needs_runtime

#: Number of the last dense layer of the chain.
HEAD = 6


def compare(folder: Path, reference: bytes, model: bytes, *, has_samples: bool = True) -> Comparison:
    (folder / "float.tflite").write_bytes(reference)
    (folder / "int8.tflite").write_bytes(model)
    samples = str(write_samples(folder)) if has_samples else None
    return compare_models(
        str(folder / "float.tflite"), str(folder / "int8.tflite"), CompareOptions(samples=samples, max_seconds=300)
    )


def first(comparison: Comparison) -> tuple[str, int]:
    assert comparison.run is not None, comparison.not_run
    finding = comparison.findings[0]
    return finding.kind, finding.operator


@pytest.mark.parametrize("operator", [STEM, DEPTHWISE, POINTWISE, BODY, NECK])
def test_a_clipped_range_ranks_first(tmp_path, operator):
    found = compare(tmp_path, pair_bytes("chain_float32"), clip_range(pair_bytes("chain_int8"), operator, 3))
    assert first(found) == ("clipped-range", operator)
    assert found.has_warnings
    (birth,) = found.run.births
    assert birth.operator == operator
    finding = found.findings[0]
    assert finding.share > 0.9
    assert re.search(r"% of the values are clipped: the range is 0 … \d", finding.text)
    assert "calibrate" in finding.advice


@pytest.mark.parametrize("operator", [STEM, DEPTHWISE, POINTWISE, BODY, NECK, HEAD])
def test_a_scaled_bias_ranks_first(tmp_path, operator):
    found = compare(tmp_path, pair_bytes("chain_float32"), scale_bias(pair_bytes("chain_int8"), operator, 4))
    assert first(found) == ("wrong-bias", operator)
    assert found.has_warnings
    assert "4 times the reference" in found.findings[0].text


@pytest.mark.parametrize("operator", [POINTWISE, BODY, NECK])
def test_an_outlier_channel_ranks_first_unless_weights_are_per_channel(tmp_path, operator):
    reference = amplify_channel(pair_bytes("chain_float32"), operator, 3, 40)
    per_channel = amplify_channel(pair_bytes("chain_int8"), operator, 3, 40)
    found = compare(tmp_path, reference, merge_scales(per_channel, operator))
    assert first(found) == ("outlier-channels", operator)
    assert "channel 3 is" in found.findings[0].text
    assert "per channel" in found.findings[0].advice
    assert compare(tmp_path, reference, per_channel).findings == ()


@pytest.mark.parametrize("operator", [0, 5])
def test_a_fault_before_branches_ranks_first(tmp_path, operator):
    reference, model = pair_bytes("branches_float32"), pair_bytes("branches_int8")
    assert first(compare(tmp_path, reference, clip_range(model, operator, 3))) == ("clipped-range", operator)
    assert first(compare(tmp_path, reference, scale_bias(model, operator, 4))) == ("wrong-bias", operator)


def test_generated_values_find_a_fault_too(tmp_path):
    model = scale_bias(pair_bytes("chain_int8"), BODY, 4)
    found = compare(tmp_path, pair_bytes("chain_float32"), model, has_samples=False)
    assert first(found) == ("wrong-bias", BODY)
    assert found.run.samples_from == "generated"


def test_a_clipped_range_on_generated_values_is_a_note(tmp_path):
    """Generated values may exceed the calibration data."""
    model = clip_range(pair_bytes("chain_int8"), BODY, 3)
    found = compare(tmp_path, pair_bytes("chain_float32"), model, has_samples=False)
    assert first(found) == ("clipped-range", BODY)
    assert not found.has_warnings


@pytest.mark.parametrize(
    ("reference", "model"),
    [
        ("chain_float32", "chain_int8"),
        ("chain_float32", "chain_int8_float_interface"),
        ("chain_float32", "chain_dynamic_range"),
        ("branches_float32", "branches_int8"),
        ("chain_int8", "chain_float32"),
        ("chain_int8", "chain_int8_float_interface"),
        ("chain_float32", "chain_float32"),
        ("chain_int8", "chain_int8"),
    ],
)
@pytest.mark.parametrize("has_samples", [True, False])
def test_a_pair_without_faults_has_no_findings(tmp_path, reference, model, has_samples):
    samples = str(write_samples(tmp_path)) if has_samples else None
    options = CompareOptions(samples=samples, max_seconds=300)
    found = compare_models(str(pair_path(reference)), str(pair_path(model)), options)
    assert found.run is not None, found.not_run
    assert found.findings == ()
    assert found.run.births == ()
    assert len(found.run.activations) >= 9
    assert min(row.error.sqnr for row in found.run.activations) > 30
    if reference == model:
        assert {row.error.sqnr for row in found.run.activations} == {120.0}
        assert all(output.largest_error == 0 for output in found.run.outputs)


def test_a_model_with_other_weights_has_one_finding(tmp_path):
    edited = EditedModel(pair_bytes("chain_int8"))
    for operator in (STEM, DEPTHWISE, POINTWISE, BODY, NECK, HEAD):
        weights = edited.operands(operator)[1]
        edited.write(weights, edited.read(weights)[..., ::-1].copy())
    found = compare(tmp_path, pair_bytes("chain_float32"), edited.build())
    assert [(finding.kind, finding.severity) for finding in found.findings] == [("different-weights", "warning")]


@needs_reports
@pytest.mark.parametrize(
    ("report", "kind", "opcode", "words"),
    [
        ("a05-yolo-concat", "swamped-concatenation", "QUANTIZE", "shares a scale at CONCATENATION with 'mul'"),
        ("a07-maxpool-pad-lowest", "padding-constant", "CONV_2D", "PADV2 pads with −3.403e+38"),
    ],
)
def test_the_cause_of_a_public_report_is_named(report, kind, opcode, words):
    folder = REPORTS / report
    found = compare_models(str(folder / "float32.tflite"), str(folder / "model.tflite"), CompareOptions())
    (finding,) = found.findings
    assert (finding.kind, finding.severity, finding.opcode) == (kind, "warning", opcode)
    assert words in finding.text


@pytest.mark.parametrize("scale", [1e-38, 1e-20, 1e20, 3e38, float("inf"), float("nan")])
def test_extreme_scales_give_a_result_without_warnings_of_numpy(tmp_path, scale):
    edited = EditedModel(pair_bytes("chain_int8"))
    edited.quantization(edited.output(BODY))["scale"] = [scale]
    found = compare(tmp_path, pair_bytes("chain_float32"), edited.build(), has_samples=False)
    assert is_valid(json.loads(comparison_json.render(found)), json_schema("comparison"))
    assert found.run is not None or found.not_run
