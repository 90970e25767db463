"""Converts small networks to float32 and to int8: `python -m tests.helpers.converter.make_pairs` (extra `tensorflow`).

Writes `pairs/*.tflite` and `pairs.json`. Weights and calibration data come from fixed seeds, but the bytes depend on
the version of TensorFlow, so the models are committed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tests.helpers.converter import FOLDER

MAX_BYTES = 60_000
_IMAGE = (16, 16, 3)


def chain_network() -> Any:
    """Return convolutions in a row and a softmax over five classes. Activations reach the limit of RELU6."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input(_IMAGE, batch_size=1),
            layers.Conv2D(12, 3, strides=2, activation="relu6", name="stem"),
            layers.DepthwiseConv2D(3, padding="same", activation="relu6", name="depthwise"),
            layers.Conv2D(16, 1, activation="relu6", name="pointwise"),
            layers.Conv2D(16, 3, activation="relu6", name="body"),
            layers.Conv2D(24, 1, activation="relu6", name="neck"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(5, activation="softmax", name="head"),
        ]
    )


def branches_network() -> Any:
    """Return branches that meet in an addition and a concatenation, and two outputs."""
    layers = tf.keras.layers
    image = layers.Input(_IMAGE, batch_size=1)
    stem = layers.Conv2D(12, 3, strides=2, activation="relu6", name="stem")(image)
    left = layers.Conv2D(12, 3, padding="same", activation="relu6", name="left")(stem)
    total = layers.Add(name="total")([stem, left])
    right = layers.Conv2D(12, 1, activation="relu6", name="right")(stem)
    both = layers.Concatenate(name="both")([total, right])
    neck = layers.Conv2D(16, 3, strides=2, activation="relu6", name="neck")(both)
    pooled = layers.GlobalAveragePooling2D(name="pool")(neck)
    scores = layers.Dense(5, activation="softmax", name="scores")(pooled)
    numbers = layers.Dense(4, name="numbers")(pooled)
    return tf.keras.Model(image, [scores, numbers])


def build(network: Callable[[], Any]) -> Any:
    """Return a network with random weights and biases whose activations have a standard deviation of about 2."""
    tf.keras.backend.clear_session()  # so that the names of both models of a pair are equal
    tf.keras.utils.set_random_seed(5)
    model = network()
    generator = np.random.default_rng(5)
    for weights in model.weights:
        shape = tuple(weights.shape)
        fan_in = int(np.prod(shape[:2] if "depthwise" in weights.path else shape[:-1])) if len(shape) > 1 else 1
        spread = 0.3 if len(shape) == 1 else 2.0 / np.sqrt(fan_in)
        weights.assign(generator.normal(0.0, spread, shape))
    return model


def calibration() -> Iterator[list[Any]]:
    """Yield 32 images with values from 0 to 1."""
    generator = np.random.default_rng(11)
    for _ in range(32):
        yield [generator.uniform(0, 1, (1, *_IMAGE)).astype(np.float32)]


def convert(network: Callable[[], Any], dtype: Any) -> bytes:
    """Convert a network. For float32, nothing is quantized; else inputs and outputs have the type."""
    converter = tf.lite.TFLiteConverter.from_keras_model(build(network))
    if dtype != tf.float32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = dtype
    return bytes(converter.convert())


def convert_with_float_interface() -> bytes:
    """Convert the chain to int8 with float32 inputs and outputs."""
    converter = tf.lite.TFLiteConverter.from_keras_model(build(chain_network))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return bytes(converter.convert())


def convert_dynamic_range() -> bytes:
    """Convert the chain with weights in int8 and activations in float32."""
    converter = tf.lite.TFLiteConverter.from_keras_model(build(chain_network))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())


MODELS: dict[str, Callable[[], bytes]] = {
    "chain_float32": lambda: convert(chain_network, tf.float32),
    "chain_int8": lambda: convert(chain_network, tf.int8),
    "chain_int8_float_interface": convert_with_float_interface,
    "chain_dynamic_range": convert_dynamic_range,
    "branches_float32": lambda: convert(branches_network, tf.float32),
    "branches_int8": lambda: convert(branches_network, tf.int8),
}


def main() -> None:
    """Write all models and their list."""
    folder = FOLDER / "pairs"
    folder.mkdir(exist_ok=True)
    sizes = {}
    for name, make in MODELS.items():
        content = make()
        if len(content) > MAX_BYTES:
            raise SystemExit(f"{name} has {len(content):,} bytes, more than {MAX_BYTES:,}")
        (folder / f"{name}.tflite").write_bytes(content)
        sizes[name] = len(content)
    manifest = {"tensorflow": tf.__version__, "keras": tf.keras.__version__, "bytes": sizes}
    (FOLDER / "pairs.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
