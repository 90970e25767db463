"""Facts about inputs that index the rows of a constant, such as token ids of an embedding."""

from __future__ import annotations

from tflint.columns.column import Scalars, scalars_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import input_paths

#: Positions of two operands among the inputs of an operator: the constant whose rows are looked up, and the ids.
_TABLE_AND_IDS = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0)}


def table_rows(facts: Facts) -> Scalars:
    """Return the number of rows of the constant that each input indexes, absent if the input does not index a constant.

    If an input indexes several constants, the shortest one counts.
    """
    return scalars_of(min(_table_sizes(facts, path.tensor), default=None) for path in input_paths(facts))


def _table_sizes(facts: Facts, ids: int) -> list[int]:
    consumers = facts.lists("tensor", "consumers").row(ids) if ids >= 0 else []
    return [rows for consumer in consumers if (rows := _table_size(facts, int(consumer), ids)) is not None]


def _table_size(facts: Facts, operator: int, ids: int) -> int | None:
    """Return the number of rows of the constant in which an operator looks up `ids`.

    Returns None if the operator does not look up `ids` along the first axis of a constant.
    """
    positions = _TABLE_AND_IDS.get(text_of(facts.column("operator", "opcode"), operator) or "")
    inputs = [int(tensor) for tensor in facts.lists("operator", "inputs").row(operator)]
    if positions is None or len(inputs) != 2 or inputs[positions[1]] != ids or inputs[positions[0]] < 0:
        return None
    table = inputs[positions[0]]
    shape = facts.lists("tensor", "shape").row(table)
    is_gather = positions == _TABLE_AND_IDS["GATHER"]
    axis = facts.numbers("operator", "options.axis")[operator] if is_gather else 0
    if not facts.numbers("tensor", "is_constant")[table] or not len(shape) or axis != 0:
        return None
    return int(shape[0])
