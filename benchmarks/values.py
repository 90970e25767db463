"""Compute statistics of constant values, as a run does if its rules need them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tflint.facts.facts import Facts
from tflint.model.batch_reader import open_model, read_one
from tflint.source import FileSource

RANGE = ("value_min", "value_max")
ZEROS = (*RANGE, "zero_share")
SATURATION = (*ZEROS, "saturated_share")


def statistics(path: Path, columns: Sequence[str]) -> Facts:
    """Return the facts of a model with the given tensor columns computed."""
    with FileSource(path) as source:
        facts = Facts(read_one(open_model(source)), {("tensor", column) for column in columns})
        for column in columns:
            facts.column("tensor", column)
    return facts
