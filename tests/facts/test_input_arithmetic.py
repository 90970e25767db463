"""Test preprocessing arithmetic inside of graphs: each kind against the value that the graph computes for a pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.helpers.corpus import CORPUS, needs_corpus
from tests.helpers.facts import facts_of, named, rows
from tests.helpers.models import ModelBuilder
from tflint.api import check
from tflint.contract import parse_contract

Step = tuple[str, str, Sequence[float]]


def chain(*steps: Step, activation: str = "NONE", shape: Sequence[int] = (1, 4, 4, 3)) -> bytes:
    """A model that applies operators with a constant to its input; `"c-x"` has the constant first."""
    builder = ModelBuilder().tensor("x0", "FLOAT32", shape)
    for number, (opcode, order, values) in enumerate(steps):
        before, constant, after = f"x{number}", f"c{number}", f"x{number + 1}"
        builder.tensor(constant, "FLOAT32", [len(values)], data=values).tensor(after, "FLOAT32", shape)
        operands = [before, constant] if order == "x-c" else [constant, before]
        builder.operator(opcode, operands, [after], {"fused_activation_function": activation})
    return builder.inputs("x0").outputs(f"x{len(steps)}").build()


@pytest.mark.parametrize(
    ("steps", "scale", "offset", "expects"),
    [
        ([("MUL", "x-c", [1 / 255])], [1 / 255], [0.0], "u8"),
        ([("DIV", "x-c", [255.0])], [1 / 255], [0.0], "u8"),
        ([("DIV", "x-c", [127.5]), ("ADD", "x-c", [-1.0])], [1 / 127.5], [-1.0], "u8"),
        ([("SUB", "x-c", [127.5]), ("MUL", "c-x", [1 / 127.5])], [1 / 127.5], [-1.0], "u8"),
        ([("SUB", "x-c", [103.939, 116.779, 123.68])], [1.0] * 3, [-103.939, -116.779, -123.68], "u8"),
        ([("MUL", "x-c", [2.0]), ("SUB", "x-c", [1.0])], [2.0], [-1.0], "unit"),
        ([("SUB", "x-c", [0.485, 0.456, 0.406]), ("DIV", "x-c", [0.229, 0.224, 0.225])], None, None, "unit"),
        ([("SUB", "c-x", [1.0])], [-1.0], [1.0], None),
        ([("ADD", "x-c", [3.0])], [1.0], [3.0], None),
        ([("MUL", "x-c", [0.01, 0.02])], [0.01, 0.02], [0.0, 0.0], None),
    ],
)
def test_a_map_is_what_the_graph_computes(
    steps: list[Step], scale: list[float] | None, offset: list[float] | None, expects: str | None
) -> None:
    channels = max(len(values) for _, _, values in steps)
    facts = facts_of(chain(*steps, shape=(1, 4, 4, max(channels, 3))))
    if scale is not None and offset is not None:
        assert rows(facts, "input", "graph_scale")[0] == pytest.approx(scale, rel=1e-6)
        assert rows(facts, "input", "graph_offset")[0] == pytest.approx(offset, rel=1e-6)
    assert rows(facts, "input", "graph_expects") == [expects]
    pixel = np.full(channels, 37.0)
    for opcode, order, values in steps:
        constant = np.array(values)
        first, second = (pixel, constant) if order == "x-c" else (constant, pixel)
        operate = {"ADD": np.add, "SUB": np.subtract, "MUL": np.multiply, "DIV": np.divide}[opcode]
        pixel = operate(first, second)
    found = np.array(rows(facts, "input", "graph_scale")[0]) * 37.0 + np.array(rows(facts, "input", "graph_offset")[0])
    assert np.broadcast_to(found, pixel.shape) == pytest.approx(pixel, rel=1e-5)


@pytest.mark.parametrize(
    "content",
    [
        chain(("DIV", "c-x", [255.0])),  # a constant divided by the input
        chain(("DIV", "x-c", [0.0])),
        chain(("MUL", "x-c", [1 / 255]), activation="RELU6"),
        chain(("MUL", "x-c", [0.0])),  # nothing of the input is left
        chain(("MUL", "x-c", [float("nan")])),
        chain(("MUL", "x-c", [1.0] * 5), shape=(1, 4, 4, 5)),  # more than colours have channels
        chain(("MUL", "x-c", [1.0])),
        # a cast hands over the integers of a quantized input, whatever these stand for
        ModelBuilder()
        .tensor("x", "UINT8", [1, 4, 4, 3], scale=[1 / 255], zero_point=[0])
        .tensor("cast", "FLOAT32", [1, 4, 4, 3])
        .tensor("c", "FLOAT32", [1], data=[1 / 255])
        .tensor("y", "FLOAT32", [1, 4, 4, 3])
        .operator("CAST", ["x"], ["cast"])
        .operator("MUL", ["cast", "c"], ["y"], {"fused_activation_function": "NONE"})
        .inputs("x")
        .outputs("y")
        .build(),
    ],
)
def test_what_is_no_line_is_no_map(content: bytes) -> None:
    assert rows(facts_of(content), "input", "graph_scale") == [None]


def test_a_walk_ends_where_two_operators_read() -> None:
    builder = ModelBuilder().tensor("x", "FLOAT32", [1, 3]).tensor("c", "FLOAT32", [1], data=[2.0])
    for name in ("a", "b"):
        builder.tensor(name, "FLOAT32", [1, 3])
        builder.operator("MUL", ["x", "c"], [name], {"fused_activation_function": "NONE"})
    facts = facts_of(builder.inputs("x").outputs("a", "b").build())
    assert rows(facts, "input", "graph_scale") == [None]


def test_a_constant_that_is_unpacked_counts() -> None:
    assert rows(named("stretched_float32"), "input", "graph_scale") == [[2.0]]


@pytest.mark.parametrize(("axis", "expected"), [(3, [0.01, 0.04, 0.09]), (0, None)])
def test_a_constant_with_one_scale_per_channel_counts(axis: int, expected: list[float] | None) -> None:
    builder = ModelBuilder().tensor("x", "FLOAT32", [1, 4, 4, 3]).tensor("y", "FLOAT32", [1, 4, 4, 3])
    builder.tensor("packed", "INT8", [1, 1, 1, 3], data=[1, 2, 3], scale=[0.01, 0.02, 0.03], axis=axis)
    builder.tensor("c", "FLOAT32", [1, 1, 1, 3]).operator("DEQUANTIZE", ["packed"], ["c"])
    builder.operator("MUL", ["x", "c"], ["y"], {"fused_activation_function": "NONE"})
    (scale,) = rows(facts_of(builder.inputs("x").outputs("y").build()), "input", "graph_scale")
    assert scale == (None if expected is None else pytest.approx(expected, rel=1e-6))


class TestAMeanInTheFirstBias:
    def test_is_found_where_it_explains_all_biases(self) -> None:
        (mean,) = rows(named("folded_float32"), "input", "folded_mean")
        assert mean == pytest.approx([127.5] * 3, rel=1e-4)

    def test_is_not_where_training_had_a_bias_of_its_own(self) -> None:
        facts = facts_of(_folded(own=0.01))
        assert rows(facts, "input", "folded_mean") == [None]

    @pytest.mark.parametrize(
        ("text", "is_fault"),
        [
            ("mean = [103.939, 116.779, 123.68]\nstd = 1\nunits = 'u8'", True),  # subtracted twice
            ("mean = [103.939, 116.779, 123.68]\nstd = 58\nunits = 'u8'", True),
            ("mean = 127.5\nstd = 127.5\nunits = 'u8'", True),  # all that is fed lies on one side
            ("mean = 0\nstd = 255\nunits = 'u8'", True),
            ("mean = 0\nstd = 1\nunits = 'u8'", False),
            ("range = [0, 255]", False),
        ],
    )
    def test_and_one_in_the_contract_are_too_many(self, text: str, is_fault: bool) -> None:
        contract = parse_contract(f"[[inputs]]\nkind = 'image'\nchannels = 'BGR'\n{text}\n", "c.toml")
        found = [finding.rule for finding in check(_depthwise(), contract=contract).findings()]
        assert ("P102" in found) == is_fault

    @pytest.mark.parametrize("value", [1.7e308, float("inf"), float("nan")])
    def test_of_weights_of_no_sense_is_none(self, value: float, capfd: pytest.CaptureFixture[str]) -> None:
        builder = ModelBuilder().tensor("x", "FLOAT64", [1, 4, 4, 3]).tensor("y", "FLOAT64", [1, 4, 4, 8])
        builder.tensor("weights", "FLOAT64", [8, 2, 2, 3], data=[value] * 96).tensor(
            "b", "FLOAT64", [8], data=[1.0] * 8
        )
        options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "fused_activation_function": "NONE"}
        content = builder.operator("CONV_2D", ["x", "weights", "b"], ["y"], options).inputs("x").outputs("y").build()
        assert rows(facts_of(content), "input", "folded_mean") == [None]
        assert capfd.readouterr().out == ""

    def test_is_found_in_a_depthwise_convolution(self) -> None:
        (mean,) = rows(facts_of(_depthwise()), "input", "folded_mean")
        assert mean == pytest.approx([103.939, 116.779, 123.68], rel=1e-4)


def _weights(n: int) -> list[float]:
    return [0.01 * ((7 * k) % 11 - 5) for k in range(n)]


def _folded(own: float) -> bytes:
    weights = _weights(24)
    biases = [-127.5 * sum(weights[3 * row : 3 * row + 3]) + own * (row % 3) for row in range(8)]
    return _convolution("CONV_2D", weights, [8, 1, 1, 3], biases)


def _depthwise() -> bytes:
    weights = _weights(4 * 12)  # a window of 2 × 2, three channels, four outputs of each
    sums = np.array(weights).reshape(4, 12).sum(axis=0)
    means = np.repeat([103.939, 116.779, 123.68], 4)
    return _convolution("DEPTHWISE_CONV_2D", weights, [1, 2, 2, 12], list(-means * sums))


def _convolution(opcode: str, weights: list[float], shape: list[int], biases: list[float]) -> bytes:
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "fused_activation_function": "NONE"}
    if opcode != "CONV_2D":
        options["depth_multiplier"] = 4
    return (
        ModelBuilder()
        .tensor("x", "FLOAT32", [1, 4, 4, 3])
        .tensor("weights", "FLOAT32", shape, data=weights)
        .tensor("bias", "FLOAT32", [len(biases)], data=biases)
        .tensor("y", "FLOAT32", [1, 4, 4, len(biases)])
        .operator(opcode, ["x", "weights", "bias"], ["y"], options)
        .inputs("x")
        .outputs("y")
        .build()
    )


@needs_corpus
def test_a_quantized_graph_of_a_real_model_shows_its_normalization() -> None:
    (path,) = CORPUS.rglob("movenet_single_pose_lightning_ptq.tflite")
    facts = facts_of(path.read_bytes())
    assert rows(facts, "input", "graph_expects") == ["u8"]
    assert rows(facts, "input", "graph_scale")[0] == pytest.approx([1 / 127.5] * 3, rel=0.01)
