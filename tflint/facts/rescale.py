"""Facts of arithmetic by which a graph prepares its inputs itself: multiplied and shifted by constants at the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars, scalars_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.weights.places import buffer_places

#: Operators that pass values on, but for their place, their type or a border around them.
_PASSING = {"CAST", "QUANTIZE", "DEQUANTIZE", "RESHAPE", "TRANSPOSE", "EXPAND_DIMS", "SQUEEZE", "PAD", "PADV2"}
_ARITHMETIC = {"MUL", "DIV", "ADD", "SUB"}
#: Constants for the channels of a picture have no more elements.
_MAX_ELEMENTS = 4
#: Operators that are followed from an input on.
_MAX_STEPS = 8

Values = NDArray[np.float64]


def factor(facts: Facts) -> Scalars:
    """What the graph multiplies each input by before anything else, the largest over its channels."""
    return scalars_of(_factor(facts, int(tensor)) for tensor in facts.rows("input", "tensor"))


def _factor(facts: Facts, tensor: int) -> float | None:
    """None where nothing is multiplied, or more than one operator reads what was made so far."""
    product: float | None = None
    for _ in range(_MAX_STEPS):
        readers = facts.lists("tensor", "consumers").row(tensor) if tensor >= 0 else []
        if len(readers) != 1:
            break
        operator = int(readers[0])
        opcode = text_of(facts.column("operator", "opcode"), operator) or ""
        if opcode in _ARITHMETIC:
            step = _step(facts, operator, opcode, tensor)
            if step is None:
                break
            product = step if product is None else product * step
        elif opcode not in _PASSING:
            break
        tensor = int(facts.rows("operator", "output")[operator])
    return None if product is None or product == 1 else product


def _step(facts: Facts, operator: int, opcode: str, tensor: int) -> float | None:
    """The factor of one operator; None where it is no arithmetic with a constant."""
    operands = facts.lists("operator", "operands").row(operator)
    tensors = [int(facts.rows("operand", "tensor")[operand]) for operand in operands[:2]]
    if len(tensors) != 2 or tensors[0] == tensors[1]:
        return None
    constant = _constant(facts, tensors[1] if tensors[0] == tensor else tensors[0])
    if constant is None:
        return None
    if opcode in ("ADD", "SUB"):
        return 1.0
    if opcode == "MUL":
        return float(np.abs(constant).max())
    is_divisor = tensors[0] == tensor and bool((constant != 0).all())
    return float((1 / np.abs(constant)).max()) if is_divisor else None


def _constant(facts: Facts, tensor: int) -> Values | None:
    """The values of a small float constant."""
    if tensor < 0 or not facts.numbers("tensor", "is_constant")[tensor]:
        return None
    n_elements = int(facts.numbers("tensor", "n_elements")[tensor])
    buffer = int(facts.rows("tensor", "buffer")[tensor])
    is_float = text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32"
    if not is_float or buffer < 0 or not 0 < n_elements <= _MAX_ELEMENTS:
        return None
    places = buffer_places(facts)
    if places.sizes[buffer] != 4 * n_elements:
        return None
    begin = int(places.starts[buffer])
    values: Values = np.frombuffer(facts.tables.window.span(begin, begin + 4 * n_elements), "<f4").astype(np.float64)
    return values if np.isfinite(values).all() else None
