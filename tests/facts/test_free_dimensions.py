"""Test the fact about inputs with free dimensions."""

from __future__ import annotations

from tests.helpers.facts import named, rows


def test_a_subgraph_with_a_free_input():
    edit = {"tensors.x.shape_signature": [-1, 4]}
    assert rows(named("two_subgraphs"), "subgraph", "has_free_input") == [False] * 3
    assert rows(named("two_subgraphs", edit), "subgraph", "has_free_input") == [True, False, False]


def test_a_free_dimension_of_an_output_is_not_one_of_an_input():
    edit = {"tensors.output.shape_signature": [-1, 4], "tensors.a.shape_signature": [1, 4]}
    assert rows(named("add_float32", edit), "subgraph", "has_free_input") == [False]
