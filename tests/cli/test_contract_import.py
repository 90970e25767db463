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
from tflint.preprocessing.importers.recognition import recognize_ecosystem

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
    assert "\n# From huggingface preprocessor_config.json.\n" in text


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


OWN = '[[inputs]]\nkind = "image"\nmean = 0 # mine\nstd = 1\nunits = "u8"\n'


def test_different_values_end_the_import_before_it_writes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bird.contract.toml").write_text(OWN, encoding="utf-8")
    assert command("preprocessor_config.json", "--into", "bird.contract.toml") == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert 'inputs[0]: mean = 0, std = 1, units = "u8" in the contract, mean = [0.5, 0.5, 0.5],' in printed
    assert 'units = "unit" in the source' in printed
    assert "--force takes the values of the source, --keep those of the contract" in printed
    assert (folder / "bird.contract.toml").read_text(encoding="utf-8") == OWN


def test_different_values_are_kept_or_replaced_on_request(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bird.contract.toml").write_text(OWN, encoding="utf-8")
    assert command("preprocessor_config.json", "--into", "bird.contract.toml", "--keep") == 0
    assert "kept · inputs[0]: mean = 0" in capsys.readouterr().out
    made = load_contract("bird.contract.toml")
    assert (made.inputs[0]["mean"], made.inputs[0]["units"], made.inputs[0]["channels"]) == (0, "u8", "RGB")
    assert "# mine" in made.text
    assert command("preprocessor_config.json", "--into", "bird.tflite", "--force") == 0
    assert "replaced · inputs[0]: mean = 0" in capsys.readouterr().out
    assert load_contract("bird.contract.toml").inputs[0]["mean"] == [0.5, 0.5, 0.5]
    assert command("preprocessor_config.json", "--into", "bird.tflite", "--force", "--keep") == 2


def test_values_of_the_same_effect_do_not_differ(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = '[[inputs]]\nkind = "image"\nmean = 127.5\nstd = 127.5\nunits = "u8"\nrange = [0, 255]\n'
    (folder / "bird.contract.toml").write_text(own, encoding="utf-8")
    assert command("preprocessor_config.json", "--into", "bird.contract.toml") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert 'equal in effect · inputs[0]: mean = 127.5, std = 127.5, units = "u8" in the contract' in printed
    made = load_contract("bird.contract.toml")
    assert (made.inputs[0]["mean"], made.inputs[0]["units"]) == (127.5, "u8")
    assert made.inputs[0]["resize"]["mode"] == "stretch"


UNIT_HALF = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "units": "unit"}


@pytest.mark.parametrize(
    ("own", "source", "is_equal"),
    [
        ('mean = 127.5\nstd = 127.5\nunits = "u8"', UNIT_HALF, True),
        ('mean = 0.5\nstd = 0.5\nunits = "unit"\nrange = [0, 1]', UNIT_HALF, True),
        ('mean = 127\nstd = 128\nunits = "u8"', UNIT_HALF, False),
        ('mean = 127.5\nstd = 127.5\nunits = "u8"\nrange = [16, 235]', UNIT_HALF, False),
        ('mean = 0.5\nstd = 0.5\nunits = "u8"', UNIT_HALF, False),
        ('mean = [0.5, 0.5, 0.4]\nstd = 0.5\nunits = "unit"', UNIT_HALF, False),
        ('mean = 0\nstd = 0\nunits = "unit"', UNIT_HALF, False),
        (
            'mean = [123.68, 116.78, 103.94]\nstd = [58.393, 57.12, 57.375]\nunits = "u8"',
            {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "units": "unit"},
            False,  # two means differ by 0.4 and 0.5 of a pixel step
        ),
        (
            'mean = [123.675, 116.28, 103.53]\nstd = [58.395, 57.12, 57.375]\nunits = "u8"',
            {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "units": "unit"},
            True,
        ),
        ('resize = { mode = "letterbox", size = 640 }', {"resize": {"mode": "letterbox", "size": [640, 640]}}, True),
        ('resize = { mode = "cover", size = 640 }', {"resize": {"mode": "cover", "size": [640, 640]}}, False),
        ("padding = { value = 114 }", {"padding": {"value": [114, 114, 114]}}, True),
        ('crop = { mode = "center", share = 0.875 }', {"crop": {"mode": "center", "share": 0.8750000001}}, True),
        ('channels = "BGR"', {"channels": "RGB"}, False),
    ],
)
def test_keys_are_compared_by_effect(own: str, source: dict[str, Any], is_equal: bool) -> None:
    here = contract(f'[[inputs]]\nkind = "image"\n{own}\n')
    made = fill(here, imported(source))
    assert (bool(made.equal), bool(made.different)) == (is_equal, not is_equal)
    assert made.contract.data == here.data
    replaced = fill(here, imported(source), over=True).contract
    assert fill(replaced, imported(source)).different == ()


def test_a_replaced_normalization_gets_its_own_range() -> None:
    here = contract('[[inputs]]\nkind = "image"\nmean = 0\nstd = 255\nunits = "u8"\nrange = [0, 255]\n')
    made = fill(here, imported(UNIT_HALF), over=True)
    assert made.contract.inputs[0] == {"kind": "image", **UNIT_HALF, "range": [0, 1]}


@pytest.mark.parametrize(
    ("name", "content", "ecosystem"),
    [
        ("preprocessor_config.json", PROCESSOR, "huggingface"),
        ("renamed.json", PROCESSOR, "huggingface"),
        ("config.json", {"architecture": "resnet50", "pretrained_cfg": {"input_size": [3, 224, 224]}}, "timm"),
        ("config.json", {"class_name": "Functional", "config": {}}, "keras"),
        ("metadata.json", {"imgsz": [640, 640], "task": "detect"}, "ultralytics"),
    ],
)
def test_a_file_identifies_its_ecosystem(folder: Path, name: str, content: dict[str, Any], ecosystem: str) -> None:
    path = folder / "source" / name
    path.parent.mkdir()
    path.write_text(json.dumps(content), encoding="utf-8")
    assert recognize_ecosystem(str(path)) == ecosystem
    if name != "renamed.json":
        assert recognize_ecosystem(str(path.parent)) == ecosystem


@pytest.mark.parametrize(
    ("name", "ecosystem"),
    [("m.mlmodel", "coreml"), ("m.onnx", "onnx"), ("m.keras", "keras"), ("MLmodel", "mlflow")],
)
def test_a_file_name_identifies_its_ecosystem(folder: Path, name: str, ecosystem: str) -> None:
    (folder / name).write_bytes(b"")
    assert recognize_ecosystem(name) == ecosystem


def test_the_metadata_of_a_model_identifies_its_ecosystem(folder: Path) -> None:
    shutil.copy(resources.named_model_path("image_float32"), folder / "image.tflite")
    assert recognize_ecosystem("image.tflite") == "tflite-metadata"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("resnet50", "the name of a model does not identify its ecosystem"),
        ("bird.tflite", "belongs to none of the known ecosystems"),
        ("both.json", "could be a file of huggingface or of timm"),
    ],
)
def test_an_unidentified_source_needs_its_ecosystem(
    folder: Path, capsys: pytest.CaptureFixture[str], source: str, message: str
) -> None:
    (folder / "both.json").write_text(json.dumps({"do_resize": True, "input_size": [3, 8, 8]}), encoding="utf-8")
    assert command(source) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "hint: add --from " in err


def imported(*inputs: dict[str, Any], outputs: tuple[dict[str, Any], ...] = ()) -> Imported:
    return Imported(inputs, outputs, "a test", ())


def contract(text: str) -> Any:
    return parse_contract(text, "c.toml")


def test_units_do_not_come_without_their_mean() -> None:
    """A contract that has units only keeps them, and takes no mean that is in others."""
    here = contract('[[inputs]]\nkind = "image"\nunits = "u8"\n')
    made = fill(here, imported({"kind": "image", "mean": 0.5, "std": 0.5, "units": "unit", "channels": "RGB"}))
    assert made.contract.inputs[0] == {"kind": "image", "units": "u8", "channels": "RGB"}
    assert [keys.keys for keys in made.different] == [("mean", "std", "units")]


def test_a_table_is_filled_where_it_agrees() -> None:
    here = contract('[[inputs]]\nkind = "image"\nresize = { mode = "cover", size = 256 }\n')
    agreeing = fill(here, imported({"resize": {"mode": "cover", "size": 256, "kernel": "bicubic"}}))
    assert agreeing.contract.inputs[0]["resize"] == {"mode": "cover", "size": 256, "kernel": "bicubic"}
    other = fill(here, imported({"resize": {"mode": "stretch", "size": [8, 8]}}))
    assert other.contract.inputs[0]["resize"] == {"mode": "cover", "size": 256}
    assert [str(keys) for keys in other.different] == [
        'inputs[0]: resize.mode = "cover", resize.size = 256 in the contract, '
        'resize.mode = "stretch", resize.size = [8, 8] in the source'
    ]


def test_a_kind_that_nobody_knows_replaces_none() -> None:
    here = contract('[[inputs]]\nkind = "image"\n')
    made = fill(here, imported({"kind": "raw", "channels": "RGB"}), over=True)
    assert made.contract.inputs[0] == {"kind": "image", "channels": "RGB"}
    assert made.different == ()


def test_mean_and_std_do_not_go_beside_a_range_of_another_source() -> None:
    here = contract('[[inputs]]\nkind = "image"\nrange = [0, 255]\n')
    made = fill(here, imported({"mean": 0.5, "std": 0.5, "units": "unit"}))
    assert made.contract.inputs == here.inputs
    assert [keys.keys for keys in made.different] == [("mean", "std", "units", "range")]


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
    assert made.different == ()


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
