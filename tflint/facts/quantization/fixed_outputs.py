"""Facts about operators whose kernels assume a fixed output scale and zero point: LOGISTIC, SOFTMAX, TANH and others.

`rules/tables/fixed_outputs.json` contains the assumed values, the kernels that check them and the tolerances.
"""

from __future__ import annotations

import functools

import numpy as np

from tflint.columns.column import Scalars, state_of
from tflint.facts.facts import Facts, values_at
from tflint.resources import table


def required_scale(facts: Facts) -> Scalars:
    """Return the output scale that the kernel of each operator assumes, absent if it assumes none."""
    return _required_parameter(facts, "scale")


def required_zero_point(facts: Facts) -> Scalars:
    """Return the output zero point that the kernel of each operator assumes, absent if it assumes none."""
    return _required_parameter(facts, "zero_point")


def _required_parameter(facts: Facts, name: str) -> Scalars:
    """Look up the parameter `name` of each operator by opcode and output type.

    Absent if the table does not have it, or if input and output of the operator have different types.
    """
    opcodes, dtypes = facts.strings("operator", "opcode"), facts.strings("tensor", "dtype")
    required = np.full((len(opcodes.labels) or 1, len(dtypes.labels) or 1), np.nan)
    for opcode, dtype, value in _entries(name):
        if opcode in opcodes.labels and dtype in dtypes.labels:
            required[list(opcodes.labels).index(opcode), list(dtypes.labels).index(dtype)] = value
    inputs, outputs = (values_at(dtypes.codes, facts.rows("operator", role), -1) for role in ("input", "output"))
    values = required[opcodes.codes, np.maximum(outputs, 0)]
    absent = np.isnan(values) | (outputs < 0) | (inputs != outputs)
    return Scalars(np.where(absent, 0.0, values), state_of(absent))


@functools.cache
def _entries(name: str) -> list[tuple[str, str, float]]:
    operators = table("fixed_outputs")["operators"]
    return [(op, dtype, entry[name]) for op, by_dtype in operators.items() for dtype, entry in by_dtype.items()]
