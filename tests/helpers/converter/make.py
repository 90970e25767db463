"""Converts small models with the real converter: `python -m tests.helpers.converter.make` (extra `tensorflow`).

Writes `models/*.tflite` and `manifest.json`, which holds the expected properties of each model; with names of models as
arguments, only these. Weights and calibration data come from fixed seeds, but the bytes depend on the version of
TensorFlow, so the models are committed.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from tests.helpers.converter import FOLDER
from tests.helpers.converter.train_classifier import IMAGENET, SIGNED, calibration_data, trained_network

MAX_BYTES = 60_000
_IMAGE = (16, 16, 3)


@dataclass(frozen=True)
class Made:
    """A model to convert, with its expected properties.

    `scheme` is the fact `model.scheme`; `inputs` and `outputs` are the data types of the first signature or subgraph;
    `weights` are the types of the operators' weights; `min_runtime_version` is what the converter writes into the
    metadata; `alarms` maps the rules that report the model to the reason why they are right.
    """

    what: str
    convert: Callable[[], bytes]
    scheme: str
    inputs: list[str]
    outputs: list[str]
    weights: list[str]
    min_runtime_version: str
    is_runnable: bool = True
    alarms: dict[str, str] = field(default_factory=dict)


# -- networks ----------------------------------------------------------------------------------------------------------


def image_network() -> Any:
    """Return a Keras model with convolutions and a softmax over five classes."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input(_IMAGE, batch_size=1),
            layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.DepthwiseConv2D(3, padding="same", activation="relu6"),
            layers.Conv2D(24, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax"),
        ]
    )


def webcam_network() -> Any:
    """Return a network like web-based training tools make: its input is x / 127.5 - 1, normalized by client code."""
    layers = tf.keras.layers
    features = tf.keras.Sequential(
        [
            layers.Input((224, 224, 3), batch_size=1),
            layers.Conv2D(8, 3, strides=4, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(6.0),
            layers.Conv2D(16, 1, use_bias=False),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
        ]
    )
    head = tf.keras.Sequential(
        [layers.Dense(20, activation="relu"), layers.Dense(3, use_bias=False, activation="softmax")]
    )
    return tf.keras.Sequential([features, head])


class L2Normalize(tf.keras.layers.Layer):
    """A layer that divides a vector by its length, which the converter maps to one operator."""

    def call(self, x: Any) -> Any:
        """Return the vector at length 1."""
        return tf.nn.l2_normalize(x, -1)


def heads_network(embedding: Any) -> Any:
    """Return one body with four heads: softmax, sigmoid, tanh, and a vector of length 1 by the layer `embedding`."""
    layers = tf.keras.layers
    image = layers.Input(_IMAGE, batch_size=1)
    body = layers.GlobalAveragePooling2D()(layers.Conv2D(16, 3, activation="relu")(image))
    heads = [layers.Dense(4, activation=name, name=name)(body) for name in ("softmax", "sigmoid", "tanh")]
    heads.append(embedding(name="embedding")(layers.Dense(8)(body)))
    return tf.keras.Model(image, heads)


def token_network() -> Any:
    """Return a network that maps twelve token ids through an embedding to two classes."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((12,), batch_size=1, dtype=tf.int32),
            layers.Embedding(100, 16),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2, activation="softmax"),
        ]
    )


def recurrent_network(layer: Callable[..., Any]) -> Any:
    """Return a network that maps 12 steps of 6 features through a recurrent layer to three classes."""
    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Input((12, 6), batch_size=1), layer(24), layers.Dense(3, activation="softmax")])


class FakeQuantNetwork(tf.Module):
    """Two convolutions and a dense layer, trained with fake-quant nodes on weights and activations."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = _random((3, 3, 3, 16), 1), _random((3, 3, 16, 24), 2)
        self.dense = _random((24, 5), 3)

    @tf.function(input_signature=[tf.TensorSpec((1, *_IMAGE), tf.float32, "image")])
    def __call__(self, image: Any) -> Any:
        """Return the scores of five classes."""
        x = _fake_quant(image, -1.0, 1.0)
        x = tf.nn.relu6(tf.nn.conv2d(x, _fake_quant_weights(self.first), 2, "SAME"))
        x = _fake_quant(x, 0.0, 6.0)
        x = tf.nn.relu6(tf.nn.conv2d(x, _fake_quant_weights(self.second), 2, "SAME"))
        x = _fake_quant(x, 0.0, 6.0)
        x = _fake_quant(tf.reduce_mean(x, [1, 2]), 0.0, 6.0)
        weights = tf.quantization.fake_quant_with_min_max_args(self.dense, -1.0, 1.0, narrow_range=True)
        return tf.nn.softmax(_fake_quant(x @ weights, -8.0, 8.0))


def _fake_quant(x: Any, low: float, high: float) -> Any:
    return tf.quantization.fake_quant_with_min_max_args(x, low, high)


def _fake_quant_weights(kernel: Any) -> Any:
    limits = np.abs(kernel).max((0, 1, 2))
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(kernel, -limits, limits, narrow_range=True)


class TwoEntries(tf.Module):
    """A model with two signatures, encode and score, that share their weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(_random((6, 8), 4))

    @tf.function(input_signature=[tf.TensorSpec((1, 6), tf.float32, "features")])
    def encode(self, features: Any) -> dict[str, Any]:
        """Return a code of eight numbers."""
        return {"code": tf.nn.relu(features @ self.weights)}

    @tf.function(input_signature=[tf.TensorSpec((1, 6), tf.float32, "features")])
    def score(self, features: Any) -> dict[str, Any]:
        """Return a number from 0 to 1."""
        return {"score": tf.sigmoid(tf.reduce_sum(tf.tanh(features @ self.weights), 1))}


class RunningMean(tf.Module):
    """A model that keeps a sum and a count in resource variables between invocations."""

    def __init__(self) -> None:
        super().__init__()
        self.total = tf.Variable(tf.zeros((1, 4)), trainable=False)
        self.count = tf.Variable(0.0, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, "sample")])
    def __call__(self, sample: Any) -> Any:
        """Return the mean of all samples so far."""
        self.total.assign_add(sample)
        self.count.assign_add(1.0)
        return self.total / self.count


class Determinant(tf.Module):
    """A model with an operator that TensorFlow Lite lacks, so it remains a TensorFlow operator."""

    @tf.function(input_signature=[tf.TensorSpec((1, 3, 3), tf.float32, "matrix")])
    def __call__(self, matrix: Any) -> Any:
        """Return twice the determinant of a matrix."""
        return tf.linalg.det(matrix) * 2.0


# -- conversions -------------------------------------------------------------------------------------------------------


def converted(
    network: Callable[[], Any], *, operators: Sequence[Any] = (), types: Sequence[Any] = (), **attributes: Any
) -> Callable[[], bytes]:
    """Return a function that builds a network with a fixed seed and converts it for the operator sets and weight types.

    `attributes` are set on the converter.
    """

    def convert() -> bytes:
        tf.keras.utils.set_random_seed(7)
        converter = _converter(network())
        for name, value in attributes.items():
            setattr(converter, name, value)
        if operators:
            converter.target_spec.supported_ops = list(operators)
        if types:
            converter.target_spec.supported_types = list(types)
        return bytes(converter.convert())

    return convert


def _converter(built: Any) -> Any:
    if isinstance(built, tf.keras.Model):
        return tf.lite.TFLiteConverter.from_keras_model(built)
    return tf.lite.TFLiteConverter.from_concrete_functions([built.__call__.get_concrete_function()], built)


def two_signatures() -> bytes:
    """Convert the model with two signatures from a saved model, which keeps the signature keys."""
    import tempfile

    module = TwoEntries()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"encode": module.encode, "score": module.score})
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["encode", "score"]).convert())


def images(shape: tuple[int, ...] = _IMAGE) -> Callable[[], Iterator[list[Any]]]:
    """Return a generator function for calibration data: 16 images with values from -1 to 1."""

    def calibration() -> Iterator[list[Any]]:
        generator = np.random.default_rng(11)
        for _ in range(16):
            yield [generator.uniform(-1, 1, (1, *shape)).astype(np.float32)]

    return calibration


def tokens() -> Iterator[list[Any]]:
    """Yield calibration data: 16 texts of twelve tokens."""
    generator = np.random.default_rng(12)
    for _ in range(16):
        yield [generator.integers(0, 100, (1, 12)).astype(np.int32)]


def _random(shape: tuple[int, ...], seed: int) -> Any:
    return np.random.default_rng(seed).normal(0, 0.2, shape).astype(np.float32)


_SMALLER = {"optimizations": [tf.lite.Optimize.DEFAULT]}
_CALIBRATED = _SMALLER | {"representative_dataset": images()}
_INT8 = _CALIBRATED | {"operators": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]}
_INT8_OR_FLOAT = _CALIBRATED | {"operators": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]}
_TOKENS = _INT8 | {"representative_dataset": tokens}
_INT16 = _CALIBRATED | {"operators": [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]}


def _border(dtype: Any) -> dict[str, Any]:
    return {"inference_input_type": dtype, "inference_output_type": dtype}


_BUILTIN, _FLEX = tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS
_CLASSIFIER = functools.cache(lambda: trained_network(IMAGENET))
_CLASSIFIER_INT8 = _INT8 | {"representative_dataset": calibration_data(IMAGENET)}
_SIGNED_INT8 = _INT8 | {"representative_dataset": calibration_data(SIGNED)}
_LSTM, _GRU = tf.keras.layers.LSTM, tf.keras.layers.GRU

MODELS: dict[str, Made] = {
    "image_float32": Made("a classifier of images, converted as it is", converted(image_network),
                          "float32", ["FLOAT32"], ["FLOAT32"], ["FLOAT32"], "1.6.0"),
    "image_dynamic_range": Made("weights in int8, computed by the hybrid kernels",
                                converted(image_network, **_SMALLER),
                                "dynamic range", ["FLOAT32"], ["FLOAT32"], ["FLOAT32", "INT8"], "2.4.0"),
    "uncalibrated_int8": Made("meant to be int8, but without calibration data: the same as dynamic range",
                              converted(image_network, **_SMALLER),
                              "dynamic range", ["FLOAT32"], ["FLOAT32"], ["FLOAT32", "INT8"], "2.4.0",
                              alarms={"Q029": "called int8, computes in float"}),
    "image_float16": Made("weights stored as float16", converted(image_network, **_SMALLER, types=[tf.float16]),
                          "float16 weights", ["FLOAT32"], ["FLOAT32"], ["FLOAT32"], "1.15.0"),
    "image_int8_float_border": Made("full int8, float32 input and output", converted(image_network, **_INT8),
                                    "full int8, float32 input and output",
                                    ["FLOAT32"], ["FLOAT32"], ["INT8"], "1.14.0"),
    "image_int8": Made("full int8", converted(image_network, **_INT8, **_border(tf.int8)),
                       "full int8", ["INT8"], ["INT8"], ["INT8"], "1.14.0"),
    "image_uint8_border": Made("full int8, uint8 input and output",
                               converted(image_network, **_INT8, **_border(tf.uint8)),
                               "full int8, uint8 input and output", ["UINT8"], ["UINT8"], ["INT8"], "1.14.0"),
    "image_uint8_to_float": Made("full int8 within, bytes in and floats out",
                                 converted(image_network, **_INT8, inference_input_type=tf.uint8),
                                 "full int8, uint8 input, float32 output",
                                 ["UINT8"], ["FLOAT32"], ["INT8"], "1.14.0"),
    "image_int16x8_float_border": Made("int16 activations, int8 weights, float32 input and output",
                                       converted(image_network, **_INT16),
                                       "int16x8, float32 input and output",
                                       ["FLOAT32"], ["FLOAT32"], ["INT8"], "1.6.0"),
    "image_int16x8": Made("activations in int16, weights in int8",
                          converted(image_network, **_INT16, **_border(tf.int16)),
                          "int16x8", ["INT16"], ["INT16"], ["INT8"], "1.6.0"),
    "fake_quant_int8": Made("trained with fake quantization: ranges from the graph, no calibration",
                            converted(FakeQuantNetwork, **_SMALLER),
                            "full int8, float32 input and output", ["FLOAT32"], ["FLOAT32"], ["INT8"], "1.14.0"),
    "heads_int8": Made("softmax, sigmoid, tanh and L2-normalised heads in int8",
                       converted(lambda: heads_network(L2Normalize), **_INT8, **_border(tf.int8)),
                       "full int8", ["INT8"], ["INT8"] * 4, ["INT8"], "1.14.0"),
    "heads_partly_int8": Made("with a layer of Keras for the length: SQUARE has no int8 kernel and stays in float",
                              converted(lambda: heads_network(tf.keras.layers.UnitNormalization), **_INT8_OR_FLOAT),
                              "mixed (float32, int8)", ["FLOAT32"], ["FLOAT32"] * 4, ["INT8"], "2.5.0"),
    "tokens_int8": Made("token numbers in int32 through an embedding, in int8", converted(token_network, **_TOKENS),
                        "full int8, float32 output", ["INT32"], ["FLOAT32"], ["INT8"], "1.14.0"),
    "webcam_float32": Made("a classifier of webcam images, normalised by the caller to -1 to 1",
                           converted(webcam_network),
                           "float32", ["FLOAT32"], ["FLOAT32"], ["FLOAT32"], "1.6.0"),
    "classifier_float32": Made("a trained classifier of shapes, normalized by ImageNet's mean and std",
                               converted(_CLASSIFIER),
                               "float32", ["FLOAT32"], ["FLOAT32"], ["FLOAT32"], "1.11.0"),
    "classifier_int8": Made("the same classifier in int8",
                            converted(_CLASSIFIER, **_CLASSIFIER_INT8, **_border(tf.int8)),
                            "full int8", ["INT8"], ["INT8"], ["INT8"], "1.14.0"),
    "classifier_uint8_border": Made("the same classifier in int8, with uint8 input and output",
                                    converted(_CLASSIFIER, **_CLASSIFIER_INT8, **_border(tf.uint8)),
                                    "full int8, uint8 input and output", ["UINT8"], ["UINT8"], ["INT8"], "1.14.0"),
    "classifier_signed_int8": Made("a classifier of shapes in int8, normalized to -1 to 1",
                                   converted(lambda: trained_network(SIGNED), **_SIGNED_INT8, **_border(tf.int8)),
                                   "full int8", ["INT8"], ["INT8"], ["INT8"], "1.14.0"),
    "lstm_float32": Made("an LSTM as a loop", converted(lambda: recurrent_network(_LSTM)),
                         "float32", ["FLOAT32"], ["FLOAT32"], ["FLOAT32"], "1.15.0"),
    "gru_dynamic_range": Made("a GRU with weights in int8", converted(lambda: recurrent_network(_GRU), **_SMALLER),
                              "dynamic range", ["FLOAT32"], ["FLOAT32"], ["FLOAT32", "INT8"], "2.17.0"),
    "two_signatures": Made("two signatures over one set of weights", two_signatures,
                           "float32", ["FLOAT32"], ["FLOAT32"], ["FLOAT32"], "1.14.0"),
    "running_mean": Made("resource variables that keep their values between calls",
                         converted(RunningMean, experimental_enable_resource_variables=True),
                         "float32", ["FLOAT32"], ["FLOAT32"], [], "2.6.0"),
    "flex": Made("an operator of TensorFlow's own, for the Flex delegate",
                 converted(Determinant, operators=[_BUILTIN, _FLEX]),
                 "float32", ["FLOAT32"], ["FLOAT32"], [], "1.5.0", is_runnable=False,
                 alarms={"O003": "TensorFlow's MatrixDeterminant needs the Flex delegate"}),
}  # fmt: skip


def main(names: Sequence[str]) -> None:
    """Write the named models, or all, and the manifest."""
    (FOLDER / "models").mkdir(exist_ok=True)
    known = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))["models"] if names else {}
    models = {}
    for name, made in MODELS.items():
        if names and name not in names:
            models[name] = known[name]
            continue
        content = made.convert()
        if len(content) > MAX_BYTES:
            raise SystemExit(f"{name} has {len(content):,} bytes, more than {MAX_BYTES:,}")
        (FOLDER / "models" / f"{name}.tflite").write_bytes(content)
        facts = {key: value for key, value in asdict(made).items() if key != "convert"}
        models[name] = {**facts, "bytes": len(content)}
    manifest = {"tensorflow": tf.__version__, "keras": tf.keras.__version__, "models": models}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
