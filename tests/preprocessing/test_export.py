"""Test `tflint contract export`: the copy computes the same as the model, and other readers accept its metadata."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import shutil
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.helpers.corpus import CORPUS, manifest, needs_corpus
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import RUNNABLE
from tests.helpers.models.plain import with_zip
from tflint import resources
from tflint.api import Model, check, load
from tflint.catalog import builtin_catalog
from tflint.cli.main import run
from tflint.config import Config
from tflint.contract import parse_contract
from tflint.errors import UserError
from tflint.facts.facts import Facts
from tflint.preprocessing.draft import draft_contract
from tflint.preprocessing.export import ExportedModel, export_metadata
from tflint.preprocessing.recipe import build_recipe
from tflint.schema import metadata_schema
from tflint.summary.summarize import summarize
from tflint.writer import edit_model, pack, unpack

PHOTO = """\
[[inputs]]
kind = "image"
channels = "RGB"
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
units = "unit"
resize = { mode = "letterbox", size = [16, 16], kernel = "bilinear" }
observed = { min = -2, max = 2.5 }

[[outputs]]
kind = "class_scores"
activation = "softmax"
range = [0, 1]
labels = { file = "birds.txt", count = 3, background = true }
"""


def put(text: str, content: bytes, path: Path) -> ExportedModel:
    """The copy of a model with a contract that lies in a folder."""
    contract = parse_contract(text, str(path / "m.contract.toml"))
    model = load(content)
    return export_metadata(
        build_recipe(contract, Facts(model.tables, contracts={0: contract}), "m.tflite"), model, content
    )


def metadata_of(model: Model) -> dict[str, Any] | None:
    return model.tables.extras[0].metadata


def named(name: str) -> bytes:
    return resources.named_model_path(name).read_bytes()


def outputs_of(content: bytes) -> list[np.ndarray]:
    """What the runtime answers to the same numbers."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        if detail["dtype"] != np.object_:
            value = rng.integers(0, 2, detail["shape"]).astype(detail["dtype"])
            interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


@pytest.mark.parametrize("name", [name for name in RUNNABLE if name != "string_const"])
def test_a_copy_answers_bit_by_bit_as_the_model(name: str, tmp_path: Path) -> None:
    content = named(name)
    text = draft_contract(summarize(Facts(load(content).tables), "m.tflite"))
    copy = put(text, content, tmp_path).content
    before, after = outputs_of(content), outputs_of(copy)
    assert [one.tobytes() for one in before] == [one.tobytes() for one in after]


@needs_corpus
def test_copies_of_real_models_answer_bit_by_bit_as_these(tmp_path: Path) -> None:
    rows = [row for row in manifest() if row["invoke_ok"] == "yes" and int(row["bytes"]) < 300_000][::12]
    assert len(rows) >= 20
    for row in rows:
        content = (CORPUS / row["path"]).read_bytes()
        text = draft_contract(summarize(Facts(load(content).tables), "m.tflite"))
        copy = put(text, content, tmp_path).content
        assert [f.rule for f in check(copy).findings() if f.severity == "error"] == [
            f.rule for f in check(content).findings() if f.severity == "error"
        ], row["path"]
        before, after = outputs_of(content), outputs_of(copy)
        assert [one.tobytes() for one in before] == [one.tobytes() for one in after], row["path"]


def test_the_columns_of_the_copy_are_those_of_the_model(tmp_path: Path) -> None:
    """By the reader that checks bounds, not by the writer's own: all raw columns but places and metadata."""
    content = named("pixels_int8")
    old, new = load(content).tables, load(put(PHOTO, content, tmp_path).content).tables
    for table in ("subgraph", "operator_code", "operator", "operand", "tensor", "signature", "input", "output"):
        assert len(old.table(table)) == len(new.table(table))
    for column in ("name", "dtype", "shape", "scale", "zero_point"):
        assert repr(list(values(old, "tensor", column))) == repr(list(values(new, "tensor", column)))


def values(tables: Any, table: str, column: str) -> Any:
    from tflint.columns.column import text_of

    found = tables.column(table, column)
    return [list(found.row(k)) if hasattr(found, "row") else text_of(found, k) for k in range(len(found))]


def generated() -> ModuleType:
    """The metadata classes that mediapipe ships, imported alone: they need flatbuffers and nothing else of it."""
    try:
        files = importlib.metadata.files("mediapipe") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("mediapipe is not installed: pip install --no-deps mediapipe")
    (file,) = [one for one in files if str(one).endswith("/metadata/metadata_schema_py_generated.py")]
    spec = importlib.util.spec_from_file_location("metadata_schema_py_generated", file.locate())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_classes_of_mediapipe_read_what_was_written(tmp_path: Path) -> None:
    classes = generated()
    (tmp_path / "birds.txt").write_text("none\nwren\nrobin\n", encoding="utf-8")
    made = put(PHOTO, named("pixels_int8"), tmp_path)
    contents = [bytes(buffer.get("data") or b"") for buffer in unpack(made.content)["buffers"]]
    (buffer,) = (content for content in contents if content[4:8] == b"M001")
    assert classes.ModelMetadata.ModelMetadataBufferHasIdentifier(buffer, 0)
    root = classes.ModelMetadata.GetRootAs(buffer, 0)
    assert root.MinParserVersion() == b"1.0.0"
    tensor = root.SubgraphMetadata(0).InputTensorMetadata(0)
    assert tensor.Name() == b"input"
    content = tensor.Content()
    assert content.ContentPropertiesType() == classes.ContentProperties.ImageProperties
    image = classes.ImageProperties()
    image.Init(content.ContentProperties().Bytes, content.ContentProperties().Pos)
    assert image.ColorSpace() == classes.ColorSpaceType.RGB
    unit = tensor.ProcessUnits(0)
    assert unit.OptionsType() == classes.ProcessUnitOptions.NormalizationOptions
    options = classes.NormalizationOptions()
    options.Init(unit.Options().Bytes, unit.Options().Pos)
    assert options.MeanAsNumpy() == pytest.approx([123.675, 116.28, 103.53])
    assert options.StdAsNumpy() == pytest.approx([58.395, 57.12, 57.375])
    assert tensor.Stats().MaxAsNumpy().tolist() == [2.5]
    scores = root.SubgraphMetadata(0).OutputTensorMetadata(0)
    assert scores.AssociatedFiles(0).Name() == b"birds.txt"
    assert scores.AssociatedFiles(0).Type() == classes.AssociatedFileType.TENSOR_AXIS_LABELS
    assert scores.Stats().MinAsNumpy().tolist() == [0.0]


def test_a_draft_of_the_copy_has_what_the_contract_said(tmp_path: Path) -> None:
    made = put(PHOTO, named("folded_float32"), tmp_path)
    text = draft_contract(summarize(Facts(load(made.content).tables), "m.tflite"))
    assert 'kind = "image"' in text
    assert 'channels = "RGB"' in text
    assert "\nmean = [123.675, 116.28, 103.53]\n" in text


def test_boxes_have_their_order(tmp_path: Path) -> None:
    text = '[[outputs]]\nindex = 0\nkind = "boxes"\nbox-order = "{}"\nbox-coordinates = "pixels"\n'
    for order, kind, index in (
        ("ymin-xmin-ymax-xmax", "BOUNDARIES", [1, 0, 3, 2]),
        ("cx-cy-w-h", "CENTER", [0, 1, 2, 3]),
        ("x-y-w-h", "UPPER_LEFT", [0, 1, 2, 3]),
    ):
        model = load(put(text.format(order), named("detection_float32"), tmp_path).content)
        (graph,) = metadata_of(model)["subgraph_metadata"]
        box = graph["output_tensor_metadata"][0]["content"]["content_properties"]
        assert (box["type"], box["type_"], box["index"], box["coordinate_type"]) == (
            "BoundingBoxProperties", kind, index, "PIXEL"
        )  # fmt: skip


def test_what_the_metadata_cannot_hold_is_listed(tmp_path: Path) -> None:
    text = '[model]\nscheme = "full int8"\n\n' + PHOTO.replace('"RGB"', '"BGR"')
    made = put(text, named("pixels_int8"), tmp_path)
    assert made.lost_keys == (
        "inputs[0].channels", "inputs[0].resize", "outputs[0].activation", "outputs[0].labels.background",
        "model.scheme",
    )  # fmt: skip
    assert made.unpacked == ("birds.txt (not found)",)


def test_a_cast_is_listed_as_not_exported(tmp_path: Path) -> None:
    text = '[[inputs]]\nkind = "image"\nchannels = "RGB"\nmean = 0\nstd = 1\nunits = "u8"\ncast = "uint8"\n'
    assert put(text, named("image_float32"), tmp_path).lost_keys == ("inputs[0].cast",)


def test_metadata_that_is_there_stays_where_the_contract_says_nothing(tmp_path: Path) -> None:
    text = '[[inputs]]\nkind = "image"\nchannels = "RGB"\nmean = 0\nstd = 255\nunits = "u8"\n'
    content = named("image_float32")
    model = load(put(text, content, tmp_path).content)
    root, before = metadata_of(model), metadata_of(load(content))
    assert {key: root[key] for key in ("name", "author", "license", "version")} == {
        key: before[key] for key in ("name", "author", "license", "version")
    }
    (unit,) = root["subgraph_metadata"][0]["input_tensor_metadata"][0]["process_units"]
    assert unit["options"] == {"type": "NormalizationOptions", "mean": [0.0], "std": [255.0]}
    assert (
        root["subgraph_metadata"][0]["output_tensor_metadata"]
        == before["subgraph_metadata"][0]["output_tensor_metadata"]
    )
    assert len(model.tables.column("metadata", "name")) == len(load(content).tables.column("metadata", "name"))


@pytest.mark.parametrize("kind", ["image", "raw"])
def test_a_normalization_that_the_contract_does_not_speak_of_stays(kind: str, tmp_path: Path) -> None:
    content = named("image_float32")
    root = metadata_of(load(put(f'[[inputs]]\nkind = "{kind}"\n', content, tmp_path).content))
    assert root["subgraph_metadata"] == metadata_of(load(content))["subgraph_metadata"]


def test_all_outputs_are_listed_whichever_the_contract_speaks_of(tmp_path: Path) -> None:
    made = put('[[outputs]]\nindex = 1\nkind = "raw"\n', named("detection_float32"), tmp_path)
    graph = metadata_of(load(made.content))["subgraph_metadata"][0]
    assert [one.get("name") for one in graph["output_tensor_metadata"]] == [None, "classes", None, None]
    assert len(graph["input_tensor_metadata"]) == 2


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname", "link.txt", "large.txt", "folder.txt"])
@pytest.mark.security
def test_no_file_but_the_contracts_own_is_packed(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("kept to itself")
    folder = tmp_path / "contracts"
    (folder / "folder.txt").mkdir(parents=True)
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    with (folder / "large.txt").open("wb") as file:
        file.truncate((16 << 20) + 1)
    made = put(PHOTO.replace("birds.txt", path), named("pixels_int8"), folder)
    assert made.packed == ()
    assert len(made.unpacked) == 1
    assert b"kept to itself" not in made.content


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    text = '[[outputs]]\nindex = 0\nkind = "raw"\nlabels = { file = "a/l.txt" }\n'
    text += '[[outputs]]\nindex = 1\nkind = "raw"\nlabels = { file = "b/l.txt" }\n'
    with pytest.raises(UserError, match=r"two files named 'l\.txt'"):
        put(text, named("detection_float32"), tmp_path)


def test_other_labels_than_the_models_are_refused(tmp_path: Path) -> None:
    text = '[[outputs]]\nkind = "class_scores"\nlabels = { file = "labels.txt" }\n'
    put(text, named("labels_float32"), tmp_path)
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    with pytest.raises(UserError, match=r"zip has a 'labels\.txt' that differs"):
        put(text, named("labels_float32"), tmp_path)


def test_a_range_of_another_source_has_no_normalization_there(tmp_path: Path) -> None:
    text = '[[inputs]]\nkind = "image"\nmean = 0.5\nstd = 0.25\nunits = "unit"\nrange = [0, 0.5]\n'
    assert {"inputs[0].mean", "inputs[0].range"} <= set(put(text, named("pixels_int8"), tmp_path).lost_keys)


def test_files_go_into_the_zip_beside_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "birds.txt").write_text("none\nwren\nrobin\n", encoding="utf-8")
    content = with_zip(named("pixels_int8"), {"other.txt": "of somebody else"})
    made = put(PHOTO, content, tmp_path)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert archive.namelist() == ["other.txt", "birds.txt"]
        assert archive.read("other.txt") == b"of somebody else"
        assert archive.read("birds.txt") == b"none\nwren\nrobin\n"
    again = put(PHOTO, made.content, tmp_path)
    assert again.packed == ()
    assert again.content == made.content


def test_a_buffer_that_others_use_stays_as_it_is(tmp_path: Path) -> None:
    model = unpack(named("image_float32"))
    shared = next(entry["buffer"] for entry in model["metadata"] if entry["name"] == "TFLITE_METADATA")
    model["metadata"].append({"name": "another name for it", "buffer": shared})
    content = pack(model)
    copy = unpack(put(PHOTO.replace("labels", "# labels"), content, tmp_path).content)
    assert copy["buffers"][shared] == model["buffers"][shared]
    assert copy["metadata"][0]["buffer"] == len(model["buffers"])


def test_weights_behind_the_flatbuffer_are_refused(tmp_path: Path) -> None:
    model = unpack(named("conv_float32"))
    number = next(k for k, buffer in enumerate(model["buffers"]) if buffer.get("data"))
    data = model["buffers"][number]["data"]
    model["buffers"][number] = {"offset": 1 << 20, "size": len(data)}
    flatbuffer = pack(model)
    model["buffers"][number]["offset"] = len(flatbuffer)
    content = pack(model) + data
    with pytest.raises(UserError, match="after the flatbuffer"):
        put('[[inputs]]\nkind = "raw"\n', content, tmp_path)


DESCRIBED = """
[model]
description = "tells birds apart"
version = "2.1"
author = "the authors"
license = "Apache-2.0"
"""


def test_an_export_satisfies_the_rules_whose_fix_it_is(tmp_path: Path) -> None:
    (tmp_path / "birds.txt").write_text("a\nb\nc\n", encoding="utf-8")
    content = edit_model(named("image_float32"), {"metadata": "absent"})
    rules = ["M001", "M002", "M102", "M103", "M104", "M105", "M106", "M107"]
    for rule in rules:
        assert "tflint contract export" in builtin_catalog().rule(rule).fix
    missing = {found.rule for found in check(content, config=Config(select=tuple(rules))).findings()}
    assert "M002" in missing, "which stands for the others, too"
    made = put(DESCRIBED + PHOTO.replace("range = [0, 1]\n", ""), content, tmp_path)
    assert made.runtime_version == "1.6.0"
    assert not [key for key in made.lost_keys if key.startswith("model.")]
    root = metadata_of(load(made.content))
    assert root is not None
    assert [root[key] for key in ("description", "version", "author", "license")] == [
        "tells birds apart", "2.1", "the authors", "Apache-2.0",
    ]  # fmt: skip
    assert list(check(made.content, config=Config(select=tuple(rules))).findings()) == []


@pytest.mark.parametrize(
    ("edit", "written"),
    [
        ({}, None),  # the model names the right release
        ({"operator_codes.0.version": 3}, "2.4.0"),  # its operators were changed later
        ({"metadata": "absent"}, "1.6.0"),
        ({"metadata": "absent", "operator_codes.0.version": 999}, None),  # no known release has this version
    ],
)
def test_the_runtime_version_is_computed_unless_the_model_names_it(
    tmp_path: Path, edit: dict[str, Any], written: str | None
) -> None:
    content = edit_model(named("image_float32"), edit) if edit else named("image_float32")
    made = put("", content, tmp_path)
    assert made.runtime_version == written
    if written is not None:
        model = load(made.content)
        assert model.tables.extras[0].min_runtime_version == written
        assert not [found for found in check(model).findings() if found.rule in ("M011", "M102")]


def test_a_model_of_custom_operators_gets_no_runtime_version(tmp_path: Path) -> None:
    assert put("", named("custom_op"), tmp_path).runtime_version is None


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(resources.named_model_path("pixels_int8"), tmp_path / "bird.tflite")
    text = '[[inputs]]\nkind = "image"\nmean = 127.5\nstd = 127.5\nunits = "u8"\norientation = "exif"\n'
    (tmp_path / "bird.contract.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_command_writes_a_copy_and_lists_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "bird.tflite").read_bytes()
    assert run(["contract", "export", "bird.tflite", "--to", "tflite-metadata"]) == 0
    assert "not expressible in metadata: inputs[0].orientation" in capsys.readouterr().out
    assert (folder / "bird.tflite").read_bytes() == before
    assert metadata_of(load(folder / "bird_metadata.tflite")) is not None
    assert run(["contract", "export", "bird.tflite"]) == 2
    assert "already exists" in capsys.readouterr().err
    assert run(["contract", "export", "bird.tflite", "--force"]) == 0


def test_a_contract_that_does_not_fit_is_not_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "bird.contract.toml").read_text().replace("mean = 127.5", "mean = 0")
    (folder / "bird.contract.toml").write_text(text)
    assert run(["contract", "export", "bird.tflite", "--output", "copy.tflite"]) == 2
    assert "contradicts" in capsys.readouterr().err
    assert not (folder / "copy.tflite").exists()
    assert run(["contract", "export", "bird.tflite", "--output", "copy.tflite", "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.tflite"], "none.tflite"),
        (["alone.tflite"], "no contract next to"),
        (["text.tflite", "--contract", "bird.contract.toml"], "not a readable model"),
        (["bird.tflite", "--output", "none/copy.tflite"], "does not exist"),
        (["bird.tflite", "--to", "onnx"], "invalid choice"),
    ],
)
def test_bad_input_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    shutil.copy(folder / "bird.tflite", folder / "alone.tflite")
    (folder / "text.tflite").write_text("no model")
    assert run(["contract", "export", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_builder_writes_identifiers() -> None:
    assert pack({}, metadata_schema())[4:8] == b"M001"
    assert ModelBuilder().tensor("x", "FLOAT32", [1]).inputs("x").build()[4:8] == b"TFL3"
