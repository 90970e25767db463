"""Facts about the constants behind tensors."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import References
from tflint.facts.facts import Facts, values_at


def constant(facts: Facts) -> References:
    """Return the constant with the values of each tensor: itself, or the constant that a DEQUANTIZE converts to it."""
    is_constant = facts.numbers("tensor", "is_constant")
    producers = facts.rows("tensor", "producer")
    is_converted = values_at(facts.is_one_of("operator", "opcode", {"DEQUANTIZE"}), producers, False)
    sources = values_at(facts.rows("operator", "input"), np.where(is_converted, producers, -1), -1)
    sources = np.where(values_at(is_constant, sources, False), sources, -1)
    return References(np.where(is_constant, np.arange(len(is_constant)), sources).astype(np.int32))
