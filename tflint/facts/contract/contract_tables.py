"""The tables of contracts: the keys of contracts as columns.

Each column has the name of its key. The column `resize.mode` is the key `mode` in the table `resize` of an entry, and
the column `zero_point` is the key `zero-point`. Keys that a contract does not set are absent.
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
from tflint.facts.fact_registry import derived_table
from tflint.facts.facts import Facts
from tflint.values import EMPTY

Entry = Mapping[str, Any]


def contract_table(facts: Facts) -> Table:
    """Return the valid contracts, one row per model with a contract."""
    valid = {model: contract for model, contract in facts.contracts.items() if contract.problem is None}
    contracts = list(valid.values())
    computed = {
        "is_confirmed": lambda: _is_confirmed([bool(contract.model.get("draft")) for contract in contracts]),
        "n_inputs": lambda: _list_lengths([contract.data.get("inputs") for contract in contracts]),
        "n_outputs": lambda: _list_lengths([contract.data.get("outputs") for contract in contracts]),
    }
    return _build_table("contract", list(valid), [contract.model for contract in contracts], computed)


def problem_table(facts: Facts) -> Table:
    """Return the problems of invalid contracts, one row per model with such a contract."""
    problems = {model: of.problem for model, of in facts.contracts.items() if of.problem is not None}
    computed = {"message": lambda: strings_of(problem.message for problem in problems.values())}
    return _build_table("contract_problem", list(problems), [EMPTY] * len(problems), computed)


def input_table(facts: Facts) -> Table:
    """Return the `[[inputs]]` entries of all contracts."""
    return _entry_table(facts, "input")


def output_table(facts: Facts) -> Table:
    """Return the `[[outputs]]` entries of all contracts."""
    return _entry_table(facts, "output")


def _entry_table(facts: Facts, side: str) -> Table:
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
    computed = {
        "position": lambda: Scalars(np.array(positions, dtype=np.float64)),
        "contract": lambda: References(np.array(owners, dtype=np.int32)),
        side: lambda: References(_match_entries(facts, side, models, entries)),
    }
    return _build_table(f"contract_{side}", models, entries, computed)


def _build_table(name: str, models: Sequence[int], entries: Sequence[Entry], computed: dict[str, Any]) -> Table:
    declared = derived_table(name)
    assert declared is not None
    makers = {
        column: computed.get(column, lambda of=of: _build_column(of, entries))
        for column, of in declared.columns.items()
    }
    return Table(name, np.array(models, dtype=np.int32), makers)


def _build_column(declared: ColumnDeclaration, entries: Sequence[Entry]) -> Column:
    """Return the values of a column's key in all entries."""
    values = [_read_key(entry, declared.name) for entry in entries]
    if declared.name == "dtype":  # contracts use numpy's type names, models those of schema.fbs
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


def _read_key(entry: Entry, column: str) -> Any:
    value: Any = entry
    for key in column.replace("_", "-").split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _is_confirmed(are_drafts: Sequence[bool]) -> Scalars:
    drafts = np.array(are_drafts, dtype=np.bool_)
    return Scalars(~drafts, state_of(np.zeros(len(drafts), np.bool_), drafts))


def _list_lengths(lists: Sequence[Sequence[Any] | None]) -> Scalars:
    return scalars_of(None if entries is None else len(entries) for entries in lists)


def _match_entries(facts: Facts, side: str, models: Sequence[int], entries: Sequence[Entry]) -> Any:
    """Return the row of the input (or output) that each entry describes, -1 if none or several match."""
    interfaces = {model: _Interface(facts, side, model) for model in dict.fromkeys(models)}
    rows = [interfaces[model].find_row(entry) for model, entry in zip(models, entries, strict=True)]
    return np.array(rows, dtype=np.int32)


class _Interface:
    """The inputs (or outputs) of the subgraph that a contract describes."""

    def __init__(self, facts: Facts, side: str, model: int) -> None:
        rows = facts.table(side).rows_of(model)
        owners = facts.numbers("subgraph", "index")[facts.rows(side, "subgraph")[rows]]
        subgraph = called_subgraph(facts, model)
        self._rows: list[int] = [rows.start + int(k) for k in np.flatnonzero(owners == subgraph)]
        self._positions = {int(facts.numbers(side, "position")[row]): row for row in self._rows}
        self._names: dict[str, set[int]] = {}
        tensors: dict[int, list[int]] = {}
        for row in self._rows:
            tensors.setdefault(int(facts.rows(side, "tensor")[row]), []).append(row)
        for tensor, tensor_rows in tensors.items():
            if tensor >= 0:
                self._names.setdefault(text_of(facts.column("tensor", "name"), tensor) or "", set()).update(tensor_rows)
        signature_rows = facts.table("signature_tensor").rows_of(model)
        for k in range(signature_rows.start, signature_rows.stop):
            if text_of(facts.column("signature_tensor", "direction"), k) == side:
                name = text_of(facts.column("signature_tensor", "name"), k) or ""
                tensor_rows = tensors.get(int(facts.rows("signature_tensor", "tensor")[k]), [])
                self._names.setdefault(name, set()).update(tensor_rows)

    def find_row(self, entry: Entry) -> int:
        """Return the row that an entry describes, -1 if none or several match."""
        if "index" in entry:
            return self._positions.get(int(entry["index"]), -1)
        rows = self._names.get(entry["name"], set()) if "name" in entry else self._rows
        return next(iter(rows)) if len(rows) == 1 else -1


def called_subgraph(facts: Facts, model: int) -> int:
    """Return the index of the subgraph that a model's contract describes.

    This is the subgraph of the signature that the contract names. It is subgraph 0 if the contract does not name a
    signature, or if the model does not have exactly one signature with this key.
    """
    key = facts.contracts[model].model.get("signature")
    keys, subgraphs = facts.column("signature", "key"), facts.rows("signature", "subgraph")
    rows = facts.table("signature").rows_of(model)
    matches = [row for row in range(rows.start, rows.stop) if key is not None and text_of(keys, row) == key]
    if len(matches) != 1 or subgraphs[matches[0]] < 0:
        return 0
    return int(facts.numbers("subgraph", "index")[subgraphs[matches[0]]])


def has_contract(facts: Facts) -> Scalars:
    """Return whether each model has a contract."""
    return Scalars(np.array([model in facts.contracts for model in range(facts.n("model"))], dtype=np.bool_))
