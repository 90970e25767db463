"""Plants faults that cost accuracy in int8 models: a clipped range, an outlier channel, a scaled bias.

A model is a dict as `tflint.writer.unpack` returns it. Operators are named by their numbers in the first subgraph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint.writer import pack, unpack

_DTYPES = {"FLOAT32": np.float32, "INT8": np.int8, "INT32": np.int32}


class EditedModel:
    """A model whose constants and scales are edited as arrays."""

    def __init__(self, content: bytes) -> None:
        self.model: dict[str, Any] = unpack(content)
        self.graph = self.model["subgraphs"][0]

    def build(self) -> bytes:
        return pack(self.model)

    def operands(self, operator: int) -> list[int]:
        return self.graph["operators"][operator]["inputs"]

    def output(self, operator: int) -> int:
        return self.graph["operators"][operator]["outputs"][0]

    def consumers(self, tensor: int) -> list[int]:
        return [number for number, one in enumerate(self.graph["operators"]) if tensor in one["inputs"]]

    def opcode(self, operator: int) -> str:
        code = self.model["operator_codes"][self.graph["operators"][operator].get("opcode_index", 0)]
        return code.get("builtin_code", "ADD")

    def quantization(self, tensor: int) -> dict[str, Any]:
        return self.graph["tensors"][tensor]["quantization"]

    def read(self, tensor: int) -> np.ndarray:
        found = self.graph["tensors"][tensor]
        raw = self.model["buffers"][found["buffer"]]["data"]
        return np.frombuffer(bytes(raw), _DTYPES[found.get("type", "FLOAT32")]).reshape(found["shape"]).copy()

    def write(self, tensor: int, values: np.ndarray) -> None:
        self.model["buffers"][self.graph["tensors"][tensor]["buffer"]]["data"] = values.tobytes()


def clip_range(content: bytes, operator: int, factor: float) -> bytes:
    """Return an int8 model in which the scale of an operator's output is smaller by a factor."""
    edited = EditedModel(content)
    tensor = edited.output(operator)
    edited.quantization(tensor)["scale"] = [edited.quantization(tensor)["scale"][0] / factor]
    for number in edited.consumers(tensor):
        if edited.opcode(number) not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        bias = edited.operands(number)[2]
        scales = edited.quantization(bias)
        scales["scale"] = [scale / factor for scale in scales["scale"]]
        edited.write(bias, np.round(edited.read(bias) * factor).astype(np.int32))
    return edited.build()


def scale_bias(content: bytes, operator: int, factor: float) -> bytes:
    """Return an int8 model in which the bias of an operator is multiplied by a factor."""
    edited = EditedModel(content)
    bias = edited.operands(operator)[2]
    edited.write(bias, np.round(edited.read(bias) * factor).astype(np.int32))
    return edited.build()


def amplify_channel(content: bytes, operator: int, channel: int, factor: float, *, axis: int = 0) -> bytes:
    """Return a model in which an output channel of an operator has larger weights, and the bias to match."""
    edited = EditedModel(content)
    _, weights, bias = edited.operands(operator)
    for tensor, along in ((weights, axis), (bias, 0)):
        if edited.graph["tensors"][tensor].get("type", "FLOAT32") == "FLOAT32":
            values = edited.read(tensor)
            values[(slice(None),) * along + (channel,)] *= factor
            edited.write(tensor, values)
        else:
            scales = edited.quantization(tensor)["scale"]
            scales[channel] *= factor
    return edited.build()


def merge_scales(content: bytes, operator: int, *, axis: int = 0) -> bytes:
    """Return an int8 model in which the weights of an operator have one scale instead of one per channel."""
    edited = EditedModel(content)
    data, weights, bias = edited.operands(operator)
    for tensor, along in ((weights, axis), (bias, 0)):
        found = edited.quantization(tensor)
        values = edited.read(tensor)
        shape = [-1 if number == along else 1 for number in range(values.ndim)]
        real = values * np.array(found["scale"]).reshape(shape)
        if tensor == weights:
            scale = np.float32(np.abs(real).max() / 127)
        else:
            scale = np.float32(edited.quantization(data)["scale"][0]) * scale
        found["scale"], found["zero_point"] = [float(scale)], [0]
        edited.write(tensor, np.round(real / scale).astype(values.dtype))
    return edited.build()
