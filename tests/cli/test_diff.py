"""Test `tflint diff`: matching of two versions, every kind of change, reports, Git revisions and invalid input."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tflint
from tests.helpers.corpus import CORPUS, model_paths, needs_corpus
from tests.helpers.git import git
from tests.helpers.models import ModelBuilder, containers
from tests.helpers.models.large import many_tensors
from tests.helpers.models.named import NAMED, NOT_RUNNABLE, RUNNABLE
from tests.helpers.models.plain import with_zip
from tests.helpers.paths import ROOT
from tests.helpers.public_reports import REPORTS, needs_reports
from tflint.api import check, compare_pairs, diff, load
from tflint.catalog import builtin_catalog
from tflint.cli.main import run
from tflint.config import Config, Configurations
from tflint.errors import UserError
from tflint.facts.fact_registry import PAIR_TABLES, RUN_TABLES
from tflint.facts.pair.pair_matching import InterfaceTensor, match_tensors
from tflint.findings import Finding, Report
from tflint.findings.suppressions import Allow
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import read_forest
from tflint.model.batch_reader import open_model, read_one, read_together
from tflint.report.report_formats import FORMATS
from tflint.report.report_options import Options
from tflint.report.text_layout import Style
from tflint.resources import json_schema, named_model_path
from tflint.runner.version_pairs import pair_with_revision
from tflint.schema import tflite_schema
from tflint.source import BytesSource, model_search
from tflint.source.git_revision import read_revision
from tflint.source.joined_source import JoinedSource
from tflint.source.model_search import Walker
from tflint.writer.model_edits import edit_model


def changed(name: str, edit: dict[str, Any]) -> bytes:
    return edit_model(NAMED[name](), edit)


def found(old: bytes, new: bytes, **config: Any) -> list[Finding]:
    """What is found in a pair; nothing may be left undecided."""
    (file,) = diff(old, new, config=Config(**config)).files
    assert file.kind == "pair"
    assert file.not_checked == ()
    return list(file.findings)


def rules(old: bytes, new: bytes, **config: Any) -> list[str]:
    return sorted(finding.rule for finding in found(old, new, **config))


def message(old: bytes, new: bytes, rule: str, **config: Any) -> str:
    (finding,) = [finding for finding in found(old, new, **config) if finding.rule == rule]
    return finding.message


def two_outputs(first: str, second: str, **builder: Any) -> ModelBuilder:
    """A model with two outputs of one type and shape."""
    made = ModelBuilder(**builder)
    for name in ("input", "left", "right"):
        made.tensor(name, "FLOAT32", [1, 4])
    made.operator("RELU", ["input"], ["left"]).operator("LOGISTIC", ["input"], ["right"])
    return made.inputs("input").outputs(first, second)


# --- what belongs together --------------------------------------------------------------------------------------------


def tensors(*names: tuple[str, str]) -> list[InterfaceTensor]:
    """Interface tensors by their name in the signature and the name of the tensor; empty for none."""
    return [
        InterfaceTensor(row, row, row, tensor, tensor or name, ((0, name),) if name else ())
        for row, (name, tensor) in enumerate(names)
    ]


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    {
        "signature before tensor": (
            [("x", "b"), ("y", "a")], [("x", "a"), ("y", "b")], [(0, 0, "signature"), (1, 1, "signature")],
        ),
        "signature, other order": ([("y", ""), ("x", "")], [("x", ""), ("y", "")],
                                   [(0, 1, "signature"), (1, 0, "signature")]),
        "tensors, other order": ([("", "b"), ("", "a")], [("", "a"), ("", "b")], [(0, 1, "tensor"), (1, 0, "tensor")]),
        "names that are made up": ([("", ""), ("", "")], [("", ""), ("", "")],
                                   [(0, 0, "position"), (1, 1, "position")]),
        "the same name twice": ([("", "a"), ("", "a")], [("", "a"), ("", "a")],
                                [(0, 0, "position"), (1, 1, "position")]),
        "renamed": ([("", "a"), ("", "c")], [("", "a"), ("", "b")], [(0, 0, "tensor"), (1, 1, "position")]),
        "gone in front": ([("", "b")], [("", "a"), ("", "b")], [(0, 1, "tensor"), (None, 0, None)]),
        "new in front": ([("", "c"), ("", "a")], [("", "a")], [(0, None, None), (1, 0, "tensor")]),
        "nothing left": ([], [("", "a")], [(None, 0, None)]),
    }.values(),
)  # fmt: skip
def test_what_belongs_together(new, old, expected) -> None:
    entries = match_tensors(tensors(*new), tensors(*old))
    shown = [(e.new and e.new.position, e.old and e.old.position, e.matched) for e in entries]
    assert shown == expected


def test_a_tensor_that_stands_twice_is_known_by_its_place_only() -> None:
    old = two_outputs("left", "left").signature("s", {"x": "input"}, {"a": "left", "b": "left"}).build()
    assert rules(old, old) == []


def test_signatures_of_other_subgraphs_are_compared() -> None:
    def model(order: tuple[str, str]) -> bytes:
        made = two_outputs("left", "right").signature("first", {"x": "input"}, {"a": "left", "b": "right"})
        made.subgraph("second")
        for name in ("input", "left", "right"):
            made.tensor(name, "FLOAT32", [1, 4])
        made.operator("RELU", ["input"], ["left"]).operator("LOGISTIC", ["input"], ["right"])
        return (
            made.inputs("input").outputs(*order).signature("other", {"x": "input"}, {"a": "left", "b": "right"}).build()
        )

    findings = found(model(("left", "right")), model(("right", "left")))
    assert [(f.rule, f.location.path, f.message) for f in findings] == [
        ("K120", "subgraphs[1]", "outputs are now [b, a]; they were [a, b]")
    ]


# --- kinds of change --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RUNNABLE, *NOT_RUNNABLE])
def test_a_model_and_itself_differ_in_nothing(name: str) -> None:
    assert found(NAMED[name](), NAMED[name]()) == []


#: One cause, one finding: model, edit of the new version, all rules that speak.
CHANGES = {
    "outputs swapped": ("detection_float32", {"outputs": [5, 3, 4, 6]}, ["K120"]),
    "inputs swapped": ("signature_float32", {"inputs": [1, 0]}, ["K121"]),
    "input gone": ("add_float32", {"inputs": [1]}, ["K122"]),
    "output gone": ("detection_float32", {"outputs": [4, 5, 6]}, ["K123"]),
    "output new at the end": ("detection_float32", {"outputs": [3, 4, 5, 6, 1]}, ["K126"]),
    "output new in front": ("detection_float32", {"outputs": [1, 3, 4, 5, 6]}, ["K125"]),
    "input renamed": ("add_float32", {"tensors.a.name": "augend"}, ["K127"]),
    "output renamed": ("add_float32", {"tensors.output.name": "sum"}, ["K128"]),
    "names made up": ("add_float32", {"tensors.a.name": "Identity_1", "tensors.b.name": "serving_default_b:0"}, []),
    "behind the signature": ("signature_float32", {"tensors.a.name": "augend"}, ["K129"]),
    "key": ("signature_float32", {"signature_defs.0.signature_key": "predict"}, ["K131"]),
    "name in the signature": ("signature_float32", {"signature_defs.0.inputs.0.name": "w"}, ["K132"]),
    "output's name in it": ("signature_float32", {"signature_defs.0.outputs.0.name": "w"}, ["K133"]),
    "input dtype": ("border_float32", {"tensors.input.type": "UINT8"}, ["D120"]),
    "output dtype": ("border_float32", {"tensors.output.type": "UINT8"}, ["D121"]),
    "dtype and name": ("border_float32", {"tensors.input.type": "UINT8", "tensors.input.name": "picture"}, ["D120"]),
    "input size": ("add_float32", {"tensors.a.shape": [1, 8]}, ["D122"]),
    "input rank": ("add_float32", {"tensors.a.shape": [4]}, ["D122"]),
    "output size": ("add_float32", {"tensors.output.shape": [1, 8]}, ["D123"]),
    "axis that becomes free": ("add_float32", {"tensors.a.shape_signature": [-1, 4]}, []),
    "another size of it": ("add_float32", {"tensors.a.shape_signature": [-1, 4], "tensors.a.shape": [2, 4]}, ["D124"]),
    "scale": ("conv_int8", {"tensors.input.quantization.scale": [0.02]}, ["D126"]),
    "scale that rounds": ("conv_int8", {"tensors.input.quantization.scale": [1 / 127.5 * (1 + 1e-7)]}, []),
    "zero point": ("conv_int8", {"tensors.output.quantization.zero_point": [5]}, ["D127"]),
    "no scale": ("conv_int8", {"tensors.output.quantization": "absent"}, ["D127"]),
    "operator version": ("conv_int8", {"operator_codes.0.version": 5}, ["O123"]),
    "unknown version": ("conv_int8", {"operator_codes.0.version": 99}, ["O120"]),
    "new operator": ("conv_int8", {"operator_codes.0.builtin_code": "GELU"}, ["O124"]),
    "description": ("conv_int8", {"description": "another one"}, []),
    "axis of the weights": ("conv_int8", {"tensors.weights.quantization.quantized_dimension": 3}, ["Q130"]),
    "one scale for all channels": (
        "conv_int8",
        {"tensors.weights.quantization.scale": [0.006], "tensors.weights.quantization.zero_point": [0]},
        ["Q131"],
    ),
    "asymmetric weights": ("conv_int8", {"tensors.weights.quantization.zero_point": [0, 3, 0]}, ["Q132"]),
    "scale of the weights": ("conv_int8", {"tensors.weights.quantization.scale": [0.004, 0.007, 0.003]}, ["Q133"]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_one_finding(name: str, edit: dict[str, Any], expected: list[str]) -> None:
    assert rules(NAMED[name](), changed(name, edit)) == expected


def test_an_axis_that_becomes_fixed() -> None:
    old = changed("add_float32", {"tensors.a.shape_signature": [-1, 4]})
    assert rules(old, NAMED["add_float32"]()) == ["D124"]
    assert message(old, NAMED["add_float32"](), "D124") == (
        "input 'a' has shape [1, 4] with shape_signature none; before, it had [1, 4] with [-1, 4]"
    )


def test_a_rank_that_is_not_known_is_not_judged() -> None:
    (file,) = diff(NAMED["add_float32"](), changed("add_float32", {"tensors.a.shape": []})).files
    assert file.findings == ()
    assert {entry.rule for entry in file.not_checked} == {"D122", "D124"}


def test_messages_have_the_numbers_of_both() -> None:
    conv = NAMED["conv_int8"]()
    assert message(conv, changed("conv_int8", {"tensors.input.quantization.scale": [0.02]}), "D126") == (
        "input 'input' has scale 0.02 and zero point -1; before, it had 0.0078431377 and -1"
    )
    assert message(conv, changed("conv_int8", {"operator_codes.0.version": 5}), "O123") == (
        "CONV_2D now has version 5 (TensorFlow 2.4.0) instead of 3; the old model needs TensorFlow 1.14.0"
    )
    swapped = changed("detection_float32", {"outputs": [5, 3, 4, 6]})
    assert message(NAMED["detection_float32"](), swapped, "K120") == (
        "outputs are now [scores, boxes, classes, count]; they were [boxes, classes, scores, count]"
    )


def test_a_finding_says_where_it_was() -> None:
    old = two_outputs("left", "right").build()
    new = edit_model(two_outputs("right", "left").build(), {"tensors.left.type": "INT32"})
    (finding,) = [finding for finding in found(old, new) if finding.rule == "D121"]
    assert (finding.location.path, finding.location.names) == ("subgraphs[0].outputs[1]", ("main", "left"))
    assert [(r.location.path, r.message) for r in finding.related] == [
        ("subgraphs[0].outputs[0]", "output 0 of the old version")
    ]


def test_what_is_gone_has_a_place_and_a_fingerprint_of_its_own() -> None:
    findings = found(NAMED["detection_float32"](), changed("detection_float32", {"outputs": [4, 6]}))
    assert [(f.location.path, f.location.names[-1]) for f in findings] == [
        ("subgraphs[0].outputs", "boxes"),
        ("subgraphs[0].outputs", "scores"),
    ]
    assert len({finding.fingerprint for finding in findings}) == 2


def labelled(*lines: str, name: str = "labels.txt") -> bytes:
    return with_zip(NAMED["add_float32"](), {name: "\n".join(lines)})


@pytest.mark.parametrize(
    ("new", "rule", "said"),
    {
        "reordered": (["b", "a", "c"], "M120", "labels.txt: line 1 is b; it was a (reordered: 3 lines, 3 before)"),
        "changed": (["a", "x", "c"], "M120", "labels.txt: line 2 is x; it was b (changed: 3 lines, 3 before)"),
        "fewer": (["a", "b"], "M120", "labels.txt: line 3 is none; it was c (fewer: 2 lines, 3 before)"),
        "more": (["background", "a", "b", "c"], "M120",
                 "labels.txt: line 1 is background; it was a (more: 4 lines, 3 before)"),
        "appended": (["a", "b", "c", "d"], "M121", "labels.txt has 4 lines instead of 3; line 4 is d"),
    }.values(),
)  # fmt: skip
def test_labels(new: list[str], rule: str, said: str) -> None:
    assert message(labelled("a", "b", "c"), labelled(*new), rule) == said


def test_line_ends_are_no_change_of_labels() -> None:
    assert rules(labelled("a", "b"), labelled("a\r", "b\r", "")) == []


def test_a_label_file_that_is_gone() -> None:
    assert rules(labelled("a", "b"), NAMED["add_float32"]()) == ["M122"]
    assert rules(labelled("a", "b"), labelled("a", "b", name="other.txt")) == ["M122"]


def test_labels_that_cannot_be_compared_are_not_checked() -> None:
    (file,) = diff(labelled("a" * (1 << 20), "b"), labelled("c" * (1 << 20), "b")).files
    assert [finding.rule for finding in file.findings] == []
    assert {entry.rule for entry in file.not_checked} == {"M120", "M121"}


def test_only_sixteen_lists_are_unpacked() -> None:
    old = with_zip(NAMED["add_float32"](), {f"{k}.txt": "a" for k in range(20)})
    new = with_zip(NAMED["add_float32"](), {f"{k}.txt": "b" for k in range(20)})
    (file,) = diff(old, new, config=Config(select=("M120",))).files
    assert len(file.findings) == 16
    assert [(entry.rule, entry.rows) for entry in file.not_checked] == [("M120", 4)]


def test_a_target_that_is_lost_is_named() -> None:
    new = changed("conv_int8", {"operator_codes.0.version": 5})
    findings = found(NAMED["conv_int8"](), new, targets=("tflite==1.14", "tflite==2.4", "tflm"))
    assert [(f.rule, f.severity, f.target) for f in findings] == [("O120", "error", "tflite==1.14.0")]


def test_state_meaning_and_normalization() -> None:
    assert "K135" in rules(NAMED["chain_float32"](), NAMED["variable_state"]())
    assert "M123" in rules(NAMED["softmax_int8"](), NAMED["logistic_int8"]())
    assert "P120" in rules(NAMED["image_float32"](), NAMED["rescaled_float32"]())
    assert "P121" in rules(NAMED["image_float32"](), NAMED["rescaled_float32"]())


def test_float_and_quantized() -> None:
    assert {"D120", "D121", "Q120"} <= set(rules(NAMED["conv_float32"](), NAMED["conv_int8"]()))


# --- quantization of constants ----------------------------------------------------------------------------------------


def branches(*names: str, scale: float = 0.5, axis: int = 0, output: str = "{}") -> bytes:
    """A model with a convolution per name, each with weights of its own. `output` is a template for output names."""
    made = ModelBuilder().tensor("input", "INT8", [1, 4, 4, 2], scale=0.5)
    for number, name in enumerate(names):
        scales = [scale * (1 + "abcdefgh".index(name)), scale]
        made.tensor(f"{name}/weights", "INT8", [2, 1, 1, 2], data=[1, 2, 3, 4], scale=scales, axis=axis)
        made.tensor(output.format(name, number=number), "INT8", [1, 4, 4, 2], scale=0.5)
        options = {"padding": "VALID", "stride_w": 1, "stride_h": 1}
        made.operator("CONV_2D", ["input", f"{name}/weights"], [output.format(name, number=number)], options)
    return made.inputs("input").outputs(*(output.format(name, number=k) for k, name in enumerate(names))).build()


def constants(old: bytes, new: bytes) -> list[str]:
    config = Config(select=("Q130", "Q131", "Q132", "Q133"))
    (file,) = diff(old, new, config=config).files
    return [finding.message for finding in file.findings]


def test_a_changed_axis_of_scales_is_one_finding_with_the_count() -> None:
    names = "abcdefgh"
    (said,) = constants(branches(*names), branches(*names, axis=3))
    assert said.startswith("the axis of the scales changed for 8 of 8 quantized constants: [a/weights, b/weights, ")
    assert said.endswith("the first, of shape [2, 1, 1, 2], has axis 3, before 0")
    (finding,) = [one for one in found(branches(*names), branches(*names, axis=3)) if one.rule == "Q130"]
    assert finding.location.names == ("main", "a/weights")
    assert [related.location.names for related in finding.related] == [("main", "a/weights")]


def test_retrained_weights_are_one_note() -> None:
    findings = found(branches(*"abcdefgh"), branches(*"abcdefgh", scale=0.25))
    assert [(finding.rule, finding.severity) for finding in findings] == [("Q133", "note")]
    assert findings[0].message.endswith("channel 0 of the first has scale 0.25 and zero point 0, before 0.5 and 0")


@pytest.mark.parametrize(
    ("old", "new"),
    {
        "in a different order": (branches("a", "b", "c"), branches("c", "a", "b")),
        "one is gone": (branches("a", "b", "c"), branches("c", "a")),
        "generated names": (branches("a", "b", output="Identity_{number}"), branches("a", "b", output="t{number}")),
        "generated names, and one is gone": (
            branches("a", "b", output="Identity_{number}"), branches("b", output="Identity_{number}")
        ),
        "other names": (branches("a", "b"), branches("a", "b", output="new_{}")),
        "biases follow from the weights": (
            NAMED["conv_int8"](), changed("conv_int8", {"tensors.bias.quantization.scale": [0.1, 0.1, 0.1]})
        ),
    }.values(),
)  # fmt: skip
def test_constants_that_a_converter_moves_are_no_change(old: bytes, new: bytes) -> None:
    assert constants(old, new) == []


def test_constants_without_scales_now() -> None:
    new = changed("conv_int8", {"tensors.weights.quantization": "absent"})
    assert constants(NAMED["conv_int8"](), new) == [
        "the number of scales changed for 1 of 1 quantized constants: [weights]; the first has none, before 3"
    ]


@needs_reports
def test_a_wrong_channel_axis_is_reported_by_diff() -> None:
    folder = REPORTS / "a03-wrong-channel-axis"
    (file,) = diff(folder / "good.tflite", folder / "model.tflite").files
    assert [(finding.rule, finding.location.names[-1]) for finding in file.findings] == [("Q130", "layer/kernel")]


# --- from Python ------------------------------------------------------------------------------------------------------


def test_paths_bytes_and_loaded_models(tmp_path: Path) -> None:
    old, new = tmp_path / "old.tflite", tmp_path / "new.tflite"
    old.write_bytes(NAMED["detection_float32"]())
    new.write_bytes(changed("detection_float32", {"outputs": [5, 3, 4, 6]}))
    for sides in ((old, new), (str(old), load(new)), (load(old), str(new))):
        (file,) = tflint.diff(*sides).files
        assert (file.path, file.compared_with) == (new.as_posix(), old.as_posix())
        assert [finding.rule for finding in file.findings] == ["K120"]
    (file,) = tflint.diff(old.read_bytes(), new.read_bytes()).files
    assert (file.path, file.compared_with) == ("<new bytes>", "<old bytes>")


def test_a_pair_has_the_overview_of_the_new_version() -> None:
    report = diff(named_model_path("conv_float32"), named_model_path("conv_int8"))
    assert report.files[0].overview is not None
    assert report.files[0].overview.scheme == "full int8"
    assert report.fails("error")


def test_check_runs_no_rule_about_pairs() -> None:
    stable = [rule.for_each for rule in builtin_catalog().rules if rule.status == "stable"]
    about_pairs = sum(table in PAIR_TABLES for table in stable)
    about_runs = sum(table in RUN_TABLES for table in stable)
    assert check(NAMED["conv_int8"]()).rules_selected == len(stable) - about_pairs - about_runs
    assert diff(NAMED["conv_int8"](), NAMED["conv_int8"]()).rules_selected == about_pairs
    with pytest.raises(UserError, match="compare two models"):
        check(NAMED["conv_int8"](), config=Config(select=("K120",)))
    with pytest.raises(UserError, match="no selected rule compares models"):
        diff(NAMED["conv_int8"](), NAMED["conv_int8"](), config=Config(select=("Q001",)))


def test_members_of_containers() -> None:
    path = named_model_path("bundle_task")
    member = f"{path.as_posix()}!/detector.tflite"
    (file,) = diff(member, member).files
    assert (file.kind, file.findings) == ("pair", ())
    assert file.within is not None


def paired(report: Report) -> list[tuple[str, str | None, list[str]]]:
    """Path, older path and rules of the files of a report."""
    return [(file.path, file.compared_with, [finding.rule for finding in file.findings]) for file in report.files]


SWAPPED = {"outputs": [5, 3, 4, 6]}


def test_bundles_are_compared_member_by_member(tmp_path: Path) -> None:
    old, new = tmp_path / "old.task", tmp_path / "new.task"
    members = {"same.tflite": NAMED["conv_int8"](), "inner/heads.tflite": NAMED["detection_float32"]()}
    old.write_bytes(containers.task(members | {"gone.tflite": NAMED["add_int8"](), "labels.txt": b"a"}))
    members["inner/heads.tflite"] = changed("detection_float32", SWAPPED)
    new.write_bytes(containers.task({"first.tflite": NAMED["add_float32"]()} | members))
    for sides in ((old, new), (old.read_bytes(), new)):
        report = diff(*sides)
        label = old.as_posix() if sides[0] == old else "<old bytes>"
        assert sorted(paired(report)) == [
            (f"{new.as_posix()}!/first.tflite", None, ["K137"]),
            (f"{new.as_posix()}!/gone.tflite", f"{label}!/gone.tflite", ["K136"]),
            (f"{new.as_posix()}!/inner/heads.tflite", f"{label}!/inner/heads.tflite", ["K120"]),
            (f"{new.as_posix()}!/same.tflite", f"{label}!/same.tflite", []),
        ]
        assert [finding.severity for finding in report.findings() if finding.rule == "K136"] == ["error"]
        assert [finding.severity for finding in report.findings() if finding.rule == "K137"] == ["note"]


def test_the_only_models_of_two_bundles_are_a_pair(tmp_path: Path) -> None:
    old, new = tmp_path / "old.task", tmp_path / "new.task"
    old.write_bytes(containers.task({"v1.tflite": NAMED["conv_int8"]()}))
    new.write_bytes(containers.task({"v2.tflite": NAMED["conv_int8"]()}))
    assert paired(diff(old, new)) == [(f"{new.as_posix()}!/v2.tflite", f"{old.as_posix()}!/v1.tflite", [])]


def test_bundles_in_bundles_are_compared() -> None:
    path = named_model_path("bundle_nested")
    files = diff(path, path).files
    assert {file.kind for file in files} == {"pair"}
    assert any(file.path.count("!/") == 2 for file in files)


def test_a_bundle_and_a_model_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is a container of models, and '.*' is not") as caught:
        diff(named_model_path("bundle_task"), named_model_path("conv_int8"))
    assert "!/NAME" in caught.value.hint


def test_a_broken_bundle_is_a_finding() -> None:
    files = diff(named_model_path("bundle_task"), named_model_path("bundle_broken_header")).files
    assert [(Path(file.path).name, file.status) for file in files] == [("bundle_broken_header.litertlm", "unreadable")]


def test_a_member_that_cannot_be_opened_does_not_count_as_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tflint.container.container_contents.MAX_REPORTS", 2)
    path = tmp_path / "many.task"
    path.write_bytes(containers.task({f"{k}.tflite": NAMED["add_int8"]() for k in range(3)}))
    old = tmp_path / "few.task"
    old.write_bytes(containers.task({"2.tflite": NAMED["add_int8"](), "0.tflite": NAMED["add_int8"]()}))
    assert paired(diff(old, path)) == [
        (path.as_posix(), None, ["G117"]),
        (f"{path.as_posix()}!/0.tflite", f"{old.as_posix()}!/0.tflite", []),
        (f"{path.as_posix()}!/1.tflite", None, ["K137"]),
    ]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders of models: one changed, one the same, one removed, one added, one unreadable."""
    monkeypatch.chdir(tmp_path)
    for side in ("old", "new"):
        (tmp_path / side / "heads").mkdir(parents=True)
        (tmp_path / side / "same.tflite").write_bytes(NAMED["conv_int8"]())
    (tmp_path / "old" / "heads" / "bird.tflite").write_bytes(NAMED["detection_float32"]())
    (tmp_path / "new" / "heads" / "bird.tflite").write_bytes(changed("detection_float32", SWAPPED))
    (tmp_path / "old" / "gone.tflite").write_bytes(NAMED["add_int8"]())
    (tmp_path / "new" / "late.tflite").write_bytes(NAMED["add_int8"]())
    (tmp_path / "old" / "broken.tflite").write_bytes(NAMED["add_int8"]())
    (tmp_path / "new" / "broken.tflite").write_bytes(NAMED["truncated"]())
    return tmp_path


def test_folders_are_compared_by_relative_path(folders: Path) -> None:
    report = diff(Path("old"), Path("new"))
    assert paired(report) == [
        ("new/broken.tflite", None, ["G003"]),
        ("new/late.tflite", None, ["K137"]),
        ("new/same.tflite", "old/same.tflite", []),
        ("new/heads/bird.tflite", "old/heads/bird.tflite", ["K120"]),
        ("new/gone.tflite", "old/gone.tflite", ["K136"]),
    ]
    assert diff("old", "old").summary()["error"] == 0


def test_a_removed_model_fails_the_run_and_can_be_allowed(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "new" / "broken.tflite").unlink()
    (folders / "old" / "broken.tflite").unlink()
    assert run(["diff", "old", "new"]) == 1
    said = capsys.readouterr().out
    assert "new/gone.tflite · compared with old/gone.tflite\n  error   K136  model removed" in said
    assert "4 pairs: 1 error, 1 warning" in said
    assert "2 clean" in said.replace("\n", " ")
    assert run(["diff", "old", "new", "--ignore", "K136"]) == 0
    (folders / "tflint.toml").write_text(
        '[[allow]]\nrule = "K136"\npath = "new/gone.tflite"\nreason = "no longer used"\n', encoding="utf-8"
    )
    assert run(["diff", "old", "new"]) == 0
    assert "1 suppressed" in capsys.readouterr().out


def test_excluded_models_of_folders_are_left_out(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "tflint.toml").write_text('exclude = ["heads", "gone.tflite", "broken.tflite"]\n', encoding="utf-8")
    assert run(["diff", "old", "new", "--format", "json"]) == 0
    assert [file["path"] for file in json.loads(capsys.readouterr().out)["files"]] == [
        "new/late.tflite", "new/same.tflite",
    ]  # fmt: skip


def test_models_in_a_folder_that_cannot_be_listed_do_not_count_as_removed(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: str) -> tuple[list[str], list[str], bool]:
        if folder == "new/heads":
            raise PermissionError(13, "Permission denied")
        return list_folder(folder)

    list_folder = model_search._list_folder
    monkeypatch.setattr(model_search, "_list_folder", refuse)
    files = paired(diff("old", "new"))
    assert ("new/heads", None, ["G102"]) in files
    assert not any("bird" in path for path, *_ in files)


def test_folders_with_one_model_each_are_a_pair(folders: Path) -> None:
    for side in ("v1", "v2"):
        (folders / side).mkdir()
        (folders / side / f"bird_{side}.tflite").write_bytes(NAMED["conv_int8"]())
    assert paired(diff("v1", "v2")) == [("v2/bird_v2.tflite", "v1/bird_v1.tflite", [])]


def test_folders_without_models(folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folders / "none").mkdir()
    assert run(["diff", "none", "none"]) == 2
    assert "no models found in 'none' and 'none'" in capsys.readouterr().err
    assert [rules for _, _, rules in paired(diff("none", "new"))].count(["K137"]) == 4


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_added_and_removed_models(folders: Path, form: str) -> None:
    said = rendered(diff("old", "new"), form)
    if form == "json":
        jsonschema.Draft202012Validator(json_schema("report")).validate(json.loads(said))
    assert "K136" in said
    assert "K120" in said


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("name", "rule"),
    [("git_lfs_pointer", "G001"), ("truncated", "G003"), ("empty_file", "G101"), ("html_page", "G002")],
)
def test_a_file_that_cannot_be_read_is_a_finding_at_that_file(name: str, rule: str, side: int) -> None:
    sides = [named_model_path("conv_int8"), named_model_path("conv_int8")]
    sides[side] = named_model_path(name)
    (file,) = diff(*sides).files
    assert (file.path, file.kind, file.status) == (sides[side].as_posix(), "model", "unreadable")
    assert rule in [finding.rule for finding in file.findings]


def test_both_cannot_be_read() -> None:
    files = diff(named_model_path("truncated"), named_model_path("html_page")).files
    assert [Path(file.path).stem for file in files] == ["html_page", "truncated"]


def test_allows_and_baseline(tmp_path: Path) -> None:
    old, new = NAMED["conv_float32"](), NAMED["conv_int8"]()
    allows = (Allow("Q120", "on purpose"), Allow("Q001", "meant for check"))
    report = diff(old, new, config=Config(allow=allows))
    (finding,) = [finding for finding in report.findings() if finding.rule == "Q120"]
    assert finding.suppressed is not None
    assert report.notices == ()
    assert check(new, config=Config(allow=(Allow("Q120", "on purpose"),))).notices == ()
    known = {"<new bytes>": {finding.fingerprint: 1 for finding in report.findings()}}
    assert [f.rule for f in diff(old, new, baseline=known).findings() if f.suppressed is None] == []


OWN_RULE = """
[[rule]]
id       = "ACME001"
name     = "output-that-lost-its-label"
severity = "error"
for-each = "pair_output"
where    = 'has(output) and has(old)'
require  = 'name == old_name'
message  = "'{name}' was '{old_name}'"
summary  = "An output has another name."
why      = "Our app looks for it."
fix      = "keep it"

[[rule.invalid]]
model  = "add_float32"
old    = "add_float32"
edit   = { "tensors.output.name" = "sum" }
expect = ["sum"]

[[rule.valid]]
model = "add_float32"
old   = "add_float32"
"""


def test_a_rule_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "acme.toml"
    path.write_text(OWN_RULE, encoding="utf-8")
    assert run(["rules", "test", str(path)]) == 0
    findings = found(NAMED["add_float32"](), changed("add_float32", {"tensors.output.name": "sum"}), rules=(str(path),))
    assert ("ACME001", "'sum' was 'output'") in [(finding.rule, finding.message) for finding in findings]
    path.write_text(OWN_RULE.replace('old    = "add_float32"', 'old    = "nowhere"'), encoding="utf-8")
    assert run(["rules", "test", str(path)]) == 2
    assert "there is no example model 'nowhere'" in capsys.readouterr().err


# --- reports ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An old version, and a new one with its outputs in another order."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.tflite").write_bytes(NAMED["detection_float32"]())
    (tmp_path / "new.tflite").write_bytes(changed("detection_float32", {"outputs": [5, 3, 4, 6]}))
    return tmp_path


def rendered(report: Report, form: str) -> str:
    return FORMATS[form].render(report, Options(Style(verbose=True)))


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_a_pair(pair: Path, form: str) -> None:
    assert "K120" in rendered(diff("old.tflite", "new.tflite"), form)
    assert rendered(diff("old.tflite", "old.tflite"), form)


def test_text(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "old.tflite", "new.tflite"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "new.tflite · compared with old.tflite"
    assert any(line.startswith("1 pair: 1 warning") for line in lines)
    assert any("to the bytes of both files" in line for line in lines)
    assert run(["diff", "old.tflite", "old.tflite"]) == 0
    assert capsys.readouterr().out.startswith("1 pair: no findings")


def test_json(pair: Path) -> None:
    data = json.loads(rendered(diff("old.tflite", "new.tflite"), "json"))
    jsonschema.Draft202012Validator(json_schema("report")).validate(data)
    (file,) = data["files"]
    assert (file["path"], file["kind"], file["compared_with"]) == ("new.tflite", "pair", "old.tflite")
    unpaired = json.loads(rendered(check("new.tflite"), "json"))
    assert unpaired["files"][0]["compared_with"] is None


def test_sarif(pair: Path) -> None:
    data = json.loads(rendered(diff("old.tflite", "new.tflite"), "sarif"))
    schema = json.loads((ROOT / "tests" / "report" / "sarif" / "sarif-2.1.0.json").read_bytes())
    jsonschema.Draft7Validator(schema).validate(data)
    (result,) = data["runs"][0]["results"]
    assert result["ruleId"] == "K120"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "new.tflite"


def test_markdown_takes_any_path(pair: Path) -> None:
    shutil.copy("old.tflite", "o|<b>`.tflite")
    text = rendered(diff("o|<b>`.tflite", "new.tflite"), "markdown")
    (row,) = [line for line in text.splitlines() if line.startswith("| `new.tflite`")]
    assert "compared with `o`&#124;``<b>`.tflite``" in row


# --- the command ------------------------------------------------------------------------------------------------------


def test_exit_codes(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "old.tflite", "new.tflite", "--fail-on", "warning"]) == 1
    assert run(["diff", "old.tflite", "new.tflite", "--fail-on", "warning", "--exit-zero"]) == 0
    assert run(["diff", "old.tflite", "new.tflite", "--fail-on", "warning", "--ignore", "K120"]) == 0
    assert run(["diff", "old.tflite", "new.tflite", "--format", "json", "--report", "sarif=out.sarif"]) == 0
    assert Path("out.sarif").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["old.tflite"], "diff takes two models, bundles or folders, not 1"),
        (["old.tflite", "new.tflite", "old.tflite"], "diff takes two models, bundles or folders, not 3"),
        (["old.tflite", "new.tflite", "--git", "HEAD"], "'old.tflite' is not in a Git repository"),
        (["old.tflite", "nowhere.tflite"], "'nowhere.tflite' does not exist"),
        (["", "new.tflite"], "an empty path"),
        ([".", "new.tflite"], "'.' is a folder"),
        (["old.tflite", "new.tflite", "--target", "tflyte"], "unknown target 'tflyte'"),
        (["old.tflite", "new.tflite", "--select", "Q001"], "no selected rule compares models"),
        (["old.tflite", "new.tflite", "--jobs", "2"], "unknown option '--jobs'"),
    ],
)
def test_wrong_arguments(pair: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_model_fails_the_run(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("text.tflite").write_text("no model", encoding="utf-8")
    assert run(["diff", "text.tflite", "new.tflite"]) == 1
    assert "text.tflite" in capsys.readouterr().out


# --- versions in Git --------------------------------------------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits: the second exchanges outputs, and brings in a pointer, a link and a name like an
    option.
    """
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "repository"
    (folder / "models").mkdir(parents=True)
    model = folder / "models" / "bird.tflite"
    git(folder, "init")
    model.write_bytes(NAMED["detection_float32"]())
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    model.write_bytes(changed("detection_float32", {"outputs": [5, 3, 4, 6]}))
    (folder / "models" / "pointer.tflite").write_bytes(NAMED["git_lfs_pointer"]())
    (folder / "models" / "late.tflite").write_bytes(NAMED["conv_int8"]())
    (folder / "models" / "-x*.tflite").write_bytes(NAMED["conv_int8"]())
    (folder / "models" / "link.tflite").symlink_to("bird.tflite")
    (folder / "models" / "broken.tflite").write_bytes(NAMED["truncated"]())
    git(folder, "add", ".")
    git(folder, "commit", "-m", "two")
    monkeypatch.chdir(folder)
    return folder


def test_a_version_in_git(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "models/bird.tflite", "--git", "HEAD~1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("models/bird.tflite · compared with HEAD~1:models/bird.tflite\n")
    assert "K120" in said
    assert run(["diff", "models/bird.tflite", "--git", "HEAD"]) == 0
    assert capsys.readouterr().out.startswith("1 pair: no findings")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_of_a_version_in_git(
    repository: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", "models/bird.tflite", "--git", "HEAD~1", "--format", form]) == 0
    assert "K120" in capsys.readouterr().out


def test_the_repository_is_that_of_the_file(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository.parent)
    monkeypatch.setenv("GIT_DIR", ".git")  # as a hook of another repository has it
    expected = NAMED["detection_float32"]()
    assert read_revision("HEAD~1", "repository/models/bird.tflite") == expected
    assert read_revision("HEAD~1", str(repository / "models" / "bird.tflite")) == expected
    monkeypatch.chdir(repository / "models")
    assert read_revision("HEAD~1", "bird.tflite") == expected
    assert read_revision("HEAD", "-x*.tflite") == NAMED["conv_int8"]()


@pytest.mark.parametrize(
    ("revision", "path", "said"),
    [
        ("HEAD~1", "models/late.tflite", "'models/late.tflite' is not in 'HEAD~1'"),
        ("nowhere", "models/bird.tflite", "there is no revision 'nowhere'"),
        ("--output=x", "models/bird.tflite", "'--output=x' is not a revision"),
        ("-x", "models/bird.tflite", "'-x' is not a revision"),
        ("", "models/bird.tflite", "'' is not a revision"),
        ("HEAD\nHEAD", "models/bird.tflite", "is not a revision"),
        ("HEAD", "models/pointer.tflite", "a Git LFS pointer in 'HEAD'"),
        ("HEAD", "models/link.tflite", "a link in 'HEAD'"),
        ("HEAD", "models", "a folder in 'HEAD'"),
        ("HEAD", "nowhere/bird.tflite", "the folder 'nowhere' does not exist"),
        ("HEAD:models", "models/bird.tflite", "there is no revision"),
    ],
)
def test_what_git_does_not_have(repository: Path, revision: str, path: str, said: str) -> None:
    with pytest.raises(UserError, match=re.escape(said)):
        read_revision(revision, path)


def test_a_broken_version_in_git_is_a_finding(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("models/bird.tflite", "models/broken.tflite")
    assert run(["diff", "models/broken.tflite", "--git", "HEAD"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("HEAD:models/broken.tflite")
    assert "G003" in said


def test_no_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(named_model_path("conv_int8"), tmp_path / "m.tflite")
    assert run(["diff", str(tmp_path / "m.tflite"), "--git", "HEAD"]) == 2
    assert "is not in a Git repository" in capsys.readouterr().err


def test_no_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(UserError, match="needs the program 'git'"):
        read_revision("HEAD", "models/bird.tflite")


def test_a_git_that_hangs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*arguments: Any, **options: Any) -> None:
        raise subprocess.TimeoutExpired("git", options["timeout"])

    monkeypatch.setattr("subprocess.run", hang)
    with pytest.raises(UserError, match="took more than"):
        read_revision("HEAD", "models/bird.tflite")


def test_a_large_version_is_not_read(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tflint.source.git_revision.MAX_BLOB_BYTES", 100)
    with pytest.raises(UserError, match="more than the limit of 100"):
        read_revision("HEAD", "models/bird.tflite")


def in_git(*paths: str, revision: str = "HEAD~1") -> list[tuple[str, str | None, list[str]]]:
    """Path, older path and rules of the files in the report about paths and a revision."""
    walker = Walker()
    pairs = pair_with_revision(revision, paths, walker)
    return paired(compare_pairs(pairs, walker, configurations=Configurations(Config())))


def test_a_member_is_compared_with_its_version_in_git(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(named_model_path("bundle_task"), "bundle.task")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "bundle")
    Path("bundle.task").write_bytes(
        containers.task({"detector.tflite": changed("conv_int8", {"inputs": [3]}), "late.tflite": NAMED["add_int8"]()})
    )
    assert run(["diff", "bundle.task!/m.tflite", "--git", "HEAD"]) == 2
    assert "has no model 'm.tflite'" in capsys.readouterr().err
    ((path, old, found),) = in_git("bundle.task!/detector.tflite", revision="HEAD")
    assert (path, old) == ("bundle.task!/detector.tflite", "HEAD:bundle.task!/detector.tflite")
    assert found
    assert in_git("bundle.task!/late.tflite", revision="HEAD") == [("bundle.task!/late.tflite", None, ["K137"])]
    assert [path for path, *_ in in_git("bundle.task", revision="HEAD")] == [
        "bundle.task!/detector.tflite", "bundle.task!/late.tflite", "bundle.task!/classifier.tflite",
    ]  # fmt: skip


def test_several_paths_and_their_versions_in_git(repository: Path) -> None:
    assert in_git("models/bird.tflite", "models/late.tflite") == [
        ("models/bird.tflite", "HEAD~1:models/bird.tflite", ["K120"]),
        ("models/late.tflite", None, ["K137"]),
    ]


def test_a_folder_and_its_version_in_git(repository: Path) -> None:
    (repository / "models" / "bird.tflite").unlink()
    (repository / "models" / "pointer.tflite").write_bytes(NAMED["conv_int8"]())
    expected = {
        "models/-x*.tflite": ("HEAD:models/-x*.tflite", []),
        "models/bird.tflite": ("HEAD:models/bird.tflite", ["K136"]),
        "models/late.tflite": ("HEAD:models/late.tflite", []),
        "HEAD:models/pointer.tflite": (None, ["G001"]),
        "models/broken.tflite": (None, ["G003"]),
        "HEAD:models/broken.tflite": (None, ["G003"]),
        "HEAD:models/link.tflite": (None, ["G109"]),
    }
    for path in (".", "models", "models/", str(repository)):
        found = in_git(path, revision="HEAD")
        if path == str(repository):
            found = [(p.replace(f"{path}/", ""), old and old.replace(f"{path}/", ""), r) for p, old, r in found]
        assert {path: (old, rules) for path, old, rules in found if "G102" not in rules} == expected


def test_a_folder_that_was_removed_since(repository: Path) -> None:
    shutil.rmtree("models")
    assert in_git("models") == [("models/bird.tflite", "HEAD~1:models/bird.tflite", ["K136"])]
    assert in_git("models/bird.tflite") == [("models/bird.tflite", "HEAD~1:models/bird.tflite", ["K136"])]


def test_a_glob_and_its_versions_in_git(repository: Path) -> None:
    assert in_git("models/b*d.tflite") == [("models/bird.tflite", "HEAD~1:models/bird.tflite", ["K120"])]


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["models/late.tflite"], "'models/late.tflite' is not in 'HEAD~1'"),
        (["nowhere.tflite"], "'nowhere.tflite' does not exist"),
        (["models/nowhere.tflite", "models/bird.tflite"], "'models/nowhere.tflite' does not exist"),
        (["", "models"], "the path is empty"),
        (["empty"], "no models found in 'empty', neither now nor in 'HEAD~1'"),
        (["aside/bird.tflite", "models"], "'aside/bird.tflite' leads through a link"),
    ],
)
def test_paths_that_cannot_be_compared_with_a_revision(
    repository: Path, paths: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "empty").mkdir()
    (repository / "aside").symlink_to("models")
    assert run(["diff", "--git", "HEAD~1", *paths]) == 2
    assert said in capsys.readouterr().err


def test_only_added_models_do_not_fail_the_run(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "--git", "HEAD~1", "models/late.tflite", "models/-x*.tflite"]) == 0
    assert "2 pairs: 2 notes" in capsys.readouterr().out


def test_excluded_files_of_a_revision_are_left_out(repository: Path) -> None:
    shutil.rmtree("models")
    for excluded in (("bird.tflite",), ("models",), ("models/*",)):
        walker = Walker(Configurations(Config(exclude=excluded)).reason_to_skip)
        with pytest.raises(UserError, match="no models found"):
            list(pair_with_revision("HEAD~1", ["."], walker))


# --- together in one batch --------------------------------------------------------------------------------------------


def test_sources_lie_end_to_end() -> None:
    joined = JoinedSource([BytesSource(b"abc"), BytesSource(b""), BytesSource(b"defgh")])
    assert (joined.starts, joined.ends, joined.size) == ([0, 16, 16], [3, 16, 21], 21)
    assert joined.read([(0, 3), (1, 18), (16, 21)]) == [b"abc", b"bc" + bytes(13) + b"de", b"defgh"]
    buffer = bytearray(4)
    joined.read_into(15, memoryview(buffer))
    assert buffer == b"\0def"


@pytest.mark.parametrize(("first", "second"), [("conv_int8", "labels_float32"), ("labels_float32", "two_subgraphs")])
def test_two_models_read_together_are_what_they_are_alone(first: str, second: str) -> None:
    opened = [open_model(BytesSource(NAMED[name]())) for name in (first, second)]
    together = read_together(opened)
    for number, alone in enumerate(map(read_one, opened)):
        for table in ("tensor", "operator", "associated_file"):
            rows = together.table(table).rows_of(number)
            assert rows.stop - rows.start == len(alone.table(table))
    sizes = together.column("model", "size").values.tolist()  # type: ignore[union-attr]
    assert sizes == [len(NAMED[first]()), len(NAMED[second]())]


def test_a_hostile_border_takes_no_time() -> None:
    shape = [1] * 20_000
    builder = ModelBuilder().tensor("a", "FLOAT32", shape).tensor("output", "FLOAT32", [1])
    content = builder.operator("RELU", ["a"], ["output"]).inputs(*["a"] * 40_000).outputs("output").build()
    other = edit_model(content, {"tensors.a.shape": [1] * 19_999})
    started = time.monotonic()
    (file,) = diff(content, other).files
    assert file.kind == "pair"
    assert time.monotonic() - started < 10


def test_models_that_cannot_be_read_together_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise FlatbufferError("with repetitions, the vectors of the batch have more elements than allowed")

    monkeypatch.setattr("tflint.runner.pair_comparison.read_together", refuse)
    with pytest.raises(UserError, match="cannot be compared: with repetitions, the vectors"):
        diff(NAMED["conv_int8"](), NAMED["conv_int8"]())


@pytest.mark.slow
def test_models_of_more_tables_than_a_batch_may_have() -> None:
    opened = open_model(BytesSource(many_tensors(40_000, 13_000)))
    tables = read_together([opened, opened])
    assert len(tables.table("tensor")) == 80_000
    with pytest.raises(FlatbufferError, match="the batch references more than"):
        read_forest(tables.window, tflite_schema(), tflite_schema().root)


# --- real models ------------------------------------------------------------------------------------------------------


@needs_corpus
def test_real_models_and_themselves_differ_in_nothing() -> None:
    paths = model_paths()
    for path in paths[:: max(1, len(paths) // 40)]:
        (file,) = diff(path, path).files
        assert (file.kind, file.findings, file.not_checked) == ("pair", (), ()), path


@needs_corpus
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mlcommons__tiny/benchmark/training/visual_wake_words/trained_models/vww_96_float.tflite",
         "mlcommons__tiny/benchmark/training/visual_wake_words/trained_models/vww_96_int8.tflite",
         {"D120", "D121", "Q120", "O123", "O124"}),
        ("esphome__micro-wake-word-models/_history/models/v2/okay_nabu.b90df6b2.tflite",
         "esphome__micro-wake-word-models/models/v2/okay_nabu.tflite", {"K133", "Q133"}),
    ],
)  # fmt: skip
def test_versions_of_real_models(old: str, new: str, expected: set[str]) -> None:
    (file,) = diff(CORPUS / "models" / old, CORPUS / "models" / new).files
    assert {finding.rule for finding in file.findings} == expected
