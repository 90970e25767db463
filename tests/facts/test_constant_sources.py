"""Test the fact about the constant behind a tensor."""

from __future__ import annotations

from tests.helpers.facts import facts_of, named, rows
from tests.helpers.models import ModelBuilder


def constants(facts) -> dict:
    return dict(zip(rows(facts, "tensor", "name"), rows(facts, "tensor", "constant"), strict=True))


def test_a_constant_is_its_own_source_and_a_computed_tensor_has_none():
    found = constants(named("conv_int8"))
    assert found == {"input": None, "weights": "weights", "bias": "bias", "output": None}


def test_the_source_of_a_dequantized_constant_is_the_stored_tensor():
    found = constants(named("conv_float16_weights"))
    assert found["weights"] == found["weights_float16"] == "weights_float16"
    assert found["bias"] == "bias_float16"


def test_a_dequantized_activation_and_a_computed_constant_have_no_source():
    builder = (
        ModelBuilder()
        .tensor("input", "INT8", [4], scale=0.5)
        .tensor("real", "FLOAT32", [4])
        .tensor("constant", "FLOAT32", [4], data=[1.0] * 4)
        .tensor("negated", "FLOAT32", [4])
        .operator("DEQUANTIZE", ["input"], ["real"], version=2)
        .operator("NEG", ["constant"], ["negated"])
        .inputs("input")
        .outputs("real", "negated")
    )
    assert constants(facts_of(builder.build())) == {
        "input": None,
        "real": None,
        "constant": "constant",
        "negated": None,
    }
