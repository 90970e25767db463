"""Test how operators and tensors of two models are paired."""

from __future__ import annotations

import pytest

from tests.helpers.float_int8_pairs import pair_bytes
from tests.helpers.models import ModelBuilder
from tests.helpers.planted_losses import EditedModel
from tflint.api import load
from tflint.confirm.compare.compared_graph import ComparedGraph
from tflint.confirm.compare.tensor_pairing import BY_GRAPH, BY_NAME, Pairing, pair_graphs
from tflint.facts.facts import Facts


def graph_of(content: bytes) -> ComparedGraph:
    return ComparedGraph(Facts(load(content).tables))


def pair(reference: bytes, model: bytes) -> Pairing:
    return pair_graphs(graph_of(reference), graph_of(model))


def without_names(content: bytes, *, reverses_branches: bool = False) -> bytes:
    edited = EditedModel(content)
    for number, tensor in enumerate(edited.graph["tensors"]):
        tensor["name"] = f"x{number}"
    edited.model.pop("signature_defs", None)
    if reverses_branches:
        operators = edited.graph["operators"]
        operators[7], operators[8] = operators[8], operators[7]
    return edited.build()


@pytest.mark.parametrize("model", ["chain_int8", "chain_int8_float_interface", "chain_dynamic_range", "chain_float32"])
def test_operators_are_paired_by_name(model):
    found = pair(pair_bytes("chain_float32"), pair_bytes(model))
    ours, theirs = graph_of(pair_bytes(model)), graph_of(pair_bytes("chain_float32"))
    assert [theirs.operators[one.reference].opcode for one in found.operators] == [
        ours.operators[one.model].opcode for one in found.operators
    ]
    assert len(found.operators) == 8
    assert sum(one.how == BY_NAME for one in found.operators) >= 7
    assert len(found.constants) == 12
    assert found.inputs == found.outputs == ((0, 0),)


@pytest.mark.parametrize("name", ["chain", "branches"])
def test_operators_without_names_are_paired_by_the_graph(name):
    reference, model = pair_bytes(f"{name}_float32"), pair_bytes(f"{name}_int8")
    found = pair(reference, without_names(model))
    assert {one.how for one in found.operators} == {BY_GRAPH}
    named = pair(reference, model)
    assert found.activations == named.activations
    assert found.constants == named.constants


def test_conversions_have_the_reference_of_their_source():
    model = graph_of(pair_bytes("chain_int8_float_interface"))
    found = pair(pair_bytes("chain_float32"), pair_bytes("chain_int8_float_interface"))
    quantize = model.operators[0]
    assert quantize.opcode == "QUANTIZE"
    assert found.activations[quantize.outputs[0]] == found.activations[quantize.inputs[0]]
    assert found.activations[model.outputs[0]] == found.activations[model.origin(model.outputs[0])]


def parallel(order: str, names: tuple[str, str]) -> bytes:
    """Return a model with two layers of the same shape on one input, in an order."""
    weights = {"a": [1.0, 2.0, 3.0, 4.0], "b": [-9.0, 8.0, -7.0, 6.0]}
    builder = ModelBuilder().tensor("in", "FLOAT32", [1, 2])
    for key, name in zip("ab", names, strict=True):
        builder.tensor(f"w{key}", "FLOAT32", [2, 2], data=weights[key]).tensor(name, "FLOAT32", [1, 2])
    builder.tensor("sum", "FLOAT32", [1, 2]).inputs("in").outputs("sum")
    for key in order:
        builder.operator("FULLY_CONNECTED", ["in", f"w{key}", None], [names["ab".index(key)]])
    return builder.operator("ADD", list(names), ["sum"]).build()


def test_equal_branches_are_paired_by_their_weights():
    found = pair(parallel("ab", ("left", "right")), parallel("ba", ("x", "y")))
    assert [(one.model, one.reference) for one in found.operators] == [(0, 1), (1, 0), (2, 2)]


def test_models_with_nothing_in_common_have_no_pairs():
    other = (
        ModelBuilder().tensor("a", "FLOAT32", [3]).tensor("b", "FLOAT32", [3]).inputs("a").outputs("b")
        .operator("TANH", ["a"], ["b"]).build()
    )  # fmt: skip
    assert pair(pair_bytes("chain_float32"), other).is_empty


def test_a_renamed_middle_is_aligned_between_its_neighbors():
    edited = EditedModel(pair_bytes("chain_int8"))
    for operator in (2, 3, 4):
        edited.graph["tensors"][edited.output(operator)]["name"] = f"renamed_{operator}"
    found = pair(pair_bytes("chain_float32"), edited.build())
    assert [(one.model, one.reference) for one in found.operators] == [(number, number) for number in range(8)]
    assert [one.how for one in found.operators][2:5] == [BY_GRAPH] * 3
