"""Test declared targets: parsed versions, operators per runtime, and severities that depend on the target."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.models.named import NAMED
from tests.helpers.paths import ROOT
from tflint.api import check
from tflint.catalog import builtin_catalog
from tflint.config import Config, TargetOptions
from tflint.errors import UserError
from tflint.findings import Finding, Report
from tflint.report.text_report import Style, render
from tflint.resources import runtime_table
from tflint.targets.runtime import load_runtime, runtime_names, runtimes_by_age
from tflint.targets.target import declared_targets, includes_target, is_runtime_spec, resolve_targets, severity_on
from tflint.targets.version import Version, VersionLineError, parse_version
from tflint.writer import edit_model


def checked(name: str, *targets: str, edit: dict[str, Any] | None = None, **options: Any) -> Report:
    content = NAMED[name]()
    return check(edit_model(content, edit) if edit else content, config=Config(targets=targets, **options))


def of_rule(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings() if finding.rule == rule]


# --- versions -------------------------------------------------------------------------------------------------------


def litert(*numbers: int) -> Version:
    return Version("litert", numbers)


def test_versions_compare_by_number_within_their_line() -> None:
    assert litert(1, 10) > litert(1, 9, 9)
    assert litert(2) <= litert(2, 0, 0) <= litert(2)
    assert litert(2, 1).equals(litert(2, 1, 0))
    assert not litert(2, 1) < litert(2, 1, 0)
    assert max([litert(1, 4, 1), litert(2, 0), litert(1, 3)]) == litert(2, 0)
    assert str(litert(2, 3, 0)) == "2.3.0"


@pytest.mark.parametrize("compare", ["__lt__", "__le__", "__gt__", "__ge__", "equals"])
def test_versions_of_two_lines_do_not_compare(compare: str) -> None:
    with pytest.raises(VersionLineError, match="belong to different version lines"):
        getattr(litert(2, 3, 0), compare)(Version("tensorflow", (2, 21)))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("2.3.0", (2, 3, 0)), ("v2.1", (2, 1)), ("2.0.2a1", (2, 0, 2)), ("1", (1,)), ("2.0.0-alpha", (2, 0, 0))],
)
def test_texts_that_name_a_version(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_version("litert", text) == litert(*numbers)


@pytest.mark.parametrize("text", ["", "x", "v", "-1", "9999999999", "9999999999.1"])
def test_texts_that_name_none(text: str) -> None:
    assert parse_version("litert", text) is None


# --- declaring ------------------------------------------------------------------------------------------------------


def test_without_a_declaration_it_is_the_newest_litert_and_the_report_says_so() -> None:
    report = checked("conv_int8")
    assert report.targets == (f"litert=={load_runtime('litert').newest}",)
    assert report.is_default_target
    assert f"litert {load_runtime('litert').newest} (default)" in render(report, Style())


def test_a_declared_target_is_not_called_default() -> None:
    report = checked("conv_int8", "tflm")
    assert report.targets == ("tflm",)
    assert not report.is_default_target
    assert "(default)" not in render(report, Style())


def test_a_runtime_without_a_version_is_its_newest_and_names_count_once() -> None:
    targets = resolve_targets(["litert", "tflite", "tflm", "tflm"], {})
    assert [target.runtime for target in targets] == ["litert", "tflite", "tflm"]
    assert [target.version for target in targets] == [
        load_runtime("litert").newest,
        load_runtime("tflite").newest,
        None,
    ]


@pytest.mark.parametrize("text", ["litert == 2.1.0", "litert==2.1.0"])
def test_blanks_around_a_version_mean_nothing(text: str) -> None:
    assert resolve_targets([text], {})[0].name == "litert==2.1.0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "litrt",
        "litert=2.1",
        "litert>=2.1",
        "litert==",
        "litert==2.x",
        "tflm==1",
        "LITERT",
        "litert==1.2.3.4.5",
        "litert==-1",
    ],
)
def test_what_declares_no_target(text: str) -> None:
    with pytest.raises(UserError) as raised:
        declared_targets(Config(targets=(text,)))
    assert raised.value.hint


def test_a_name_like_a_runtime_must_be_that_runtime() -> None:
    with pytest.raises(UserError, match="has the name of a runtime"):
        declared_targets(Config(targets=("tflm",), named_targets={"tflm": TargetOptions("litert")}))
    options = {"litert": TargetOptions("litert==2.1.0")}
    assert str(declared_targets(Config(targets=("litert",), named_targets=options))[0].version) == "2.1.0"


@pytest.mark.parametrize(
    ("text", "release", "hint"),
    [
        ("litert==1.4.1", "LiteRT 1.4.1", "1.4.0"),
        ("litert==0.9", "LiteRT 0.9", "2.3.0"),
        ("tflite==2.16.0", "TFLite 2.16.0", "2.16.1, 2.16.2"),
        ("tflite==2.11.7", "TFLite 2.11.7", "2.11.0, 2.11.1"),
    ],
)
def test_a_version_that_was_never_released_is_an_error_with_the_known_ones(text: str, release: str, hint: str) -> None:
    with pytest.raises(UserError, match=f"{release} was never released") as raised:
        resolve_targets([text], {})
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    "text",
    ["litert==1.0.0", "litert==1.0.1", *(f"tflite==2.{n}" for n in ("14.1", "16.1", "16.2", "17.1", "18.1", "19.1"))],
)
def test_patch_releases_are_known(text: str) -> None:
    assert resolve_targets([text], {})[0].name == text


def test_a_minor_version_without_a_first_patch_is_its_oldest_release() -> None:
    assert str(resolve_targets(["tflite==2.16"], {})[0].version) == "2.16.1"
    assert str(resolve_targets(["tflite==2.15"], {})[0].version) == "2.15.0"


@pytest.mark.parametrize(("short", "full"), [("litert==2.3", "litert==2.3.0"), ("tflite==2.14", "tflite==2.14.0")])
def test_a_minor_version_is_named_by_its_release_and_counts_once(short: str, full: str) -> None:
    assert [target.name for target in resolve_targets([short, full], {})] == [full]


def test_a_runtime_alone_is_its_newest_release() -> None:
    for name in ("litert", "tflite"):
        (target,) = resolve_targets([name], {})
        assert target.version == load_runtime(name).releases[-1].version


def test_the_newest_release_is_the_newest_with_known_operator_support() -> None:
    assert [str(load_runtime(name).newest) for name in ("litert", "tflite")] == ["2.3.0", "2.21.0"]
    for runtime in runtimes_by_age():
        dates = [release.date for release in runtime.releases]
        assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", date) for date in dates)
        assert runtime.newest in [None, *(release.version for release in runtime.releases)]


ENDED, NOT_BEGUN = "facts end at litert 2.3.0", "facts begin at litert 1.1.0"


def not_checked(report: Report) -> set[tuple[str, int, str]]:
    return {(entry.rule, entry.rows, entry.reason) for entry in report.files[0].not_checked}


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("litert==2.3.1", ENDED),
        ("litert==2.4.0", ENDED),
        ("litert==9.9", ENDED),
        ("litert==1.0.1", NOT_BEGUN),
        ("tflite==2.21.1", "facts end at tflite 2.21.0"),
    ],
)
def test_operators_past_the_facts_are_not_checked(target: str, reason: str) -> None:
    report = checked("conv_int8", target, edit=with_version(99))
    assert of_rule(report, "O001") == []
    assert not_checked(report) == {("O001", 1, reason), ("O002", 1, reason)}
    report = checked("custom_op", target)
    assert of_rule(report, "O004") == []
    assert ("O004", 1, reason) in not_checked(report)


@pytest.mark.parametrize("target", ["litert==2.9.0", "litert==9.9"])
def test_a_refusal_without_an_upper_bound_ends_with_the_facts(target: str) -> None:
    report = checked("depthwise_int8", target, edit=WRONG_AXIS)
    assert of_rule(report, "Q009") == []
    assert ("Q009", 1, ENDED) in not_checked(report)
    assert not of_rule(checked("depthwise_int8", target), "Q009")
    assert "Q009" not in {rule for rule, _, _ in not_checked(checked("depthwise_int8", target))}
    both = checked("depthwise_int8", target, "litert", edit=WRONG_AXIS)
    (finding,) = of_rule(both, "Q009")
    assert (finding.severity, finding.target) == ("error", "litert==2.3.0")
    assert ("Q009", 1, ENDED) in not_checked(both)


def test_a_refusal_without_a_lower_bound_begins_with_the_facts() -> None:
    report = checked("conv_int8", "litert==1.0.1", edit={"tensors.weights.quantization.zero_point": [0, 0]})
    assert of_rule(report, "Q008") == []
    assert ("Q008", 1, NOT_BEGUN) in not_checked(report)


@pytest.mark.parametrize(
    ("target", "release", "releases"),
    [
        ("litert==2.2.5", "LiteRT 2.2.5", "releases: 2.2.0"),
        ("litert==0.1", "LiteRT 0.1", "2.2.0, 2.3.0"),
        ("tflite==0.1", "TFLite 0.1", "2.20.0, 2.21.0"),
    ],
)
def test_a_version_below_the_newest_facts_must_be_a_release(target: str, release: str, releases: str) -> None:
    with pytest.raises(UserError, match=f"{release} was never released") as raised:
        resolve_targets([target], {})
    assert releases in raised.value.hint


def test_a_new_runtime_is_a_data_file(tmp_path: Path) -> None:
    root = ROOT
    for folder in ("tflint", "rules", "schemas"):
        shutil.copytree(root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    data = {
        **runtime_table("litert"),
        "name": "toyrt",
        "label": "ToyRT",
        "version_line": "toyrt",
        "releases": {"1.0.0": "2026-01-01", "1.1.0": "2026-02-01"},
        "facts_from": "1.0.0",
        "facts_to": "1.1.0",
        "operator_versions": {"CONV_2D": {"2": "1.0.0", "3": "1.1.0"}},
        "custom_operators": {"ToyOp": ""},
    }
    (tmp_path / "rules" / "tables" / "runtimes" / "toyrt.json").write_text(json.dumps(data), encoding="utf-8")

    def findings(target: str) -> list[tuple[str, str]]:
        command = [
            sys.executable,
            "-m",
            "tflint",
            "check",
            "conv.tflite",
            "--select",
            "O",
            "--target",
            target,
            "--format",
            "json",
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return [(found["rule"], found["target"]) for found in json.loads(done.stdout)["files"][0]["findings"]]

    (tmp_path / "conv.tflite").write_bytes(edit_model(NAMED["conv_int8"](), with_version(3)))
    assert findings("toyrt") == []
    assert findings("toyrt==1.0") == [("O001", "toyrt==1.0.0")]
    shown = subprocess.run(
        [sys.executable, "-m", "tflint", "show", "conv.tflite"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ToyRT ≥ 1.1 (CONV_2D v3)" in shown.stdout


# --- operator versions ----------------------------------------------------------------------------------------------


def with_version(number: int) -> dict[str, Any]:
    return {"operator_codes.0.version": number}


def test_a_version_that_the_table_does_not_know_is_not_checked() -> None:
    report = checked("conv_int8", "litert==1.0.0", edit=with_version(99))
    assert of_rule(report, "O001") == []
    assert [entry.rule for entry in report.files[0].not_checked] == ["O001", "O002"]
    assert report.summary()["not_checked"] == 2
    not_checked = render(report, Style()).split("not checked: ", 1)[1]
    assert "O001" in not_checked


@pytest.mark.parametrize(
    ("target", "newest_known"),
    [
        ("tflite==2.3.0", 4),
        ("tflite==2.4.0", 5),
        ("tflite==2.8.0", 5),
        ("tflite==2.9.0", 6),
        ("tflite==2.15.0", 8),
        ("litert==1.1.0", 8),
    ],
)
def test_versions_of_conv_2d_by_release(target: str, newest_known: int) -> None:
    assert of_rule(checked("conv_int8", target, edit=with_version(newest_known)), "O001") == []
    (finding,) = of_rule(checked("conv_int8", target, edit=with_version(newest_known + 1)), "O001")
    assert (finding.severity, finding.target) == ("error", target)
    assert f"versions up to {newest_known}" in finding.message


def test_a_release_before_an_operator_has_no_kernel_for_it() -> None:
    versions = load_runtime("tflite").operator_versions(Version("tensorflow", (1, 5)))
    assert versions is not None
    assert versions["CONV_2D"] == 1
    assert min(versions.values()) == 0


def test_tflm_does_not_look_at_versions() -> None:
    report = checked("conv_int8", "tflm", edit=with_version(99))
    assert of_rule(report, "O001") == []
    assert report.files[0].not_checked == ()


def test_a_finding_names_the_target_it_holds_for() -> None:
    report = checked("conv_int8", "litert==2.3.0", "tflite==2.3", "tflm", edit=with_version(5))
    assert [finding.target for finding in of_rule(report, "O001")] == ["tflite==2.3.0"]


# --- named targets --------------------------------------------------------------------------------------------------


def test_flex_and_custom_operators_of_a_named_target() -> None:
    plain = TargetOptions("litert==2.3.0")
    rich = TargetOptions("litert==2.3.0", flex=True, custom_ops=("MyCustomOp",))
    for name, rule in (("flex_op", "O003"), ("custom_op", "O004")):
        both = checked(name, "plain", "rich", named_targets={"plain": plain, "rich": rich})
        (finding,) = of_rule(both, rule)
        assert (finding.target, finding.severity) == ("plain", "error")
        assert "plain" in finding.message
        assert of_rule(checked(name, "rich", named_targets={"rich": rich}), rule) == []


def test_custom_operators_that_a_runtime_knows_by_itself() -> None:
    edit = {"operator_codes.0.custom_code": "TFLite_Detection_PostProcess"}
    for target in ("litert", "tflite", "tflm"):
        assert of_rule(checked("custom_op", target, edit=edit), "O004") == []
    only_tflm = {"operator_codes.0.custom_code": "ethos-u"}
    assert of_rule(checked("custom_op", "tflm", edit=only_tflm), "O004") == []
    assert of_rule(checked("custom_op", "litert", edit=only_tflm), "O004") != []


def custom(name: str, dtype: str = "FLOAT32") -> dict[str, Any]:
    return {"operator_codes.0.custom_code": name, "tensors.input.type": dtype}


DELEGATED = ["Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"]


@pytest.mark.parametrize("name", DELEGATED)
@pytest.mark.parametrize(
    "target", ["litert==1.1.0", "litert==1.4.0", "litert==2.1.6", "litert", "tflite==2.17", "tflite"]
)
def test_a_custom_operator_that_the_default_delegate_runs_is_not_reported(name: str, target: str) -> None:
    assert of_rule(checked("custom_op", target, edit=custom(name)), "O004") == []


@pytest.mark.parametrize("name", DELEGATED)
@pytest.mark.parametrize("target", ["tflite==2.16.2", "tflite==2.14", "tflm"])
def test_an_operator_of_a_delegate_is_reported_for_runtimes_without_it(name: str, target: str) -> None:
    (finding,) = of_rule(checked("custom_op", target, edit=custom(name)), "O004")
    assert finding.severity == "error"


@pytest.mark.parametrize("dtype", ["INT32", "INT8", "FLOAT16"])
def test_a_delegate_runs_its_custom_operators_with_float32_tensors_only(dtype: str) -> None:
    assert of_rule(checked("custom_op", "litert", edit=custom("MaxUnpooling2D", dtype)), "O004") != []


@pytest.mark.parametrize(
    ("name", "first", "last_without"),
    [
        ("moe", "litert==2.2.0", "litert==2.1.6"),
        ("aeq.hadamard_rotation", "litert==1.3.0", "litert==1.2.0"),
        ("aeq.hadamard_rotation", "tflite==2.20.0", "tflite==2.19.1"),
    ],
)
def test_a_custom_operator_is_known_from_the_release_that_runs_it(name: str, first: str, last_without: str) -> None:
    (finding,) = of_rule(checked("custom_op", first, last_without, edit=custom(name)), "O004")
    assert finding.target == last_without


# --- who refuses ----------------------------------------------------------------------------------------------------

WRONG_AXIS = {"tensors.bias.quantization.quantized_dimension": 3}


@pytest.mark.parametrize(
    ("targets", "severity", "named"),
    [
        ((), "error", f"litert=={load_runtime('litert').newest}"),
        (("litert==2.1.0",), "error", "litert==2.1.0"),
        (("litert==1.0.0",), "note", None),
        (("tflm",), "note", None),
        (("tflite==2.15",), "note", None),
        (("tflm", "litert==2.3.0"), "error", "litert==2.3.0"),
        (("litert==1.1.0", "tflm", "litert==2.3.0"), "error", "litert==1.1.0, litert==2.3.0"),
    ],
)
def test_what_only_some_refuse_counts_where_they_are_declared(
    targets: tuple[str, ...], severity: str, named: str | None
) -> None:
    (finding,) = of_rule(checked("depthwise_int8", *targets, edit=WRONG_AXIS), "Q009")
    assert (finding.severity, finding.severity_before, finding.target) == (severity, "error", named)
    assert finding.refused_by == ("litert>=1.1.0",)
    assert "tflm" in finding.runs_on


def output(**quantization: Any) -> dict[str, Any]:
    return {f"tensors.output.quantization.{key}": [value] for key, value in quantization.items()}


#: The targets for which an 8-bit LOGISTIC with an output scale of 1/255 was measured to fail, and to run.
REFUSING = ["litert==1.0.0", "litert==1.0.1", *(f"tflite=={v}" for v in ("2.7", "2.14", "2.16.2", "2.17", "2.18.1"))]
RUNNING = ["litert==1.1.0", "litert==2.1.6", "litert", "tflite==2.19", "tflite"]


@pytest.mark.parametrize(
    ("target", "severity"), [*((t, "error") for t in REFUSING), *((t, "warning") for t in (*RUNNING, "tflite==2.3"))]
)
def test_a_logistic_scale_is_an_error_on_the_releases_that_refuse_it(target: str, severity: str) -> None:
    report = checked("logistic_int8", target, edit=output(scale=1 / 255))
    assert [(f.rule, f.severity) for f in report.findings() if f.rule.startswith("Q1")] == [("Q110", severity)]


EXACT = ["litert==1.0.0", "litert==1.0.1", "tflite==2.17.0", "tflite==2.17.1", "tflite==2.18", "tflite==2.18.1"]


@pytest.mark.parametrize(
    ("model", "rule", "edit"),
    [
        ("logistic_int8", "Q110", output(zero_point=-127)),
        ("tanh_int8", "Q016", output(scale=0.00784)),
        ("tanh_int8", "Q016", output(scale=0.0157)),
        ("tanh_int8", "Q016", output(zero_point=1)),
    ],
)
@pytest.mark.parametrize("target", EXACT)
def test_an_inexact_activation_is_an_error_on_the_releases_whose_delegate_refuses_it(
    target: str, model: str, rule: str, edit: dict[str, Any]
) -> None:
    (finding,) = of_rule(checked(model, target, edit=edit), rule)
    assert finding.severity == "error"


@pytest.mark.parametrize("target", [*RUNNING, "tflite==2.14", "tflite==2.16.2", "litert==9.9"])
def test_an_inexact_activation_is_no_error_on_other_releases(target: str) -> None:
    assert of_rule(checked("logistic_int8", target, edit=output(zero_point=-127)), "Q110") == []
    assert of_rule(checked("tanh_int8", target, edit=output(scale=0.00784)), "Q016") == []
    (finding,) = of_rule(checked("tanh_int8", target, edit=output(scale=0.0157)), "Q016")
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("model", "rule", "scale"),
    [("logistic_int16", "Q014", 1.0001 / 32768), ("l2_normalization_int8", "Q017", 1.0001 / 128)],
)
def test_a_scale_within_the_tolerance_of_tflm_is_refused_by_litert_only(model: str, rule: str, scale: float) -> None:
    for target in ("litert", "tflite", "tflite==2.14", "litert==1.0.1"):
        (finding,) = of_rule(checked(model, target, edit=output(scale=scale)), rule)
        assert finding.severity == "error"
    assert of_rule(checked(model, "tflm", edit=output(scale=scale)), rule) == []


def test_a_chosen_severity_does_not_reach_targets_that_run_the_model() -> None:
    chosen = {"severity": {"Q009": "warning"}}
    (finding,) = of_rule(checked("depthwise_int8", "litert", edit=WRONG_AXIS, **chosen), "Q009")
    assert finding.severity == "warning"
    (finding,) = of_rule(checked("depthwise_int8", "tflm", edit=WRONG_AXIS, **chosen), "Q009")
    assert finding.severity == "note"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("litert", True),
        ("litert>=2.1.0", True),
        ("litert>=2.1", True),
        ("litert > 2.1", False),
        ("litert<2.1.1", True),
        ("litert<=2.0", False),
        ("litert==2.1", True),
        ("tflite>=1.0", False),
        ("tflm", False),
        ("litert>=2.0,<2.2", True),
        ("litert>=2.0, <2.1", False),
        ("litert>2.1,<2.2", False),
    ],
)
def test_specs(spec: str, expected: bool) -> None:
    (target,) = resolve_targets(["litert==2.1.0"], {})
    assert includes_target([spec], target) is expected


@pytest.mark.parametrize(
    ("target", "spec", "expected"),
    [
        ("litert==9.9", "litert", None),
        ("litert==9.9", "litert>=1.1.0", None),
        ("litert==9.9", "litert<2.1.0", False),
        ("litert==9.9", "litert>=2.0,<10", True),
        ("litert==9.9", "tflm", False),
        ("litert==1.0.1", "litert", None),
        ("litert==1.0.1", "litert<2.1.0", None),
        ("litert==1.0.1", "litert>=1.1.0", False),
        ("litert==1.0.1", "litert>=1.0.0,<1.1.0", True),
        ("litert==1.0.1", "litert==1.0.1", True),
    ],
)
def test_an_open_spec_claims_nothing_past_the_facts(target: str, spec: str, expected: bool | None) -> None:
    (resolved,) = resolve_targets([target], {})
    assert includes_target([spec], resolved) is expected


def test_a_severity_of_some_releases_does_not_reach_others() -> None:
    severities = {"tflite>=2.7,<2.11": "error", "tflm": "note"}
    shown = [
        severity_on(target, severities, "warning")
        for target in resolve_targets(["tflite==2.9.1", "tflite==2.11", "tflm", "litert"], {})
    ]
    assert shown == ["error", "warning", "note", "warning"]
    assert severity_on(None, severities, "warning") == "warning"


def test_every_spec_of_the_built_in_rules_is_understood() -> None:
    targets = resolve_targets(["litert", "tflite", "tflm"], {})
    for rule in builtin_catalog().rules:
        for spec in (*rule.refused_by, *rule.runs_on):
            assert is_runtime_spec(spec)
            for target in targets:
                includes_target([spec], target)


@pytest.mark.parametrize("name", runtime_names())
def test_the_data_of_a_runtime_is_complete(name: str) -> None:
    data = runtime_table(name)
    assert data.keys() == {
        "name", "label", "meaning", "version_line", "package", "oldest_release", "releases", "releases_source",
        "releases_read", "facts_from", "facts_to", "facts_source", "provenance", "operator_versions",
        "oldest_operator_versions", "not_registered", "custom_operators", "custom_operators_source",
        "delegate_operators", "delegate_operators_source", "exact_activations", "exact_activations_source",
    }  # fmt: skip
    assert data["name"] == name
    assert data["provenance"] in ("measured", "vendor", "documented")
    if data["version_line"] is not None:
        assert data["facts_from"] in data["releases"]
        assert data["facts_to"] in data["releases"]
        firsts = {first for versions in data["operator_versions"].values() for first in versions.values()}
        assert all(parse_version(name, first) for first in firsts)
