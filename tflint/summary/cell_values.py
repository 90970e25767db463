"""Reads single values from the columns of one model: the strings, numbers and lists of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import PRESENT, Lists, text_of
from tflint.facts.facts import Facts

#: Maximum number of inputs, outputs, names or subgraphs to list. Real models have at most a few hundred of each.
MAX_LISTED = 2_000


def read_string(facts: Facts, table: str, column: str, row: int) -> str | None:
    """Return a string, or None if it is absent."""
    return text_of(facts.column(table, column), row)


def read_number(facts: Facts, table: str, column: str, row: int) -> int:
    """Return the stored integer. Does not check whether it is absent or unknown."""
    return int(facts.numbers(table, column)[row])


def read_optional_number(facts: Facts, table: str, column: str, row: int) -> int | None:
    """Return an integer, or None if it is absent or unknown."""
    state = facts.column(table, column).state
    return None if state is not None and state[row] != PRESENT else read_number(facts, table, column, row)


def read_list(facts: Facts, table: str, column: str, row: int) -> list[Any] | None:
    """Return the elements of a list, or None if the list is absent. Codes are replaced by the labels of the column."""
    lists: Lists = facts.lists(table, column)
    if lists.state is not None and lists.state[row] != PRESENT:
        return None
    elements = lists.row(row)
    return elements if lists.labels is None else [lists.labels[code] for code in elements]


def find_rows(facts: Facts, table: str, owner: str, row: int, limit: int = MAX_LISTED) -> list[int]:
    """Return the first `limit` rows of `table` whose reference column `owner` points to `row`, in stored order."""
    owners = facts.rows(table, owner)
    rows: list[int] = (owners == row).nonzero()[0][:limit].tolist()
    return rows


def find_dynamic_tensors(facts: Facts) -> NDArray[np.bool_]:
    """Return, per tensor, whether the stored `shape_signature` has a dynamic dimension."""
    signatures = facts.lists("tensor", "shape_signature")
    sizes, lengths = signatures.flatten(np.arange(len(signatures)))
    owners = np.repeat(np.arange(len(signatures)), lengths)
    return np.bincount(owners[sizes < 0], minlength=len(signatures)) > 0


def sort_unique(values: NDArray[Any]) -> NDArray[Any]:
    """Return the sorted unique values. `numpy.unique` imports masked arrays, which takes longer than a summary."""
    ordered = np.sort(values)
    is_new = np.ones(len(ordered), dtype=np.bool_)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]
