"""Fact about audio: whether client code feeds samples with the amplitude that the graph's own arithmetic expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tflint.columns.column import Scalars, state_of, text_of
from tflint.facts.contract.fed_range import FedRange, fed_ranges
from tflint.facts.facts import Facts
from tflint.facts.interface import input_arithmetic
from tflint.facts.interface.input_arithmetic import Affine, Values

#: Amplitude of 16-bit samples, and the factor within which the graph's scale must be 1/32768 or 32768.
_FULL, _TOLERANCE = 32768.0, 2.0
#: Ranges wider than this are those of 16-bit samples.
_WIDE = 1000.0


def is_expected_amplitude(facts: Facts) -> Scalars:
    """Return whether each audio entry feeds samples with the amplitude that the graph scales.

    True if the input is quantized: the calibrated range determines the amplitude, and other facts compare it. Unknown
    if the graph does not begin with a factor between the amplitudes 1 and 32768, because a float input accepts both.
    Absent for other kinds of inputs, for features other than the waveform, and if the fed range is not known.
    """
    held = facts.column("contract_input", "held_min")
    entries = [entry for contract in facts.contracts.values() for entry in contract.inputs]
    rows, maps = facts.rows("contract_input", "input").tolist(), input_arithmetic.affine_maps(facts)
    in_scope, values = np.zeros(len(entries), np.bool_), np.zeros(len(entries), np.bool_)
    known = np.zeros(len(entries), np.bool_)
    for number, (entry, row, fed) in enumerate(zip(entries, rows, fed_ranges(facts), strict=True)):
        if fed is None or row < 0 or not _is_waveform(entry) or not _is_float(facts, row):
            continue
        in_scope[number] = True
        agrees = True if held.state is None or held.state[number] == 0 else _agrees(fed, maps[row])
        known[number], values[number] = agrees is not None, bool(agrees)
    return Scalars(values, state_of(~in_scope, in_scope & ~known))


def _is_waveform(entry: Mapping[str, Any]) -> bool:
    features: str = entry.get("audio", {}).get("features", "waveform")
    return bool(entry["kind"] == "audio") and features == "waveform"


def _is_float(facts: Facts, row: int) -> bool:
    tensor = int(facts.rows("input", "tensor")[row])
    return tensor >= 0 and text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32"


def _agrees(fed: FedRange, graph: Affine | None) -> bool | None:
    """Return whether the graph's first factor scales the fed amplitude, or None if the factor scales neither one."""
    if graph is None:
        return None
    factors = np.abs(graph.scale)
    is_wide = fed.range[1] - fed.range[0] > _WIDE
    if _is_near_one(factors * _FULL):
        return is_wide
    return not is_wide if _is_near_one(factors / _FULL) else None


def _is_near_one(factors: Values) -> bool:
    return bool(((factors >= 1 / _TOLERANCE) & (factors <= _TOLERANCE)).all())
