"""Facts about operator codes that no longer tell which operator they stand for.

The old field of an operator code holds at most 127, which stands for all later operators. If a tool whose schema lacks
the new field rewrites a file, 127 is all that is left of them.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from tflint.columns.column import Lists, state_of, text_of, texts_of
from tflint.facts.facts import Facts
from tflint.schema import tflite_schema

#: The name of operator code 127, the largest number that the old field can hold.
PLACEHOLDER = "PLACEHOLDER_FOR_GREATER_OP_CODES"


def lost_operators(facts: Facts) -> Lists:
    """Return the built-in operators that each operator code 127 may stand for. Absent for other operator codes.

    These are the operators above 127 that have the same type of options as the operators with this code. If no operator
    has options, the tool may have dropped them, so that it can be any operator above 127.
    """
    is_lost = facts.is_one_of("operator_code", "opcode", {PLACEHOLDER})
    candidates: list[list[str]] = [[] for _ in is_lost]
    if is_lost.any():
        options = _options_by_code(facts)
        for row in np.flatnonzero(is_lost).tolist():
            candidates[row] = _candidates(options[row])
    return texts_of(candidates, state_of(~is_lost))


def _options_by_code(facts: Facts) -> dict[int, set[str]]:
    """Return the types of options of the operators with each operator code."""
    types = facts.strings("operator", "options_type")
    found: dict[int, set[str]] = defaultdict(set)
    for row, code in enumerate(facts.rows("operator", "operator_code").tolist()):
        if (options := text_of(types, row)) is not None:
            found[code].add(options)
    return found


def _candidates(options: set[str]) -> list[str]:
    schema = tflite_schema()
    numbers = schema.enum("BuiltinOperator").values
    later = [opcode for opcode, number in numbers.items() if number > numbers[PLACEHOLDER]]
    return [opcode for opcode in later if schema.op_options.get(opcode) in options] or later
