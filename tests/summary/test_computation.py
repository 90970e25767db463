"""Test the numbers of parameters and of multiply-accumulate operations in the summary."""

from __future__ import annotations

import pytest

from tests.helpers.facts import facts_of
from tests.helpers.models import ModelBuilder
from tests.helpers.models.named import NAMED
from tflint.summary.model_text import format_computation
from tflint.summary.number_text import format_amount
from tflint.summary.summarize import summarize
from tflint.summary.summary_values import Computation, Summary
from tflint.writer import edit_model


def portrait(content: bytes) -> Summary:
    return summarize(facts_of(content), "model.tflite")


def dense(builder: ModelBuilder, source: str, target: str, weights: str, bias: str | None = None) -> ModelBuilder:
    return builder.operator("FULLY_CONNECTED", [source, weights, bias], [target])


def weights(builder: ModelBuilder, name: str, shape: list[int], dtype: str = "FLOAT32", value: float = 0.5) -> None:
    n = 1
    for size in shape:
        n *= size
    builder.tensor(name, dtype, shape, data=[value] * n)


def two_layers(*, share: bool) -> bytes:
    builder = ModelBuilder()
    for name in ("input", "middle", "output"):
        builder.tensor(name, "FLOAT32", [1, 4])
    weights(builder, "w", [4, 4])
    weights(builder, "v", [4, 4])
    weights(builder, "b", [4])
    dense(builder, "input", "middle", "w", "b")
    dense(builder, "middle", "output", "w" if share else "v", "b")
    return builder.inputs("input").outputs("output").build()


@pytest.mark.parametrize(("share", "parameters"), [(True, 16 + 4), (False, 2 * 16 + 4)])
def test_weights_and_biases_count_once_per_buffer(share, parameters):
    found = portrait(two_layers(share=share))
    assert found.n_parameters == parameters
    assert found.subgraphs[0].computation == Computation(2 * 16, 0, 0, ())


def test_tensors_that_share_a_buffer_count_once():
    content = edit_model(two_layers(share=False), {"tensors.v.buffer": 1})
    assert portrait(content).n_parameters == 16 + 4


@pytest.mark.parametrize(("name", "parameters"), [("conv_float16_weights", 9), ("conv_hybrid", 9), ("conv_int8", 9)])
def test_weights_in_any_representation_count(name, parameters):
    assert portrait(NAMED[name]()).n_parameters == parameters


def test_weights_behind_densify_and_dequantize_count():
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 4]).tensor("output", "FLOAT32", [1, 4])
    weights(builder, "stored", [4, 4], "FLOAT16")
    builder.tensor("dense", "FLOAT16", [4, 4]).tensor("w", "FLOAT32", [4, 4])
    builder.operator("DENSIFY", ["stored"], ["dense"]).operator("DEQUANTIZE", ["dense"], ["w"])
    found = portrait(dense(builder, "input", "output", "w").inputs("input").outputs("output").build())
    assert (found.n_parameters, found.subgraphs[0].computation.macs) == (16, 16)


def test_other_constants_do_not_count():
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 4]).tensor("output", "FLOAT32", [2, 2])
    builder.tensor("scaled", "FLOAT32", [1, 4]).tensor("shape", "INT32", [2], data=[2, 2])
    weights(builder, "scale", [4])
    builder.operator("MUL", ["input", "scale"], ["scaled"]).operator("RESHAPE", ["scaled", "shape"], ["output"])
    found = portrait(builder.inputs("input").outputs("output").build())
    assert (found.n_parameters, found.subgraphs[0].computation.macs) == (0, 0)


def test_embeddings_count():
    builder = ModelBuilder().tensor("ids", "INT32", [3]).tensor("output", "FLOAT32", [3, 8])
    weights(builder, "table", [100, 8])
    builder.operator("GATHER", ["table", "ids"], ["output"])
    assert portrait(builder.inputs("ids").outputs("output").build()).n_parameters == 800


def recurrent() -> bytes:
    builder = ModelBuilder().tensor("input", "FLOAT32", [1, 5, 4]).tensor("output", "FLOAT32", [1, 5, 3])
    weights(builder, "w", [3, 4])
    weights(builder, "r", [3, 3])
    weights(builder, "b", [3])
    builder.tensor("state", "FLOAT32", [1, 3], is_variable=True)
    builder.operator("UNIDIRECTIONAL_SEQUENCE_RNN", ["input", "w", "r", "b", "state"], ["output"])
    return builder.inputs("input").outputs("output").build()


def test_weights_of_recurrent_operators_are_parameters_and_their_macs_are_not_counted():
    found = portrait(recurrent())
    assert found.n_parameters == 12 + 9 + 3
    assert found.subgraphs[0].computation == Computation(0, 0, 0, ("UNIDIRECTIONAL_SEQUENCE_RNN",))
    assert format_computation(found) == "0 MACs · 24 parameters; UNIDIRECTIONAL_SEQUENCE_RNN not counted"


def test_a_dynamic_shape_is_noted():
    content = edit_model(two_layers(share=False), {"tensors.output.shape_signature": [-1, 4]})
    found = portrait(content)
    assert found.subgraphs[0].computation.dynamic == 1
    assert format_computation(found) == "32 MACs · 36 parameters; 1 operator counted for the stored shapes"


def test_a_shape_that_gives_no_number_is_noted():
    content = edit_model(two_layers(share=False), {"tensors.v.shape": [0, 4]})
    assert format_computation(portrait(content)) == "16 MACs · 20 parameters; 1 operator of unknown size not counted"


def test_subgraphs_are_counted_apart():
    builder = ModelBuilder()
    for name, size in (("small", 2), ("large", 8)):
        builder.subgraph(name).tensor("input", "FLOAT32", [1, size]).tensor("output", "FLOAT32", [1, size])
        weights(builder, "w", [size, size])
        dense(builder, "input", "output", "w").inputs("input").outputs("output")
        builder.signature(name, {"x": "input"}, {"y": "output"})
    found = portrait(builder.build())
    assert [subgraph.computation.macs for subgraph in found.subgraphs] == [4, 64]
    assert format_computation(found) == "64 MACs in subgraph 1 · 68 parameters"


def test_hostile_shapes_give_a_number():
    edit = {"tensors.w.shape": [2**31 - 1] * 20, "tensors.v.shape": [2**31 - 1] * 20}
    found = portrait(edit_model(two_layers(share=False), edit))
    assert 0 <= found.n_parameters <= 2**63 - 1
    assert 0 <= found.subgraphs[0].computation.macs <= 2**63 - 1


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 MACs"),
        (1, "1 MAC"),
        (999_999, "999,999 MACs"),
        (3_487_816, "3.49 million MACs"),
        (9_996_000, "10.0 million MACs"),
        (300_774_272, "301 million MACs"),
        (999_999_999, "1,000 million MACs"),
        (4_100_000_000, "4.10 billion MACs"),
        (2**63 - 1, "9,223,372 trillion MACs"),
    ],
)
def test_large_numbers_are_rounded(count, text):
    assert format_amount(count, "MAC") == text
