"""Test `tflint compare`: text, JSON, plot, exit codes, samples, limits and invalid input."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.helpers.float_int8_pairs import BODY, needs_runtime, pair_bytes, pair_path, write_samples
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import NAMED
from tests.helpers.paths import ROOT
from tests.helpers.planted_losses import EditedModel, clip_range, scale_bias
from tflint.cli.main import run
from tflint.confirm.compare import comparison as comparison_module
from tflint.confirm.compare.comparison_svg import BEGINNING
from tflint.confirm.compare.comparison_text import render
from tflint.report.text_layout import Style
from tflint.resources import json_schema, named_model_path
from tflint.userfiles.schema_check import is_valid

FLOAT, INT8 = str(pair_path("chain_float32")), str(pair_path("chain_int8"))


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    path = tmp_path / "faulty.tflite"
    path.write_bytes(scale_bias(pair_bytes("chain_int8"), BODY, 4))
    return str(path)


@pytest.fixture
def without_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison_module, "find_installed", lambda: ())


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["compare", *arguments]) == 2
    captured = capsys.readouterr()
    assert "internal error" not in captured.err
    assert "Traceback" not in captured.err
    return captured.err


# -- output ------------------------------------------------------------------------------------------------------------


@needs_runtime
def test_a_pair_without_faults_exits_with_0_on_one_screen(capsys):
    assert run(["compare", FLOAT, INT8]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines[1:])) <= 100
    assert lines[-1] == "1 pair: no findings · seed 0"
    assert any("8 samples (generated, seed 0)" in line for line in lines)
    assert any("top-1 agrees in 8 of 8" in line for line in lines)


@needs_runtime
def test_no_line_is_wider_than_a_narrow_terminal(faulty):
    options = comparison_module.CompareOptions()
    lines = render(comparison_module.compare_models(FLOAT, faulty, options), Style(width=60)).splitlines()
    assert max(map(len, lines[1:])) <= 60


@needs_runtime
def test_a_fault_exits_with_1_and_is_explained_on_one_screen(capsys, faulty, tmp_path):
    assert run(["compare", FLOAT, faulty, "--samples", str(write_samples(tmp_path))]) == 1
    out = capsys.readouterr().out
    assert len(out.splitlines()) <= 40
    assert "warning wrong bias" in out
    assert "at     operator 3 CONV_2D" in out
    assert "born     3  CONV_2D" in out
    assert "fix    convert the float model again" in out
    assert run(["compare", FLOAT, faulty, "--exit-zero"]) == 0


@needs_runtime
def test_json_is_as_its_schema_says(capsys, faulty):
    for model in (INT8, faulty):
        run(["compare", FLOAT, model, "--format", "json", "--seed", "7"])
        found = json.loads(capsys.readouterr().out)
        assert is_valid(found, json_schema("comparison"))
        assert found["seed"] == 7
        assert found["run"]["n_samples"] == 8
    assert found["findings"][0]["kind"] == "wrong-bias"
    assert [row["operator"] for row in found["run"]["activations"] if row["is_born"]] == [BODY]


def test_the_schema_of_the_json_describes_every_key():
    def objects(node):
        if isinstance(node, dict):
            if "properties" in node:
                yield node
            for value in node.values():
                yield from objects(value)
        elif isinstance(node, list):
            for value in node:
                yield from objects(value)

    for node in objects(json_schema("comparison")):
        assert sorted(node["required"]) == sorted(node["properties"])
        assert node["additionalProperties"] is False
        assert all("description" in entry for entry in node["properties"].values())


@needs_runtime
def test_the_same_seed_gives_the_same_bytes(capsys):
    texts = []
    for seed in ("3", "3", "4"):
        run(["compare", FLOAT, INT8, "--format", "json", "--seed", seed])
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["run"]["activations"] != json.loads(texts[2])["run"]["activations"]


@needs_runtime
def test_the_plot_has_a_line_and_marks_where_the_error_is_born(capsys, faulty, tmp_path):
    plot = tmp_path / "plot.svg"
    assert run(["compare", FLOAT, faulty, "--svg", str(plot)]) == 1
    text = plot.read_text(encoding="utf-8")
    assert text.startswith(BEGINNING)
    assert "style=" not in text
    root = ElementTree.fromstring(text)
    name = "{http://www.w3.org/2000/svg}"
    (line,) = root.iter(f"{name}polyline")
    circles = list(root.iter(f"{name}circle"))
    assert len(line.attrib["points"].split()) == len(circles) == 9
    (born,) = (circle for circle in circles if circle.attrib["r"] == "5")
    assert "CONV_2D" in born[0].text
    assert run(["compare", FLOAT, INT8, "--svg", str(plot)]) == 0  # replaces its own plot
    assert 'r="5"' not in plot.read_text(encoding="utf-8")


@needs_runtime
def test_names_in_the_plot_are_escaped(capsys, tmp_path):
    edited = EditedModel(pair_bytes("chain_int8"))
    edited.graph["tensors"][edited.output(2)]["name"] = '<script>"&\x1b[31m\u202e'
    model = write(tmp_path, "hostile.tflite", edited.build())
    assert run(["compare", FLOAT, model, "--svg", str(tmp_path / "plot.svg")]) == 0
    text = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    ElementTree.fromstring(text)
    assert "<script>" not in text
    assert "\x1b" not in text + capsys.readouterr().out


def test_a_plot_replaces_no_other_file(capsys, tmp_path):
    for name, content in (("a.txt", b"notes"), ("b.svg", b"<svg></svg>"), ("c.tflite", pair_bytes("chain_int8"))):
        path = write(tmp_path, name, content)
        assert "does not replace" in error_of(capsys, FLOAT, INT8, "--svg", path)
        assert Path(path).read_bytes() == content
    assert "does not exist" in error_of(capsys, FLOAT, INT8, "--svg", str(tmp_path / "none" / "p.svg"))


# -- without a run -----------------------------------------------------------------------------------------------------


def test_without_a_runtime_the_weights_are_compared(capsys, faulty, without_runtime):
    assert run(["compare", FLOAT, INT8]) == 0
    out = capsys.readouterr().out
    assert 'no runtime is installed (pip install "tflite-lint[runtime]")' in out
    assert "12 constants" in out
    assert out.splitlines()[-1] == "1 pair: no findings · seed 0 · activations not checked"
    assert run(["compare", FLOAT, faulty]) == 1
    assert "warning wrong bias" in capsys.readouterr().out


def test_without_a_run_the_json_and_the_plot_are_valid(capsys, tmp_path, without_runtime):
    assert run(["compare", FLOAT, INT8, "--format", "json", "--svg", str(tmp_path / "p.svg")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert is_valid(found, json_schema("comparison"))
    assert (found["run"], found["not_run"]) == (None, "no runtime is installed")
    ElementTree.fromstring((tmp_path / "p.svg").read_text(encoding="utf-8"))


@needs_runtime
def test_a_model_that_the_runtime_refuses_is_compared_without_a_run(capsys, tmp_path):
    path = write(tmp_path, "custom.tflite", NAMED["custom_op"]())
    assert run(["compare", path, path]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Encountered unresolved custom op: MyCustomOp" in out
    assert "activations not checked" in out
    assert "cannot be run" in error_of(capsys, path, path, "--samples", str(write_samples(tmp_path)))


def negated(dtype: str, shape: list[int], *, signature: list[int] | None = None, opcode: str = "ABS") -> bytes:
    fields = {} if signature is None else {"shape_signature": signature}
    return (
        ModelBuilder().tensor("in", dtype, shape, **fields).tensor("out", dtype, shape, **fields)
        .inputs("in").outputs("out").operator(opcode, ["in"], ["out"]).build()
    )  # fmt: skip


@needs_runtime
def test_strings_and_empty_shapes_are_stated_limitations(capsys, tmp_path):
    strings = write(tmp_path, "strings.tflite", negated("STRING", [1, 3], opcode="SHAPE"))
    assert run(["compare", strings, strings]) == 0
    assert "not run" in capsys.readouterr().out
    empty = write(tmp_path, "empty.tflite", negated("FLOAT32", [0, 3]))
    assert run(["compare", empty, empty]) == 0
    assert "input 0 has the shape [0, 3]" in " ".join(capsys.readouterr().out.split())


@needs_runtime
def test_a_dynamic_dimension_has_its_stored_size(capsys, tmp_path):
    path = write(tmp_path, "dynamic.tflite", negated("FLOAT32", [1, 3], signature=[-1, 3]))
    assert run(["compare", path, path, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"]["activations"][1]["error"]["n_values"] == 8 * 3


@needs_runtime
def test_a_model_without_inputs_runs_once(capsys, tmp_path):
    content = (
        ModelBuilder().tensor("c", "FLOAT32", [2], data=[-1.0, 2.0]).tensor("out", "FLOAT32", [2])
        .outputs("out").operator("ABS", ["c"], ["out"]).build()
    )  # fmt: skip
    path = write(tmp_path, "constant.tflite", content)
    assert run(["compare", path, path, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["run"]["n_samples"] == 1
    assert "take no inputs" in error_of(capsys, path, path, "--samples", str(write_samples(tmp_path)))


@needs_runtime
def test_nan_in_a_model_is_left_out(capsys, tmp_path):
    edited = EditedModel(pair_bytes("chain_float32"))
    weights = edited.operands(BODY)[1]
    values = edited.read(weights)
    values[0, 0, 0, 0] = math.nan
    edited.write(weights, values)
    run(["compare", write(tmp_path, "nan.tflite", edited.build()), INT8, "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert is_valid(found, json_schema("comparison"))
    assert any(row["error"]["n_excluded"] for row in found["run"]["activations"])


# -- invalid input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["truncated", "empty_file", "git_lfs_pointer", "html_page", "zip_archive"])
def test_an_unreadable_model_is_an_error(capsys, tmp_path, name):
    path = write(tmp_path, "broken.tflite", NAMED[name]())
    for arguments in ([path, INT8], [FLOAT, path]):
        assert "is not a readable model" in error_of(capsys, *arguments)


def test_containers_folders_and_missing_files_are_errors(capsys, tmp_path):
    assert "is a container of models" in error_of(capsys, FLOAT, str(named_model_path("bundle_task")))
    assert "is a folder" in error_of(capsys, FLOAT, str(tmp_path))
    assert "missing.tflite" in error_of(capsys, FLOAT, str(tmp_path / "missing.tflite"))


def test_models_without_common_operators_are_an_error(capsys, tmp_path):
    other = write(tmp_path, "other.tflite", negated("FLOAT32", [7]))
    assert "share no operators" in error_of(capsys, FLOAT, other)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--runtime", "tflite"], "is not a runtime"),
        (["--seconds", "0"], "greater than 0"),
        (["--seed", "-1"], "from 0 to"),
        (["--seed", "x"], "from 0 to"),
    ],
)
def test_invalid_options_are_errors(capsys, arguments, words):
    assert words in error_of(capsys, FLOAT, INT8, *arguments)


@needs_runtime
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 8, 8, 3), np.float32), "has the shape [2, 8, 8, 3], but input 0"),
        (np.zeros((0, 16, 16, 3), np.float32), "has the shape [0, 16, 16, 3]"),
        (np.zeros((1, 16, 16, 3), np.int64), "has the type int64"),
        (np.zeros((1, 16, 16, 3), np.complex64), "has the type complex64"),
        (np.full((1, 16, 16, 3), np.nan, np.float32), "contains NaN"),
    ],
)
def test_samples_that_do_not_fit_are_errors(capsys, tmp_path, values, words):
    np.save(tmp_path / "samples.npy", values)
    assert words in error_of(capsys, FLOAT, INT8, "--samples", str(tmp_path / "samples.npy"))


@needs_runtime
def test_missing_and_unreadable_samples_are_errors(capsys, tmp_path):
    assert "does not exist" in error_of(capsys, FLOAT, INT8, "--samples", str(tmp_path / "none.npz"))
    assert "no data in" in error_of(capsys, FLOAT, INT8, "--samples", str(tmp_path))
    write(tmp_path, "broken.npz", b"PK\x03\x04 broken")
    assert "not a readable .npz file" in error_of(capsys, FLOAT, INT8, "--samples", str(tmp_path / "broken.npz"))
    write(tmp_path, "image.png", b"\x89PNG")
    assert "no contract describes" in error_of(capsys, FLOAT, INT8, "--samples", str(tmp_path / "image.png"))


@needs_runtime
@pytest.mark.parametrize("shape", [(16, 16, 3), (1, 16, 16, 3), (5, 16, 16, 3), (5, 1, 16, 16, 3)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_one_or_several_samples_in_a_file(capsys, tmp_path, shape, order):
    values = np.random.default_rng(1).uniform(0, 1, shape).astype(np.float32)
    np.save(tmp_path / "samples.npy", np.asarray(values, order=order))
    assert run(["compare", FLOAT, INT8, "--samples", str(tmp_path / "samples.npy"), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["run"]
    assert found["n_samples"] == (5 if shape[0] == 5 else 1)
    low, high = (found["activations"][0]["error"][key] for key in ("low", "high"))
    assert (low, high) == (pytest.approx(values.min()), pytest.approx(values.max()))


@needs_runtime
def test_quantized_samples_are_dequantized_for_the_reference(capsys, tmp_path):
    values = np.random.default_rng(1).integers(-128, 128, (2, 16, 16, 3)).astype(np.int8)
    np.savez(tmp_path / "samples.npz", **{"0": values})
    assert run(["compare", FLOAT, INT8, "--samples", str(tmp_path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["run"]
    assert found["activations"][0]["error"]["sqnr"] > 100


@needs_runtime
def test_many_samples_are_cut_off_and_this_is_stated(capsys, tmp_path):
    samples = str(write_samples(tmp_path, 103))
    assert run(["compare", FLOAT, INT8, "--samples", samples]) == 0
    assert "only the first 100 samples were run" in capsys.readouterr().out


@needs_runtime
def test_a_time_limit_ends_a_run(capsys, tmp_path, monkeypatch):
    assert run(["compare", FLOAT, INT8, "--seconds", "0.001"]) == 0
    assert "not run" in capsys.readouterr().out


@needs_runtime
def test_golden_samples_of_a_contract_are_used(capsys, tmp_path):
    model = write(tmp_path, "chain.tflite", pair_bytes("chain_int8"))
    np.save(tmp_path / "in.npy", np.full((1, 16, 16, 3), 0.5, np.float32))
    np.save(tmp_path / "out.npy", np.zeros((1, 5), np.float32))
    (tmp_path / "chain.contract.toml").write_text(
        '[[golden]]\ninputs = ["in.npy"]\noutputs = ["out.npy"]\n', encoding="utf-8"
    )
    assert run(["compare", FLOAT, model, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["run"]
    assert (found["n_samples"], found["samples_from"].split("/")[-1]) == (1, "chain.contract.toml")


@needs_runtime
def test_the_runtime_is_not_imported_by_the_command():
    code = (
        "import sys; from tflint.cli.main import run; code = run(sys.argv[1:]);"
        "print([name for name in sys.modules if name.startswith(('ai_edge_litert', 'tensorflow'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "compare", FLOAT, INT8], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@needs_runtime
def test_a_note_does_not_fail_a_run(capsys, tmp_path):
    path = write(tmp_path, "clipped.tflite", clip_range(pair_bytes("chain_int8"), BODY, 3))
    assert run(["compare", FLOAT, path]) == 0
    assert "1 note" in capsys.readouterr().out


def test_a_model_with_random_outputs_is_not_compared(tmp_path: Path, capsys) -> None:
    model = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("shape", "INT32", [2], data=[1, 4])
        .tensor("random", "FLOAT32", [1, 4])
        .operator("RANDOM_UNIFORM", ["shape"], ["random"])
        .tensor("output", "FLOAT32", [1, 4])
        .operator("ADD", ["input", "random"], ["output"])
        .inputs("input")
        .outputs("output")
        .build()
    )
    (tmp_path / "random.tflite").write_bytes(model)
    path = str(tmp_path / "random.tflite")
    assert run(["compare", path, path]) == 0
    assert "gives different outputs for the same sample twice" in " ".join(capsys.readouterr().out.split())
