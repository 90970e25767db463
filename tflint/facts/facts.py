"""Access to the columns of a batch, raw or derived.

A fact is computed on first use by the function that its declaration names, and cached.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Column, Lists, References, Scalars, Strings, rows_of
from tflint.columns.column_types import BOOL, REFERENCE, STRING, ColumnType, TableDeclaration
from tflint.columns.table import Table
from tflint.contract import Contract
from tflint.errors import TflintError
from tflint.facts.fact_registry import DERIVED_COLUMNS, all_tables, derived_table
from tflint.model.tables import Tables
from tflint.values import EMPTY

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import PluginFact, Plugins
    from tflint.facts.run.model_run import ModelRun

_Value = TypeVar("_Value")

#: Largest number of list elements that one fact may produce. Real models need far fewer. The limit bounds memory: each
#: element takes 8 bytes.
MAX_ELEMENTS = 4_000_000


class FactError(TflintError):
    """The function of a fact crashed. Only the rules that need the fact are affected."""

    def __init__(self, fact: str, cause: BaseException) -> None:
        super().__init__(f"fact {fact} failed: {type(cause).__name__}: {cause}")
        self.fact = fact


class FactBudgetError(TflintError):
    """A fact would produce more than `MAX_ELEMENTS` list elements."""


class Facts:
    """The tables of a batch with their derived columns.

    `wanted` lists the columns, as (table, column), that the run is expected to read. Facts that share one pass over the
    bytes of constants are then computed together. `wanted` affects only speed, never values. `plugins` adds the facts
    of plugins. `contracts` maps model numbers to contracts, in ascending order. `pairs` maps the number of each new
    model to the number of the old model that it is compared with. `runs` maps model numbers to what runtimes did with
    the models.
    """

    def __init__(
        self,
        tables: Tables,
        wanted: Collection[tuple[str, str]] = (),
        plugins: Plugins | None = None,
        contracts: Mapping[int, Contract] = EMPTY,
        pairs: Mapping[int, int] = EMPTY,
        runs: Mapping[int, Sequence[ModelRun]] = EMPTY,
    ) -> None:
        self.tables = tables
        self.wanted = wanted
        self.plugins = plugins
        self.contracts = contracts
        self.pairs = pairs
        self.runs = runs
        self._columns: dict[tuple[str, str], Column] = {}
        self._tables: dict[str, Table] = {}
        self._shared: dict[str, Any] = {}

    def table(self, name: str) -> Table:
        """Return a table, raw or derived."""
        declared = derived_table(name)
        if declared is None:
            return self.tables.table(name)
        if name not in self._tables:
            self._tables[name] = self._call_function(name, declared.compute)
        return self._tables[name]

    def column(self, table: str, name: str) -> Column:
        """Return a column, raw or derived. Raises `FactError` if the function of the fact crashes."""
        key = (table, name)
        if key not in self._columns:
            self._columns[key] = self._compute_column(table, name)
        return self._columns[key]

    def _compute_column(self, table: str, name: str) -> Column:
        fact = DERIVED_COLUMNS.get((table, name))
        if fact is not None:
            column: Column = (
                self._call_function(f"{table}.{name}", fact.compute) if self.n(table) else _empty(fact.type)
            )
            return column
        if self.plugins is not None and (table, name) in self.plugins.facts:
            return self._compute_plugin_fact(self.plugins.facts[table, name])
        if name == "model" and name not in self.table(table):
            return References(self.table(table).model)
        return self.table(table).column(name)

    def _call_function(self, fact: str, compute: str) -> Any:
        module, function = compute.split(":")
        try:
            return getattr(importlib.import_module(f"tflint.facts.{module}"), function)(self)
        except (FactBudgetError, FactError, MemoryError):
            raise
        except Exception as error:  # a crash must affect only the rules that need this fact
            raise FactError(fact, error) from error

    def _compute_plugin_fact(self, fact: PluginFact) -> Column:
        """Compute and check the column of a plugin's fact. A crash affects only the rules that need the fact."""
        from tflint.facts.plugin_columns import check_column

        type_ = fact.column.type
        if not self.n(fact.table):
            return _empty(type_)
        try:
            n_targets = self.n(type_.table) if type_.table else 0
            return check_column(fact.compute(self), type_, self.n(fact.table), n_targets, MAX_ELEMENTS)
        except (FactBudgetError, FactError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            raise FactError(f"{fact.table}.{fact.column.name} of the plugin {fact.distribution}", error) from error

    def declarations(self) -> Mapping[str, TableDeclaration]:
        """Return the declarations of all tables, with the facts of plugins."""
        return self.plugins.tables if self.plugins else all_tables()

    def memoize(self, name: str, compute: Callable[[], _Value]) -> _Value:
        """Return an intermediate result that several facts share. It is computed on first use."""
        if name not in self._shared:
            self._shared[name] = compute()
        value: _Value = self._shared[name]
        return value

    def release_table(self, table: str) -> None:
        """Drop a derived table and its columns to free memory. They are computed again on the next use."""
        if self._tables.pop(table, None) is not None:
            for key in [key for key in self._columns if key[0] == table]:
                del self._columns[key]

    def forget(self) -> None:
        """Drop all tables. They are computed again on the next use.

        Tables and facts refer to each other. Without this call, the bytes of the model files would stay in memory until
        the next garbage collection.
        """
        self._tables.clear()
        self.tables.forget()

    # -- access for the functions of facts -----------------------------------------------------------------------------

    def n(self, table: str) -> int:
        """Return the number of rows of a table."""
        return len(self.table(table))

    def numbers(self, table: str, name: str) -> NDArray[Any]:
        """Return the values of a number or bool column, including those of absent and unknown rows."""
        column = self.column(table, name)
        assert isinstance(column, Scalars)
        values: NDArray[Any] = column.values
        return values

    def rows(self, table: str, name: str) -> NDArray[Any]:
        """Return the row numbers that a reference column contains; -1 if a reference is absent."""
        return rows_of(self.column(table, name))

    def lists(self, table: str, name: str) -> Lists:
        """Return a list column."""
        column = self.column(table, name)
        assert isinstance(column, Lists)
        return column

    def strings(self, table: str, name: str) -> Strings:
        """Return a string column. Each row has a code, the index of its string in `labels`."""
        column = self.column(table, name)
        assert isinstance(column, Strings)
        return column

    def is_one_of(self, table: str, name: str, texts: set[str]) -> NDArray[np.bool_]:
        """Return, per row of a string column, whether its string is one of `texts`."""
        column = self.strings(table, name)
        accepted = np.array([label in texts for label in column.labels], dtype=np.bool_)
        matches = accepted[column.codes] if len(accepted) else np.zeros(len(column.codes), dtype=np.bool_)
        return matches if column.state is None else matches & (column.state == 0)

    def by_label(self, table: str, name: str, values: dict[str, int], default: int) -> NDArray[np.int64]:
        """Map each row of a string column to a number: `values[string]`, or `default` for other and missing strings."""
        column = self.strings(table, name)
        numbers = np.array([values.get(label, default) for label in column.labels], dtype=np.int64)
        mapped = numbers[column.codes] if len(numbers) else np.full(len(column.codes), default)
        return mapped if column.state is None else np.where(column.state == 0, mapped, default)


def _empty(type_: ColumnType) -> Column:
    """Return a column with no rows."""
    empty = np.zeros(0, dtype=np.int64)
    if type_.is_list:
        return Lists(empty, empty, empty.take, labels=[] if type_.kind == STRING else None)
    if type_.kind == STRING:
        return Strings(empty, [])
    if type_.kind == REFERENCE:
        return References(empty)
    return Scalars(empty.astype(np.bool_) if type_.kind == BOOL else empty.astype(np.float64))


def require_budget(n_elements: int, what: str) -> None:
    """Raise `FactBudgetError` if `n_elements` exceeds `MAX_ELEMENTS`.

    `what` names the elements in the message, in the plural: "values of biases".
    """
    if n_elements > MAX_ELEMENTS:
        raise FactBudgetError(f"{n_elements:,} {what}, more than the limit of {MAX_ELEMENTS:,}")


def distinct(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the distinct numbers, sorted. `np.unique` would import `numpy.ma`, which takes as long as a check."""
    ordered = np.sort(numbers)
    is_first = np.ones(len(ordered), dtype=np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first]


def values_at(values: NDArray[Any], rows: NDArray[Any], fill: Any) -> NDArray[Any]:
    """Return the value at each of `rows`, or `fill` if the row is negative."""
    if not len(values):
        return np.full(len(rows), fill)
    result: NDArray[Any] = np.where(rows < 0, fill, values[np.maximum(rows, 0)])
    return result


def first_elements(lists: Lists, rows: NDArray[Any], fill: float) -> NDArray[np.float64]:
    """Return the first list element at each of `rows`, or `fill` if the row is negative or its list is empty."""
    result = np.full(len(rows), fill, dtype=np.float64)
    if not len(lists):
        return result
    safe = np.maximum(rows, 0)
    filled = np.flatnonzero((rows >= 0) & (lists.lengths[safe] > 0))
    result[filled] = lists.take(lists.starts[safe[filled]])
    return result


def list_lengths(lists: Lists, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the list length at each of `rows`, or 0 if the row is negative."""
    return values_at(lists.lengths, rows, 0).astype(np.int64)
