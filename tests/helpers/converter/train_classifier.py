"""Trains the small classifier of the images in `shape_images.py`; `make.py` converts it.

Its preprocessing: letterbox to 32 × 32 with bilinear interpolation and black padding, RGB, then ImageNet's mean and
std, or x / 127.5 - 1. A training with TensorFlow takes about ten seconds on a CPU.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tests.helpers.converter.shape_images import LABELS, draw_images
from tflint.preprocessing.codegen.numpy_snippets import letterbox

SIDE = 32
#: Mean and std of pixels from 0 to 255.
IMAGENET = (255 * np.array([0.485, 0.456, 0.406]), 255 * np.array([0.229, 0.224, 0.225]))
SIGNED = (np.array([127.5]), np.array([127.5]))
#: Share of new images that a trained network must classify correctly.
MIN_ACCURACY = 0.97
_TRAINING_IMAGES, _TEST_IMAGES, _EPOCHS, _BATCH = 3000, 600, 20, 32


def trained_network(normalization: tuple[Any, Any]) -> Any:
    """Return the network, trained with a normalization. Raises `SystemExit` if it is not accurate enough."""
    tf.keras.utils.set_random_seed(7)
    mean, std = normalization
    images, labels = preprocessed_images(1, _TRAINING_IMAGES)
    network = _network()
    rate = tf.keras.optimizers.schedules.CosineDecay(4e-3, _EPOCHS * len(images) // _BATCH)
    loss = tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.1)  # so that probabilities do not reach 1
    network.compile(tf.keras.optimizers.Adam(rate), loss)
    network.fit((images - mean) / std, np.eye(len(LABELS))[labels], _BATCH, _EPOCHS, verbose=0)
    images, labels = preprocessed_images(2, _TEST_IMAGES)
    accuracy = float((network.predict((images - mean) / std, verbose=0).argmax(1) == labels).mean())
    print(f"accuracy on {_TEST_IMAGES} new images: {accuracy:.1%}")
    if accuracy < MIN_ACCURACY:
        raise SystemExit(f"the accuracy must be at least {MIN_ACCURACY:.0%}")
    fixed = _network(batch_size=1)
    fixed.set_weights(network.get_weights())
    return fixed


def _network(batch_size: int | None = None) -> Any:
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 3), batch_size=batch_size),
            layers.Conv2D(12, 3, strides=2, activation="relu"),
            layers.Conv2D(20, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(24, 3, activation="relu"),
            layers.GlobalMaxPooling2D(),
            layers.Dense(len(LABELS), activation="softmax"),
        ]
    )


@functools.cache
def preprocessed_images(seed: int, n_images: int) -> tuple[Any, Any]:
    """Return images at the size of the network, float32 pixels from 0 to 255, and their labels."""
    pairs = list(draw_images(seed, n_images))
    images = [letterbox(image, SIDE, SIDE, ("bilinear", False, "half-pixel"), [0.0], True) for image, _ in pairs]
    return np.array(images, np.float32), np.array([label for _, label in pairs])


def calibration_data(normalization: tuple[Any, Any]) -> Callable[[], Iterator[list[Any]]]:
    """Return a generator function for calibration data: 100 training images."""

    def calibration() -> Iterator[list[Any]]:
        mean, std = normalization
        for image in preprocessed_images(1, _TRAINING_IMAGES)[0][:100]:
            yield [((image - mean) / std).astype(np.float32)[None]]

    return calibration
