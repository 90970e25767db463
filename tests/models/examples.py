"""The models of `examples/`: a small image classifier that is right, and the same one with three planted mistakes.

`python -m tests.models.examples` writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.models.builder import ModelBuilder
from tests.models.weighted import bias_scales, quantized
from tflint.writer.edit import edited

EXAMPLES_DIRECTORY = Path(__file__).parents[2] / "examples"

_INPUT_SCALE = 1 / 127.5
_STEM_SCALES = (0.0042, 0.0061, 0.0035, 0.0058)
_STEM_BIAS = (0.31, -0.12, 0.07, 0.22)
_STEM_OUTPUT = 6 / 255
_HEAD_SCALE = 0.0079
_HEAD_BIAS = (0.4, -0.25, 0.1)
_LOGITS_SCALE = 0.092


def good() -> bytes:
    """Convolution, reshape, fully connected, softmax: full int8, every scale as it must be."""
    stem = bias_scales(_INPUT_SCALE, _STEM_SCALES)
    head = bias_scales(_STEM_OUTPUT, (_HEAD_SCALE,))
    weights = [(37 * k) % 255 - 127 for k in range(4 * 4 * 4 * 3)]
    dense = [(53 * k) % 255 - 127 for k in range(3 * 16)]
    return (
        ModelBuilder(description="an example of tflint")
        .tensor("image", "INT8", [1, 8, 8, 3], scale=_INPUT_SCALE, zero_point=-1)
        .tensor("classifier/stem/weights", "INT8", [4, 4, 4, 3], data=weights, scale=_STEM_SCALES)
        .tensor("classifier/stem/bias", "INT32", [4], data=quantized(_STEM_BIAS, stem), scale=stem)
        .tensor("classifier/stem/Relu6", "INT8", [1, 2, 2, 4], scale=_STEM_OUTPUT, zero_point=-128)
        .tensor("classifier/flatten/shape", "INT32", [2], data=[1, 16])
        .tensor("classifier/flatten/Reshape", "INT8", [1, 16], scale=_STEM_OUTPUT, zero_point=-128)
        .tensor("classifier/head/weights", "INT8", [3, 16], data=dense, scale=_HEAD_SCALE)
        .tensor("classifier/head/bias", "INT32", [3], data=quantized(_HEAD_BIAS, head), scale=head)
        .tensor("classifier/head/BiasAdd", "INT8", [1, 3], scale=_LOGITS_SCALE, zero_point=4)
        .tensor("scores", "INT8", [1, 3], scale=1 / 256, zero_point=-128)
        .operator(
            "CONV_2D",
            ["image", "classifier/stem/weights", "classifier/stem/bias"],
            ["classifier/stem/Relu6"],
            {"padding": "VALID", "stride_w": 4, "stride_h": 4, "fused_activation_function": "RELU6"},
            version=3,
        )
        .operator(
            "RESHAPE",
            ["classifier/stem/Relu6", "classifier/flatten/shape"],
            ["classifier/flatten/Reshape"],
            {"new_shape": [1, 16]},
        )
        .operator(
            "FULLY_CONNECTED",
            ["classifier/flatten/Reshape", "classifier/head/weights", "classifier/head/bias"],
            ["classifier/head/BiasAdd"],
            version=4,
        )
        .operator("SOFTMAX", ["classifier/head/BiasAdd"], ["scores"], {"beta": 1.0}, version=2)
        .inputs("image")
        .outputs("scores")
        .signature("serving_default", {"image": "image"}, {"scores": "scores"})
        .build()
    )


def broken() -> bytes:
    """The same model after somebody rescaled its input, changed a reshaped tensor and kept an old axis."""
    return edited(
        good(),
        {
            "tensors.image.quantization.scale": [2 / 127.5],
            "tensors.classifier/flatten/Reshape.quantization.scale": [12 / 255],
            "tensors.classifier/head/bias.quantization.quantized_dimension": 3,
        },
    )


EXAMPLES: dict[str, Callable[[], bytes]] = {"good": good, "broken": broken}


def main() -> None:
    """Write the models."""
    EXAMPLES_DIRECTORY.mkdir(exist_ok=True)
    for name, build in EXAMPLES.items():
        (EXAMPLES_DIRECTORY / f"{name}.tflite").write_bytes(build())


if __name__ == "__main__":
    main()
