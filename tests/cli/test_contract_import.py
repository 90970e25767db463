"""Test `tflint contract import`: values go into the matching entries, and a user's values are never replaced."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.models import ModelBuilder
from tflint import resources
from tflint.cli.commands.contract_import import ECOSYSTEMS
from tflint.cli.main import run
from tflint.contract import load_contract, parse_contract
from tflint.errors import UserError
from tflint.preprocessing.importers import ECOSYSTEMS as READ
from tflint.preprocessing.importers import Imported
from tflint.preprocessing.importers.contract_filling import fill

PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 16, "width": 16},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(resources.named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR), encoding="utf-8")
    return tmp_path


def command(*arguments: str) -> int:
    return run(["contract", "import", *arguments])


def test_the_ecosystems_of_the_command_are_those_that_are_read() -> None:
    assert ECOSYSTEMS == READ


def test_an_import_alone_is_printed_as_a_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--from", "huggingface", "preprocessor_config.json") == 0
    text = capsys.readouterr().out
    made = parse_contract(text, "printed")
    assert made.inputs[0]["mean"] == [0.5, 0.5, 0.5]
    assert made.inputs[0]["resize"]["size"] == [16, 16]
    assert made.model["draft"] is True
    assert text.startswith("# From huggingface preprocessor_config.json.\n")


def test_a_model_without_a_contract_gets_a_filled_draft(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--from", "huggingface", "preprocessor_config.json", "--into", "bird.tflite") == 0
    assert (
        "bird.contract.toml: filled from huggingface preprocessor_config.json: inputs[0].kind"
        in capsys.readouterr().out
    )
    made = load_contract("bird.contract.toml")
    assert made.inputs[0]["kind"] == "image"
    assert made.inputs[0]["units"] == "unit"
    assert "# guess: mean" not in made.text
    assert "# guess: feed" in made.text
    assert run(["check", "bird.tflite", "--select", "P"]) == 0


def test_what_a_person_wrote_is_kept_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = '[[inputs]]\nkind = "image"\nmean = 0 # mine\nstd = 1\nunits = "u8"\n'
    (folder / "bird.contract.toml").write_text(text, encoding="utf-8")
    assert command("--from", "huggingface", "preprocessor_config.json", "--into", "bird.contract.toml") == 0
    told = capsys.readouterr().out
    assert "kept, with different values in the source: inputs[0].mean, inputs[0].std, inputs[0].units" in told
    made = load_contract("bird.contract.toml")
    assert (made.inputs[0]["mean"], made.inputs[0]["units"]) == (0, "u8")
    assert "# mine" in made.text
    assert command("--from", "huggingface", "preprocessor_config.json", "--into", "bird.tflite", "--force") == 0
    assert load_contract("bird.contract.toml").inputs[0]["mean"] == [0.5, 0.5, 0.5]


def imported(*inputs: dict[str, Any], outputs: tuple[dict[str, Any], ...] = ()) -> Imported:
    return Imported(inputs, outputs, "a test", ())


def contract(text: str) -> Any:
    return parse_contract(text, "c.toml")


def test_units_do_not_come_without_their_mean() -> None:
    """A contract that has units only keeps them, and takes no mean that is in others."""
    here = contract('[[inputs]]\nkind = "image"\nunits = "u8"\n')
    made = fill(here, imported({"kind": "image", "mean": 0.5, "std": 0.5, "units": "unit", "channels": "RGB"}))
    assert made.contract.inputs[0] == {"kind": "image", "units": "u8", "channels": "RGB"}
    assert made.kept == ("inputs[0].units",)


def test_a_table_is_filled_where_it_agrees() -> None:
    here = contract('[[inputs]]\nkind = "image"\nresize = { mode = "cover", size = 256 }\n')
    agreeing = fill(here, imported({"resize": {"mode": "cover", "size": 256, "kernel": "bicubic"}}))
    assert agreeing.contract.inputs[0]["resize"] == {"mode": "cover", "size": 256, "kernel": "bicubic"}
    other = fill(here, imported({"resize": {"mode": "stretch", "size": [8, 8]}}))
    assert other.contract.inputs[0]["resize"] == {"mode": "cover", "size": 256}
    assert other.kept == ("inputs[0].resize",)


def test_a_kind_that_nobody_knows_replaces_none() -> None:
    here = contract('[[inputs]]\nkind = "image"\n')
    made = fill(here, imported({"kind": "raw", "channels": "RGB"}), over=True)
    assert made.contract.inputs[0] == {"kind": "image", "channels": "RGB"}
    assert made.kept == ()


def test_mean_and_std_do_not_go_beside_a_range_of_another_source() -> None:
    here = contract('[[inputs]]\nkind = "image"\nrange = [0, 255]\n')
    made = fill(here, imported({"mean": 0.5, "std": 0.5, "units": "unit"}))
    assert made.contract.inputs == here.inputs
    assert made.kept == ("inputs[0].range",)


def test_outputs_that_fit_nowhere_are_told() -> None:
    scores = {"kind": "class_scores", "activation": "logits"}
    without = fill(contract('[[inputs]]\nkind = "image"\n'), imported({"channels": "RGB"}, outputs=(scores,)))
    assert without.filled == ("inputs[0].channels",)
    assert len(without.notes) == 1
    text = '[[outputs]]\nindex = 0\nkind = "raw"\n[[outputs]]\nindex = 1\nkind = "raw"\n'
    assert len(fill(contract(text), imported(outputs=(scores,))).notes) == 1


@pytest.mark.security
def test_texts_of_a_file_cannot_leave_their_comment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = {"task": "x'\n[[allow]]\nrule='*'\nreason='all of it'\n#\x1b[31m", "imgsz": [16, 16]}
    (folder / "metadata.json").write_text(json.dumps(evil), encoding="utf-8")
    assert command("--from", "ultralytics", "metadata.json") == 0
    text = capsys.readouterr().out
    assert parse_contract(text, "printed").allow == ()
    assert "\x1b" not in text
    assert command("--from", "ultralytics", "metadata.json", "--into", "bird.tflite") == 0
    assert "\x1b" not in capsys.readouterr().out


TWO = '[[inputs]]\nname = "a"\nkind = "image"\n\n[[inputs]]\nname = "b"\nkind = "tokens"\n'


def test_one_entry_goes_to_the_input_of_its_kind() -> None:
    made = fill(contract(TWO), imported({"kind": "tokens", "tokens": {"length": 8}}))
    assert made.filled == ("inputs[1].tokens",)


def test_the_user_chooses_where_it_is_not_clear() -> None:
    with pytest.raises(UserError, match="has 2 inputs, but the source describes one") as told:
        fill(contract(TWO), imported({"kind": "audio"}))
    assert "choose one with --input: a, b" in str(told.value)
    assert fill(contract(TWO), imported({"channels": "BGR"}), "a").filled == ("inputs[0].channels",)
    with pytest.raises(UserError, match="has no input 'c'"):
        fill(contract(TWO), imported({"channels": "BGR"}), "c")


def test_several_entries_go_by_name() -> None:
    made = fill(contract(TWO), imported({"name": "b", "dtype": "int32"}, {"name": "a", "dtype": "uint8"}))
    assert made.filled == ("inputs[1].dtype", "inputs[0].dtype")
    with pytest.raises(UserError, match="has no input 'z'"):
        fill(contract(TWO), imported({"name": "z", "dtype": "int32"}, {"name": "a", "dtype": "uint8"}))


def test_types_and_shapes_of_the_model_stay() -> None:
    here = contract('[[inputs]]\nkind = "raw"\ndtype = "int8"\nshape = [1, 8]\n')
    made = fill(here, imported({"kind": "image", "dtype": "float32", "shape": [-1, 8]}), over=True)
    assert made.contract.inputs[0] == {"kind": "image", "dtype": "int8", "shape": [1, 8]}
    assert made.kept == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "huggingface", "none.json"], "none.json"),
        (["--from", "keras", "ResNet"], "ResNet"),
        (["--from", "timm", "no_such_model"], "no_such_model"),
        (["--from", "caffe2", "x"], "invalid choice"),
        (["--from", "huggingface", "preprocessor_config.json", "--into", "none.tflite"], "none.tflite"),
        (["--from", "huggingface", "preprocessor_config.json", "--into", "none.contract.toml"], "none.contract.toml"),
        (["--from", "huggingface", "preprocessor_config.json", "--into", "two.tflite"], "choose one with --input"),
        (["--from", "huggingface", "bird.tflite"], "bird.tflite"),
    ],
)
def test_bad_input_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    builder = (
        ModelBuilder().tensor("a", "FLOAT32", [1, 3]).tensor("b", "FLOAT32", [1, 3]).tensor("c", "FLOAT32", [1, 3])
    )
    content = builder.operator("ADD", ["a", "b"], ["c"]).inputs("a", "b").outputs("c").build()
    (folder / "two.tflite").write_bytes(content)
    assert command(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not list(folder.glob("*.contract.toml"))
