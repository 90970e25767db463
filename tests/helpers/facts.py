"""Facts and their values as plain Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint import resources
from tflint.columns.column import Column, Lists, References, Scalars, Strings, Texts, text_of
from tflint.columns.column_types import REFERENCE
from tflint.facts.fact_registry import all_tables
from tflint.facts.facts import Facts
from tflint.model.batch_reader import open_model, read_one
from tflint.source import BytesSource
from tflint.writer.model_edits import edit_model


def facts_of(content: bytes) -> Facts:
    tables = read_one(open_model(BytesSource(content)))
    assert tables.is_readable
    return Facts(tables)


def named(name: str, edit: dict | None = None) -> Facts:
    content = resources.named_model_path(name).read_bytes()
    return facts_of(edit_model(content, edit) if edit else content)


def rows(facts: Facts, table: str, column: str) -> list:
    """A column as Python values: names of tensors for references to them, None for absent, '?' for unknown."""
    values = facts.column(table, column)
    shown = [_shown(facts, table, column, values, row) for row in range(len(values))]
    if values.state is None:
        return shown
    return [(value, None, "?")[int(state)] for value, state in zip(shown, values.state, strict=True)]


def _shown(facts, table, column, values, row):
    if isinstance(values, Strings | Texts):
        if values.state is not None and values.state[row]:
            return None
        return text_of(values, row)
    if isinstance(values, Lists) and values.labels is not None:
        return [values.labels[int(code)] for code in values.row(row)]
    if isinstance(values, Lists):
        return [_named(facts, table, column, element) for element in values.row(row)]
    if isinstance(values, References):
        return _named(facts, table, column, int(values.rows[row]))
    return values.values[row].item()


def _named(facts, table, column, element):
    declared = all_tables()[table].columns[column].type
    if declared.kind != REFERENCE:
        return element
    if element < 0:
        return None
    return text_of(facts.column("tensor", "name"), element) if declared.table == "tensor" else element


def by_name(facts: Facts, column: str) -> dict:
    """A column of the tensors by the tensors' names."""
    return dict(zip(rows(facts, "tensor", "name"), rows(facts, "tensor", column), strict=True))


def values_of(column: Column, rows: slice) -> list[Any]:
    """The values of some rows, as they are where a row has none."""
    indexes = np.arange(len(column))[rows]
    if isinstance(column, Scalars):
        return column.values[rows].tolist()
    if isinstance(column, References):
        return column.rows[rows].tolist()
    if isinstance(column, Strings):
        return [column.labels[code] if column.labels else "" for code in column.codes[rows].tolist()]
    if isinstance(column, Texts):
        return [column.text(row) for row in indexes.tolist()]
    flat, lengths = column.flatten(indexes)
    items = flat.tolist() if column.labels is None else [column.labels[code] for code in flat.tolist()]
    ends = np.cumsum(lengths).tolist()
    return [items[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]


def state_of(column: Column, rows: slice) -> list[int]:
    return [0] * len(range(len(column))[rows]) if column.state is None else column.state[rows].tolist()
