"""Test the writer: `tflite` and `unpack` read back what it packs, and an edit changes only its field."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.models import ModelBuilder, large
from tests.helpers.models.named import MODELS_DIRECTORY, NAMED, NOT_RUNNABLE, RUNNABLE, all_files
from tests.helpers.models.plain import labels_metadata
from tests.helpers.paths import ROOT
from tflint.errors import MissingExtraError
from tflint.schema import metadata_schema
from tflint.writer import apply_edits, edit_model, pack, pack_numbers, unpack

#: The differential oracle; it has no type annotations.
tflite: Any = pytest.importorskip("tflite")

_VALID = sorted(RUNNABLE | NOT_RUNNABLE)
#: Those that the project's own writer lays out; it aligns what `misaligned_int16x8` does not.
_ALIGNED = [name for name in _VALID if name != "misaligned_int16x8"]

_RUN_ALL = """
import json, sys
import numpy
from ai_edge_litert.interpreter import Interpreter

def run(path):
    interpreter = Interpreter(model_path=path)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], numpy.ones(detail["shape"], detail["dtype"]))
    interpreter.invoke()

verdicts = {}
for path in sys.argv[1:]:
    try:
        run(path)
        verdicts[path] = "ran"
    except (ValueError, RuntimeError) as error:
        verdicts[path] = str(error)
print(json.dumps(verdicts))
"""


def _model(name: str) -> dict[str, Any]:
    return unpack(NAMED[name]())


# --- packing and unpacking


@pytest.mark.parametrize("name", _ALIGNED)
def test_what_is_unpacked_packs_to_the_same_bytes(name: str) -> None:
    data = NAMED[name]()
    flatbuffer = pack(unpack(data))
    assert data.startswith(flatbuffer)
    assert unpack(flatbuffer) == unpack(data)


@pytest.mark.parametrize("name", _VALID)
def test_named_models_are_small(name: str) -> None:
    assert len(NAMED[name]()) < 6144


def test_generated_classes_read_what_was_packed() -> None:
    model = tflite.Model.GetRootAs(NAMED["conv_int8"](), 0)
    subgraph = model.Subgraphs(0)
    bias = subgraph.Tensors(2)
    operator = subgraph.Operators(0)
    options = tflite.Conv2DOptions()
    options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)

    assert tflite.Model.ModelBufferHasIdentifier(NAMED["conv_int8"](), 0)
    assert (model.Version(), model.SubgraphsLength(), model.BuffersLength()) == (3, 1, 3)
    assert model.Description() == b"made for the tests of tflint"
    assert model.Buffers(0).DataIsNone()
    assert model.OperatorCodes(0).BuiltinCode() == tflite.BuiltinOperator.CONV_2D
    assert model.OperatorCodes(0).Version() == 3
    assert [subgraph.Tensors(i).Name() for i in range(4)] == [b"input", b"weights", b"bias", b"output"]
    assert subgraph.Tensors(1).ShapeAsNumpy().tolist() == [3, 1, 1, 2]
    assert subgraph.Tensors(0).Type() == tflite.TensorType.INT8
    assert model.Buffers(1).DataAsNumpy().view("int8").tolist() == [127, -64, -38, 127, 90, -127]
    assert model.Buffers(bias.Buffer()).DataAsNumpy().view("<i4").tolist() == [7969, -2656, 2656]
    assert bias.Quantization().ScaleAsNumpy().tolist() == pytest.approx([s / 127.5 for s in (0.004, 0.006, 0.003)])
    assert subgraph.Tensors(0).Quantization().ZeroPointAsNumpy().tolist() == [-1]
    assert (operator.InputsAsNumpy().tolist(), operator.OutputsAsNumpy().tolist()) == ([0, 1, 2], [3])
    assert operator.BuiltinOptionsType() == tflite.BuiltinOptions.Conv2DOptions
    assert (options.Padding(), options.StrideW(), options.DilationWFactor()) == (tflite.Padding.VALID, 1, 1)


def test_generated_classes_read_signatures_and_custom_operators() -> None:
    signature = tflite.Model.GetRootAs(NAMED["signature_float32"](), 0).SignatureDefs(0)
    assert signature.SignatureKey() == b"serving_default"
    assert [(signature.Inputs(i).Name(), signature.Inputs(i).TensorIndex()) for i in range(2)] == [(b"x", 0), (b"y", 1)]

    model = tflite.Model.GetRootAs(NAMED["flex_op"](), 0)
    assert model.OperatorCodes(0).CustomCode() == b"FlexErf"
    assert b"Erf" in model.Subgraphs(0).Operators(0).CustomOptionsAsNumpy().tobytes()


def test_buffer_data_is_aligned_to_16_bytes() -> None:
    for n_bytes in range(1, 20):
        marker = bytes(range(200, 200 + n_bytes))
        data = ModelBuilder().tensor("t", "UINT8", [n_bytes], data=marker).build()
        assert data.index(marker) % 16 == 0


def test_every_kind_of_field_survives_a_round_trip() -> None:
    sparse: dict[str, Any] = {
        "traversal_order": [0, 1],
        "dim_metadata": [
            {"format": "DENSE", "dense_size": 4},
            {"format": "SPARSE_CSR", "array_segments": {"type": "Uint8Vector", "values": b"\1\2"}},
        ],
    }
    tensor = {"name": "é\udcff", "is_variable": True, "sparsity": sparse, "shape_signature": [-1, 4], "shape": []}
    operator = {
        "opcode_index": 1,
        "mutating_variable_inputs": [True, False],
        "large_custom_options_offset": 1 << 40,
        "builtin_options_2": {
            "type": "StablehloDotGeneralOptions",
            "lhs_batching_dimensions": [1 << 40, -1],
            "precision_config": ["HIGH", "DEFAULT"],
        },
    }
    model = {"version": 3, "subgraphs": [{"tensors": [tensor], "operators": [operator, {}]}], "buffers": [{}]}
    read = unpack(pack(model))
    sparse["dim_metadata"][0].pop("format")  # DENSE is the default
    assert read == model


def test_an_absent_vector_and_an_empty_one_differ() -> None:
    model = unpack(pack({"buffers": [{}, {"data": b""}]}))
    assert model == {"buffers": [{}, {"data": b""}]}


def test_a_default_is_written_only_when_asked_for() -> None:
    tensor = {"subgraphs": [{"tensors": [{"type": "FLOAT32", "buffer": 0, "is_variable": False}]}]}
    assert unpack(pack(tensor)) == {"subgraphs": [{"tensors": [{}]}]}
    assert unpack(pack(tensor, force_defaults=True)) == tensor


def test_an_unknown_enum_value_stays_a_number() -> None:
    model = {"subgraphs": [{"tensors": [{"type": 99}], "operators": [{"builtin_options": {"type": 250}}]}]}
    assert unpack(pack(model)) == model


def test_an_object_that_is_shared_is_written_once_when_asked_for() -> None:
    shape = list(range(100))
    model = {"subgraphs": [{"tensors": [{"shape": shape} for _ in range(10)]}]}
    assert unpack(pack(model, share=True)) == model
    assert len(pack(model, share=True)) < len(pack(model)) - 3000


def test_metadata_round_trip() -> None:
    metadata = unpack(labels_metadata(), metadata_schema())
    features = metadata["subgraph_metadata"][0]["input_tensor_metadata"][0]
    assert labels_metadata()[4:8] == b"M001"
    assert features["process_units"] == [{"options": {"type": "NormalizationOptions", "mean": [127.5], "std": [127.5]}}]
    assert pack(metadata, metadata_schema()) == labels_metadata()


def test_a_union_members_own_field_type_has_a_key_of_its_own() -> None:
    box = {"type": "BoundingBoxProperties", "index": [0, 1, 2, 3], "type_": "CENTER", "coordinate_type": "PIXEL"}
    tensor = {"content": {"content_properties": box}}
    metadata = {"subgraph_metadata": [{"output_tensor_metadata": [tensor]}]}
    assert unpack(pack(metadata, metadata_schema()), metadata_schema()) == metadata


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"buffer": []}, "Model: table Model has no field 'buffer'; did you mean 'buffers'"),
        ({"subgraphs": [{"tensors": [{"type": "INT88"}]}]}, r"subgraphs\[0\].tensors\[0\].type: .*did you mean 'INT8'"),
        ({"subgraphs": [{"inputs": ["x"]}]}, r"Model.subgraphs\[0\].inputs: 'x' is not of type int"),
        ({"subgraphs": [{"inputs": 3}]}, "a vector is a list, not int"),
        ({"version": -1}, "Model.version"),
        ({"description": 3}, "a string is str or bytes"),
        ({"subgraphs": [3]}, "a table SubGraph is a dict"),
        ({"subgraphs": [{"operators": [{"builtin_options": {"axis": 1}}]}]}, "a union is a dict whose 'type'"),
        ({"subgraphs": [{"operators": [{"builtin_options": {"type": "Conv2dOptions"}}]}]}, "'Conv2DOptions'"),
    ],
)
def test_what_does_not_fit_the_schema_is_named_by_its_place(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack(model)


@pytest.mark.parametrize(
    ("dtype", "values", "packed"),
    [
        ("INT8", [-128, 127], b"\x80\x7f"),
        ("INT4", [1, -1, 7], b"\xf1\x07"),
        ("INT2", [1, -2, 0, -1], b"\xc9"),
        ("FLOAT16", [1.0], b"\x00\x3c"),
        ("BFLOAT16", [1.0, float("nan")], b"\x80\x3f\xc0\x7f"),
        ("BOOL", [True, False], b"\1\0"),
        ("COMPLEX64", [1 + 2j], b"\0\0\x80\x3f\0\0\0\x40"),
        ("STRING", ["ab", b"c"], b"\2\0\0\0\x10\0\0\0\x12\0\0\0\x13\0\0\0abc"),
    ],
)
def test_packed_numbers(dtype: str, values: list[Any], packed: bytes) -> None:
    assert pack_numbers(dtype, values) == packed


@pytest.mark.parametrize(("dtype", "value"), [("INT8", 128), ("INT4", 8), ("FLOAT16", 1e6), ("RESOURCE", 1)])
def test_a_number_that_does_not_fit_is_refused(dtype: str, value: float) -> None:
    with pytest.raises(ValueError, match=dtype if dtype != "INT4" else "4-bit"):
        pack_numbers(dtype, [value])


# --- edits


@pytest.mark.parametrize(
    ("name", "route", "value", "where"),
    [
        ("conv_int8", "version", 2, ("version",)),
        ("conv_int8", "name", "other", ("subgraphs", 0, "name")),
        ("conv_int8", "operators.0.inputs", [0, 1], ("subgraphs", 0, "operators", 0, "inputs")),
        ("conv_int8", "operators.0.inputs.2", -1, ("subgraphs", 0, "operators", 0, "inputs", 2)),
        ("conv_int8", "operators.-1.outputs.0", 0, ("subgraphs", 0, "operators", 0, "outputs", 0)),
        ("conv_int8", "operator_codes.0.version", 9, ("operator_codes", 0, "version")),
        ("conv_int8", "subgraphs.0.outputs", [], ("subgraphs", 0, "outputs")),
        ("conv_int8", "subgraphs.main.inputs", [1], ("subgraphs", 0, "inputs")),
        ("conv_int8", "tensors.weights.type", "UINT8", ("subgraphs", 0, "tensors", 1, "type")),
        ("conv_int8", "tensors.1.type", "INT4", ("subgraphs", 0, "tensors", 1, "type")),
        (
            "conv_int8",
            "operators.0.builtin_options.stride_w",
            2,
            ("subgraphs", 0, "operators", 0, "builtin_options", "stride_w"),
        ),
        ("conv_int8", "buffers.1.data", b"abc", ("buffers", 1, "data")),
        (
            "signature_float32",
            "signature_defs.serving_default.subgraph_index",
            7,
            ("signature_defs", 0, "subgraph_index"),
        ),
        (
            "signature_float32",
            "signature_defs.0.inputs.y.tensor_index",
            9,
            ("signature_defs", 0, "inputs", 1, "tensor_index"),
        ),
        ("custom_op", "operator_codes.MyCustomOp.version", 4, ("operator_codes", 0, "version")),
        ("labels_float32", "metadata.TFLITE_METADATA.buffer", 0, ("metadata", 0, "buffer")),
    ],
)
def test_an_edit_sets_one_field(name: str, route: str, value: Any, where: tuple[str | int, ...]) -> None:
    original = _model(name)
    changed = apply_edits(original, {route: value})
    found: Any = changed
    for key in where:
        found = found[key]
    assert found == value
    assert original == _model(name)


def test_the_longest_tensor_name_that_fits_is_meant() -> None:
    data = ModelBuilder().tensor("conv", "INT8", [1]).tensor("conv/a.b:0", "INT8", [1]).tensor("7", "INT8", [1]).build()
    tensors = apply_edits(unpack(data), {"tensors.conv/a.b:0.shape": [5], "tensors.conv.shape": [4]})["subgraphs"][0]
    assert [tensor["shape"] for tensor in tensors["tensors"]] == [[4], [5], [1]]


@pytest.mark.parametrize("absent", ["", "absent"])
def test_a_field_is_removed(absent: str) -> None:
    changed = apply_edits(_model("conv_int8"), {"tensors.bias.quantization.zero_point": absent, "tensors.3": absent})
    tensors = changed["subgraphs"][0]["tensors"]
    assert "zero_point" not in tensors[2]["quantization"]
    assert len(tensors) == 3


def test_an_absent_table_on_the_way_is_made() -> None:
    changed = apply_edits(_model("conv_float32"), {"tensors.input.quantization.scale": [0.5]})
    assert changed["subgraphs"][0]["tensors"][0]["quantization"] == {"scale": [0.5]}


def test_one_past_the_last_index_appends() -> None:
    changed = apply_edits(_model("add_float32"), {"buffers.1": {"data": b"x"}, "tensors.3": {"name": "more"}})
    assert (len(changed["buffers"]), changed["subgraphs"][0]["tensors"][3]) == (2, {"name": "more"})


def test_data_of_a_tensor_is_given_as_numbers() -> None:
    changed = apply_edits(_model("conv_int8"), {"tensors.bias.data": [1, -1, 0], "tensors.input.data": [0] * 32})
    tensors = changed["subgraphs"][0]["tensors"]
    assert changed["buffers"][tensors[2]["buffer"]]["data"] == pack_numbers("INT32", [1, -1, 0])
    assert (tensors[0]["buffer"], changed["buffers"][3]["data"]) == (3, bytes(32))


def test_a_single_byte_of_a_buffer_is_set() -> None:
    data = edit_model(NAMED["conv_int8"](), {"buffers.1.data.0": 5})
    assert unpack(data)["buffers"][1]["data"][0] == 5


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("tensor.bias.shape", "'tensor.bias.shape': a model has no 'tensor'; did you mean 'tensors'"),
        ("tensors.bais.shape", "no element of 'tensors' is named 'bais'; did you mean 'bias'"),
        ("tensors.bias.quantisation.scale", "table Tensor has no field 'quantisation'; did you mean 'quantization'"),
        ("tensors.bias.quantization.scales", "QuantizationParameters has no field 'scales'; did you mean 'scale'"),
        ("tensors.9.shape", "'tensors' has 4 elements, but no element 9"),
        ("tensors.4.shape", "'tensors' has 4 elements, but no element 4"),
        ("tensors.bias.type.x", "'type' is a TensorType and has no 'x'"),
        ("tensors.bias.shape.0.x", "an element of 'shape' has type int and no 'x'"),
        ("tensors.bias.datas", "table Tensor has no field 'datas'"),
        ("signature_defs.serving_default.inputs", "'signature_defs' is absent, so"),
        ("operators.0.builtin_options.strides_w", "Conv2DOptions has no field 'strides_w'; did you mean 'stride_w'"),
        ("operators.0.builtin_options_2.axis", "'builtin_options_2' is absent or"),
        ("file.trailing", "not an edit of a file; did you mean 'file.trailing_bytes'"),
    ],
)
def test_a_wrong_route_says_which_part_is_not_there(route: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apply_edits(_model("conv_int8"), {route: 1})


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a value does not fit INT32"):
        apply_edits(_model("conv_int8"), {"tensors.bias.data": ["x"]})
    with pytest.raises(ValueError, match=r"tensors\[2\].type: enum TensorType has no value 'INT33'"):
        edit_model(NAMED["conv_int8"](), {"tensors.bias.type": "INT33"})


def test_fields_of_what_is_no_model_cannot_be_edited() -> None:
    for name in ("html_page", "empty_file", "git_lfs_pointer"):
        with pytest.raises(ValueError, match="fields cannot be edited: the bytes are not a valid flatbuffer"):
            edit_model(NAMED[name](), {"version": 3})


# --- edits of the file


@pytest.mark.parametrize(
    ("edits", "result"),
    [
        ({"file.bytes": "text"}, b"text"),
        ({"file.bytes": [1, 2]}, b"\1\2"),
        ({"file.truncate": 4}, b"0123"),
        ({"file.truncate": -4}, b"012345"),
        ({"file.trailing_bytes": 2}, b"0123456789\0\0"),
        ({"file.trailing_bytes": "ab"}, b"0123456789ab"),
        ({"file.trailing_bytes": "ab", "file.truncate": 1}, b"0ab"),
    ],
)
def test_edits_of_the_file_need_no_model(edits: dict[str, Any], result: bytes) -> None:
    assert edit_model(b"0123456789", edits) == result


def test_edits_of_field_and_file_together() -> None:
    data = edit_model(NAMED["conv_int8"](), {"version": 4, "file.trailing_bytes": "END"})
    assert unpack(data)["version"] == 4
    assert data.endswith(b"END")


@pytest.mark.parametrize("name", _ALIGNED)
def test_an_edit_that_changes_nothing_keeps_the_bytes(name: str) -> None:
    assert edit_model(NAMED[name](), {"version": 3}) == NAMED[name]()


@pytest.mark.parametrize("description", ["absent", "x" * 100])
def test_a_zip_behind_the_model_survives_an_edit(description: str) -> None:
    data = edit_model(NAMED["labels_float32"](), {"description": description})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("labels.txt") == b"cat\ndog\nbird\n"
        # Where its offsets count from the start of the file, they still do.
        assert data[archive.infolist()[0].header_offset :].startswith(b"PK\x03\x04")
    directory = data.rindex(b"PK\x05\x06")
    assert data[int.from_bytes(data[directory + 16 : directory + 20], "little") :].startswith(b"PK\x01\x02")


def test_without_the_extra_an_edit_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = NAMED["conv_int8"]()
    for module in ("flatbuffers", "flatbuffers.table", "flatbuffers.builder"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"tflite-lint\[contract\]"):
        edit_model(data, {"version": 4})
    assert edit_model(data, {"file.truncate": 3}) == data[:3]


def test_the_writer_is_imported_without_flatbuffers_and_numpy() -> None:
    code = "import sys, tflint.writer; print([m for m in ('flatbuffers', 'numpy') if m in sys.modules])"
    root = ROOT
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- named models


def test_rules_models_is_up_to_date() -> None:
    """`python -m tests.helpers.models.named` writes them."""
    kept = {path.name: path.read_bytes() for path in MODELS_DIRECTORY.iterdir()}
    assert set(kept) == set(all_files())
    assert [name for name, content in all_files().items() if kept[name] != content] == []


def test_litert_runs_the_models_that_it_should() -> None:
    pytest.importorskip("ai_edge_litert")
    paths = {name: str(MODELS_DIRECTORY / f"{name}.tflite") for name in NAMED}
    done = subprocess.run(
        [sys.executable, "-c", _RUN_ALL, *paths.values()], capture_output=True, text=True, check=True, timeout=120
    )
    verdicts = json.loads(done.stdout.splitlines()[-1])
    ran = {name for name, path in paths.items() if verdicts[path] == "ran"}
    assert ran == set(RUNNABLE)


# --- large models


def test_many_tensors_are_many() -> None:
    subgraph = unpack(large.many_tensors(100, 30))["subgraphs"][0]
    assert (len(subgraph["tensors"]), len(subgraph["operators"])) == (100, 30)
    with pytest.raises(ValueError, match="30 operators need 89 tensors"):
        large.many_tensors(88, 30)


def test_every_operator_reads_the_hub() -> None:
    operators = unpack(large.hub_model(50))["subgraphs"][0]["operators"]
    assert all(operator["inputs"][0] == 0 for operator in operators)


def test_bombs_share_what_they_repeat() -> None:
    assert len(large.shared_reference_bomb(30_000)) < 250_000
    model = tflite.Model.GetRootAs(large.shared_reference_bomb(300), 0)
    assert {model.Subgraphs(i)._tab.Pos for i in range(300)} == {model.Subgraphs(0)._tab.Pos}
    assert model.Subgraphs(299).TensorsLength() == 300
    operators = unpack(large.shared_vector_bomb(100))["subgraphs"][0]["operators"]
    assert [len(operator["inputs"]) for operator in operators] == [100] * 100


def test_weights_beyond_2_gb_take_almost_no_disk(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tflite"
    size = large.write_sparse_2gb(path)
    with path.open("rb") as file:
        weights = unpack(file.read(4096))["buffers"][1]
        file.seek(weights["offset"])
        assert file.read(2) == b"\x7f\0"
    assert path.stat().st_size == size > 1 << 31
    assert weights["offset"] > 1 << 31


def test_big_weights_are_one_aligned_buffer(tmp_path: Path) -> None:
    path = tmp_path / "big.tflite"
    n_bytes = 1 << 20
    assert large.write_big_weights(path, n_bytes) == path.stat().st_size
    data = path.read_bytes()
    model = unpack(data)
    buffer = model["buffers"][model["subgraphs"][0]["tensors"][1]["buffer"]]
    assert len(buffer["data"]) == n_bytes
    assert data.index(buffer["data"]) % 16 == 0
    assert buffer["data"][:3] == pack_numbers("INT8", [-127, -126, -125])
