"""Small models of operators without weights, and of signatures, metadata and subgraphs."""

from __future__ import annotations

import io
import zipfile

from flatbuffers import flexbuffers

from tests.helpers.models.builder import ModelBuilder
from tflint.schema import metadata_schema
from tflint.writer import pack

_UNIT_SCALE = 1 / 127.5
_LABELS = "cat\ndog\nbird\n"


def add_int8() -> bytes:
    """Return an ADD of two inputs with different scales."""
    return (
        ModelBuilder()
        .tensor("a", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("b", "INT8", [1, 4], scale=0.01, zero_point=5)
        .tensor("output", "INT8", [1, 4], scale=0.018, zero_point=2)
        .operator("ADD", ["a", "b"], ["output"], version=2)
        .inputs("a", "b")
        .outputs("output")
        .build()
    )


def _add_float32() -> ModelBuilder:
    return (
        ModelBuilder()
        .tensor("a", "FLOAT32", [1, 4])
        .tensor("b", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1, 4])
        .operator("ADD", ["a", "b"], ["output"])
        .inputs("a", "b")
        .outputs("output")
    )


def add_float32() -> bytes:
    """Return an ADD without quantization."""
    return _add_float32().build()


def signature_float32() -> bytes:
    """Return an ADD with the signature serving_default: x, y to z."""
    return _add_float32().signature("serving_default", {"x": "a", "y": "b"}, {"z": "output"}).build()


def two_signatures() -> bytes:
    """Return an ADD with two signatures over the same subgraph."""
    names = {"x": "a", "y": "b"}, {"z": "output"}
    return _add_float32().signature("add", *names).signature("sum", *names).build()


def language_model() -> bytes:
    """Return an ADD with the signatures that LLM runtimes call: prefill_8 and decode."""
    names = {"x": "a", "y": "b"}, {"z": "output"}
    return _add_float32().signature("prefill_8", *names).signature("decode", *names).build()


def reshape_int8() -> bytes:
    """Return a RESHAPE to a constant shape; input and output share their quantization."""
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("new_shape", "INT32", [2], data=[2, 2])
        .tensor("output", "INT8", [2, 2], scale=_UNIT_SCALE, zero_point=-1)
        .operator("RESHAPE", ["input", "new_shape"], ["output"], {"new_shape": [2, 2]})
        .inputs("input")
        .outputs("output")
        .build()
    )


def concat_int8() -> bytes:
    """Return a CONCATENATION whose operands share their quantization."""
    return (
        ModelBuilder()
        .tensor("a", "INT8", [1, 2], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("b", "INT8", [1, 3], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("output", "INT8", [1, 5], scale=_UNIT_SCALE, zero_point=-1)
        .operator("CONCATENATION", ["a", "b"], ["output"], {"axis": 1}, version=2)
        .inputs("a", "b")
        .outputs("output")
        .build()
    )


def max_pool_int8() -> bytes:
    """Return a MAX_POOL_2D; input and output share their quantization."""
    options = {"padding": "VALID", "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2}
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4, 4, 2], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("output", "INT8", [1, 2, 2, 2], scale=_UNIT_SCALE, zero_point=-1)
        .operator("MAX_POOL_2D", ["input"], ["output"], options, version=2)
        .inputs("input")
        .outputs("output")
        .build()
    )


def padded_int8() -> bytes:
    """Return a PADV2 and a MAX_POOL_2D, as exporters write a padded pooling; all tensors share their quantization."""
    builder = ModelBuilder()
    for name, shape in (("input", [1, 2, 2, 1]), ("padded", [1, 4, 4, 1]), ("output", [1, 2, 2, 1])):
        builder.tensor(name, "INT8", shape, scale=_UNIT_SCALE, zero_point=-1)
    return (
        builder.tensor("paddings", "INT32", [4, 2], data=[0, 0, 1, 1, 1, 1, 0, 0])
        .tensor("value", "INT8", [1], data=[-128], scale=_UNIT_SCALE, zero_point=-1)
        .operator("PADV2", ["input", "paddings", "value"], ["padded"], version=2)
        .operator(
            "MAX_POOL_2D",
            ["padded"],
            ["output"],
            {"padding": "VALID", "stride_w": 2, "stride_h": 2, "filter_width": 2, "filter_height": 2},
            version=2,
        )
        .inputs("input")
        .outputs("output")
        .build()
    )


def chain_float32() -> bytes:
    """Return a chain of RELU, TANH and LOGISTIC with two intermediate tensors."""
    builder = ModelBuilder()
    for name in ("input", "a", "b", "output"):
        builder.tensor(name, "FLOAT32", [1, 4])
    return (
        builder.operator("RELU", ["input"], ["a"])
        .operator("TANH", ["a"], ["b"])
        .operator("LOGISTIC", ["b"], ["output"])
        .inputs("input")
        .outputs("output")
        .build()
    )


def labels_float32() -> bytes:
    """Return a classifier with TFLITE_METADATA and, after the flatbuffer, a zip with its labels.txt."""
    return classifier(_LABELS)


def labels_swapped_float32() -> bytes:
    """Return `labels_float32` with its first two labels exchanged."""
    first, second, *others = _LABELS.splitlines(keepends=True)
    return classifier("".join([second, first, *others]))


def labels_longer_float32() -> bytes:
    """Return `labels_float32` with one more label."""
    return classifier(_LABELS.rstrip("\n") + "\nother\n")


def labels_background_float32() -> bytes:
    """Return `labels_float32` with a background class first."""
    return classifier("background\ncat\ndog\n")


def labels_twice_float32() -> bytes:
    """Return `labels_float32` with the same label for two classes."""
    return classifier("cat\ndog\ncat\n")


def classifier(labels: str) -> bytes:
    """Return a classifier of three classes with TFLITE_METADATA and packed labels."""
    weights = [0.5, -0.25, 0.125, 0.75, -0.5, 0.625, 0.25, -0.125, 0.375, -0.75, 0.875, 0.0625]
    return with_zip(
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("weights", "FLOAT32", [3, 4], data=weights)
        .tensor("bias", "FLOAT32", [3], data=[0.25, -0.125, 0.0625])
        .tensor("logits", "FLOAT32", [1, 3])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["logits"])
        .operator("SOFTMAX", ["logits"], ["output"], {"beta": 1.0})
        .inputs("input")
        .outputs("output")
        .metadata("TFLITE_METADATA", labels_metadata())
        .build(),
        {"labels.txt": labels},
    )


def labels_metadata() -> bytes:
    """Return the TFLITE_METADATA of `labels_float32`: bytes are normalized by (x - 127.5) / 127.5."""
    feature = {"content_properties": {"type": "FeatureProperties"}}
    scores = {
        "name": "probability",
        "description": "probability of each class",
        "content": feature,
        "stats": {"max": [1.0], "min": [0.0]},
        "associated_files": [
            {"name": "labels.txt", "description": "names of the classes", "type": "TENSOR_AXIS_LABELS"}
        ],
    }
    features = {
        "name": "features",
        "description": "four measurements of 0 to 255",
        "content": feature,
        "process_units": [{"options": {"type": "NormalizationOptions", "mean": [127.5], "std": [127.5]}}],
        "stats": {"max": [1.0], "min": [-1.0]},
    }
    subgraph = {"input_tensor_metadata": [features], "output_tensor_metadata": [scores]}
    root = {"name": "classifier", "subgraph_metadata": [subgraph], "min_parser_version": "1.0.0"}
    return pack(root, metadata_schema())


def with_zip(flatbuffer: bytes, files: dict[str, str]) -> bytes:
    """Append a zip to a flatbuffer like metadata tools do: its offsets count from the start of the file."""
    file = io.BytesIO(flatbuffer)
    with zipfile.ZipFile(file, "a") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)  # its date is 1980-01-01
            entry.create_system = 3  # else the platform's
            archive.writestr(entry, text)
    return file.getvalue()


def _one_custom(code: str, custom_options: bytes = b"") -> bytes:
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1, 4])
        .custom(code, ["input"], ["output"], custom_options)
        .inputs("input")
        .outputs("output")
        .build()
    )


def custom_op() -> bytes:
    """Return a model with a custom operator that no standard runtime has: it loads, but does not run."""
    return _one_custom("MyCustomOp")


def flex_op() -> bytes:
    """Return a model with a TensorFlow operator: it loads, but does not run without the Flex delegate."""
    name = b"Erf"
    node_def = b"\n\x03erf\x12\x03" + name  # NodeDef: name = "erf", op = "Erf"
    builder = flexbuffers.Builder()
    with builder.Vector():
        builder.String(name.decode())
        builder.String(node_def.decode())
    return _one_custom("FlexErf", bytes(builder.Finish()))


def two_subgraphs() -> bytes:
    """Return an IF with a subgraph per branch, x + 1 or x * 2: three subgraphs in all."""
    builder = (
        ModelBuilder()
        .tensor("condition", "BOOL", [1])
        .tensor("x", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1, 4])
        .operator("IF", ["condition", "x"], ["output"], {"then_subgraph_index": 1, "else_subgraph_index": 2})
        .inputs("condition", "x")
        .outputs("output")
    )
    for name, opcode, constant in (("then", "ADD", 1.0), ("else", "MUL", 2.0)):
        (
            builder.subgraph(name)
            .tensor("x", "FLOAT32", [1, 4])
            .tensor("constant", "FLOAT32", [1, 4], data=[constant] * 4)
            .tensor("output", "FLOAT32", [1, 4])
            .operator(opcode, ["x", "constant"], ["output"])
            .inputs("x")
            .outputs("output")
        )
    return builder.build()


def variable_state() -> bytes:
    """Return a model with a resource variable, initially zero, to which each invocation adds the input."""
    variable = {"container": "", "shared_name": "total"}
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("handle", "RESOURCE", [])
        .tensor("total", "FLOAT32", [1, 4])
        .tensor("output", "FLOAT32", [1, 4])
        .operator("CALL_ONCE", [], [], {"init_subgraph_index": 1})
        .operator("VAR_HANDLE", [], ["handle"], variable)
        .operator("READ_VARIABLE", ["handle"], ["total"])
        .operator("ADD", ["input", "total"], ["output"])
        .operator("ASSIGN_VARIABLE", ["handle", "output"], [])
        .inputs("input")
        .outputs("output")
        .subgraph("init")
        .tensor("handle", "RESOURCE", [])
        .tensor("zeros", "FLOAT32", [1, 4], data=[0.0] * 4)
        .operator("VAR_HANDLE", [], ["handle"], variable)
        .operator("ASSIGN_VARIABLE", ["handle", "zeros"], [])
    )
    return builder.build()


def string_const() -> bytes:
    """Return a GATHER of one of three constant strings."""
    return (
        ModelBuilder()
        .tensor("index", "INT32", [1])
        .tensor("words", "STRING", [3], data=["zero", "one", "two"])
        .tensor("output", "STRING", [1])
        .operator("GATHER", ["words", "index"], ["output"])
        .inputs("index")
        .outputs("output")
        .build()
    )
