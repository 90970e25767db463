"""Test the facts that follow values through operators that only move them."""

from __future__ import annotations

from tests.helpers.facts import facts_of, named, rows
from tests.helpers.models import ModelBuilder


def paths(facts) -> dict:
    """The opcodes of origin and destination by the name of the tensor."""
    opcodes = rows(facts, "operator", "opcode")
    columns = ([None if row is None else opcodes[row] for row in rows(facts, "tensor", name)]
               for name in ("origin", "destination"))  # fmt: skip
    return dict(zip(rows(facts, "tensor", "name"), zip(*columns, strict=True), strict=True))


def test_a_requantized_score_comes_from_logistic_and_goes_to_the_concatenation():
    found = paths(named("boxes_and_scores_int8"))
    assert found["listed"] == ("LOGISTIC", "QUANTIZE")
    assert found["scores"] == ("LOGISTIC", "QUANTIZE")
    assert found["rescaled"] == ("QUANTIZE", "CONCATENATION")
    assert found["boxes"] == (None, "CONCATENATION")
    assert found["output"] == ("CONCATENATION", None)


def chain(n: int) -> ModelBuilder:
    """TANH, `n` times RESHAPE, LOGISTIC."""
    builder = (
        ModelBuilder()
        .tensor("input", "FLOAT32", [4])
        .tensor("t0", "FLOAT32", [4])
        .tensor("shape", "INT32", [1], data=[4])
    )
    builder.operator("TANH", ["input"], ["t0"])
    for k in range(1, n + 1):
        builder.tensor(f"t{k}", "FLOAT32", [4]).operator("RESHAPE", [f"t{k - 1}", "shape"], [f"t{k}"])
    builder.tensor("output", "FLOAT32", [4]).operator("LOGISTIC", [f"t{n}"], ["output"])
    return builder.inputs("input").outputs("output")


def test_paths_of_any_length_are_followed():
    found = paths(facts_of(chain(100).build()))
    assert {found[f"t{k}"] for k in range(101)} == {("TANH", "LOGISTIC")}


def test_a_destination_is_not_sought_behind_a_tensor_with_two_readers():
    builder = chain(2).tensor("second", "FLOAT32", [4]).operator("COS", ["t1"], ["second"])
    found = paths(facts_of(builder.build()))
    assert found["t1"] == ("TANH", "RESHAPE")
    assert found["second"] == ("COS", None)


def test_the_shape_of_a_reshape_is_not_a_moved_value():
    assert paths(facts_of(chain(1).build()))["shape"] == (None, "RESHAPE")


def test_a_cycle_ends():
    builder = ModelBuilder()
    for name in "abc":
        builder.tensor(name, "FLOAT32", [4])
    for source, target in ("ab", "bc", "ca"):
        builder.operator("TRANSPOSE", [source], [target])
    assert set(paths(facts_of(builder.build())).values()) == {("TRANSPOSE", "TRANSPOSE")}
