"""Test `tflint contract show`: its code runs and matches the contract, runtimes and stored vectors."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.corpus import N_SHARDS, needs_corpus, shard
from tests.helpers.models import ModelBuilder
from tests.helpers.paths import ROOT
from tests.helpers.recipes import recipe_for, run, wanted_pixel
from tflint import resources
from tflint.api import load
from tflint.catalog.rule_compiler import compile_file
from tflint.catalog.rule_loader import builtin_files
from tflint.cli.main import run as command
from tflint.contract import parse_contract
from tflint.facts.fact_registry import CONTRACT_PROBLEM_TABLE
from tflint.facts.facts import Facts
from tflint.model.batch_reader import open_model, read_one
from tflint.preprocessing.codegen.app_code import app_code
from tflint.preprocessing.codegen.dialects import DIALECTS
from tflint.preprocessing.codegen.numpy_snippets import resize
from tflint.preprocessing.codegen.recipe_text import render_text
from tflint.preprocessing.draft import draft_contract
from tflint.preprocessing.recipe import RecipeInput, build_recipe
from tflint.preprocessing.recipe.recipe_search import load_recipe
from tflint.rule_examples import build_model, parse_example_contract
from tflint.source import BytesSource
from tflint.summary.summarize import summarize

EXAMPLES = [
    pytest.param(example, path, id=f"{rule.id}-{number}")
    for path, file in ((path, compile_file(path, builtin=True)) for path in builtin_files())
    for rule in file.rules
    for number, example in enumerate(file.examples[rule.id])
    if example.contract and rule.for_each != CONTRACT_PROBLEM_TABLE
]


def picture(recipe_input: RecipeInput, height: int = 16, width: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, recipe_input.n_channels), dtype=np.uint8)


# -- what the contract says, computed another way: number by number ----------------------------------------------------


def wanted_picture(recipe_input: RecipeInput, shown: np.ndarray) -> np.ndarray:
    order = {"BGR": [2, 1, 0], "BGRA": [2, 1, 0, 3]}.get(str(recipe_input.entry.get("channels")))
    made = np.zeros(shown.shape)
    for y, x, c in itertools.product(*(range(size) for size in shown.shape)):
        made[y, x, c] = wanted_pixel(recipe_input, float(shown[y, x, order[c] if order else c]), c)
    if recipe_input.entry.get("mirror"):
        made = made[:, ::-1]
    return np.moveaxis(made, -1, 0) if recipe_input.layout in ("NCHW", "CHW") else made


@pytest.mark.parametrize(("example", "path"), EXAMPLES)
def test_the_code_of_each_example_does_what_its_contract_says(example: Any, path: Path) -> None:
    contract = parse_example_contract(example, path)
    tables = read_one(open_model(BytesSource(build_model(example, path))))
    facts = Facts(tables, contracts={0: contract}) if tables.is_readable else None
    recipe = build_recipe(contract, facts, "m.tflite")
    names = run(recipe)
    assert len([name for name in names if name.startswith("input_")]) == len({f.position for f in recipe.inputs})
    for recipe_input in recipe.inputs:
        require_input(recipe_input, names[f"input_{recipe_input.position}"])
    for reading in recipe.outputs:
        stored = np.array([-3, 0, 7], dtype=np.int8 if reading.dtype == "int8" else np.float32)
        is_undone = reading.is_quantized and reading.entry.get("dequantize", True)
        wanted = [(q - reading.zero_point) * reading.scale for q in stored.tolist()] if is_undone else stored
        assert np.allclose(names[f"output_{reading.position}"](stored), wanted, rtol=1e-6)


def require_input(recipe_input: RecipeInput, prepare: Any) -> None:
    entry = recipe_input.entry
    if (np.ravel(entry.get("std", 1)) == 0).any() or not one_length(recipe_input):
        return  # an invalid example: it cannot be done
    if recipe_input.kind == "image" and not ({"resize", "crop"} & set(entry)):
        size = recipe_input.size or (4, 4)
        shown = picture(recipe_input, *size)
        made = prepare(shown)
        wanted = wanted_picture(recipe_input, shown)
        assert made.shape[-3:] == wanted.shape
        if np.issubdtype(made.dtype, np.integer) and recipe_input.scale is None:
            wanted = np.trunc(wanted)
        assert np.allclose(made.reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-5)
    elif recipe_input.kind == "image":  # of one colour, whose middle no resize changes
        made = prepare(np.full((20, 30, recipe_input.n_channels), 100, dtype=np.uint8))
        made = np.moveaxis(made[0], 0, -1) if recipe_input.layout == "NCHW" else made.reshape(made.shape[-3:])
        middle = made[made.shape[0] // 2, made.shape[1] // 2]
        wanted = [wanted_pixel(recipe_input, 100, c) for c in range(recipe_input.n_channels)]
        assert middle == pytest.approx(np.array(wanted), rel=1e-5)
        assert made.dtype == np.dtype(recipe_input.dtype or "float32")


def one_length(recipe_input: RecipeInput) -> bool:
    lengths = {np.size(recipe_input.entry.get(key, 1)) for key in ("mean", "std")} - {1}
    return len(lengths) == 0 or lengths == {recipe_input.n_channels}


# -- resizes, against others' ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opcode", "kernel", "options", "coordinates"),
    [
        ("RESIZE_BILINEAR", "bilinear", {"half_pixel_centers": True}, "half-pixel"),
        ("RESIZE_BILINEAR", "bilinear", {"align_corners": True}, "align-corners"),
        ("RESIZE_BILINEAR", "bilinear", {}, "asymmetric"),
        ("RESIZE_NEAREST_NEIGHBOR", "nearest", {"half_pixel_centers": True}, "half-pixel"),
        ("RESIZE_NEAREST_NEIGHBOR", "nearest", {"align_corners": True}, "align-corners"),
        ("RESIZE_NEAREST_NEIGHBOR", "nearest", {}, "asymmetric"),
    ],
)
@pytest.mark.parametrize("size", [(5, 9), (12, 16), (7, 11), (24, 24)])
def test_a_resize_without_antialias_is_that_of_the_runtime(
    opcode: str, kernel: str, options: dict[str, bool], coordinates: str, size: tuple[int, int]
) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    shown = np.random.default_rng(1).integers(0, 256, (12, 16, 3)).astype(np.float32)
    content = (
        ModelBuilder()
        .tensor("x", "FLOAT32", [1, 12, 16, 3])
        .tensor("size", "INT32", [2], data=list(size))
        .tensor("y", "FLOAT32", [1, *size, 3])
        .operator(opcode, ["x", "size"], ["y"], options, version=3)
        .inputs("x")
        .outputs("y")
        .build()
    )
    interpreter = litert.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], shown[None])
    interpreter.invoke()
    wanted = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    assert np.allclose(resize(shown, *size, (kernel, False, coordinates)), wanted, atol=0.01)


@pytest.mark.parametrize(
    ("kernel", "size"),
    [
        *itertools.product(["bilinear", "bicubic", "lanczos"], [(5, 9), (12, 16), (7, 11), (24, 30)]),
        *itertools.product(["area"], [(6, 8), (4, 4), (12, 16)]),  # Pillow's box takes whole pixels only
    ],
)
def test_an_antialiased_resize_is_that_of_pillow(kernel: str, size: tuple[int, int]) -> None:
    image = pytest.importorskip("PIL.Image")
    ramp = np.arange(12)[:, None, None] * 11 + np.arange(16)[None, :, None] * 7 + np.array([0, 9, 20])
    shown = np.clip(ramp, 0, 255).astype(np.uint8)
    method = {"bilinear": 2, "bicubic": 3, "lanczos": 1, "area": 4}[kernel]
    wanted = np.asarray(image.fromarray(shown).resize(size[::-1], method), dtype=np.float64)
    made = np.clip(resize(shown.astype(np.float64), *size, (kernel, True, "half-pixel")), 0, 255)
    assert np.abs(made - wanted).max() <= 1.5  # it rounds twice


def test_area_shares_pixels_that_two_new_ones_touch() -> None:
    made = resize(np.array([[[0.0], [30.0], [60.0]]]), 1, 2, ("area", False, "half-pixel"))
    assert made.reshape(-1) == pytest.approx([10, 50])


@pytest.mark.parametrize(
    ("geometry", "shape"),
    [
        ('resize = { mode = "stretch", size = [8, 12], kernel = "bilinear" }', (8, 12)),
        ('resize = { mode = "cover", size = [8, 12], kernel = "bilinear" }', (8, 12)),
        ('resize = { mode = "letterbox", size = [8, 12], kernel = "nearest" }', (8, 12)),
        ('resize = { mode = "stretch", size = 10, kernel = "area" }', (10, 15)),
        ('resize = { mode = "stretch", size = 10 }\ncrop = { mode = "center", size = [8, 8] }', (8, 8)),
        ('crop = { mode = "center", share = 0.5 }\nresize = { mode = "stretch", size = [8, 8] }', (8, 8)),
        ('resize = { mode = "none" }', (20, 30)),
    ],
)
def test_geometry_gives_the_size_that_it_names(geometry: str, shape: tuple[int, int]) -> None:
    names = run(recipe_for(f'[[inputs]]\nkind = "image"\nlayout = "HWC"\nchannels = "RGB"\n{geometry}\n'))
    grey = np.full((20, 30, 3), 77, dtype=np.uint8)
    made = names["input_0"](grey)
    assert made.shape == (*shape, 3)
    if "letterbox" not in geometry:
        assert np.allclose(made, 77)


def test_a_letterbox_is_filled_around_the_picture() -> None:
    text = '[[inputs]]\nkind = "image"\nlayout = "HWC"\nresize = { mode = "letterbox", size = [30, 30] }\n'
    white = np.full((20, 30, 3), 255, dtype=np.uint8)
    centred = run(recipe_for(text + "padding = { value = [1, 2, 3] }\n"))["input_0"](white)
    assert np.allclose(centred[:5], [1, 2, 3])
    assert np.allclose(centred[5:25], 255)
    assert np.allclose(centred[25:], [1, 2, 3])
    corner = run(recipe_for(text + 'padding = { value = 0, position = "top-left" }\n'))["input_0"](white)
    assert np.allclose(corner[:20], 255)
    assert np.allclose(corner[20:], 0)


@pytest.mark.parametrize(
    ("shape", "channels", "layout"),
    [
        ([1, 3, 32, 48], "", "NCHW"),
        ([1, 32, 48, 3], "", "NHWC"),
        ([1, 1, 32, 32], "GRAY", "NCHW"),
        ([3, 32, 48], "", "CHW"),
        ([1, 32, 48, 5], "", ""),
    ],
)
def test_channels_stand_where_the_shape_says(shape: list[int], channels: str, layout: str) -> None:
    said = f'channels = "{channels}"\n' if channels else ""
    content = ModelBuilder().tensor("x", "FLOAT32", shape).inputs("x").outputs("x").build()
    recipe = recipe_for(f'[[inputs]]\nkind = "image"\n{said}resize = {{ mode = "stretch" }}\n', content)
    (recipe_input,) = recipe.inputs
    assert recipe_input.layout == layout
    if layout:
        made = run(recipe)["input_0"](picture(recipe_input, 20, 20))
        assert list(made.shape) == shape
    else:
        assert "the contract does not specify the layout" in render_text(recipe, "")


def test_a_crop_of_more_than_there_is_has_a_black_border() -> None:
    text = '[[inputs]]\nkind = "image"\nlayout = "HWC"\nchannels = "RGB"\ncrop = { mode = "center", size = [8, 6] }\n'
    made = run(recipe_for(text))["input_0"](np.full((4, 6, 3), 9, dtype=np.uint8))
    assert made.shape == (8, 6, 3)
    assert made[:, 0, 0].tolist() == [0, 0, 9, 9, 9, 9, 0, 0]


# -- what is no picture ------------------------------------------------------------------------------------------------


def test_sound_is_cut_filled_and_scaled() -> None:
    text = '[[inputs]]\nkind = "audio"\nshape = [1, -1]\naudio = { sample-rate = 8, duration = 0.5, amplitude = 100 }\n'
    prepare = run(recipe_for(text))["input_0"]
    assert prepare([0.5, 1.0]).tolist() == [[50, 100, 0, 0]]
    assert prepare([0.1] * 9) == pytest.approx(np.full((1, 4), 10.0))


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("length = 5, special = { pad = 9 }", [4, 5, 6, 9, 9]),
        ('length = 5, padding-side = "left"', [0, 0, 4, 5, 6]),
        ("length = 2", [4, 5]),
        ('length = 5, role = "mask"', [1, 1, 1, 0, 0]),
        ('length = 4, role = "segments"', [0, 0, 0, 0]),
        ('length = 4, role = "positions"', [0, 1, 2, 0]),
    ],
)
def test_tokens_are_cut_and_filled(keys: str, wanted: list[int]) -> None:
    text = f'[[inputs]]\nkind = "tokens"\ndtype = "int32"\ntokens = {{ {keys} }}\n'
    made = run(recipe_for(text))["input_0"]([4, 5, 6])
    assert made.dtype == np.int32
    assert made.tolist() == wanted


def test_columns_are_normalised_one_by_one() -> None:
    text = '[[inputs]]\nkind = "tabular"\nshape = [1, 2]\n'
    text += 'columns = [{ name = "age", unit = "years", mean = 40, std = 10 }, { name = "height" }]\n'
    assert run(recipe_for(text))["input_0"]([50, 1.7]) == pytest.approx(np.array([[1.0, 1.7]]))


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(resources.named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    (tmp_path / "bird.contract.toml").write_text(BIRD, encoding="utf-8")
    return tmp_path


BIRD = """\
[[inputs]]
name = "input"
kind = "image"
channels = "RGB"
mean = 127.5
std = 127.5
units = "u8"
resize = { mode = "letterbox", size = [16, 16], kernel = "bilinear", antialias = false }

[[outputs]]
kind = "class_scores"
activation = "logits"
box-order = "cx-cy-w-h"
labels = { file = "l.txt", count = 3, background = true }
"""


def show(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert command(["contract", "show", *arguments]) == code
    shown = capsys.readouterr()
    return shown.out if code == 0 else shown.err


def test_words_name_lines_and_what_the_model_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = show(capsys, "bird.contract.toml")
    assert 'INPUT 0 "input" ← RGB image, uint8 [height, width, 3]' in text
    assert re.search(r"x = \(px − 127.5\) / 127.5 +line 5 · matches the calibrated range", text)
    assert "shortcut: q = px − 128, at most 0.5 steps off" in text
    assert len(text.splitlines()) <= 50
    assert show(capsys, "bird.tflite") == text


def test_a_cast_without_scale_replaces_quantization(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bird.contract.toml").write_text(BIRD.replace('units = "u8"', 'units = "u8"\ncast = "uint8"'), "utf-8")
    text = show(capsys, "bird.contract.toml")
    assert "cast to uint8: truncate toward 0, keep the lowest 8 bits" in text
    assert "without scale 0.00784314 and zero point -1" in text
    assert "q = round(" not in text
    assert "shortcut" not in text
    assert "matches the calibrated range" not in text


def test_the_standing_of_a_wrong_contract_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bird.contract.toml").write_text(BIRD.replace("mean = 127.5", "mean = 0"), encoding="utf-8")
    assert "contradicts bird.tflite: " in show(capsys, "bird.contract.toml")


def test_json_has_the_same_steps(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(show(capsys, "bird.contract.toml", "--format", "json"))
    assert data["inputs"][0]["short_form"]["shift"] == -128
    assert data["inputs"][0]["steps"][2]["line"] == 5
    assert data["numpy"] == show(capsys, "bird.contract.toml", "--as", "numpy")


def test_a_contract_without_a_model_has_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lonely.contract.toml"
    path.write_text('[[inputs]]\nkind = "image"\nmean = 0\nstd = 255\nunits = "u8"\n', encoding="utf-8")
    assert "no model next to the contract" in " ".join(show(capsys, str(path)).split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["alone.tflite"], "no contract next to"),
        (["none.contract.toml"], "none.contract.toml"),
        (["bird.contract.toml", "--model", "none.tflite"], "none.tflite"),
        (["bird.contract.toml", "--model", "text.tflite"], "not a readable model"),
        (["bird.contract.toml", "--as", "cobol"], "invalid choice"),
        (["bird.contract.toml", "--as", "c", "--format", "json"], "not allowed with"),
    ],
)
def test_bad_input_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    shutil.copy(folder / "bird.tflite", folder / "alone.tflite")
    (folder / "text.tflite").write_text("no model")
    assert message in show(capsys, *arguments, code=2)


@pytest.mark.security
def test_names_of_tensors_cannot_break_the_code(folder: Path) -> None:
    builder = ModelBuilder().tensor('a"""\nb\\', "FLOAT32", [1, 3]).tensor("y", "FLOAT32", [1, 3])
    content = builder.operator("NEG", ['a"""\nb\\'], ["y"]).inputs('a"""\nb\\').outputs("y").build()
    recipe = recipe_for('[[inputs]]\nindex = 0\nkind = "raw"\n[[outputs]]\nindex = 0\nkind = "raw"\n', content)
    assert run(recipe)["input_0"]([1, 2, 3]).tolist() == [[1, 2, 3]]
    assert app_code("c", recipe).count("\n") < 12


@needs_corpus
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_drafts_of_real_models_have_recipes(number: int) -> None:
    """Their code compiles, in words and in each language, whatever they call their tensors."""
    for path in shard(number):
        facts = Facts(load(path).tables)
        contract = parse_contract(draft_contract(summarize(facts, path.name)), "c.contract.toml")
        recipe = build_recipe(contract, Facts(load(path).tables, contracts={0: contract}), path.name)
        assert {name for name in run(recipe) if name.startswith("input_")} == {
            f"input_{recipe_input.position}" for recipe_input in recipe.inputs
        }
        assert render_text(recipe, "").startswith("c.contract.toml")
        for language in DIALECTS:
            assert "$" not in app_code(language, recipe).replace("$0", "")


def test_the_printed_code_of_the_example_feeds_and_reads_the_runtime() -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    recipe, _ = load_recipe(str(ROOT / "examples" / "good.contract.toml"))
    names = run(recipe)
    interpreter = litert.Interpreter(str(ROOT / "examples" / "good.tflite"))
    interpreter.allocate_tensors()
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    for seed in range(5):
        shown = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        prepared = names["input_0"](shown)
        assert (list(prepared.shape), prepared.dtype) == (given["shape"].tolist(), given["dtype"])
        interpreter.set_tensor(given["index"], prepared)
        interpreter.invoke()
        answer = interpreter.get_tensor(made["index"])
        scale, zero_point = made["quantization"]
        read = names["output_0"](answer)
        assert np.allclose(read, (answer.astype(np.float64) - zero_point) * scale)
        assert read.sum() == pytest.approx(1, abs=0.02)
