"""Reads single values out of the columns of one model: texts, numbers and lists of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import PRESENT, Lists, text_of
from tflint.facts.facts import Facts

#: Of inputs, outputs, names and subgraphs no more than this are listed; real models have a few hundred.
MAX_LISTED = 2_000


def read_string(facts: Facts, table: str, column: str, row: int) -> str | None:
    """A string of a row; None where the file has none."""
    return text_of(facts.column(table, column), row)


def read_number(facts: Facts, table: str, column: str, row: int) -> int:
    """A whole number of a row, whatever its state."""
    return int(facts.numbers(table, column)[row])


def read_optional_number(facts: Facts, table: str, column: str, row: int) -> int | None:
    """A whole number of a row; None where the file has none or nobody knows it."""
    state = facts.column(table, column).state
    return None if state is not None and state[row] != PRESENT else read_number(facts, table, column, row)


def read_list(facts: Facts, table: str, column: str, row: int) -> list[Any] | None:
    """The elements of a row's list, labels in the place of codes; None where the file has none."""
    lists: Lists = facts.lists(table, column)
    if lists.state is not None and lists.state[row] != PRESENT:
        return None
    elements = lists.row(row)
    return elements if lists.labels is None else [lists.labels[code] for code in elements]


def find_rows(facts: Facts, table: str, owner: str, row: int, limit: int = MAX_LISTED) -> list[int]:
    """Rows of a table whose reference column leads to a row, in stored order, no more than the limit."""
    owners = facts.rows(table, owner)
    found: list[int] = (owners == row).nonzero()[0][:limit].tolist()
    return found


def sort_unique(values: NDArray[Any]) -> NDArray[Any]:
    """Sorted values, each once. numpy's own `unique` imports its masked arrays, which costs more than a portrait."""
    ordered = np.sort(values)
    is_new = np.ones(len(ordered), dtype=np.bool_)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]
