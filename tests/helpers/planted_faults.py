"""Planted faults: one edit of a valid model, and the rule that must find it.

The models come from `tests/helpers/models` and `tests/helpers/converter`.
`python -m tests.helpers.planted_faults FOLDER` writes every faulty model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.models.named import NAMED
from tflint.engine.select import METADATA_RULES
from tflint.writer.model_edits import edit_model

CONVERTER_MODELS = Path(__file__).with_name("converter") / "models"

Edit = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A model, an edit, and the rule that must report it (at `place`, if set)."""

    model: str
    edit: Edit
    rule: str
    place: str = ""
    targets: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Rule, model and edited fields, as a test id."""
        return f"{self.rule}-{self.model}-{'+'.join(key.split('.', 1)[-1] for key in self.edit)}"[:120]

    def sound(self) -> bytes:
        """Return the valid model."""
        made = NAMED.get(self.model)
        return made() if made else (CONVERTER_MODELS / f"{self.model}.tflite").read_bytes()

    def faulty(self) -> bytes:
        """Return the model with its fault."""
        return edit_model(self.sound(), self.edit)


def _quantized(tensor: str, name: str, value: list[Any]) -> Edit:
    return {f"tensors.{tensor}.quantization.{name}": value}


def faults() -> Iterator[Fault]:
    """Yield every planted fault."""
    yield from _biases()
    yield from _scales()
    yield from _zero_points()
    yield from _fixed_outputs()
    yield from _parameters()
    yield from _values()
    yield from _graph()
    yield from _files()
    yield from _border()


# Tensors of the converter's models go by index: their names are long, and others with each converter.


def _biases() -> Iterator[Fault]:
    for model, n in (("conv_int8", 3), ("depthwise_int8", 2), ("transpose_conv_int8", 2)):
        yield Fault(model, _quantized("bias", "scale", [0.5] * n), "Q001", "bias")
        yield Fault(model, _quantized("bias", "zero_point", [1] * n), "Q106", "bias")
        yield Fault(model, {"tensors.bias.type": "INT16", "tensors.bias.data": [1] * n}, "Q002", "bias")
        yield Fault(model, {"tensors.bias.type": "FLOAT32", "tensors.bias.data": [1.0] * n}, "Q002", "bias")
        yield Fault(model, {"tensors.bias.shape": [1], "tensors.bias.data": [1]}, "Q107", "bias")
    for model in ("conv_uint8", "fully_connected_int8"):
        yield Fault(model, _quantized("bias", "scale", [0.9]), "Q101", "bias")
    yield Fault("conv_int8", _quantized("bias", "scale", [0.5]) | _quantized("bias", "zero_point", [0]), "Q105", "bias")
    yield Fault("conv_float32", {"tensors.bias.type": "INT32", "tensors.bias.data": [1, 1, 1]}, "Q002", "bias")
    yield Fault("conv_hybrid", {"tensors.bias.type": "INT32", "tensors.bias.data": [1, 1, 1]}, "Q002", "bias")
    yield Fault("conv_float32", {"tensors.bias.shape": [5], "tensors.bias.data": [1.0] * 5}, "Q108", "bias")
    for tensor in (3, 6, 7):
        yield Fault("image_int8", {f"tensors.{tensor}.type": "INT16"}, "Q002")
        yield Fault("image_int8", {f"tensors.{tensor}.quantization.zero_point.0": 1}, "Q106")


def _scales() -> Iterator[Fault]:
    for value in (0.0, -0.5, float("nan"), float("inf"), 1e-45):
        yield Fault("conv_int8", _quantized("output", "scale", [value]), "Q004", "output")
        yield Fault("add_int8", _quantized("a", "scale", [value]), "Q004", "a")
    yield Fault("conv_int8", _quantized("weights", "scale", [0.1, 0.0, 0.1]), "Q004", "weights")
    for value in (1e11, 1e20, 3e38):
        yield Fault("conv_int8", _quantized("output", "scale", [value]), "Q005", "output")
    yield Fault("fully_connected_int8", _quantized("input", "scale", [5e4]), "Q109", "input")
    yield Fault("add_int8", _quantized("output", "scale", [1e-9]), "Q038", "output")
    yield Fault("conv_int8", _quantized("output", "scale", [1e-9]), "Q103", "output")
    yield Fault("reshape_int8", _quantized("output", "scale", [2.0]), "Q013", "output")
    yield Fault("concat_int8", _quantized("b", "scale", [0.5]), "Q013", "output")
    yield Fault("max_pool_int8", _quantized("output", "scale", [0.5]), "Q013", "output")
    yield Fault("max_pool_int8", _quantized("output", "zero_point", [7]), "Q013", "output")
    yield Fault("conv_int8", {"tensors.weights.quantization.quantized_dimension": 9}, "Q009", "weights")
    yield Fault("conv_int8", _quantized("weights", "scale", [0.1, 0.1]) | _quantized("weights", "zero_point", [0, 0]),
                "Q102", "weights")  # fmt: skip


def _zero_points() -> Iterator[Fault]:
    for value in (128, -129, 300, 100_000):
        yield Fault("conv_int8", _quantized("output", "zero_point", [value]), "Q006", "output")
    yield Fault("add_int8", _quantized("a", "zero_point", [-200]), "Q006", "a")
    yield Fault("conv_uint8", _quantized("output", "zero_point", [256]), "Q006", "output")
    yield Fault("conv_uint8", _quantized("weights", "zero_point", [-1]), "Q006", "weights")
    yield Fault("conv_int8", _quantized("weights", "zero_point", [0]), "Q008", "weights")
    yield Fault("conv_int8", {"tensors.output.quantization.zero_point": "absent"}, "Q008", "output")
    for model, n in (("conv_int8", 3), ("depthwise_int8", 2), ("transpose_conv_int8", 2), ("conv_hybrid", 3)):
        yield Fault(model, _quantized("weights", "zero_point", [3] * n), "Q011", "weights")
    yield Fault("fully_connected_int4", _quantized("weights", "zero_point", [1]), "Q011", "weights")
    yield Fault("conv_int16x8", _quantized("input", "zero_point", [3]), "Q035", "input")
    yield Fault("conv_int16x8", _quantized("output", "zero_point", [-1]), "Q035", "output")
    yield Fault("image_int16x8", {"tensors.8.quantization.zero_point": [5]}, "Q035")


def _fixed_outputs() -> Iterator[Fault]:
    for model, rule in (
        ("logistic_int16", "Q014"),
        ("softmax_int8", "Q015"),
        ("tanh_int8", "Q016"),
        ("tanh_int16", "Q113"),
        ("l2_normalization_int8", "Q017"),
        ("log_softmax_int8", "Q115"),
        ("logistic_int8", "Q110"),
    ):
        yield Fault(model, _quantized("output", "scale", [0.02]), rule, "output")
    for model, rule in (("softmax_int8", "Q015"), ("l2_normalization_int8", "Q017"), ("log_softmax_int8", "Q115")):
        yield Fault(model, _quantized("output", "zero_point", [5]), rule, "output")
    for model, rule in (("logistic_int8", "Q111"), ("tanh_int8", "Q114"), ("softmax_int8", "Q112")):
        scale = 0.003908 if rule == "Q112" else 0.02
        yield Fault(model, _quantized("output", "scale", [scale]), rule, "output", targets=("tflm",))
    for tensor, rule in ((11, "Q017"), (13, "Q110"), (15, "Q015"), (17, "Q016")):
        yield Fault("heads_int8", {f"tensors.{tensor}.quantization.scale": [0.02]}, rule)


def _parameters() -> Iterator[Fault]:
    for model, tensors in (
        ("conv_int8", ("input", "weights", "output")),
        ("depthwise_int8", ("input", "output")),
        ("fully_connected_int8", ("input", "weights", "output")),
        ("add_int8", ("a", "b", "output")),
        ("conv_int16x8", ("input", "output")),
        ("logistic_int8", ("input", "output")),
    ):
        for tensor in tensors:
            yield Fault(model, {f"tensors.{tensor}.quantization": "absent"}, "Q007", tensor)
    for tensor in (8, 9, 12):
        yield Fault("image_int8", {f"tensors.{tensor}.quantization": "absent"}, "Q007")


def _values() -> Iterator[Fault]:
    nan, inf = float("nan"), float("inf")
    yield Fault("conv_float32", {"tensors.weights.data": [nan, 1.0, 1.0, 1.0, 1.0, 1.0]}, "Q034", "weights")
    yield Fault("conv_float32", {"tensors.bias.data": [0.0, nan, 0.0]}, "Q034", "bias")
    yield Fault("conv_float32", {"tensors.bias.data": [0.0, -inf, 0.0]}, "Q117", "bias")
    yield Fault("conv_float16_weights", {"tensors.weights_float16.data": [inf, 1.0, 1.0, 1.0, 1.0, 1.0]}, "Q117",
                "weights_float16")  # fmt: skip
    yield Fault("labels_float32", {"tensors.weights.data": [nan] * 12}, "Q034", "weights")
    yield Fault("wide_int8", {"tensors.weights.data": [127] * 10 + list(range(30))}, "Q025", "weights")
    yield Fault("webcam_float32", {"tensors.3.data": [nan] * 16}, "Q034")
    yield Fault("webcam_float32", {"tensors.7.data": [inf] * 8}, "Q117")


def _graph() -> Iterator[Fault]:
    yield Fault("chain_float32", {"operators.1.inputs": [3]}, "G008")
    yield Fault("chain_float32", {"operators.1.inputs": [9]}, "G007")
    yield Fault("chain_float32", {"operators.1.outputs": [-1]}, "G007")
    yield Fault("conv_float32", {"tensors.weights.buffer": 99}, "G007")
    yield Fault("conv_float32", {"tensors.weights.shape": [3, 1, 1, 9]}, "G006", "weights")
    yield Fault("conv_float32", {"tensors.output.shape": [1, -4, 4, 3]}, "X004", "output")
    yield Fault("chain_float32", {"tensors.b.shape": [2147483647] * 3}, "X101", "b")
    yield Fault("chain_float32", {"tensors.a.shape": [65536, 65536, 4]}, "X102", "a")
    yield Fault("fully_connected_int8", {"tensors.bias.is_variable": True}, "G010", "bias")
    yield Fault("conv_int8", {"buffers.0.data": [1, 2, 3, 4]}, "G009")
    yield Fault("conv_int8", {"buffers.0.data": [1, 2, 3, 4]}, "G009", targets=("tflm",))
    yield Fault("sparse_float32", {"tensors.weights.sparsity.traversal_order": [0, 0]}, "G016", "weights")
    yield Fault("sparse_float32", {"tensors.weights.sparsity.dim_metadata.0.dense_size": 5}, "G016", "weights")
    yield Fault("sparse_float32", {"tensors.weights.sparsity.dim_metadata.1.array_segments.values": [0, 3, 2, 3]},
                "G016", "weights")  # fmt: skip
    yield Fault("sparse_float32", {"tensors.weights.sparsity.dim_metadata.1.array_indices.values": [0, 1]}, "G016",
                "weights")  # fmt: skip
    yield Fault("custom_op", {"operator_codes.0.custom_code": "absent"}, "G017")
    yield Fault("conv_float32", {"operators.0.custom_options": [1]}, "G124", targets=("tflm",))
    yield Fault("conv_int8", {"operator_codes.0.version": 99}, "O001")
    yield Fault("image_int8", {"operator_codes.0.version": 50}, "O001")
    yield Fault("conv_int8", {"operator_codes.0.builtin_code": "CONV_3D"}, "O002", targets=("tflite==2.3",))
    yield Fault("conv_int8", {"operator_codes.0.builtin_code": 250}, "O100")


def _files() -> Iterator[Fault]:
    yield Fault("conv_int8", {"file.truncate": 300}, "G003")
    yield Fault("image_int8", {"file.truncate": 4000}, "G003")
    yield Fault("conv_int8", {"file.truncate": 0}, "G101")
    yield Fault("conv_int8", {"file.bytes": "<!DOCTYPE html><html></html>"}, "G002")
    yield Fault("conv_int8", {"file.trailing_bytes": "a log line that a program printed into the model's file"}, "G014")
    yield Fault("conv_int8", {"version": 2}, "G005")
    yield Fault("labels_float32", {"file.truncate": -30}, "M100")
    yield Fault("labels_float32", {"metadata.0.buffer": 0}, "M101")


def _border() -> Iterator[Fault]:
    yield Fault("signature_float32", {"signature_defs.serving_default.inputs.0.tensor_index": 50}, "K005")
    yield Fault("signature_float32", {"signature_defs.serving_default.inputs.0.tensor_index": 2}, "K100")
    yield Fault("signature_float32", {"signature_defs.serving_default.inputs.1.name": "x"}, "K101")
    yield Fault("signature_float32", {"signature_defs.0.signature_key": "absent"}, "K102")
    yield Fault("two_signatures", {"signature_defs.1.signature_key": "add"}, "K103")
    yield Fault("two_signatures", {"signature_defs.0.subgraph_index": 3}, "K005")
    yield Fault("add_float32", {"operators.0.inputs": [0, 0]}, "D012", "b")
    yield Fault("conv_hybrid", {"description": "int8 person detector"}, "Q029")
    yield Fault("image_dynamic_range", {"description": "full-integer-quant"}, "Q029")
    for name, rule in METADATA_RULES.items():
        if name != "labels":  # the one model with labels keeps its zip
            yield Fault("image_float32", {"metadata": "absent"}, rule, config={"metadata_require": (name,)})


def main(folder: Path) -> None:
    """Write the faulty models to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, fault in enumerate(faults()):
        (folder / f"{number:03d}-{fault.rule}-{fault.model}.tflite").write_bytes(fault.faulty())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
