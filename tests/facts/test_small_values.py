"""Test the fact with the values of small constants."""

from __future__ import annotations

import pytest

from tests.helpers.facts import by_name, facts_of, named
from tests.helpers.models import ModelBuilder
from tflint.facts.facts import FactBudgetError


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("INT8", [-128, 127]), ("UINT8", [0, 255]), ("INT16", [-300, 300]), ("UINT16", [0, 60_000]),
        ("INT32", [-1, 70_000]), ("UINT32", [0, 2**31]), ("INT64", [-(2**40), 5]),
        ("FLOAT16", [-65504.0, 0.5]), ("FLOAT32", [-0.25, 3.0]), ("FLOAT64", [1e300, -1.0]),
    ],
)  # fmt: skip
def test_values_of_each_type(dtype, data):
    facts = facts_of(ModelBuilder().tensor("w", dtype, [2], data=data).build())
    assert by_name(facts, "values")["w"] == data


def test_integers_with_a_scale_have_real_values():
    builder = ModelBuilder().tensor("w", "INT8", [3], data=[-128, 0, 127], scale=0.5, zero_point=-28)
    assert by_name(facts_of(builder.build()), "values")["w"] == [-50.0, 14.0, 77.5]


def test_several_constants_keep_their_values_apart():
    found = by_name(named("boxes_and_scores_int8", {"tensors.boxes.data": [1, -1, 2, -2, 3, -3, 4, -4]}), "values")
    assert found["new_shape"] == [1, 4, 2]
    assert len(found["boxes"]) == 8
    assert found["output"] is None


@pytest.mark.parametrize(
    "builder",
    [
        ModelBuilder().tensor("w", "INT8", [17], data=[1] * 17),
        ModelBuilder().tensor("w", "INT8", [0], data=b""),
        ModelBuilder().tensor("w", "INT8", [4], data=[1, 2]),  # fewer bytes than elements
        ModelBuilder().tensor("w", "INT4", [4], data=[1, 2, 3, 4]),
        ModelBuilder().tensor("w", "INT8", [2], data=[1, 2], scale=[0.5, 0.25]),
        ModelBuilder().tensor("w", "STRING", [1], data=["one"]),
        ModelBuilder().tensor("w", "FLOAT32", [2]),
        ModelBuilder().tensor("w", "INT8", [-2], data=[1, 2]),
    ],
)
def test_other_tensors_have_no_values(builder):
    assert by_name(facts_of(builder.build()), "values")["w"] is None


def test_sixteen_values_are_few():
    facts = facts_of(ModelBuilder().tensor("w", "INT8", [4, 4], data=range(16)).build())
    assert by_name(facts, "values")["w"] == list(range(16))


def test_many_tensors_over_one_buffer_stay_within_the_budget(monkeypatch):
    monkeypatch.setattr("tflint.facts.facts.MAX_ELEMENTS", 10)
    builder = ModelBuilder().tensor("a", "INT8", [8], data=[0] * 8).tensor("b", "INT8", [8], data=[0] * 8)
    with pytest.raises(FactBudgetError, match="values of small constants"):
        facts_of(builder.build()).column("tensor", "values")
