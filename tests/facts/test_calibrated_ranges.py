"""Test facts about calibrated ranges: the one of each input, and activations that calibration found to be zero."""

from __future__ import annotations

import pytest

from tests.helpers.facts import by_name, facts_of, named, rows
from tests.helpers.models import ModelBuilder

ZERO = 7.84e-9


@pytest.mark.parametrize(
    ("model", "tensors"),
    [
        ("conv_int8", ["input"]),
        ("conv_float32", [None]),
        ("border_float32", ["codes"]),  # a float input and the QUANTIZE that reads it
        ("tokens_float32", [None]),
    ],
)
def test_the_tensor_with_the_range_of_an_input(model, tensors):
    assert rows(named(model), "input", "range_tensor") == tensors


def test_a_float_input_with_two_readers_has_no_calibrated_range():
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [4])
        .tensor("codes", "INT8", [4], scale=0.5)
        .tensor("output", "FLOAT32", [4])
        .operator("QUANTIZE", ["input"], ["codes"])
        .operator("NEG", ["input"], ["output"])
        .inputs("input")
        .outputs("codes", "output")
    )
    assert rows(facts_of(builder.build()), "input", "range_tensor") == [None]


def test_the_amplitude_is_that_of_the_farther_end():
    zero_points = {"low": -128, "middle": -1, "high": 127}
    builder = ModelBuilder()
    for name, zero_point in zero_points.items():
        builder.tensor(name, "INT8", [4], scale=0.5, zero_point=zero_point)
    builder.tensor("real", "FLOAT32", [4]).tensor("channels", "INT8", [2], scale=[0.5, 0.25])
    found = by_name(facts_of(builder.build()), "amplitude")
    assert found == {"low": 127.5, "middle": 64.0, "high": 127.5, "real": None, "channels": None}


def dead(builder: ModelBuilder) -> list[str | None]:
    """The outputs of the dead activations."""
    facts = facts_of(builder.build())
    outputs = rows(facts, "operator", "output")
    (found,) = rows(facts, "model", "dead_activations")
    return [outputs[row] for row in found]


def chain(scales: dict[str, float], dtype: str = "INT8") -> ModelBuilder:
    """ADD of two inputs, RESHAPE, and MUL with a third input; `scales` replaces scales of 0.1."""
    builder = ModelBuilder().tensor("shape", "INT32", [1], data=[4])
    for name in ("a", "b", "c", "total", "listed", "output"):
        builder.tensor(name, dtype, [4], scale=scales.get(name, 0.1))
    builder.operator("ADD", ["a", "b"], ["total"], version=2)
    builder.operator("RESHAPE", ["total", "shape"], ["listed"])
    builder.operator("MUL", ["listed", "c"], ["output"], version=2)
    return builder.inputs("a", "b", "c").outputs("output")


def test_a_sum_of_values_that_is_zero():
    assert dead(chain({})) == []
    assert dead(chain({"total": ZERO, "listed": ZERO})) == ["total"]
    assert dead(chain({"total": ZERO, "listed": ZERO, "output": ZERO})) == ["total", "output"]


def test_only_the_first_of_several_zero_activations_is_a_cause():
    every = dict.fromkeys(("total", "listed", "c", "output"), ZERO)
    assert dead(chain(every)) == ["total"]


def test_the_sum_of_zero_inputs_is_a_consequence():
    assert dead(chain(dict.fromkeys(("a", "b", "c", "total", "listed", "output"), ZERO))) == []


@pytest.mark.parametrize(
    ("dtype", "scale", "found"),
    [
        ("INT8", 1.9e-6, ["total"]),
        ("INT8", 2.1e-6, []),
        ("INT16", 2.1e-6, []),
        ("INT16", 3.05e-11, ["total"]),
        ("INT8", 0.0, []),  # Q004 reports it
        ("INT8", 1e-40, []),
    ],
)
def test_the_limit_depends_on_the_width_of_the_type(dtype, scale, found):
    assert dead(chain({"total": scale}, dtype)) == found


@pytest.mark.parametrize(("factor", "found"), [([0, 0, 0, 0], []), ([0, 1, 0, 0], ["output"])])
def test_a_product_with_zeros_is_zero(factor, found):
    builder = (
        ModelBuilder()
        .tensor("input", "INT8", [4], scale=0.1)
        .tensor("factor", "INT8", [4], data=factor, scale=0.1)
        .tensor("output", "INT8", [4], scale=ZERO)
        .operator("MUL", ["input", "factor"], ["output"], version=2)
        .inputs("input")
        .outputs("output")
    )
    assert dead(builder) == found


def test_an_addend_of_zeros_does_not_make_a_sum_zero():
    builder = (
        ModelBuilder()
        .tensor("input", "INT8", [4], scale=0.1)
        .tensor("zeros", "INT8", [4], data=[0] * 4, scale=0.1)
        .tensor("output", "INT8", [4], scale=ZERO)
        .operator("ADD", ["input", "zeros"], ["output"], version=2)
        .inputs("input")
        .outputs("output")
    )
    assert dead(builder) == ["output"]
