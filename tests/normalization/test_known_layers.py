"""Test the tables of known first layers: their sources, and the distances between layers."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

from tflint.normalization.known_layers import (
    MAX_DISTANCE,
    N_SAMPLES,
    distance,
    find_layer,
    known_layers,
    sample_places,
)
from tflint.resources import first_layer_tables

ENTRIES = [entry for table in first_layer_tables() for entry in table["layers"]]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_each_layer_has_its_sources(entry: dict) -> None:
    assert re.search(r"/blob/[0-9a-f]{40}/", entry["normalization_source"])
    assert re.search(r"@[0-9a-f]{40}:|SHA-256 [0-9a-f]{64}", entry["model_source"])
    assert re.fullmatch(r"[0-9a-f]{64}", entry["sha256"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", entry["sampled"])
    assert len(entry["weights"]) == N_SAMPLES
    assert "TODO" not in str(entry)


def test_the_networks_of_the_documentation_are_known() -> None:
    names = {layer.name.split(" (")[0] for layer in known_layers()}
    assert len(known_layers()) == len({layer.name for layer in known_layers()})
    for start in ("MobileNet v1", "MobileNet v2", "MoveNet", "MediaPipe face", "MediaPipe hand", "MediaPipe palm"):
        assert any(name.startswith(start) for name in names), start


@pytest.mark.parametrize("shape", sorted({layer.shape for layer in known_layers()}))
def test_samples_are_spread_over_outputs_windows_and_channels(shape: tuple[int, ...]) -> None:
    places = sample_places(shape)
    assert len(set(places)) == N_SAMPLES
    for size, indices in zip(shape, np.unravel_index(places, shape), strict=True):
        assert set(indices.tolist()) == set(range(size))


@pytest.mark.parametrize(
    "shape", [(27, 3, 3, 3), (9, 2, 2, 3), (64, 1, 1, 1), (1, 8, 8, 1), (4, 4, 4, 1), (3, 5, 5, 3)]
)
def test_samples_never_repeat_a_place(shape: tuple[int, ...]) -> None:
    places = sample_places(shape)
    assert len(set(places)) == N_SAMPLES
    assert 0 <= min(places) <= max(places) < math.prod(shape)


def test_known_layers_are_far_from_each_other() -> None:
    pairs = [pair for pair in itertools.combinations(known_layers(), 2) if pair[0].shape == pair[1].shape]
    assert len(pairs) > 20
    assert min(distance(first.weights, second.weights) for first, second in pairs) > 2 * MAX_DISTANCE


@pytest.mark.parametrize("known", known_layers(), ids=lambda layer: layer.name)
def test_rounding_to_256_steps_of_one_scale_keeps_a_layer_known(known) -> None:
    weights = np.array(known.weights)
    step = (max(weights.max(), 0) - min(weights.min(), 0)) / 255
    found = find_layer(known.shape, (np.round(weights / step) * step).tolist())
    assert found is not None
    assert found.name == known.name
    assert find_layer(known.shape, (weights / 127.5).tolist()) is None  # the normalization was folded into the weights
    assert find_layer(known.shape[::-1], known.weights) is None
