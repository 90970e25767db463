"""The float32 and int8 models of `tests/helpers/converter/pairs`, and samples for them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.converter import FOLDER

PAIRS = FOLDER / "pairs"

#: Numbers of operators of both networks.
STEM, DEPTHWISE, POINTWISE, BODY, NECK = range(5)

needs_runtime = pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed"
)


def pair_path(name: str) -> Path:
    return PAIRS / f"{name}.tflite"


def pair_bytes(name: str) -> bytes:
    return pair_path(name).read_bytes()


def write_samples(folder: Path, n_samples: int = 8) -> Path:
    """Write images with values from 0 to 1, as in the calibration of the pairs."""
    path = folder / "samples.npz"
    values = np.random.default_rng(3).uniform(0, 1, (n_samples, 16, 16, 3)).astype(np.float32)
    np.savez(path, values)
    return path
