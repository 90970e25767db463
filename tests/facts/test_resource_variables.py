"""Test the fact about resource variables that the model reads, but never writes."""

from __future__ import annotations

import pytest

from tests.helpers.facts import facts_of, rows
from tests.helpers.models import ModelBuilder
from tflint.facts.facts import FactBudgetError, Facts


def reader(name: str, *, container: str = "", assigned: str | None = None) -> ModelBuilder:
    """A model that reads the variable `name`; a second subgraph assigns the variable `assigned`, if there is one."""
    builder = (
        ModelBuilder()
        .tensor("handle", "RESOURCE", [])
        .tensor("output", "FLOAT32", [4])
        .operator("VAR_HANDLE", [], ["handle"], {"container": container, "shared_name": name})
        .operator("READ_VARIABLE", ["handle"], ["output"])
        .outputs("output")
        .subgraph("init")
        .tensor("handle", "RESOURCE", [])
        .tensor("values", "FLOAT32", [4], data=[1.0] * 4)
    )
    if assigned is not None:
        builder.operator("VAR_HANDLE", [], ["handle"], {"container": "", "shared_name": assigned})
        builder.operator("ASSIGN_VARIABLE", ["handle", "values"], [])
    return builder


def unassigned(builder: ModelBuilder) -> list[list[str]]:
    facts = facts_of(builder.build())
    names = rows(facts, "operator", "options.shared_name")
    return [[names[row] for row in found] for found in rows(facts, "model", "unassigned_variables")]


def test_weights_that_are_not_in_the_file():
    assert unassigned(reader("kernel")) == [["kernel"]]


def test_weights_that_another_subgraph_assigns():
    assert unassigned(reader("kernel", assigned="kernel")) == [[]]


def test_a_variable_is_identified_by_its_name_and_container():
    assert unassigned(reader("kernel", assigned="bias")) == [["kernel"]]
    assert unassigned(reader("kernel", container="layers", assigned="kernel")) == [["kernel"]]


def test_a_variable_with_two_handles_counts_once():
    builder = (
        reader("kernel")
        .tensor("again", "FLOAT32", [4])
        .operator("VAR_HANDLE", [], ["handle"], {"container": "", "shared_name": "kernel"})
        .operator("READ_VARIABLE", ["handle"], ["again"])
    )
    assert unassigned(builder) == [["kernel"]]


def test_a_custom_operator_may_write_the_variable():
    builder = reader("kernel").operator("VAR_HANDLE", [], ["handle"], {"container": "", "shared_name": "kernel"})
    assert unassigned(builder.custom("LoadWeights", ["handle"], [])) == [[]]


@pytest.mark.parametrize(("writes", "found"), [(True, []), (False, ["kernel"])])
def test_a_called_subgraph_may_write_a_variable_that_it_gets(writes, found):
    builder = (
        reader("kernel")
        .operator("VAR_HANDLE", [], ["handle"], {"container": "", "shared_name": "kernel"})
        .operator("CALL", ["handle"], [], {"subgraph": 2})
        .subgraph("callee")
        .tensor("given", "RESOURCE", [])
        .tensor("values", "FLOAT32", [4], data=[1.0] * 4)
        .inputs("given")
    )
    if writes:
        builder.operator("ASSIGN_VARIABLE", ["given", "values"], [])
    assert unassigned(builder) == [found]


def test_a_variable_that_is_only_declared_is_not_missing():
    builder = ModelBuilder().tensor("handle", "RESOURCE", [])
    builder.operator("VAR_HANDLE", [], ["handle"], {"container": "", "shared_name": "kernel"})
    assert unassigned(builder) == [[]]


def test_long_names_that_many_operators_share_stay_within_the_budget(monkeypatch):
    monkeypatch.setattr("tflint.facts.facts.MAX_ELEMENTS", 10)
    facts: Facts = facts_of(reader("a very long name").build())
    with pytest.raises(FactBudgetError, match="bytes of variable names"):
        facts.column("model", "unassigned_variables")
