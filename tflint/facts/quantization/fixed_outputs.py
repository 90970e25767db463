"""Facts of operators whose kernels fix the quantization of the output: LOGISTIC, SOFTMAX, TANH and their like.

The values, which kernel compares them and how strictly, are in `rules/tables/fixed_outputs.json`.
"""

from __future__ import annotations

import functools

import numpy as np

from tflint.columns.column import Scalars, state_of
from tflint.facts.facts import Facts, taken
from tflint.resources import table


def required_scale(facts: Facts) -> Scalars:
    """The scale that the kernel assumes for the output."""
    return _required(facts, "scale")


def required_zero_point(facts: Facts) -> Scalars:
    """The zero point that the kernel assumes for the output."""
    return _required(facts, "zero_point")


def _required(facts: Facts, name: str) -> Scalars:
    """A parameter by operator and type of the output; an output of another type than the input's is not fixed."""
    opcodes, dtypes = facts.strings("operator", "opcode"), facts.strings("tensor", "dtype")
    known = np.full((len(opcodes.labels) or 1, len(dtypes.labels) or 1), np.nan)
    for opcode, dtype, value in _entries(name):
        if opcode in opcodes.labels and dtype in dtypes.labels:
            known[list(opcodes.labels).index(opcode), list(dtypes.labels).index(dtype)] = value
    inputs, outputs = (taken(dtypes.codes, facts.rows("operator", role), -1) for role in ("input", "output"))
    values = known[opcodes.codes, np.maximum(outputs, 0)]
    absent = np.isnan(values) | (outputs < 0) | (inputs != outputs)
    return Scalars(np.where(absent, 0.0, values), state_of(absent))


@functools.cache
def _entries(name: str) -> list[tuple[str, str, float]]:
    operators = table("fixed_outputs")["operators"]
    return [(op, dtype, entry[name]) for op, by_dtype in operators.items() for dtype, entry in by_dtype.items()]
