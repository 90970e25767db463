"""Facts of tables that inputs are looked up in: how many rows an id may lead to."""

from __future__ import annotations

from tflint.columns.column import Scalars, scalars_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import walks

#: Where an operator has its table and its ids.
_TABLE_AND_IDS = {"GATHER": (0, 1), "EMBEDDING_LOOKUP": (1, 0)}


def table_rows(facts: Facts) -> Scalars:
    """Rows of the constant table that an input's values are looked up in; of several the shortest."""
    found = [min(_rows(facts, walk.tensor), default=None) for walk in walks(facts)]
    return scalars_of(found)


def _rows(facts: Facts, ids: int) -> list[int]:
    readers = facts.lists("tensor", "consumers").row(ids) if ids >= 0 else []
    return [rows for reader in readers if (rows := _rows_of(facts, int(reader), ids)) is not None]


def _rows_of(facts: Facts, operator: int, ids: int) -> int | None:
    """None where the operator is no lookup of these ids along the first axis of a constant."""
    places = _TABLE_AND_IDS.get(text_of(facts.column("operator", "opcode"), operator) or "")
    read = [int(tensor) for tensor in facts.lists("operator", "inputs").row(operator)]
    if places is None or len(read) != 2 or read[places[1]] != ids or read[places[0]] < 0:
        return None
    table = read[places[0]]
    shape = facts.lists("tensor", "shape").row(table)
    is_gather = places == _TABLE_AND_IDS["GATHER"]
    axis = facts.numbers("operator", "options.axis")[operator] if is_gather else 0
    if not facts.numbers("tensor", "is_constant")[table] or not len(shape) or axis != 0:
        return None
    return int(shape[0])
