"""Write the models of `examples/`: a small image classifier, and a copy with three planted mistakes.

Run `python -m tools.regenerate models`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.plain import with_zip
from tests.helpers.models.weighted import bias_scales, quantized
from tests.helpers.paths import ROOT
from tflint.schema import metadata_schema
from tflint.writer import pack
from tflint.writer.model_edits import edit_model

EXAMPLES_DIRECTORY = ROOT / "examples"

_INPUT_SCALE = 1 / 127.5
_STEM_SCALES = (0.0042, 0.0061, 0.0035, 0.0058)
_STEM_BIAS = (0.31, -0.12, 0.07, 0.22)
_STEM_OUTPUT = 6 / 255
_HEAD_SCALE = 0.0079
_HEAD_BIAS = (0.4, -0.25, 0.1)
_LOGITS_SCALE = 0.092


def good() -> bytes:
    """Return the full int8 classifier: convolution, reshape, fully connected and softmax with correct scales."""
    stem = bias_scales(_INPUT_SCALE, _STEM_SCALES)
    head = bias_scales(_STEM_OUTPUT, (_HEAD_SCALE,))
    weights = [(37 * k) % 255 - 127 for k in range(4 * 4 * 4 * 3)]
    dense = [(53 * k) % 255 - 127 for k in range(3 * 16)]
    model = (
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
        .metadata("min_runtime_version", b"1.14.0".ljust(16, b"\0"))
        .metadata("TFLITE_METADATA", _metadata())
        .build()
    )
    return with_zip(model, {"labels.txt": "cat\ndog\nbird\n"})


def _metadata() -> bytes:
    """Return the metadata: author, normalization, labels and so on."""
    image = {
        "name": "image",
        "description": "a picture, 0 to 255",
        "content": {"content_properties": {"type": "ImageProperties", "color_space": "RGB"}},
        "process_units": [{"options": {"type": "NormalizationOptions", "mean": [127.5], "std": [127.5]}}],
        "stats": {"max": [1.0], "min": [-1.0]},
    }
    scores = {
        "name": "scores",
        "description": "probability of each class",
        "content": {"content_properties": {"type": "FeatureProperties"}},
        "stats": {"max": [1.0], "min": [0.0]},
        "associated_files": [{"name": "labels.txt", "description": "the classes", "type": "TENSOR_AXIS_LABELS"}],
    }
    root = {
        "name": "classifier",
        "description": "tells a cat, a dog and a bird apart, or would if it had been trained",
        "version": "1.0",
        "author": "the tflint authors",
        "license": "Apache-2.0",
        "subgraph_metadata": [{"input_tensor_metadata": [image], "output_tensor_metadata": [scores]}],
        "min_parser_version": "1.0.0",
    }
    return pack(root, metadata_schema())


def broken() -> bytes:
    """Return the classifier with a rescaled input, a changed reshaped tensor and an outdated axis."""
    return edit_model(
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
