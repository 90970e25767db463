"""Generators of large, wide and hostile models for benchmarks and for tests of budgets and time.

All are valid flatbuffers. The hostile ones are small files that cost a reader which follows every reference billions of
visits.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO, Any

from flatbuffers import Builder

from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.weighted import bias_scales
from tflint.schema import tflite_schema
from tflint.writer import pack, pack_numbers

_SCALE = 1 / 127.5
_CHUNK = 1 << 24


def many_tensors(n_tensors: int = 60_000, n_operators: int = 20_000) -> bytes:
    """Return a chain of int8 1x1 convolutions with four channels, each with own weights, bias and output, and a RELU.

    Weights and bias are per channel. Tensors beyond the 3 n_operators - 1 of the chain are unused constants. Raises
    ValueError if `n_tensors` is smaller.
    """
    if n_tensors < 3 * n_operators - 1:
        raise ValueError(f"{n_operators} operators need {3 * n_operators - 1} tensors, not {n_tensors}")
    tensors = [_tensor("input", "INT8", [1, 2, 2, 4], 0, scale=[_SCALE], zero_point=[-1])]
    buffers: list[dict[str, Any]] = [{}]
    operators = []
    for i in range(n_operators - 1):
        first = len(tensors)
        tensors += _layer(i, buffers)
        operators.append(_conv(first - 1, first, first + 1, first + 2))
    last = len(tensors)
    operators.append({"opcode_index": 1, "inputs": [last - 1], "outputs": [last]})
    tensors.append(_tensor("output", "INT8", [1, 2, 2, 4], 0, scale=[_SCALE], zero_point=[-1]))
    while len(tensors) < n_tensors:
        buffers.append({"data": bytes(16)})
        tensors.append(
            _tensor(f"unused_{len(tensors)}", "INT8", [16], len(buffers) - 1, scale=[_SCALE], zero_point=[0])
        )
    codes = [_code("CONV_2D", 3), _code("RELU", 2)]
    return _model(tensors, operators, buffers, codes, inputs=[0], outputs=[last])


def _layer(i: int, buffers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return weights, bias and output of one layer; the values differ between layers."""
    weight_scales = [0.003 + 0.0001 * ((i + channel) % 10) for channel in range(4)]
    weights = [127 if k % 4 == k // 4 else (i * 7 + k * 31) % 61 - 30 for k in range(16)]
    buffers.append({"data": pack_numbers("INT8", weights)})
    buffers.append({"data": pack_numbers("INT32", [(i * 13 + channel * 101) % 2000 - 1000 for channel in range(4)])})
    scope = f"stage_{i // 100}/block_{i}/conv"
    biases = bias_scales(_SCALE, weight_scales)
    return [
        _tensor(f"{scope}/weights", "INT8", [4, 1, 1, 4], len(buffers) - 2, scale=weight_scales, zero_point=[0] * 4),
        _tensor(f"{scope}/bias", "INT32", [4], len(buffers) - 1, scale=biases, zero_point=[0] * 4),
        _tensor(f"{scope}/output", "INT8", [1, 2, 2, 4], 0, scale=[_SCALE], zero_point=[-1]),
    ]


def _tensor(
    name: str, dtype: str, shape: list[int], buffer: int, *, scale: list[float], zero_point: list[int]
) -> dict[str, Any]:
    quantization = {"scale": scale, "zero_point": zero_point}
    return {"shape": shape, "type": dtype, "buffer": buffer, "name": name, "quantization": quantization}


def _conv(source: int, weights: int, bias: int, output: int) -> dict[str, Any]:
    options = {"type": "Conv2DOptions", "padding": "VALID", "stride_w": 1, "stride_h": 1}
    return {"opcode_index": 0, "inputs": [source, weights, bias], "outputs": [output], "builtin_options": options}


def _code(opcode: str, version: int) -> dict[str, Any]:
    number = tflite_schema().enum("BuiltinOperator").values[opcode]
    return {"deprecated_builtin_code": min(number, 127), "version": version, "builtin_code": opcode}


def _model(
    tensors: list[dict[str, Any]],
    operators: list[dict[str, Any]],
    buffers: list[dict[str, Any]],
    codes: list[dict[str, Any]],
    *,
    inputs: list[int],
    outputs: list[int],
) -> bytes:
    subgraph = {"tensors": tensors, "inputs": inputs, "outputs": outputs, "operators": operators, "name": "main"}
    return pack({"version": 3, "operator_codes": codes, "subgraphs": [subgraph], "buffers": buffers})


def hub_model(n_operators: int = 20_000) -> bytes:
    """Return a model in which every operator (ADD) reads the same float tensor and the running sum."""
    tensors = [{"shape": [1, 4], "name": "hub"}, {"shape": [1, 4], "name": "input"}]
    operators = []
    for i in range(n_operators):
        tensors.append({"shape": [1, 4], "name": f"sum_{i}"})
        operand = {"inputs": [0, i + 1], "outputs": [i + 2], "builtin_options": {"type": "AddOptions"}}
        operators.append({"opcode_index": 0, **operand})
    return _model(tensors, operators, [{}], [_code("ADD", 1)], inputs=[0, 1], outputs=[n_operators + 1])


def shared_reference_bomb(n: int = 30_000) -> bytes:
    """Return n references to one subgraph with n references to one tensor: 8 n bytes, n² visits."""
    builder = Builder(16 * n)
    tensor = _table(builder, "Tensor", {})
    subgraph = _table(builder, "SubGraph", {"tensors": _repeated(builder, tensor, n)})
    return _finished_model(builder, {"subgraphs": _repeated(builder, subgraph, n)})


def shared_vector_bomb(n: int = 20_000) -> bytes:
    """Return n operator tables that share one `inputs` vector of n entries: n² operands."""
    builder = Builder(64 * n)
    tensors = _repeated(builder, _table(builder, "Tensor", {}), 1)
    builder.StartVector(4, n, 4)
    for _ in range(n):
        builder.PrependInt32(0)
    inputs = builder.EndVector()
    operators = _vector(builder, [_table(builder, "Operator", {"inputs": inputs}) for _ in range(n)])
    subgraph = _table(builder, "SubGraph", {"tensors": tensors, "operators": operators})
    codes = _repeated(builder, _table(builder, "OperatorCode", {}), 1)
    return _finished_model(builder, {"operator_codes": codes, "subgraphs": _repeated(builder, subgraph, 1)})


def _table(builder: Any, name: str, offsets: dict[str, int]) -> int:
    """Write a table that contains only references."""
    layout = tflite_schema().table(name)
    builder.StartObject(layout.n_slots)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(layout.field(field).slot, offset, 0)
    return int(builder.EndObject())


def _repeated(builder: Any, offset: int, n: int) -> int:
    return _vector(builder, [offset] * n)


def _vector(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _finished_model(builder: Any, offsets: dict[str, int]) -> bytes:
    buffers = _repeated(builder, _table(builder, "Buffer", {}), 1)
    layout = tflite_schema().table("Model")
    builder.StartObject(layout.n_slots)
    builder.PrependUint32Slot(layout.field("version").slot, 3, 0)
    for field, offset in (offsets | {"buffers": buffers}).items():
        builder.PrependUOffsetTRelativeSlot(layout.field(field).slot, offset, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"TFL3")
    return bytes(builder.Output())


def write_sparse_2gb(path: str | Path, offset: int = (1 << 31) + (1 << 20)) -> int:
    """Write a fully connected model with weights and bias at `offset`, beyond 2 GB; return the file size.

    `Buffer.offset` and `Buffer.size` count from the start of the file. The gap is a hole, which takes almost no disk
    space if the file system supports sparse files.
    """
    builder = _fully_connected(n_inputs=8, n_outputs=4, weights=b"\0" * 32)
    buffers = builder.to_dict()["buffers"]
    contents = [pack_numbers("INT8", [127, *range(31)]), pack_numbers("INT32", [100, -50, 25, 0])]
    for i, content in enumerate(contents):
        buffers[i + 1] = {"offset": offset + 64 * i, "size": len(content)}
    with Path(path).open("wb") as file:
        file.write(builder.build())
        for i, content in enumerate(contents):
            file.seek(offset + 64 * i)
            file.write(content)
        return file.tell()


def write_big_weights(path: str | Path, n_bytes: int, n_outputs: int = 1024, *, is_depthwise: bool = False) -> int:
    """Write a model of one operator with one int8 weight buffer of `n_bytes`; return the file size.

    The operator is FULLY_CONNECTED, whose outputs are the first axis of its weights, or DEPTHWISE_CONV_2D, whose
    outputs are the last. `n_bytes` is a multiple of `n_outputs` below 2 GB. The weights repeat all values from -127 to
    127 and are written in pieces, so the whole buffer is never in memory.
    """
    n_inputs, left = divmod(n_bytes, n_outputs)
    if left:
        raise ValueError(f"{n_bytes} bytes are no whole rows of {n_outputs} outputs")
    if is_depthwise:
        small = _depthwise(kernel=n_inputs, n_outputs=n_outputs).to_dict()
    else:
        small = _fully_connected(n_inputs=n_inputs, n_outputs=n_outputs, weights=b"").to_dict()
    head, tail = _head_and_tail(small)
    with Path(path).open("wb") as file:
        file.write(head + struct.pack("<I", n_bytes))
        _write_pattern(file, n_bytes)
        file.write(tail)
        return file.tell()


def _head_and_tail(model: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return the bytes before the length of the last buffer, and the bytes after it.

    The weight buffer is packed first, so it is the last vector in the file. All offsets point forward, so a longer
    vector at the end moves nothing else.
    """
    marker = bytes(range(240, 256)) * 2
    weights = dict(model["buffers"][1])
    others = [model["buffers"][0], *model["buffers"][2:]]
    reordered = {**model, "buffers": [*others, {**weights, "data": marker}]}
    last = len(others)
    for tensor in reordered["subgraphs"][0]["tensors"]:
        tensor["buffer"] = last if tensor["buffer"] == 1 else max(0, tensor["buffer"] - 1)
    data = pack(reordered)
    start = data.rindex(marker)
    return data[: start - 4], data[start + len(marker) :]


def _write_pattern(file: IO[bytes], n_bytes: int) -> None:
    period = bytes((value - 127) & 0xFF for value in range(255))
    chunk = period * (_CHUNK // len(period))
    for start in range(0, n_bytes, len(chunk)):
        file.write(chunk[: min(len(chunk), n_bytes - start)])


def _fully_connected(*, n_inputs: int, n_outputs: int, weights: bytes) -> ModelBuilder:
    scales = [0.004] * n_outputs
    bias = [i % 200 - 100 for i in range(n_outputs)]
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, n_inputs], scale=_SCALE, zero_point=-1)
        .tensor("weights", "INT8", [n_outputs, n_inputs], data=weights, scale=scales)
        .tensor("bias", "INT32", [n_outputs], data=bias, scale=bias_scales(_SCALE, scales))
        .tensor("output", "INT8", [1, n_outputs], scale=0.05, zero_point=0)
        .operator("FULLY_CONNECTED", ["input", "weights", "bias"], ["output"], version=4)
        .inputs("input")
        .outputs("output")
    )


def _depthwise(*, kernel: int, n_outputs: int) -> ModelBuilder:
    """Return a depthwise convolution with a kernel of `kernel` x 1, an input of the same size and empty weights."""
    scales = [0.004] * n_outputs
    bias = [i % 200 - 100 for i in range(n_outputs)]
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "depth_multiplier": 1}
    return (
        ModelBuilder()
        .tensor("input", "INT8", [1, kernel, 1, n_outputs], scale=_SCALE, zero_point=-1)
        .tensor("weights", "INT8", [1, kernel, 1, n_outputs], data=b"", scale=scales, axis=3)
        .tensor("bias", "INT32", [n_outputs], data=bias, scale=bias_scales(_SCALE, scales))
        .tensor("output", "INT8", [1, 1, 1, n_outputs], scale=0.05, zero_point=0)
        .operator("DEPTHWISE_CONV_2D", ["input", "weights", "bias"], ["output"], options, version=3)
        .inputs("input")
        .outputs("output")
    )
