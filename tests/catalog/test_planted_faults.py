"""Test more than a hundred models with one fault each: the right rule reports it, and the original model is clean."""

from __future__ import annotations

import pytest

from tests.helpers.planted_faults import Fault, faults
from tflint import Config, check

FAULTS = [pytest.param(fault, id=fault.name) for fault in faults()]


def places(fault: Fault, content: bytes) -> list[set[str]]:
    """Where the fault's rule speaks of a model: routes and names."""
    report = check(content, config=Config(targets=fault.targets, **fault.config))
    found = [finding.location for finding in report.findings() if finding.rule == fault.rule]
    return [{location.path, *location.names} for location in found]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_the_right_rule(fault):
    assert places(fault, fault.sound()) == [], "the sound model is not silent"
    found = places(fault, fault.faulty())
    assert found, "nothing is found"
    assert not fault.place or any(fault.place in place for place in found)


def test_there_are_more_than_a_hundred():
    assert len(FAULTS) >= 100
    assert len(
        {
            (fault.values[0].model, str(fault.values[0].edit), fault.values[0].rule, fault.values[0].targets)
            for fault in FAULTS
        }
    ) == len(FAULTS)
