"""Test `tflint show`: text, JSON, lines for `git diff`, and files that are not models."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helpers.facts import facts_of
from tests.helpers.models import ModelBuilder
from tests.helpers.models.examples import good
from tests.helpers.models.named import NOT_RUNNABLE, RUNNABLE, WRONG_FILES
from tests.helpers.packages import git
from tests.helpers.paths import ROOT
from tests.helpers.reading import CountingSource, tables_over, weight_spans
from tflint.cli.main import run
from tflint.facts.facts import Facts
from tflint.flatbuffer.byte_window import Window
from tflint.normalization.affine_formula import format_dequantization
from tflint.normalization.known_layers import known_layers
from tflint.report.display_names import format_size
from tflint.report.text_layout import Style
from tflint.resources import json_schema, named_model_path
from tflint.summary import plain_lines, summary_json
from tflint.summary import summary_text as screen
from tflint.summary.number_text import format_percent
from tflint.summary.summarize import summarize
from tflint.userfiles.schema_check import is_valid
from tflint.writer import edit_model

MODELS = RUNNABLE | NOT_RUNNABLE | {"good": good}


def shown(content: bytes, width: int = screen.WIDTH) -> str:
    return screen.render(summarize(facts_of(content), "m.tflite"), Style(width=width))


def told(content: bytes) -> str:
    """The screen in one line."""
    return " ".join(shown(content).split())


def lines(content: bytes) -> list[str]:
    return plain_lines.render(summarize(facts_of(content), "m.tflite")).splitlines()


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model in the current folder, which holds nothing else."""
    monkeypatch.chdir(tmp_path)
    Path("m.tflite").write_bytes(good())
    return tmp_path / "m.tflite"


def language_model(n_layers: int) -> bytes:
    """Two signatures, with as many inputs and outputs as a language model with a cache of keys and values has."""
    builder = ModelBuilder()
    for name, length in (("decode", 1), ("prefill_128", 128)):
        caches = [f"kv_cache_{kind}_{layer}" for kind in "kv" for layer in range(n_layers)]
        builder.subgraph(name).tensor("tokens", "INT32", [1, length]).tensor("input_pos", "INT32", [length])
        builder.tensor("logits", "FLOAT32", [1, length, 256])
        for cache in caches:
            builder.tensor(cache, "FLOAT32", [1, 4, 1280, 64]).tensor(f"{cache}_out", "FLOAT32", [1, 4, 1280, 64])
            builder.operator("DYNAMIC_UPDATE_SLICE", [cache, cache, "input_pos"], [f"{cache}_out"])
        builder.operator("EMBEDDING_LOOKUP", ["tokens", "tokens"], ["logits"])
        inputs, outputs = ["tokens", "input_pos", *caches], ["logits", *(f"{cache}_out" for cache in caches)]
        builder.inputs(*inputs).outputs(*outputs)
        builder.signature(name, {n: n for n in inputs}, {n.removesuffix("_out"): n for n in outputs})
    return builder.build()


# -- the screen --------------------------------------------------------------------------------------------------------


def test_a_screen(model, capsys):
    assert run(["show", "m.tflite"]) == 0
    assert (
        capsys.readouterr().out
        == """\
m.tflite
scheme     full int8
size       3.0 KiB: constants 276 bytes (int8 240 bytes, int32 36 bytes) · trailing zip 131 bytes
           4 operators · 10 tensors · 1 subgraph
runtime    TFLite ≥ 1.14 (CONV_2D v3, FULLY_CONNECTED v4, SOFTMAX v2) · LiteRT ≥ 1.1 (oldest known)
             min_runtime_version 1.14.0
signature  serving_default(image) → scores
input 0    #0 "image"  int8 [1, 8, 8, 3] · scale 0.00784314 zero point −1
           range −0.9961 … 1.004: matches x/127.5 − 1; raw byte − 128 is within half a step
           NHWC, RGB (metadata); not in the file: resize method, crop
           metadata: "image" · normalization mean 127.5, std 127.5 · a picture, 0 to 255
output 0   #9 "scores"  int8 [1, 3] · scale 0.00390625 zero point −128
           softmax over 3 (operator 3 SOFTMAX) · probability = (q + 128) / 256
           metadata: "scores" · probability of each class
metadata   classifier · version 1.0 · by the tflint authors · license Apache-2.0
           tells a cat, a dog and a bird apart, or would if it had been trained
files      labels.txt, tensor axis labels, of output 0 scores, 3 lines, 13 bytes
memory     activations ≥ 208 bytes (peak at operator 0 CONV_2D classifier/stem/Relu6)
compute    816 MACs · 247 parameters
operators  CONV_2D · FULLY_CONNECTED · RESHAPE · SOFTMAX
"""
    )


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("width", [100, 60, 40])
def test_no_line_is_wider_than_the_terminal(name, width):
    assert max(map(len, shown(MODELS[name](), width).splitlines())) <= width


@pytest.mark.parametrize("n_layers", [1, 4, 26])
def test_a_language_model_fits_the_screen(n_layers):
    found = shown(language_model(n_layers)).splitlines()
    assert len(found) <= 40
    assert max(map(len, found)) <= 100
    text = "\n".join(found)
    assert '#0 "tokens"  int32 [1, 1]' in text
    assert "prefill_128 in subgraph 1" in text
    assert "inputs  tokens int32 [1, 128], input_pos int32 [128], " in text
    if n_layers > 1:
        assert f"2 to {2 * n_layers + 1}: {2 * n_layers} × float32 [1, 4, 1280, 64]" in text


def test_many_unlike_inputs_fit_the_screen():
    builder = ModelBuilder()
    names = [f"input_{k}" for k in range(60)]
    for k, name in enumerate(names):
        builder.tensor(name, "INT8", [1, 16 + k, 16 + k, 3], scale=1 / 255, zero_point=-128)
    found = shown(builder.inputs(*names).build()).splitlines()
    assert len(found) <= 40
    assert any("more inputs" in line for line in found)
    assert len([line for line in lines(builder.build()) if line.endswith("dtype int8")]) == 60


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"tensors.image.quantization.scale": [1 / 128], "tensors.image.quantization.zero_point": [0]},
         "range −1 … 0.9922: matches (x − 128)/128 or (x − 127.5)/128 (ambiguous); raw byte − 128 is within"),
        ({"tensors.image.quantization.scale": [0.01865845]}, "range −2.37 … 2.388: matches no known normalization"),
        ({"tensors.image.quantization.scale": [0.0186311], "tensors.image.quantization.zero_point": [-14]},
         "range −2.124 … 2.627: close to ImageNet mean and std, 0.15 % of it outside of the calibrated range"),
        ({"tensors.image.quantization.scale": [0.0]}, '#0 "image"  int8 [1, 8, 8, 3] · scale 0 zero point −1 NHWC'),
        ({"tensors.image.quantization.scale": [float("nan")]}, "scale nan zero point −1 NHWC"),
        ({"tensors.image.quantization.zero_point": [500]}, "zero point 500 NHWC"),
        ({"tensors.image.shape_signature": [-1, -1, 8, 3]}, '#0 "image"  int8 [?, ?, 8, 3]'),
        ({"tensors.image.type": "FLOAT32", "tensors.image.quantization": {}},
         "any value: the metadata specifies the normalization"),
        ({"tensors.image.type": "FLOAT32", "tensors.image.quantization": {}, "metadata": []},
         "any value: the range used in training is not in the file"),
        ({"tensors.scores.quantization.scale": [0.5], "tensors.scores.quantization.zero_point": [3]},
         "probability = (q − 3) / 2"),
        ({"subgraphs.0.inputs": [99]}, "input 0    missing: the tensor index is out of range"),
        ({"subgraphs.0.inputs": []}, "inputs     none"),
        ({"signature_defs": []}, "signature  none"),
    ],
)  # fmt: skip
def test_what_the_screen_says(edit, expected):
    assert " ".join(expected.split()) in told(edit_model(good(), edit))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("custom_op", "MyCustomOp: not built into any known runtime"),
        ("flex_op", "FlexErf: TensorFlow operators, require the Flex delegate"),
        ("labels_float32", "labels.txt, tensor axis labels, of output 0 probability, 3 lines, 13 bytes"),
        ("labels_float32", 'metadata: "features" · normalization mean 127.5, std 127.5'),
        ("variable_state", "1 variable: total float32 [1, 4]"),
        ("two_subgraphs", "subgraphs  0 main  1 operator · 2 inputs"),
        ("conv_hybrid", "scheme     dynamic range"),
        ("conv_int16x8", "scheme     int16x8"),
        ("string_const", "(string 30 bytes"),
        ("two_signatures", "signature  add(x, y) → z\n           sum(x, y) → z"),
        (
            "pretrained_float32",
            "any value: the first layer reveals the range used in pretraining first layer of MobileNet v1 0.25 (224), "
            "which expects x/127.5 − 1 NHWC, RGB (first layer); not in the file: resize method, crop",
        ),
    ],
)
def test_what_the_screen_says_of_others(name, expected):
    assert " ".join(expected.split()) in told(MODELS[name]())


def test_a_known_first_layer_is_in_all_formats():
    content = MODELS["pretrained_float32"]()
    assert "input 0 first-layer MobileNet v1 0.25 (224) normalization minus-one-to-one" in lines(content)


def test_1001_classes_are_a_hint_and_no_claim():
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 1001]).tensor("output", "FLOAT32", [1, 1001])
    builder.operator("SOFTMAX", ["input"], ["output"]).inputs("input").outputs("output")
    assert "softmax over 1,001 (operator 0 SOFTMAX) · perhaps background and 1,000 ImageNet classes" in told(
        builder.build()
    )


def test_raw_bytes_are_not_offered_where_they_are_far_off():
    edit = {"tensors.image.quantization.scale": [1 / 127], "tensors.image.quantization.zero_point": [0]}
    text = told(edit_model(good(), edit))
    assert "matches x/255 or x/127.5 − 1 or (x − 128)/128 or 2 more (ambiguous)" in text
    assert "raw" not in text


def test_a_custom_operator_that_is_not_used_needs_nobody():
    builder = ModelBuilder().tensor("input", "FLOAT32", [4]).tensor("output", "FLOAT32", [4])
    builder.operator("RELU", ["input"], ["output"]).inputs("input").outputs("output")
    codes = builder.to_dict()["operator_codes"]
    codes.append({"deprecated_builtin_code": 32, "builtin_code": "CUSTOM", "custom_code": "Gone", "version": 1})
    assert "custom" not in shown(builder.build())
    assert "operator Gone version 1 count 0" in lines(builder.build())


def test_names_cannot_drive_the_terminal():
    content = edit_model(good(), {"tensors.image.name": "a\x1b[31m\nb", "subgraphs.0.name": "\x07"})
    for text in (shown(content), "\n".join(lines(content))):
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "input 0 name a\\x1b[31m\\nb" in lines(content)


def test_colours_are_for_terminals(model, capsys):
    assert run(["show", "m.tflite"]) == 0
    without = capsys.readouterr().out
    assert run(["show", "m.tflite", "--color", "always"]) == 0
    coloured = capsys.readouterr().out
    assert "\x1b[" not in without
    assert re.sub(r"\x1b\[\d*m", "", coloured) == without != coloured


@pytest.mark.parametrize(("columns", "widest"), [(60, 60), (110, screen.WIDTH)])
def test_the_width_of_the_terminal_is_minded(model, capsys, monkeypatch, columns, widest):
    monkeypatch.setattr("tflint.cli.console.output_width", lambda stream: columns)
    assert run(["show", "m.tflite"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= widest


@pytest.mark.parametrize(
    ("scale", "zero_point", "formula"),
    [
        (1 / 256, 0, "q / 256"),
        (1 / 256, -128, "(q + 128) / 256"),
        (1 / 255, 3, "(q − 3) / 255"),
        (0.0235, 3, "(q − 3) × 0.0235"),
        (1.0, 0, "q"),
        (255.0, 0, "q × 255"),
    ],
)
def test_the_formula_of_a_real_value(scale, zero_point, formula):
    assert format_dequantization(scale, zero_point) == formula


@pytest.mark.parametrize(("part", "text"), [(0.00146, "0.15 %"), (0.0123, "1.2 %"), (0.87, "87 %")])
def test_percent(part, text):
    assert format_percent(part) == text


# -- lines for diffs ---------------------------------------------------------------------------------------------------


def test_plain_is_one_fact_a_line(model, capsys):
    assert run(["show", "--plain", "m.tflite"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found[:3] == ["file model", "scheme full int8", "count operators 4"]
    for line in ("input 0 dtype int8", "input 0 shape 1,8,8,3", "input 0 scale 0.007843138", "input 0 zero_point -1",
                 "input 0 fits minus-one-to-one unseen 0.0000", "output 0 meaning softmax by SOFTMAX",
                 "operator CONV_2D version 3 count 1", "signature serving_default input image is input 0",
                 "subgraph 0 activations 208", "needs tflite 1.14"):  # fmt: skip
        assert line in found
    assert len(found) == len(set(found))


def test_plain_says_neither_where_the_file_is_nor_where_its_tensors_are():
    content = good()
    assert "m.tflite" not in "\n".join(lines(content))
    assert not any("#" in line for line in lines(content))


@pytest.mark.parametrize("name", MODELS)
def test_the_same_model_gives_the_same_lines(name):
    content = MODELS[name]()
    first = lines(content)
    assert first == lines(content)
    assert first == lines(edit_model(content, {}))


def test_a_float_is_written_so_that_it_reads_back():
    for value in (0.007843137718737125, 1 / 3, 1e-40, 3.4e38, 0.1, 123456.79):
        assert plain_lines._as_float32(float(plain_lines.short_float(value))) == plain_lines._as_float32(value)


@pytest.mark.parametrize("name", [name for name in WRONG_FILES if name != "older_schema"])
def test_plain_of_what_is_no_model_says_what_it_is_and_succeeds(name, tmp_path, capsys):
    """Git stops a whole diff where its textconv fails, and histories hold pointers and broken files."""
    path = tmp_path / "m.tflite"
    path.write_bytes(WRONG_FILES[name]())
    assert run(["show", "--plain", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("file ")
    assert out.splitlines()[0] != "file model"
    assert err == ""


def container(path: Path) -> Path:
    """A bundle with one model in it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("detector.tflite", good())
    return path


def test_a_model_in_a_container_is_shown_by_its_path(model, capsys):
    container(Path("bundle.task"))
    assert run(["show", "bundle.task!/detector.tflite"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found[:2] == ["bundle.task!/detector.tflite", "scheme     full int8"]


def bundle_of(*names: str) -> Path:
    """A bundle with models of these names and a text file."""
    with zipfile.ZipFile("bundle.task", "w") as archive:
        for name in names:
            archive.writestr(name, good() if name.endswith(".tflite") else b"text")
    return Path("bundle.task")


def test_a_container_stands_for_the_models_in_it(model, capsys):
    size = bundle_of("detector.tflite", "labels.txt", "classifier.tflite").stat().st_size
    assert run(["show", "bundle.task"]) == 0
    first, *others = capsys.readouterr().out.split("\n\n")
    n_bytes = len(good())
    assert first.splitlines() == [
        "bundle.task",
        f"container  zip · 3 members, 2 models · {format_size(size)}",
        f"           detector.tflite, model, {format_size(n_bytes)}",
        "           labels.txt, 4 bytes",
        f"           classifier.tflite, model, {format_size(n_bytes)}",
    ]
    assert [text.splitlines()[:2] for text in others] == [
        ["bundle.task!/detector.tflite", "scheme     full int8"],
        ["bundle.task!/classifier.tflite", "scheme     full int8"],
    ]


def test_the_lines_of_a_container_name_the_member(model, capsys):
    size = bundle_of("detector.tflite", "labels.txt").stat().st_size
    assert run(["show", "--plain", "bundle.task"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found[:4] == [
        "file container",
        f"size file {size}",
        "member labels.txt file other",
        "member labels.txt size file 4",
    ]
    assert found[4:] == [f"member detector.tflite {line}" for line in lines(good())]


def test_a_bundle_in_a_bundle_is_followed(model, capsys):
    shutil.copy(named_model_path("bundle_nested"), "nested.task")
    assert run(["show", "nested.task"]) == 0
    heads = [text.splitlines()[0] for text in capsys.readouterr().out.split("\n\n")]
    assert heads == [
        "nested.task",
        "nested.task!/inner.task",
        "nested.task!/inner.task!/embedder.tflite",
        "nested.task!/gestures.tflite",
    ]


def test_a_member_that_cannot_be_read_is_listed_with_the_reason(model, capsys):
    shutil.copy(named_model_path("bundle_encrypted"), "locked.task")
    assert run(["show", "locked.task"]) == 0
    assert "locked.tflite, model, 592 bytes, not read: the member is encrypted\n" in capsys.readouterr().out
    assert run(["show", "--plain", "locked.task"]) == 0
    assert "member locked.tflite problem encrypted\n" in capsys.readouterr().out


def test_names_of_members_cannot_drive_the_terminal(model, capsys):
    bundle_of("a\x1b[31m\nb.tflite", "x\ny.txt")
    for options in ([], ["--plain"]):
        assert run(["show", "bundle.task", *options]) == 0
        text = capsys.readouterr().out
        assert "\x1b" not in text
        assert "control characters" in text or "problem unsafe-name" in text


def test_members_with_many_elements_are_bounded(model, capsys, monkeypatch):
    bundle_of("a.tflite", "b.tflite")
    monkeypatch.setattr("tflint.runner.model_loader.count_elements", lambda _tables: [10**9])
    assert run(["show", "bundle.task"]) == 2
    assert "the models in 'bundle.task' before 'bundle.task!/b.tflite' contain" in capsys.readouterr().err


def test_several_models_are_shown_one_after_the_other(model, capsys):
    shutil.copy("m.tflite", "n.tflite")
    assert run(["show", "m.tflite", "n.tflite"]) == 0
    both = capsys.readouterr().out
    singles = []
    for name in ("m.tflite", "n.tflite"):
        assert run(["show", name]) == 0
        singles.append(capsys.readouterr().out)
    assert both == "\n".join(singles)


def test_several_models_give_lines_with_the_path_before_each(model, capsys):
    shutil.copy("m.tflite", "n.tflite")
    assert run(["show", "--plain", "m.tflite", "n.tflite"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert found == ["path m.tflite", *lines(good()), "path n.tflite", *lines(good())]


def test_json_of_several_models_or_a_container_is_an_array(model, capsys):
    bundle_of("detector.tflite")
    for paths, names in (
        (["m.tflite", "m.tflite"], ["m.tflite", "m.tflite"]),
        (["bundle.task"], ["bundle.task!/detector.tflite"]),
        (["m.tflite", "bundle.task"], ["m.tflite", "bundle.task!/detector.tflite"]),
    ):
        assert run(["show", "--format", "json", *paths]) == 0
        found = json.loads(capsys.readouterr().out)
        assert [one["path"] for one in found] == names
        assert all(is_valid(one, json_schema("show")) for one in found)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_model_that_cannot_be_read_does_not_hide_the_others(model, capsys, form):
    Path("broken.tflite").write_bytes(WRONG_FILES["truncated"]())
    assert run(["show", "broken.tflite", "m.tflite", "--format", form]) == 2
    out, err = capsys.readouterr()
    assert "full int8" in out
    assert err.startswith("tflint: 'broken.tflite' is a truncated model: ")


@pytest.mark.parametrize("missing", ["gone.tflite", "."])
def test_a_path_that_is_wrong_is_reported_before_anything_is_printed(model, capsys, missing):
    assert run(["show", "m.tflite", missing]) == 2
    assert capsys.readouterr().out == ""


def fenced(language: str) -> str:
    """The one block of a language in the page on this command."""
    page = (ROOT / "docs" / "show.md").read_text(encoding="utf-8")
    (block,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return block


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_diff_of_a_model_reads(tmp_path, monkeypatch):
    """The recipe of docs/show.md, in a repository with three versions of a model: one is a Git-LFS pointer."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    git(tmp_path, "init", "--quiet")
    attributes, textconv = fenced("bash").splitlines()
    assert attributes == "echo '*.tflite diff=tflite' >> .gitattributes"
    (tmp_path / ".gitattributes").write_text("*.tflite diff=tflite\n", encoding="utf-8")
    _, *arguments, command = shlex.split(textconv)
    assert command.startswith("tflint ")
    git(tmp_path, *arguments, f"{shlex.quote(sys.executable)} -m {command}")
    another_range = {"scale": [1 / 255], "zero_point": [-128]}
    edit = {f"tensors.image.quantization.{name}": value for name, value in another_range.items()}
    for number, content in enumerate((WRONG_FILES["git_lfs_pointer"](), good(), edit_model(good(), edit))):
        (tmp_path / "m.tflite").write_bytes(content)
        git(tmp_path, "add", "--all", "--force")
        git(tmp_path, "commit", "--quiet", "--no-verify", "--message", str(number))

    changed = [line for line in git(tmp_path, "diff", "HEAD~", "--unified=0").splitlines() if re.match(r"[+-]\w", line)]
    assert changed == fenced("diff").splitlines()
    history = git(tmp_path, "log", "--patch", "--reverse", "--", "m.tflite")
    assert "+file git-lfs-pointer" in history
    assert "-file git-lfs-pointer" in history
    assert "+scheme full int8" in history


# -- JSON --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_json_is_as_its_schema_says(name):
    found = json.loads(summary_json.render(summarize(facts_of(MODELS[name]()), "m.tflite")))
    assert is_valid(found, json_schema("show"))


def test_the_schema_of_the_json_describes_every_key():
    schema = json_schema("show")

    def objects(node):
        if isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node:
                yield node
            for value in node.values():
                yield from objects(value)
        elif isinstance(node, list):
            for value in node:
                yield from objects(value)

    for node in objects(schema):
        assert sorted(node["required"]) == sorted(node["properties"])
        assert node["additionalProperties"] is False


def test_the_python_of_the_page_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(compile(fenced("python"), "docs/show.md", "exec"), {})
    assert capsys.readouterr().out == "x / 127.5 - 1\n"


def test_json_has_the_names_of_the_schema(model, capsys):
    assert run(["show", "--format", "json", "m.tflite"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema_version"] == 1
    assert found["path"] == "m.tflite"
    (image,) = found["subgraphs"][0]["inputs"]
    assert image["tensor"]["dtype"] == "INT8"
    assert image["fits"][0]["name"] == "minus-one-to-one"
    assert found["operators"][0] == {"opcode": "CONV_2D", "version": 3, "custom": None, "count": 1}
    assert found["sizes"]["by_dtype"] == {"INT8": 240, "INT32": 36}


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), -1.0, 0.0])
def test_numbers_that_json_lacks_are_text(scale):
    content = edit_model(good(), {"tensors.image.quantization.scale": [scale]})
    found = json.loads(summary_json.render(summarize(facts_of(content), "m.tflite")))
    assert is_valid(found, json_schema("show"))
    assert found["subgraphs"][0]["inputs"][0]["tensor"]["quantization"]["low"] is None


# -- what cannot be shown ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("git_lfs_pointer", "is a Git LFS pointer, not a model", "git lfs pull"),
        ("html_page", "is an HTML page (often left by a failed download), not a model", "again"),
        ("zip_archive", "is a zip archive, not a model", "unpack"),
        ("gzip_data", "is gzip-compressed data, not a model", "unpack"),
        ("empty_file", "is an empty file, not a model", "again"),
        ("truncated", "is a truncated model: ", "again"),
        (
            "no_identifier",
            "is not a TFLite model: bytes 4 to 7 are b'\\x00\\x00\\x00\\x00', not b'TFL3'",
            "tflint check",
        ),
    ],
)
def test_what_is_no_model_is_named(name, said, hint, tmp_path, capsys):
    path = tmp_path / "m.tflite"
    path.write_bytes(WRONG_FILES[name]())
    for form in ("text", "json"):
        assert run(["show", str(path), "--format", form]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"tflint: '{path.as_posix()}' {said}")
        assert hint in err


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (["show"], "the following arguments are required: MODEL", "tflint show --help"),
        (["show", "n.tflite"], "'n.tflite' does not exist", "did you mean 'm.tflite'?"),
        (["show", "no/m.tflite"], "'no/m.tflite' does not exist", "the folder 'no' does not exist"),
        (["show", ""], "an empty path", ""),
        (["show", "."], "'.' is a folder", "name models in it"),
        (["show", "m.tflite", "--plain", "--format", "json"], "--plain and --format json exclude each other", "choose"),
        (["show", "m.tflite", "--plian"], "unknown option '--plian'", "did you mean '--plain'?"),
        (["shwo", "m.tflite"], "unknown command 'shwo'", "did you mean 'show'?"),
    ],
)
def test_wrong_arguments_are_named_with_a_hint(model, capsys, arguments, said, hint):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert hint in err


def test_a_link_that_leads_nowhere_and_a_pipe_are_named(model, capsys):
    Path("link.tflite").symlink_to("gone")
    assert run(["show", "link.tflite"]) == 2
    assert "'link.tflite' is unreadable: it does not exist" in capsys.readouterr().err
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe.tflite")
        assert run(["show", "pipe.tflite"]) == 2
        assert "it is not a regular file" in capsys.readouterr().err


def test_a_file_that_changes_while_it_is_shown_is_named(model, capsys, monkeypatch):
    """Parts of it are read when the portrait asks for them."""
    from tflint.source import SourceError

    def changed(*_):
        raise SourceError("the file changed while tflint read it")

    monkeypatch.setattr("tflint.summary.summarize.summarize", changed)
    assert run(["show", "m.tflite"]) == 2
    assert "'m.tflite' cannot be read: the file changed while tflint read it" in capsys.readouterr().err


def test_a_defect_of_a_fact_is_no_error_of_the_user(model, capsys, monkeypatch):
    monkeypatch.setattr("tflint.facts.graph.tensor_uses.producer", lambda _facts: 1 // 0)
    assert run(["show", "m.tflite"]) == 3
    assert "internal error: FactError: fact tensor.producer failed: ZeroDivisionError" in capsys.readouterr().err


# -- what it costs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_no_weight_is_read_but_small_constants_and_the_first_layer(name):
    source = CountingSource(MODELS[name]())
    tables = tables_over(Window.of_source(source))
    portrait = summarize(Facts(tables), "m.tflite")
    for render in (summary_json.render, plain_lines.render, lambda shown: screen.render(shown, Style())):
        render(portrait)
    first_layers = {math.prod(layer.shape) * 4 for layer in known_layers()}
    for begin, end in weight_spans(tables):
        # A constant per channel, of the arithmetic that a graph may begin with, or a layer that may be a known one.
        if end - begin > 4 * 4 and end - begin not in first_layers:
            assert not source.asked[begin:end].any(), (begin, end)
    assert source.asked.any()
