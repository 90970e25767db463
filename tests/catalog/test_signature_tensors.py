"""Test that a signature of an intermediate tensor is an error, and one of an unrelated tensor a warning."""

from __future__ import annotations

import pytest

from tests.helpers.models import ModelBuilder
from tflint import check


def signature_of(input_: str, output: str) -> bytes:
    """Return a chain of two operators whose signature names two tensors."""
    builder = ModelBuilder()
    for name in ("input", "middle", "output", "unused"):
        builder.tensor(name, "FLOAT32", [1, 4])
    builder.operator("NEG", ["input"], ["middle"]).operator("ABS", ["middle"], ["output"])
    return builder.inputs("input").outputs("output").signature("serve", {"x": input_}, {"y": output}).build()


@pytest.mark.parametrize(
    ("input_", "output", "found"),
    [
        ("input", "output", []),
        ("input", "middle", [("K100", "error")]),
        ("middle", "output", [("K100", "error")]),
        ("output", "output", [("K100", "error")]),
        ("unused", "output", [("K109", "warning")]),
        ("input", "unused", [("K109", "warning")]),
        ("input", "input", [("K109", "warning")]),
    ],
)
def test_a_signature_gives_other_results_than_the_indices(
    input_: str, output: str, found: list[tuple[str, str]]
) -> None:
    findings = check(signature_of(input_, output)).findings()
    assert [(f.rule, f.severity) for f in findings if f.rule in ("K100", "K109")] == found
