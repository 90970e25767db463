"""Synthetic images for the classifier of `train_classifier.py`: one colored shape on a textured background.

The six classes depend on the color (red or blue) and on the aspect ratio of the shape (disc, wide or tall), so the
classifier needs the right channel order and the right aspect ratio. Does not import TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

LABELS = tuple(f"{color} {shape}" for color in ("red", "blue") for shape in ("disc", "wide", "tall"))
_COLORS = {"red": (200, 60, 50), "blue": (50, 70, 190)}
#: Half axes of a shape relative to its size: vertical, horizontal.
_AXES = {"disc": (1.0, 1.0), "wide": (0.6, 1.4), "tall": (1.4, 0.6)}
_SIDES = (40, 73)


def draw_images(seed: int, n_images: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield images of different sizes, uint8 [height, width, 3] in RGB, with the index of their label."""
    generator = np.random.default_rng(seed)
    for number in range(n_images):
        label = number % len(LABELS)
        height, width = (int(side) for side in generator.integers(*_SIDES, 2))
        yield draw_image(generator, label, height, width), label


def draw_image(generator: np.random.Generator, label: int, height: int, width: int) -> np.ndarray:
    """Draw the shape of a label at a random place, with stripes and noise; return uint8 [height, width, 3] in RGB."""
    color, shape = LABELS[label].split()
    rows, columns = np.mgrid[:height, :width]
    size = generator.uniform(0.22, 0.32) * min(height, width)
    vertical, horizontal = (size * axis for axis in _AXES[shape])
    top = generator.uniform(vertical, height - vertical)
    left = generator.uniform(horizontal, width - horizontal)
    is_inside = ((rows - top) / vertical) ** 2 + ((columns - left) / horizontal) ** 2 <= 1
    stripes = 25 * np.sin(rows * generator.uniform(0.5, 2) + columns * generator.uniform(0.5, 2))
    pixels = generator.uniform(70, 150) + generator.uniform(-20, 20, 3) + stripes[..., None]
    pixels[is_inside] = np.add(_COLORS[color], generator.uniform(-25, 25, 3)) + 0.5 * stripes[is_inside][:, None]
    return np.clip(pixels + generator.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)
