"""Test each part of the model summary on a small model with a known answer."""

from __future__ import annotations

import pytest

from tests.helpers.facts import facts_of
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import RUNNABLE
from tests.helpers.models.plain import with_zip
from tflint.model.trailing_data import read_packed_file
from tflint.resources import named_model_path, named_models, runtime_table
from tflint.schema import metadata_schema
from tflint.summary.oldest_runtime import find_requirements
from tflint.summary.summarize import summarize
from tflint.summary.summary_values import Input, OperatorCount, Output, Summary
from tflint.writer import edit_model, pack


def portrait(content: bytes) -> Summary:
    return summarize(facts_of(content), "model.tflite")


def named(name: str, edit: dict | None = None) -> Summary:
    content = named_model_path(name).read_bytes()
    return portrait(edit_model(content, edit) if edit else content)


def one_input(dtype: str, shape: list[int], **fields: object) -> Input:
    """The input of a model that has no more than that."""
    builder = ModelBuilder().tensor("input", dtype, shape, **fields).tensor("output", dtype, shape)
    content = builder.operator("RELU", ["input"], ["output"]).inputs("input").outputs("output").build()
    (found,) = portrait(content).subgraphs[0].inputs
    return found


def output_of(builder: ModelBuilder, name: str) -> Output:
    (found,) = portrait(builder.inputs("input").outputs(name).build()).subgraphs[0].outputs
    return found


def test_every_named_model_has_a_portrait():
    for name in named_models():
        try:
            content = named_model_path(name).read_bytes()
            facts = facts_of(content)
        except AssertionError:
            continue  # no model
        found = summarize(facts, name)
        assert found.path == name
        assert found.n_operators == sum(entry.count for entry in found.operators)


def test_facts_of_no_model_have_no_portrait():
    from tflint.facts.facts import Facts
    from tflint.model.batch_reader import open_model, read_one
    from tflint.source import BytesSource

    with pytest.raises(ValueError, match="one readable model, not 0"):
        summarize(Facts(read_one(open_model(BytesSource(b"")))), "empty")


# -- inputs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "layout", "channels"),
    [
        ([1, 224, 224, 3], "NHWC", 3),
        ([1, 96, 96, 1], "NHWC", 1),
        ([1, 3, 224, 224], "NCHW", 3),
        ([1, 16, 224, 224, 3], "NDHWC", 3),
        ([128, 128, 3], "HWC", 3),
        ([8, 8, 8, 3], "NHWC", 3),
        ([1, 4, 4, 3], None, None),  # too small
        ([1, 1, 512, 256], None, None),  # a matrix
        ([1, 64, 32, 4], None, None),  # heads of attention
        ([1, 100, 3], None, None),  # a series of three sensors
        ([1, 16, 3], None, None),
        ([1, 40], None, None),
        ([], None, None),
    ],
)
def test_what_has_the_shape_of_a_picture(shape, layout, channels):
    found = one_input("UINT8", shape, scale=1 / 255)
    assert (found.layout, found.channels) == (layout, channels)
    assert bool(found.fits) == bool(layout)


def test_a_shape_that_is_not_fixed_can_be_a_picture():
    found = one_input("FLOAT32", [1, 1, 1, 3], shape_signature=[-1, -1, -1, 3])
    assert found.layout == "NHWC"
    assert found.tensor is not None
    assert found.tensor.dimensions == (None, None, None, 3)


def test_indices_are_no_picture():
    assert one_input("INT32", [1, 224, 224, 3]).layout is None


def test_a_signature_of_another_rank_is_left_aside():
    found = one_input("FLOAT32", [1, 8], shape_signature=[-1])
    assert found.tensor is not None
    assert (found.tensor.signature, found.tensor.dimensions) == (None, (1, 8))


def test_several_scales_and_no_zero_point_claim_nothing():
    found = one_input("INT8", [1, 8, 8, 3], scale=[0.1, 0.2, 0.3], axis=3)
    assert found.tensor is not None
    assert found.tensor.quantization is not None
    own = found.tensor.quantization
    assert (own.n_scales, own.scale, own.axis, own.low, found.fits) == (3, None, 3, None, ())
    quantization = {"scale": [1 / 255], "zero_point": []}
    assert one_input("INT8", [1, 8, 8, 3], quantization=quantization).fits == ()


def test_a_range_that_is_round_is_named_for_what_is_no_picture():
    assert one_input("INT8", [1, 16000], scale=1 / 127.5, zero_point=-1).nominal == (-1.0, 1.0)
    assert one_input("INT8", [1, 16000], scale=1 / 255, zero_point=-128).nominal == (0.0, 1.0)
    assert one_input("INT16", [1, 16000], scale=1 / 32767).nominal is None  # 0 to 1 as well
    assert one_input("INT8", [1, 16000], scale=0.1, zero_point=3).nominal is None


def test_a_float_input_has_the_range_of_the_quantize_behind_it():
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 8, 8, 3])
    builder.tensor("inner", "INT8", [1, 8, 8, 3], scale=1 / 255, zero_point=-128)
    builder.operator("QUANTIZE", ["input"], ["inner"])
    (found,) = portrait(builder.inputs("input").outputs("inner").build()).subgraphs[0].inputs
    assert found.calibrated is not None
    assert [fit.name for fit in found.fits] == ["unit"]
    builder.tensor("other", "FLOAT32", [1, 8, 8, 3]).operator("RELU", ["input"], ["other"])
    (found,) = portrait(builder.outputs("inner", "other").build()).subgraphs[0].inputs
    assert (found.calibrated, found.fits) == (None, ())  # another way around the QUANTIZE


def test_an_index_out_of_range_is_no_tensor():
    found = named("conv_int8", {"subgraphs.0.inputs": [99]})
    assert found.subgraphs[0].inputs[0].tensor is None


# -- outputs -----------------------------------------------------------------------------------------------------------


def unary(opcode: str, options: dict | None = None, **fields: object) -> ModelBuilder:
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 7]).tensor("x", "FLOAT32", [1, 7], **fields)
    return builder.operator(opcode, ["input"], ["x"], options)


@pytest.mark.parametrize(
    ("opcode", "kind"),
    [
        ("SOFTMAX", "softmax"),
        ("LOG_SOFTMAX", "log-softmax"),
        ("LOGISTIC", "sigmoid"),
        ("TANH", "tanh"),
        ("L2_NORMALIZATION", "unit-vector"),
        ("RELU", "not-negative"),
        ("RELU6", "0-to-6"),
        ("ABS", None),
        ("EXP", None),
    ],
)
def test_what_an_output_means_by_the_operator_that_makes_it(opcode, kind):
    found = output_of(unary(opcode), "x").meaning
    assert (found and found.kind) == kind
    assert (found and found.classes) == (7 if opcode == "SOFTMAX" else None)


def test_a_fused_activation_means_the_same():
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 7]).tensor("x", "FLOAT32", [1, 7])
    builder.operator("ADD", ["input", "input"], ["x"], {"fused_activation_function": "RELU6"})
    found = output_of(builder, "x").meaning
    assert found is not None
    assert (found.kind, found.opcode, found.operator) == ("0-to-6", "ADD", 0)


def test_meaning_passes_through_what_changes_no_value():
    builder = unary("SOFTMAX").tensor("q", "INT8", [1, 7], scale=1 / 256, zero_point=-128).tensor("y", "INT8", [7])
    builder.operator("QUANTIZE", ["x"], ["q"]).operator("RESHAPE", ["q"], ["y"])
    found = output_of(builder, "y").meaning
    assert found is not None
    assert (found.kind, found.operator, found.classes) == ("softmax", 0, 7)
    assert output_of(builder.tensor("z", "INT8", [7]).operator("NEG", ["y"], ["z"]), "z").meaning is None


def test_a_ring_of_reshapes_means_nothing():
    builder = ModelBuilder().tensor("input", "FLOAT32", [4]).tensor("x", "FLOAT32", [4]).tensor("y", "FLOAT32", [4])
    builder.operator("RESHAPE", ["y"], ["x"]).operator("RESHAPE", ["x"], ["y"])
    assert output_of(builder, "y").meaning is None


def test_the_outputs_of_the_detection_operator():
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 10])
    names = ["boxes", "classes", "scores", "count"]
    for name in names:
        builder.tensor(name, "FLOAT32", [])
    builder.custom("TFLite_Detection_PostProcess", ["input"], names).inputs("input").outputs(*reversed(names))
    kinds = [out.meaning.kind for out in portrait(builder.build()).subgraphs[0].outputs if out.meaning]
    assert kinds == ["detection-count", "detection-scores", "detection-classes", "detection-boxes"]


# -- scheme, operators, runtime ----------------------------------------------------------------------------------------


def test_conversions_at_the_border():
    builder = ModelBuilder().tensor("input", "UINT8", [1, 4], scale=0.1).tensor("output", "FLOAT32", [1, 4])
    builder.tensor("a", "INT8", [1, 4], scale=0.1).tensor("b", "INT8", [1, 4], scale=0.1)
    builder.operator("QUANTIZE", ["input"], ["a"]).operator("RELU", ["a"], ["b"])
    builder.operator("DEQUANTIZE", ["b"], ["output"]).inputs("input").outputs("output")
    found = [(c.side, c.opcode, c.operator, c.from_dtype, c.to_dtype) for c in portrait(builder.build()).conversions]
    assert found == [("input", "QUANTIZE", 0, "UINT8", "INT8"), ("output", "DEQUANTIZE", 2, "INT8", "FLOAT32")]


def test_operators_are_counted_by_name_and_version_of_all_subgraphs():
    found = {(e.label, e.version): e.count for e in named("two_subgraphs").operators}
    assert found == {("IF", 1): 1, ("ADD", 1): 1, ("MUL", 1): 1}
    assert [(e.opcode, e.custom) for e in named("custom_op").operators] == [("CUSTOM", "MyCustomOp")]


def count(opcode: str, version: int, custom: str | None = None) -> OperatorCount:
    return OperatorCount(opcode, version, custom, 1)


@pytest.mark.parametrize(
    ("operators", "tflite", "because"),
    [
        ([count("CONV_2D", 1)], "1.5", ()),
        ([count("CONV_2D", 3), count("ADD", 1)], "1.14", (("CONV_2D", 3),)),
        ([count("CONV_2D", 3), count("ADD", 2)], "1.14", (("ADD", 2), ("CONV_2D", 3))),
        ([count("DEQUANTIZE", 1)], "1.13.1", (("DEQUANTIZE", 1),)),
        ([count("CONV_2D", 8), count("CUSTOM", 1, "mine")], "2.15", (("CONV_2D", 8),)),
        ([count("CONV_2D", 99)], None, (("CONV_2D", 99),)),
        ([count("250", 1)], None, (("250", 1),)),
    ],
)
def test_the_oldest_tensorflow_lite(operators, tflite, because):
    found = find_requirements(operators)[0]
    assert (found.runtime, found.release, found.operators) == ("tflite", tflite, because)


@pytest.mark.parametrize(
    ("operators", "litert", "because"),
    [
        ([count("CONV_2D", 3)], "1.1", ()),
        ([count("ADD", 6)], "2.1.6", (("ADD", 6),)),
        ([count("ADD", 7)], None, (("ADD", 7),)),
        ([count("STABLEHLO_DOT_GENERAL", 1)], None, (("STABLEHLO_DOT_GENERAL", 1),)),  # in the schema, without a kernel
        ([count("BROADCAST_TO", 1)], None, (("BROADCAST_TO", 1),)),  # registered from version 2 on
    ],
)
def test_the_oldest_litert(operators, litert, because):
    found = find_requirements(operators)[1]
    assert (found.runtime, found.release, found.operators) == ("litert", litert, because)


def test_custom_operators_need_no_release():
    assert find_requirements([count("CUSTOM", 1, "mine")]) == ()


def test_a_code_that_no_operator_uses_counts_for_the_runtime():
    """LiteRT looks up every operator code when it loads a model."""
    builder = ModelBuilder().tensor("input", "FLOAT32", [4]).tensor("output", "FLOAT32", [4])
    builder.operator("RELU", ["input"], ["output"]).inputs("input").outputs("output")
    codes = builder.to_dict()["operator_codes"]
    codes.append({**codes[0], "builtin_code": "ADD", "deprecated_builtin_code": 0, "version": 6})
    found = portrait(builder.build())
    assert {entry.label: entry.count for entry in found.operators} == {"ADD": 0, "RELU": 1}
    releases = {need.runtime: need.release for need in found.needs}
    assert releases["tflite"] is None  # TensorFlow 2.23 is not released
    assert releases["litert"] == "2.1.6"


def test_every_operator_version_has_a_first_release_unless_it_is_still_to_come():
    for opcode, first_releases in runtime_table("tflite")["operator_versions"].items():
        for version, first in first_releases.items():
            need = find_requirements([count(opcode, int(version))])[0]
            assert need.release is not None or first in ("2.22.0", "2.23.0") or opcode == "STABLEHLO_CBRT"


# -- sizes, state, signatures ------------------------------------------------------------------------------------------


def test_a_buffer_that_two_tensors_name_counts_once():
    builder = ModelBuilder().tensor("input", "FLOAT32", [4]).tensor("weights", "FLOAT32", [4], data=[1.0] * 4)
    builder.tensor("same", "INT32", [4], buffer=1).tensor("a", "FLOAT32", [4]).tensor("output", "FLOAT32", [4])
    builder.operator("ADD", ["input", "weights"], ["a"]).operator("ADD", ["a", "weights"], ["output"])
    found = portrait(builder.inputs("input").outputs("output").metadata("note", b"12345").build())
    assert (found.sizes.constant_bytes, found.sizes.by_dtype) == (16, (("FLOAT32", 16),))
    assert found.sizes.other_buffer_bytes == 5
    assert found.subgraphs[0].constant_bytes == 16


def test_a_buffer_that_two_subgraphs_share_counts_once_in_all_and_once_in_each():
    builder = ModelBuilder()
    for name in ("one", "two"):
        builder.subgraph(name).tensor("input", "FLOAT32", [4]).tensor("output", "FLOAT32", [4])
        fields = {"data": [1.0] * 4} if name == "one" else {"buffer": 1}
        builder.tensor("weights", "FLOAT32", [4], **fields)
        builder.operator("ADD", ["input", "weights"], ["output"]).inputs("input").outputs("output")
    found = portrait(builder.build())
    assert found.sizes.constant_bytes == 16
    assert [subgraph.constant_bytes for subgraph in found.subgraphs] == [16, 16]


def test_external_buffers_are_named_with_their_file():
    builder = ModelBuilder().tensor("input", "FLOAT32", [4]).tensor("weights", "FLOAT32", [4], external_buffer=7)
    builder.tensor("output", "FLOAT32", [4]).operator("ADD", ["input", "weights"], ["output"])
    builder.inputs("input").outputs("output").set(
        external_buffer_groups=[{"name": "weights.bin"}],
        external_buffers=[{"id": 7, "group": 0, "offset": 0, "length": 16}],
    )
    assert portrait(builder.build()).sizes.external == (("weights.bin", 16),)


def test_variables_are_tensors_and_resources():
    (found,) = named("variable_state").variables
    assert (found.kind, found.name, found.subgraph, found.dtype, found.shape) == (
        "resource", "total", 0, "FLOAT32", (1, 4),
    )  # fmt: skip
    builder = unary("RELU").tensor("state", "INT16", [1, 20], is_variable=True)
    (found,) = portrait(builder.inputs("input").outputs("x").build()).variables
    assert (found.kind, found.name, found.dtype, found.shape) == ("tensor", "state", "INT16", (1, 20))


def test_a_resource_that_is_only_written_has_the_type_of_what_is_written():
    builder = (
        ModelBuilder().tensor("input", "INT16", [2, 5]).tensor("handle", "RESOURCE", [1]).tensor("t", "RESOURCE", [1])
    )
    builder.operator("VAR_HANDLE", [], ["handle"], {"container": "c", "shared_name": "v"})
    builder.operator("ASSIGN_VARIABLE", ["handle", "input"], [])
    builder.operator("HASHTABLE", [], ["t"], {"table_id": 7})
    found = portrait(builder.inputs("input").build()).variables
    assert [(v.kind, v.name, v.dtype, v.shape) for v in found] == [
        ("resource", "c/v", "INT16", (2, 5)),
        ("hashtable", "table 7", None, None),
    ]


def test_signatures_open_the_border_of_their_subgraphs():
    builder = ModelBuilder()
    for name in ("first", "inner", "second"):
        builder.subgraph(name).tensor("a", "FLOAT32", [4]).tensor("b", "FLOAT32", [4])
        builder.operator("RELU", ["a"], ["b"]).inputs("a").outputs("b")
        if name != "inner":
            builder.signature(name, {"x": "a"}, {"y": "b"})
    found = portrait(builder.build())
    assert [(s.key, s.subgraph) for s in found.signatures] == [("first", 0), ("second", 2)]
    assert [(s.n_inputs, len(s.inputs), len(s.outputs)) for s in found.subgraphs] == [(1, 1, 1), (1, 0, 0), (1, 1, 1)]


# -- what the file says of itself --------------------------------------------------------------------------------------


def metadata(**fields: object) -> bytes:
    return pack(fields, metadata_schema())


def with_metadata(files: dict[str, str], **fields: object) -> Summary:
    builder = unary("RELU").inputs("input").outputs("x").metadata("TFLITE_METADATA", metadata(**fields))
    return portrait(with_zip(builder.build(), files))


def test_texts_of_the_metadata():
    about = with_metadata({}, name="birds", description="d", version="2", author="a", license="MIT").about
    assert (about.name, about.summary, about.version, about.author, about.license) == ("birds", "d", "2", "a", "MIT")
    assert about.error is None
    assert about.entries == ("TFLITE_METADATA",)


def test_the_normalisation_of_the_metadata_is_that_of_its_input():
    (found,) = named("labels_float32").subgraphs[0].inputs
    assert found.metadata is not None
    assert (found.metadata.mean, found.metadata.std) == ((127.5,), (127.5,))


def test_metadata_that_says_audio_is_believed_against_the_shape():
    audio = {"content": {"content_properties": {"type": "AudioProperties", "sample_rate": 16000, "channels": 1}}}
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 96, 96, 1]).tensor("x", "FLOAT32", [1, 96, 96, 1])
    builder.operator("RELU", ["input"], ["x"]).inputs("input").outputs("x")
    content = builder.metadata("TFLITE_METADATA", metadata(subgraph_metadata=[{"input_tensor_metadata": [audio]}]))
    assert portrait(content.build()).subgraphs[0].inputs[0].layout is None


def files(*entries: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": type_} for name, type_ in entries]


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), ("cat", 1), ("cat\n", 1), ("cat\ndog", 2), ("cat\r\ndog\r\n", 2), ("\n\n", 2)]
)
def test_lines_of_labels(text, lines):
    found = with_metadata({"labels.txt": text}, associated_files=files(("labels.txt", "TENSOR_AXIS_LABELS")))
    assert [(f.name, f.size, f.lines) for f in found.about.files] == [("labels.txt", len(text), lines)]


def test_labels_that_are_missing_or_large_are_not_counted():
    found = with_metadata(
        {"large.txt": "x\n" * 600_000, "unnamed.txt": "a\nb\n", "data.bin": "\n"},
        associated_files=files(("gone.txt", "TENSOR_AXIS_LABELS"), ("large.txt", "TENSOR_AXIS_LABELS")),
    )
    assert {f.name: (f.owner, f.lines) for f in found.about.files} == {
        "gone.txt": ("model", None),
        "large.txt": ("model", None),
        "unnamed.txt": (None, 2),
        "data.bin": (None, None),
    }


def test_labels_that_do_not_unpack_are_not_counted():
    """A member that is packed in a way that nobody knows, as its entry in the zip's directory says."""
    content = bytearray(RUNNABLE["labels_float32"]())
    content[content.index(b"PK\x01\x02") + 10] = 99
    (file,) = portrait(bytes(content)).about.files
    assert (file.size, file.lines) == (13, None)


def test_a_packed_file_is_unpacked_up_to_a_limit():
    tables = facts_of(RUNNABLE["labels_float32"]()).tables
    assert read_packed_file(tables, 0, "labels.txt", 13) == b"cat\ndog\nbird\n"
    assert read_packed_file(tables, 0, "labels.txt", 12) is None
    assert read_packed_file(tables, 0, "gone.txt", 13) is None
