"""The tables of contracts: what callers say of models, as columns beside those of the models.

A column is the key of the contract's schema that it is called after: `resize.mode` is `mode` in the entry's `resize`,
`zero_point` is `zero-point`. What is not written is absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tflint.columns.column import (
    Column,
    References,
    Scalars,
    absent_where_none,
    lists_by_counts,
    scalars_of,
    state_of,
    strings_of,
    text_of,
    texts_of,
)
from tflint.columns.column_types import BOOL, NUMBER, STRING, ColumnDeclaration
from tflint.columns.table import Table
from tflint.facts.fact_registry import DERIVED_TABLES
from tflint.facts.facts import Facts

Entry = Mapping[str, Any]


def contract_table(facts: Facts) -> Table:
    """The contracts of models that have one: what each claims of its model as a whole."""
    contracts = list(facts.contracts.values())
    made = {
        "is_confirmed": lambda: _confirmed([bool(contract.model.get("draft")) for contract in contracts]),
        "n_inputs": lambda: _counts([contract.data.get("inputs") for contract in contracts]),
        "n_outputs": lambda: _counts([contract.data.get("outputs") for contract in contracts]),
    }
    return _table("contract", list(facts.contracts), [contract.model for contract in contracts], made)


def input_table(facts: Facts) -> Table:
    """What contracts say of inputs, an entry a row."""
    return _border_table(facts, "input")


def output_table(facts: Facts) -> Table:
    """What contracts say of outputs, an entry a row."""
    return _border_table(facts, "output")


def _border_table(facts: Facts, side: str) -> Table:
    models: list[int] = []
    positions: list[int] = []
    owners: list[int] = []
    entries: list[Entry] = []
    for number, (model, contract) in enumerate(facts.contracts.items()):
        listed = contract.entries(side)
        models += [model] * len(listed)
        owners += [number] * len(listed)
        positions += range(len(listed))
        entries += listed
    made = {
        "position": lambda: Scalars(np.array(positions, dtype=np.float64)),
        "contract": lambda: References(np.array(owners, dtype=np.int32)),
        side: lambda: References(_matched(facts, side, models, entries)),
    }
    return _table(f"contract_{side}", models, entries, made)


def _table(name: str, models: Sequence[int], entries: Sequence[Entry], made: dict[str, Any]) -> Table:
    declared = DERIVED_TABLES[name].columns
    makers = {column: made.get(column, lambda of=of: _column(of, entries)) for column, of in declared.items()}
    return Table(name, np.array(models, dtype=np.int32), makers)


def _column(declared: ColumnDeclaration, entries: Sequence[Entry]) -> Column:
    """What entries say under the key that a column is called after."""
    values = [_value(entry, declared.name) for entry in entries]
    if declared.name == "dtype":  # the contract has numpy's names, the model the schema's
        values = [None if value is None else value.upper() for value in values]
    kind = declared.type.kind
    if declared.type.is_list:
        absent = absent_where_none(values)
        lists = [[] if value is None else value if isinstance(value, list) else [value] for value in values]
        if kind == STRING:
            return texts_of(lists, absent)
        flat = np.array([number for numbers in lists for number in numbers], dtype=np.float64)
        return lists_by_counts(flat, np.array([len(numbers) for numbers in lists], dtype=np.int64), absent)
    if kind == STRING:
        return strings_of(values)
    assert kind in (BOOL, NUMBER)
    return scalars_of(values, np.bool_ if kind == BOOL else np.float64)


def _value(entry: Entry, column: str) -> Any:
    value: Any = entry
    for key in column.replace("_", "-").split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _confirmed(are_drafts: Sequence[bool]) -> Scalars:
    drafts = np.array(are_drafts, dtype=np.bool_)
    return Scalars(~drafts, state_of(np.zeros(len(drafts), np.bool_), drafts))


def _counts(lists: Sequence[Sequence[Any] | None]) -> Scalars:
    return scalars_of(None if entries is None else len(entries) for entries in lists)


def _matched(facts: Facts, side: str, models: Sequence[int], entries: Sequence[Entry]) -> Any:
    """For each entry the row of the model's input (or output) that it is about, -1 where it is none or not one."""
    borders = {model: _Border(facts, side, model) for model in dict.fromkeys(models)}
    found = [borders[model].row(entry) for model, entry in zip(models, entries, strict=True)]
    return np.array(found, dtype=np.int32)


class _Border:
    """The inputs (or outputs) that callers of a model see: of the signature that its contract names, else of the first
    subgraph.
    """

    def __init__(self, facts: Facts, side: str, model: int) -> None:
        rows = facts.table(side).rows_of(model)
        owners = facts.numbers("subgraph", "index")[facts.rows(side, "subgraph")[rows]]
        wanted = called_subgraph(facts, model)
        self._rows: list[int] = [rows.start + int(k) for k in np.flatnonzero(owners == wanted)]
        self._positions = {int(facts.numbers(side, "position")[row]): row for row in self._rows}
        self._names: dict[str, set[int]] = {}
        tensors: dict[int, list[int]] = {}
        for row in self._rows:
            tensors.setdefault(int(facts.rows(side, "tensor")[row]), []).append(row)
        for tensor, its_rows in tensors.items():
            if tensor >= 0:
                self._names.setdefault(text_of(facts.column("tensor", "name"), tensor) or "", set()).update(its_rows)
        called = facts.table("signature_tensor").rows_of(model)
        for k in range(called.start, called.stop):
            if text_of(facts.column("signature_tensor", "direction"), k) == side:
                name = text_of(facts.column("signature_tensor", "name"), k) or ""
                its_rows = tensors.get(int(facts.rows("signature_tensor", "tensor")[k]), [])
                self._names.setdefault(name, set()).update(its_rows)

    def row(self, entry: Entry) -> int:
        """The one row that an entry is about; -1 for none, or several."""
        if "index" in entry:
            return self._positions.get(int(entry["index"]), -1)
        rows = self._names.get(entry["name"], set()) if "name" in entry else self._rows
        return next(iter(rows)) if len(rows) == 1 else -1


def called_subgraph(facts: Facts, model: int) -> int:
    """The index of the subgraph that a model's caller runs."""
    wanted = facts.contracts[model].model.get("signature")
    keys, subgraphs = facts.column("signature", "key"), facts.rows("signature", "subgraph")
    rows = facts.table("signature").rows_of(model)
    named = [row for row in range(rows.start, rows.stop) if wanted is not None and text_of(keys, row) == wanted]
    if len(named) != 1 or subgraphs[named[0]] < 0:
        return 0
    return int(facts.numbers("subgraph", "index")[subgraphs[named[0]]])
