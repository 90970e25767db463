"""Test `tflint contract observe`: ranges of sample data, the calibrated range, and edits of a contract's text."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tflint import resources
from tflint.api import check
from tflint.cli.main import run
from tflint.contract import load_contract, parse_contract
from tflint.contract.contract_edit import set_keys
from tflint.errors import UserError
from tflint.preprocessing.observe import observe as measure
from tflint.preprocessing.observe.sample_arrays import read_samples
from tflint.preprocessing.recipe import build_recipe

BIRD = """\
# A contract that somebody wrote by hand.
[model]
stateful = false # it is not

[[inputs]]
kind   = "image"   # of a camera
layout = "NHWC"
channels = "RGB"
mean = 127.5
std = 127.5
units = "u8"

[inputs.resize]
mode = "stretch"
size = [16, 16]

[[outputs]]
kind = "raw"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(resources.named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    (tmp_path / "bird.contract.toml").write_text(BIRD, encoding="utf-8")
    return tmp_path


def observe(*arguments: str) -> int:
    return run(["contract", "observe", "bird.contract.toml", *arguments])


def fed(*channels: tuple[float, float]) -> np.ndarray:
    """Pictures of the input's shape, each channel between two values that it reaches."""
    made = np.zeros((3, 16, 16, len(channels)), dtype=np.float32)
    for number, (low, high) in enumerate(channels):
        made[..., number] = np.linspace(low, high, 3 * 16 * 16).reshape(3, 16, 16)
    return made


def test_the_range_is_written_and_the_rest_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(folder / "data.npz", input=fed((-1, 1), (-0.5, 0.5), (0, 0.25)))
    assert observe("--data", "data.npz") == 0
    text = (folder / "bird.contract.toml").read_text(encoding="utf-8")
    line = "observed = {min = [-1.0, -0.5, 0.0], max = [1.0, 0.5, 0.25]}\n"
    assert text.replace(line, "") == BIRD
    assert load_contract("bird.contract.toml").inputs[0]["observed"]["max"] == [1, 0.5, 0.25]
    shown = capsys.readouterr().out
    assert "3 samples, 2,304 values" in shown
    assert "of which the data uses 100%" in shown
    assert not [f for f in check("bird.tflite").findings() if f.rule in ("P110", "P111", "P112")]


def test_what_is_clipped_is_told_and_found_by_the_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(folder / "data.npy", fed((-1, 3), (-1, 1), (-1, 1)))
    assert observe("--data", "data.npy") == 0
    assert "clipped" in capsys.readouterr().out
    assert {"P110", "P111"} <= {f.rule for f in check("bird.tflite").findings()}


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    np.save(folder / "data.npy", fed((-1, 1), (-1, 1), (-1, 1)))
    assert observe("--data", "data.npy", "--dry-run") == 0
    assert (folder / "bird.contract.toml").read_text(encoding="utf-8") == BIRD


class TestFoldersOfImages:
    @pytest.fixture
    def images(self, folder: Path) -> Path:
        image = pytest.importorskip("PIL.Image")
        path = folder / "data"
        path.mkdir()
        for number in range(10):
            image.fromarray(np.full((16, 16, 3), number * 10, dtype=np.uint8)).save(path / f"{number}.png")
        return path

    def test_skip_broken_images_and_count_them(self, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (images / "4.png").write_bytes((images / "4.png").read_bytes()[:40])
        (images / "5.png").write_bytes(b"<html>not found</html>")
        assert observe("--data", "data") == 0
        out = " ".join(capsys.readouterr().out.split())
        assert "2 broken images skipped; the first: 'data/4.png' cannot be read as an image" in out
        assert "8 samples" in out
        assert load_contract("bird.contract.toml").inputs[0]["observed"]["max"] == pytest.approx([-0.294118] * 3)

    def test_of_which_none_can_be_read_are_an_error(self, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for path in images.iterdir():
            path.write_bytes(b"broken")
        assert observe("--data", "data") == 2
        err = capsys.readouterr().err
        assert "no data in 'data' can be read" in err
        assert "'data/0.png' cannot be read as an image" in err
        assert observe("--data", "data/3.png") == 2
        assert "'data/3.png' cannot be read as an image" in capsys.readouterr().err

    def test_are_read_up_to_a_limit_from_all_parts(self, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert observe("--data", "data", "--limit", "2") == 0
        out = capsys.readouterr().out
        assert "2 of 10 files read" in out
        assert "2 samples" in out
        seen = load_contract("bird.contract.toml").inputs[0]["observed"]
        assert (seen["min"][0], seen["max"][0]) == (
            pytest.approx(40 / 127.5 - 1),
            pytest.approx(90 / 127.5 - 1, rel=1e-5),
        )
        assert observe("--data", "data", "--limit", "11") == 0
        assert "10 samples" in capsys.readouterr().out
        for limit in ("0", "-1", "x", "1.5"):
            assert observe("--data", "data", "--limit", limit) == 2

    def test_report_progress(self, images: Path) -> None:
        recipe = build_recipe(parse_contract(BIRD, "c.toml"))
        calls: list[tuple[int, int]] = []
        measure(str(images), recipe, limit=5, progress=lambda done, total: calls.append((done, total)))
        assert calls == [(number, 5) for number in range(1, 6)]

    @pytest.mark.parametrize("module", ["PIL", "tomlkit"])
    def test_need_the_extra_before_they_are_read(
        self, images: Path, module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in [name for name in sys.modules if name.split(".")[0] == module]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(sys, "meta_path", [_Missing(module), *sys.meta_path])
        np.save(images / "a.npy", fed((-1, 1), (-1, 1), (-1, 1)))
        (images / "0.npy").write_bytes(b"read first, and broken")
        assert observe("--data", "data") == 2
        err = capsys.readouterr().err
        assert "which is not installed" in err
        assert 'pip install "tflite-lint[contract]"' in err


class _Missing:
    """Finds no module of a package, as if the package were not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: Any) -> None:
        if name.split(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def test_a_second_run_replaces_the_first(folder: Path) -> None:
    np.save(folder / "data.npy", fed((-1, 1), (-1, 1), (-1, 1)))
    observe("--data", "data.npy")
    np.save(folder / "data.npy", fed((-0.5, 1), (-1, 1), (-1, 1)))
    observe("--data", "data.npy")
    assert load_contract("bird.contract.toml").inputs[0]["observed"]["min"] == [-0.5, -1, -1]


def test_integers_of_the_inputs_type_stand_for_real_values(folder: Path) -> None:
    np.save(folder / "data.npy", np.full((1, 16, 16, 3), -128, dtype=np.int8))
    assert observe("--data", "data.npy") == 0
    assert load_contract("bird.contract.toml").inputs[0]["observed"]["min"] == pytest.approx(
        [-127 / 127.5] * 3, rel=1e-5
    )


def test_a_folder_of_arrays_and_pictures_is_taken_together(folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    (folder / "data").mkdir()
    np.save(folder / "data" / "a.npy", fed((0, 0.5), (0, 0.5), (0, 0.5)))
    image.fromarray(np.full((20, 30, 3), [0, 255, 51], dtype=np.uint8)).save(folder / "data" / "b.png")
    (folder / "data" / "notes.txt").write_text("not looked at")
    assert observe("--data", "data") == 0
    seen = load_contract("bird.contract.toml").inputs[0]["observed"]
    assert seen["min"] == pytest.approx([-1, 0, -0.6])
    assert seen["max"] == pytest.approx([0.5, 1, 0.5])


@pytest.mark.parametrize(("orientation", "left"), [("exif", 1.0), ("upright", -1.0)])
def test_a_picture_is_turned_upright_where_the_contract_says_so(folder: Path, orientation: str, left: float) -> None:
    """The file's first row is red, the others black; its tag says that this row is the right edge."""
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112] = 6
    stored = np.zeros((4, 6, 3), dtype=np.uint8)
    stored[0] = [255, 0, 0]
    image.fromarray(stored).save(folder / "a.png", exif=exif)
    text = (
        f"[[inputs]]\nkind = 'image'\nlayout = 'HWC'\nchannels = 'RGB'\norientation = '{orientation}'\nmean = 127.5\n"
    )
    text += "std = 127.5\nunits = 'u8'\nresize = { mode = 'none' }\n"
    recipe = build_recipe(parse_contract(text, "c.toml"))
    ((_, numbers),) = read_samples(folder / "a.png", recipe)
    shown = np.concatenate([run.ravel() for _, run in numbers.runs(None)]).reshape(numbers.shape)
    assert shown.shape == ((6, 4, 3) if orientation == "exif" else (4, 6, 3))
    assert shown[-1, -1, 0] == left  # the right edge is red once it is upright


def test_a_picture_of_another_size_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(folder / "a.png")
    text = BIRD.replace('[inputs.resize]\nmode = "stretch"\nsize = [16, 16]\n', "")
    (folder / "bird.contract.toml").write_text(text, encoding="utf-8")
    assert observe("--data", "a.png") == 2
    told = capsys.readouterr().err
    assert "(9 × 9 × 3) cannot be preprocessed by the contract" in told
    assert "needs [inputs.resize]" in told


def test_a_bicubic_resize_of_a_sharp_edge_is_no_fault(folder: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    shown = np.zeros((40, 40, 3), dtype=np.uint8)
    shown[10:30, 10:30] = 255
    image.fromarray(shown).save(folder / "a.png")
    text = BIRD.replace('mode = "stretch"', 'mode = "stretch"\nkernel = "bicubic"\nantialias = true')
    (folder / "bird.contract.toml").write_text(text, encoding="utf-8")
    assert observe("--data", "a.png") == 0
    assert load_contract("bird.contract.toml").inputs[0]["observed"]["max"] == [1, 1, 1]
    assert not [f for f in check("bird.tflite").findings() if f.rule in ("P110", "P111")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((1, 8, 8, 3), np.float32), "has the shape [1, 8, 8, 3], but the input 'input' takes [1, 16, 16, 3]"),
        (np.zeros((1, 16, 16, 3), np.uint8), "is uint8, but the input 'input' takes int8"),
        (np.full((1, 16, 16, 3), np.nan, np.float32), "768 values that are not finite numbers"),
        (np.array(["text"]), "not numbers"),
        (np.zeros((0, 16, 16, 3), np.float32), "is empty"),
        (np.array([None, 1], dtype=object), "holds Python objects"),
        (b"no array", "is not a .npy or .npz file"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8',", "its header is invalid"),
        (b"PK\x03\x04 half a zip", "is not a readable .npz file"),
    ],
)
def test_bad_data_is_told(folder: Path, capsys: pytest.CaptureFixture[str], content: Any, message: str) -> None:
    if isinstance(content, bytes):
        (folder / "data.npy").write_bytes(content)
    else:
        np.save(folder / "data.npy", content, allow_pickle=True)
    assert observe("--data", "data.npy") == 2
    assert message in capsys.readouterr().err
    assert (folder / "bird.contract.toml").read_text(encoding="utf-8") == BIRD


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none", "does not exist"),
        ("empty", "no data in"),
        ("bird.tflite", "is not a .npy file, .npz file or image"),
    ],
)
def test_bad_paths_are_told(folder: Path, capsys: pytest.CaptureFixture[str], path: str, message: str) -> None:
    (folder / "empty").mkdir()
    assert observe("--data", path) == 2
    assert message in capsys.readouterr().err


def test_an_array_of_another_name_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(folder / "data.npz", input=fed((0, 1), (0, 1), (0, 1)), other=np.zeros(3))
    assert observe("--data", "data.npz") == 2
    assert "the array 'other' of" in capsys.readouterr().err


def test_a_broken_picture_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("PIL.Image")
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    assert observe("--data", "a.png") == 2
    assert "cannot be read as an image" in capsys.readouterr().err


# -- writing into a contract -------------------------------------------------------------------------------------------

DRAFT = """\
[model]
draft = true

[[inputs]]
name = "a"
kind = "raw"
# guess: kind = "image"  # instead
# guess: mean = 127.5  # its scale fits
# guess: feed = "fold"

[[inputs]]
name = "b"
kind = "raw"
# guess: mean = 127.5
"""


def test_guesses_on_what_is_filled_go_in_that_entry_only() -> None:
    contract = parse_contract(DRAFT, "c.toml")
    made = set_keys(contract, {("inputs", 0): {"kind": "image", "mean": [1.0, 2.0, 3.0], "std": 2.0, "units": "u8"}})
    assert made.inputs[0] == {"name": "a", "kind": "image", "mean": [1, 2, 3], "std": 2, "units": "u8"}
    assert made.text.count("# guess: mean") == 1
    assert '# guess: feed = "fold"' in made.text
    assert made.inputs[1] == contract.inputs[1]


def test_a_table_is_added_or_filled_key_by_key() -> None:
    contract = parse_contract(BIRD, "c.toml")
    made = set_keys(
        contract, {("inputs", 0): {"resize": {"kernel": "bicubic"}, "crop": {"mode": "center", "size": [8, 8]}}}
    )
    assert made.inputs[0]["resize"] == {"mode": "stretch", "size": [16, 16], "kernel": "bicubic"}
    assert made.inputs[0]["crop"] == {"mode": "center", "size": [8, 8]}
    assert "# of a camera" in made.text
    assert made.outputs == contract.outputs


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_end_as_they_did(newline: str) -> None:
    contract = parse_contract(DRAFT.replace("\n", newline), "c.toml")
    made = set_keys(contract, {("inputs", 1): {"observed": {"min": 0, "max": 1}}})
    assert made.inputs[1]["observed"] == {"min": 0, "max": 1}
    assert made.text.count(newline) == DRAFT.count("\n") + 1


def test_a_text_that_cannot_be_changed_is_told() -> None:
    text = '[model]\nsource = """\n[[inputs]]\n# guess: mean = 1\n"""\n\n[[inputs]]\nkind = "image"\n'
    with pytest.raises(UserError, match="cannot be edited automatically"):
        set_keys(parse_contract(text, "c.toml"), {("inputs", 0): {"mean": 1.0, "std": 1.0, "units": "u8"}})


def test_many_entries_are_filled_at_once() -> None:
    text = "".join(f'[[inputs]]\nindex = {k}\nkind = "raw"\n' for k in range(300))
    made = set_keys(parse_contract(text, "c.toml"), {("inputs", k): {"dtype": "int8"} for k in range(300)})
    assert {entry["dtype"] for entry in made.inputs} == {"int8"}
