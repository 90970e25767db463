"""Small models that mix float and integers, compute their own preprocessing, or hold sparse or misaligned constants."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

from flatbuffers import flexbuffers

import tflint.schema
from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.weighted import bias_scales, conv_int16x8
from tflint.normalization.known_layers import KnownLayer, known_layers, sample_places
from tflint.schema import Schema, metadata_schema
from tflint.writer import pack
from tflint.writer.unpack import unpack_with_end

_UNIT_SCALE = 1 / 127.5
_WEIGHT_SCALE = 0.005


def _dense(builder: ModelBuilder, name: str, source: str, target: str) -> ModelBuilder:
    """Add an int8 FULLY_CONNECTED of four inputs and four outputs, with its target tensor."""
    weights = [127, -64, 32, 16] * 4
    return (
        builder.tensor(f"{name}_weights", "INT8", [4, 4], data=weights, scale=_WEIGHT_SCALE)
        .tensor(f"{name}_bias", "INT32", [4], data=[64] * 4, scale=bias_scales(_UNIT_SCALE, [_WEIGHT_SCALE]))
        .tensor(target, "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .operator("FULLY_CONNECTED", [source, f"{name}_weights", f"{name}_bias"], [target], version=4)
    )


def border_float32() -> bytes:
    """Return an int8 FULLY_CONNECTED between QUANTIZE and DEQUANTIZE: the converter's default."""
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("codes", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("output", "FLOAT32", [1, 4])
        .operator("QUANTIZE", ["input"], ["codes"])
    )
    builder = _dense(builder, "dense", "codes", "scores").operator("DEQUANTIZE", ["scores"], ["output"], version=2)
    return builder.inputs("input").outputs("output").build()


def island_int8() -> bytes:
    """Return a float COS between two int8 FULLY_CONNECTED."""
    return _dense(_island(), "second", "codes_again", "output").inputs("input").outputs("output").build()


def small_island_int8() -> bytes:
    """Return a float COS among eleven int8 FULLY_CONNECTED."""
    builder, last = _island(), "codes_again"
    for number in range(9):
        builder, last = _dense(builder, f"layer_{number}", last, f"codes_{number}"), f"codes_{number}"
    return _dense(builder, "second", last, "output").inputs("input").outputs("output").build()


def _island() -> ModelBuilder:
    """Return an int8 FULLY_CONNECTED and a float COS, without outputs."""
    builder = ModelBuilder().tensor("input", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
    return (
        _dense(builder, "first", "input", "codes")
        .tensor("real_in", "FLOAT32", [1, 4])
        .tensor("real_out", "FLOAT32", [1, 4])
        .tensor("codes_again", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .operator("DEQUANTIZE", ["codes"], ["real_in"], version=2)
        .operator("COS", ["real_in"], ["real_out"])
        .operator("QUANTIZE", ["real_out"], ["codes_again"])
    )


def remainder_float32() -> bytes:
    """Return the remainder of dividing an int8 input by 2, computed in float."""
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-1)
        .tensor("real", "FLOAT32", [1, 4])
        .tensor("divisor", "FLOAT32", [], data=[2.0])
        .tensor("remainder", "FLOAT32", [1, 4])
        .tensor("output", "INT8", [1, 4], scale=_UNIT_SCALE, zero_point=-128)
        .operator("DEQUANTIZE", ["input"], ["real"], version=2)
        .operator("FLOOR_MOD", ["real", "divisor"], ["remainder"])
        .operator("QUANTIZE", ["remainder"], ["output"])
        .inputs("input")
        .outputs("output")
        .build()
    )


def sparse_float32() -> bytes:
    """Return a FULLY_CONNECTED with sparse weights: one value in each of three rows."""
    dimensions: list[dict[str, Any]] = [
        {"format": "DENSE", "dense_size": 3},
        {
            "format": "SPARSE_CSR",
            "array_segments": {"type": "Uint8Vector", "values": [0, 1, 2, 3]},
            "array_indices": {"type": "Uint8Vector", "values": [0, 1, 2]},
        },
    ]
    sparsity = {"traversal_order": [0, 1], "dim_metadata": dimensions}
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 4])
        .tensor("weights", "FLOAT32", [3, 4], data=[1.0, 2.0, 3.0], sparsity=sparsity)
        .tensor("bias", "FLOAT32", [3], data=[0.25, -0.125, 0.0625])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["output"], version=8)
        .inputs("input")
        .outputs("output")
        .build()
    )


def unused_input() -> bytes:
    """Return a RELU of one of two inputs."""
    builder = ModelBuilder()
    for name in ("input", "mask", "output"):
        builder.tensor(name, "FLOAT32", [1, 4])
    return builder.operator("RELU", ["input"], ["output"]).inputs("input", "mask").outputs("output").build()


def misaligned_int16x8() -> bytes:
    """Return `conv_int16x8` from a writer that ignores force_align: the int64 bias is not aligned to 8 bytes."""
    model, _ = unpack_with_end(conv_int16x8())
    padding = {"data": b"moves what is written before it"}
    content = pack(model | {"buffers": [*model["buffers"], padding]}, _without_alignment())
    assert content.index(model["buffers"][2]["data"]) % 8 == 4
    return content


def _without_alignment() -> Schema:
    path = Path(tflint.schema.__file__).with_name("tflite.json")
    data = copy.deepcopy(json.loads(path.read_bytes()))
    for table in data["tables"].values():
        for entry in table["fields"]:
            entry.pop("align", None)
    return Schema(data)


def detection_float32() -> bytes:
    """Return the end of a detector: four anchors, two classes and the background, two boxes at most."""
    return _detection().build()


def described_float32() -> bytes:
    """Return the end of a detector, with metadata that describes its outputs in their order."""
    names = ["location", "category", "score", "number of detections"]
    root = {"name": "detector", "subgraph_metadata": [{"output_tensor_metadata": [{"name": name} for name in names]}]}
    return _detection().metadata("TFLITE_METADATA", pack(root, metadata_schema())).build()


def _detection() -> ModelBuilder:
    options = {
        "max_detections": 2, "max_classes_per_detection": 1, "detections_per_class": 2, "use_regular_nms": False,
        "nms_score_threshold": 0.1, "nms_iou_threshold": 0.5, "num_classes": 2,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
    }  # fmt: skip
    made = ["boxes", "classes", "scores", "count"]
    anchors = [value for k in range(4) for value in (0.25 + 0.5 * (k // 2), 0.25 + 0.5 * (k % 2), 0.5, 0.5)]
    return (
        ModelBuilder()
        .tensor("encodings", "FLOAT32", [1, 4, 4])
        .tensor("predictions", "FLOAT32", [1, 4, 3])
        .tensor("anchors", "FLOAT32", [4, 4], data=anchors)
        .tensor("boxes", "FLOAT32", [1, 2, 4])
        .tensor("classes", "FLOAT32", [1, 2])
        .tensor("scores", "FLOAT32", [1, 2])
        .tensor("count", "FLOAT32", [1])
        .custom(
            "TFLite_Detection_PostProcess",
            ["encodings", "predictions", "anchors"],
            made,
            bytes(flexbuffers.Dumps(options)),
        )
        .inputs("encodings", "predictions")
        .outputs(*made)
    )


def rescaled_float32() -> bytes:
    """Return a float image model that maps 0 to 255 to -1 to 1 inside of the graph."""
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16, 16, 3])
        .tensor("factor", "FLOAT32", [], data=[1 / 127.5])
        .tensor("one", "FLOAT32", [3], data=[1.0, 1.0, 1.0])
        .tensor("scaled", "FLOAT32", [1, 16, 16, 3])
        .tensor("shifted", "FLOAT32", [1, 16, 16, 3])
        .tensor("axes", "INT32", [2], data=[1, 2])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("MUL", ["input", "factor"], ["scaled"], {"fused_activation_function": "NONE"})
        .operator("SUB", ["scaled", "one"], ["shifted"], {"fused_activation_function": "NONE"})
        .operator("MEAN", ["shifted", "axes"], ["output"], {"keep_dims": False})
        .inputs("input")
        .outputs("output")
        .build()
    )


def tokens_float32() -> bytes:
    """Return a lookup of four token ids in a table of ten rows."""
    return (
        ModelBuilder()
        .tensor("ids", "INT32", [1, 4])
        .tensor("table", "FLOAT32", [10, 3], data=[0.125 * k for k in range(30)])
        .tensor("output", "FLOAT32", [1, 4, 3])
        .operator("GATHER", ["table", "ids"], ["output"], {"axis": 0})
        .inputs("ids")
        .outputs("output")
        .build()
    )


def waveform_float32() -> bytes:
    """Return a model that outputs the loudest sample of audio, which its metadata declares as 16 kHz."""
    sound = {"type": "AudioProperties", "sample_rate": 16000, "channels": 1}
    entry = {"name": "sound", "content": {"content_properties": sound}}
    root = {"name": "loudest", "subgraph_metadata": [{"input_tensor_metadata": [entry]}]}
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16])
        .tensor("axes", "INT32", [1], data=[1])
        .tensor("output", "FLOAT32", [1])
        .operator("REDUCE_MAX", ["input", "axes"], ["output"], {"keep_dims": False})
        .inputs("input")
        .outputs("output")
        .metadata("TFLITE_METADATA", pack(root, metadata_schema()))
        .build()
    )


def divided_float32() -> bytes:
    """Return a float image model that divides by 128 inside of the graph and leaves the mean to client code."""
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16, 16, 3])
        .tensor("divisor", "FLOAT32", [1], data=[128.0])
        .tensor("divided", "FLOAT32", [1, 16, 16, 3])
        .tensor("axes", "INT32", [2], data=[1, 2])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("DIV", ["input", "divisor"], ["divided"], {"fused_activation_function": "NONE"})
        .operator("MEAN", ["divided", "axes"], ["output"], {"keep_dims": False})
        .inputs("input")
        .outputs("output")
        .build()
    )


def stretched_float32() -> bytes:
    """Return a float image model that maps 0 to 1 to -1 to 1 inside of the graph, with float16 constants."""
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16, 16, 3])
        .tensor("packed", "FLOAT16", [], data=[2.0])
        .tensor("factor", "FLOAT32", [])
        .tensor("minus_one", "FLOAT32", [1], data=[-1.0])
        .tensor("scaled", "FLOAT32", [1, 16, 16, 3])
        .tensor("shifted", "FLOAT32", [1, 16, 16, 3])
        .tensor("axes", "INT32", [2], data=[1, 2])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("DEQUANTIZE", ["packed"], ["factor"])
        .operator("MUL", ["factor", "input"], ["scaled"], {"fused_activation_function": "NONE"})
        .operator("ADD", ["scaled", "minus_one"], ["shifted"], {"fused_activation_function": "NONE"})
        .operator("MEAN", ["shifted", "axes"], ["output"], {"keep_dims": False})
        .inputs("input")
        .outputs("output")
        .build()
    )


def folded_float32() -> bytes:
    """Return a float image model whose first convolution subtracts 127.5 from its input by its bias."""
    weights = [0.01 * ((7 * k) % 11 - 5) for k in range(8 * 3)]
    sums = [sum(weights[3 * row : 3 * row + 3]) for row in range(8)]
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16, 16, 3])
        .tensor("weights", "FLOAT32", [8, 1, 1, 3], data=weights)
        .tensor("bias", "FLOAT32", [8], data=[-127.5 * row for row in sums])
        .tensor("output", "FLOAT32", [1, 16, 16, 8])
        .operator(
            "CONV_2D",
            ["input", "weights", "bias"],
            ["output"],
            {"padding": "VALID", "stride_w": 1, "stride_h": 1, "fused_activation_function": "RELU"},
        )
        .inputs("input")
        .outputs("output")
        .build()
    )


def pretrained_float32() -> bytes:
    """Return a float image model whose first weights are those of a known network, as far as the table has them."""
    layer = next(layer for layer in known_layers() if layer.name == "MobileNet v1 0.25 (224)")
    n_outputs, height, width, _ = layer.shape
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16, 16, 3])
        .tensor("weights", "FLOAT32", layer.shape, data=weights_of(layer))
        .tensor("bias", "FLOAT32", [n_outputs], data=[0.5] * n_outputs)
        .tensor("output", "FLOAT32", [1, 17 - height, 17 - width, n_outputs])
        .operator(
            "CONV_2D",
            ["input", "weights", "bias"],
            ["output"],
            {"padding": "VALID", "stride_w": 1, "stride_h": 1, "fused_activation_function": "RELU6"},
        )
        .inputs("input")
        .outputs("output")
        .build()
    )


def weights_of(layer: KnownLayer) -> list[float]:
    """Return weights that agree with a known layer at the places of its samples and are 0 elsewhere."""
    weights = [0.0] * math.prod(layer.shape)
    for place, weight in zip(sample_places(layer.shape), layer.weights, strict=True):
        weights[place] = weight
    return weights


def pixels_int8() -> bytes:
    """Return an image model calibrated for pixels from -1 to 1."""
    scale = 1 / 127.5
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 16, 16, 3], scale=[scale], zero_point=[-1])
        .tensor("axes", "INT32", [2], data=[1, 2])
        .tensor("output", "INT8", [1, 3], scale=[scale], zero_point=[-1])
        .operator("MEAN", ["input", "axes"], ["output"], {"keep_dims": False}, version=2)
        .inputs("input")
        .outputs("output")
        .build()
    )


def normalized_int8() -> bytes:
    """Return an int8 image model, calibrated for pixels of 0 to 255, that maps them to -1 to 1 inside of the graph."""
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, 4, 4, 3], scale=1.0, zero_point=-128)
        .tensor("factor", "INT8", [], data=[127], scale=_UNIT_SCALE / 255, zero_point=-128)
        .tensor("minus_one", "INT8", [], data=[-128], scale=1 / 255, zero_point=127)
        .tensor("scaled", "INT8", [1, 4, 4, 3], scale=_UNIT_SCALE, zero_point=-128)
        .tensor("output", "INT8", [1, 4, 4, 3], scale=_UNIT_SCALE, zero_point=-1)
        .operator("MUL", ["input", "factor"], ["scaled"], version=2)
        .operator("ADD", ["scaled", "minus_one"], ["output"], version=2)
        .inputs("input")
        .outputs("output")
        .build()
    )


def image_float32() -> bytes:
    """Return an image model with complete metadata: normalization, description, version, author, license, runtime."""
    image = {"type": "ImageProperties", "color_space": "RGB"}
    pixels = {
        "name": "image",
        "content": {"content_properties": image},
        "process_units": [{"options": {"type": "NormalizationOptions", "mean": [127.5], "std": [127.5]}}],
        "stats": {"max": [1.0], "min": [-1.0]},
    }
    root = {
        "name": "brightness",
        "description": "mean brightness of each channel",
        "version": "1.0",
        "author": "the tflint authors",
        "license": "Apache-2.0",
        "subgraph_metadata": [{"input_tensor_metadata": [pixels], "output_tensor_metadata": [{"name": "means"}]}],
        "min_parser_version": "1.0.0",
    }
    return (
        ModelBuilder()
        .tensor("input", "FLOAT32", [1, 16, 16, 3])
        .tensor("axes", "INT32", [2], data=[1, 2])
        .tensor("output", "FLOAT32", [1, 3])
        .operator("MEAN", ["input", "axes"], ["output"], {"keep_dims": False})
        .inputs("input")
        .outputs("output")
        .metadata("TFLITE_METADATA", pack(root, metadata_schema()))
        .metadata("min_runtime_version", b"1.6.0".ljust(16, b"\0"))
        .build()
    )
