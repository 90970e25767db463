"""Test which 8-bit weights count as saturated: those of small channels, too, but not clustered ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.helpers.models import ModelBuilder
from tflint import check

Array = NDArray[Any]

#: Operator, shape of the weights, and axis of their channels.
SHAPES = {
    "3x3x3 first convolution": ("CONV_2D", [16, 3, 3, 3], 0),
    "3x3 depthwise convolution": ("DEPTHWISE_CONV_2D", [1, 3, 3, 32], 3),
    "fully connected": ("FULLY_CONNECTED", [16, 512], 0),
}


def rules(kind: str, weights: Array, scales: Array) -> list[str]:
    """Return Q025 if it reports a model with one operator with these weights."""
    opcode, shape, axis = SHAPES[kind]
    n_in = shape[-1]
    sides = ([1, n_in], [1, shape[0]]) if opcode == "FULLY_CONNECTED" else ([1, 3, 3, n_in], [1, 1, 1, shape[axis]])
    options = {} if opcode == "FULLY_CONNECTED" else {"padding": "VALID", "stride_w": 1, "stride_h": 1}
    data = weights.reshape(-1).astype(int).tolist()
    builder = ModelBuilder().tensor("input", "INT8", sides[0], scale=0.01, zero_point=0)
    builder.tensor("weights", "INT8", shape, data=data, scale=scales.tolist(), axis=axis)
    builder.tensor("output", "INT8", sides[1], scale=0.1, zero_point=0)
    builder.operator(opcode, ["input", "weights"], ["output"], options).inputs("input").outputs("output")
    report = check(builder.build())
    return [finding.rule for finding in report.findings() if finding.rule == "Q025"]


def quantize(kind: str, weights: Array, share_of_range: float) -> tuple[Array, Array]:
    """Return weights in int8 with one scale per channel, for a share of the largest absolute value."""
    _, shape, axis = SHAPES[kind]
    others = tuple(k for k in range(len(shape)) if k != axis)
    scales = np.abs(weights).max(axis=others, keepdims=True) * share_of_range / 127
    return np.clip(np.rint(weights / scales), -127, 127), scales.reshape(-1)


def normal(kind: str) -> Array:
    return np.random.default_rng(7).normal(size=SHAPES[kind][1])


@pytest.mark.parametrize("kind", SHAPES)
def test_weights_that_were_clipped_at_half_their_range_are_reported(kind: str) -> None:
    share = 0.25 if kind == "fully connected" else 0.5
    assert rules(kind, *quantize(kind, normal(kind), share)) == ["Q025"]


@pytest.mark.parametrize("kind", SHAPES)
def test_weights_with_their_whole_range_are_not_reported(kind: str) -> None:
    assert rules(kind, *quantize(kind, normal(kind), 1.0)) == []


@pytest.mark.parametrize("n_clusters", [2, 4, 16])
@pytest.mark.parametrize("kind", SHAPES)
def test_clustered_weights_are_not_saturated(kind: str, n_clusters: int) -> None:
    """The outermost clusters lie at the ends of the type, with a large share of the weights."""
    centers = np.linspace(-1, 1, n_clusters)
    chosen = np.random.default_rng(8).integers(0, n_clusters, SHAPES[kind][1])
    assert rules(kind, *quantize(kind, centers[chosen], 1.0)) == []


def test_clustered_weights_with_a_different_scale_per_channel_are_not_saturated() -> None:
    """Each channel uses other clusters, so that the integers differ between channels."""
    kind = "fully connected"
    generator = np.random.default_rng(9)
    centers = np.sort(generator.normal(size=(16, 8)), axis=1)
    chosen = generator.integers(0, 8, SHAPES[kind][1])
    weights, scales = quantize(kind, np.take_along_axis(centers, chosen, axis=1), 1.0)
    assert len(np.unique(weights)) > 16
    assert rules(kind, weights, scales) == []
