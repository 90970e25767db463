"""What only a run shows: dead models, state, values that are not finite, delegates that differ, and self-check."""

from __future__ import annotations

from pathlib import Path

import pytest

import tflint
from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.named import NAMED
from tflint.api import check
from tflint.catalog import builtin_catalog
from tflint.config import Config
from tflint.confirm import ConfirmOptions
from tflint.findings import Finding, Report
from tflint.writer.model_edits import edit_model

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")

RUN_RULES = Config(select=("R",))


def confirm(content: bytes, config: Config = RUN_RULES) -> Report:
    return check(content, config=config, confirm=ConfirmOptions())


def find(content: bytes) -> list[tuple[str, str]]:
    """Return the rules about runs that report something, with the locations."""
    return [(finding.rule, finding.location.path) for finding in confirm(content).findings()]


def activated(scale: float) -> bytes:
    """Return FULLY_CONNECTED, LEAKY_RELU, FULLY_CONNECTED; the output of LEAKY_RELU has the given scale."""
    weights = [((7 * row + 3 * column) % 15) - 7 for row in range(4) for column in range(4)]
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4], scale=0.02, zero_point=0)
        .tensor("weights", "INT8", [4, 4], data=weights, scale=0.01)
        .tensor("bias", "INT32", [4], data=[6000, 7000, 8000, 9000], scale=0.02 * 0.01)
        .tensor("hidden", "INT8", [1, 4], scale=0.02, zero_point=0)
        .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["hidden"], version=4)
        .tensor("activated", "INT8", [1, 4], scale=scale, zero_point=0)
        .operator("LEAKY_RELU", ["hidden"], ["activated"], {"alpha": 0.1}, version=2)
        .tensor("head", "INT8", [4, 4], data=weights, scale=0.05)
        .tensor("output", "INT8", [1, 4], scale=max(scale, 1e-3), zero_point=0)
        .operator("FULLY_CONNECTED", ["activated", "head", None], ["output"], version=4)
        .inputs("input")
        .outputs("output")
        .build()
    )


def recurrent(*, is_dead: bool) -> bytes:
    """Return a recurrent layer followed by a FULLY_CONNECTED; a dead one has zero weights."""
    weights = [0.0] * 16 if is_dead else [0.1 * (number % 5 - 2) for number in range(16)]
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 3, 4])
        .tensor("weights", "FLOAT32", [4, 4], data=weights)
        .tensor("recurrent", "FLOAT32", [4, 4], data=weights)
        .tensor("bias", "FLOAT32", [4], data=[0.1, 0.2, 0.3, 0.4])
        .tensor("state", "FLOAT32", [1, 4], is_variable=True)
        .tensor("cell", "FLOAT32", [1, 3, 4])
        .operator(
            "UNIDIRECTIONAL_SEQUENCE_RNN",
            ["input", "weights", "recurrent", "bias", "state"],
            ["cell"],
            {"fused_activation_function": "TANH"},
        )
        .tensor("head", "FLOAT32", [2, 4], data=[0.5, -0.25, 0.125, 1.0, -1.0, 0.5, 0.25, -0.5])
        .tensor("output", "FLOAT32", [3, 2])
        .operator("FULLY_CONNECTED", ["cell", "head", None], ["output"])
        .inputs("input")
        .outputs("output")
        .build()
    )


class TestADeadModel:
    def test_with_scales_at_a_quantizers_floor_is_found_at_the_first_dead_operator(self) -> None:
        """A converter that saw only zeros writes scales of 1e-9 or so; every value saturates."""
        assert find(activated(0.02)) == []
        assert find(activated(1.19e-7)) == [("R106", "subgraphs[0].operators[1]")]

    def test_with_zero_weights_is_found(self) -> None:
        zeros = edit_model(NAMED["conv_float32"](), {"tensors.weights.data": [0.0] * 54})
        assert ("R106", "subgraphs[0].operators[0]") in find(zeros)
        assert find(NAMED["conv_float32"]()) == []

    def test_with_a_dead_recurrent_cell_is_found(self) -> None:
        assert ("R106", "subgraphs[0].operators[0]") in find(recurrent(is_dead=True))
        assert "R106" not in [rule for rule, _ in find(recurrent(is_dead=False))]

    def test_whose_last_activation_saturates_is_not_reported(self) -> None:
        """A classifier that is sure of one class gives the same output for every input."""
        model = (
            ModelBuilder()
            .tensor("input", "FLOAT32", [1, 4])
            .tensor("weights", "FLOAT32", [2, 4], data=[1.0, 2.0, -1.0, 0.5, 0.25, 1.0, -0.5, 2.0])
            .tensor("bias", "FLOAT32", [2], data=[1e6, 2e6])
            .tensor("logits", "FLOAT32", [1, 2])
            .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["logits"])
            .tensor("output", "FLOAT32", [1, 2])
            .operator("LOGISTIC", ["logits"], ["output"])
            .inputs("input")
            .outputs("output")
            .build()
        )
        assert find(model) == []


def test_values_that_are_not_finite_are_reported_within_a_declared_range_only() -> None:
    model = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1, 4])
        .operator("LOG", ["input"], ["output"])
        .inputs("input")
        .outputs("output")
        .build()
    )
    assert find(model) == []
    contract = '[[inputs]]\nkind = "raw"\nmean = 0\nstd = 1\nunits = "unit"\nrange = [-1, 1]\n'
    from tflint.contract import parse_contract

    declared = parse_contract(contract, "model.contract.toml")
    report = check(model, config=RUN_RULES, contract=declared, confirm=ConfirmOptions())
    assert [finding.rule for finding in report.findings()] == ["R105"]


def test_a_refusal_that_no_rule_predicts_is_a_finding_and_a_report_about_tflint() -> None:
    squeeze = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1])
        .operator("SQUEEZE", ["input"], ["output"], {"squeeze_dims": [1]})
        .inputs("input")
        .outputs("output")
        .build()
    )
    report = confirm(squeeze, Config())
    (finding,) = [one for one in report.findings() if one.rule == "R101"]
    assert finding.severity == "error"
    assert finding.target == "litert==2.3.0"
    assert "squeeze.cc" in finding.message
    (notice,) = [one for one in report.notices if one.kind == "self-check"]
    assert "SQUEEZE v1 (float32 → float32)" in notice.message
    assert "which no rule predicts" in notice.message


def test_a_prediction_that_a_run_contradicts_loses_a_severity_and_is_a_report_about_tflint(monkeypatch) -> None:
    """No built-in rule is known to be wrong, so a rule that is right gets a probe that contradicts it."""
    from tflint.values import replace

    catalog = builtin_catalog()
    wrong = tuple(replace(rule, confirm="load") if rule.id == "Q001" else rule for rule in catalog.rules)
    monkeypatch.setattr("tflint.catalog.rule_loader.load_catalog", lambda *_: replace(catalog, rules=wrong))
    model = edit_model(NAMED["conv_int8"](), {"tensors.bias.quantization.scale": [0.5, 0.5, 0.5]})
    report = confirm(model, Config(select=("Q001",)))
    (finding,) = report.findings()
    assert (finding.verdict, finding.severity, finding.severity_before) == ("not-reproduced", "warning", "error")
    (notice,) = [one for one in report.notices if one.kind == "self-check"]
    assert "Q001 predicts that litert 2.3.0 refuses a model, but the model passes load" in notice.message


def test_the_order_of_the_files_does_not_depend_on_the_number_of_children() -> None:
    models = [
        NAMED[name]() for name in ("conv_int8", "custom_op", "add_float32", "empty_file", "flex_op", "conv_uint8")
    ]
    one, three = (check(models, confirm=ConfirmOptions(jobs=jobs)) for jobs in (1, 3))
    assert [_key(finding) for finding in one.findings()] == [_key(finding) for finding in three.findings()]
    assert [file.path for file in one.files] == [file.path for file in three.files]


def _key(finding: Finding) -> tuple[str, str, str | None]:
    return finding.rule, finding.location.file, finding.verdict


def test_models_with_the_same_name_are_not_mixed_up() -> None:
    bad, good = (tflint.load(NAMED[name]()) for name in ("custom_op", "conv_int8"))
    assert bad.name == good.name
    report = check([bad, good], confirm=ConfirmOptions())
    assert [finding.verdict for finding in report.files[0].findings if finding.rule == "O004"] == ["confirmed"]
    assert not [finding for finding in report.files[1].findings if finding.rule.startswith("R")]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open files")
def test_files_are_closed_after_their_run(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.tflite" for number in range(30)]
    for path in paths:
        path.write_bytes(NAMED["add_float32"]())
    check(paths[0], confirm=ConfirmOptions())
    before = len([*Path("/proc/self/fd").iterdir()])
    check(paths, confirm=ConfirmOptions())
    assert len([*Path("/proc/self/fd").iterdir()]) <= before


def test_a_finding_for_two_targets_is_not_lowered_by_the_run_of_one() -> None:
    from tflint.confirm.verdicts import judge_findings
    from tflint.facts.run.model_run import Attempt, ModelRun
    from tflint.findings import Location

    rule = next(rule for rule in builtin_catalog().rules if rule.confirm == "load")
    finding = Finding(
        rule=rule.id,
        name=rule.name,
        severity="error",
        severity_before="error",
        confidence="high",
        message="",
        location=Location("m"),
        fix="",
        identity=(),
        target="litert==2.3.0, tflm",
    )
    run = ModelRun("litert", "2.3.0", ("litert==2.3.0",), (Attempt("default", "load", "ok"),))
    (judged,) = judge_findings([finding], {rule.id: rule}, [run], ["litert==2.3.0", "tflm"], lambda name: f"no {name}")
    assert (judged.verdict, judged.severity) == ("could-not-run", "error")
    assert judged.probe is not None
    assert judged.probe["message"] == "no tflm"


def test_an_image_model_with_a_string_input_is_run() -> None:
    model = (
        ModelBuilder()
        .tensor("image", "FLOAT32", [1, 32, 32, 3])
        .tensor("text", "STRING", [1])
        .tensor("output", "FLOAT32", [1, 32, 32, 3])
        .operator("RELU", ["image"], ["output"])
        .inputs("image", "text")
        .outputs("output")
        .build()
    )
    report = confirm(model, Config())
    assert report.files[0].runs[0].steps["default"]["invoke"] == "ok"
