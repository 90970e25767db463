"""Columns of a batch, raw or derived: a fact is computed when asked for, by the function its declaration names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Column, Lists, References, Scalars, Strings, rows_of
from tflint.columns.column_types import BOOL, REFERENCE, STRING, ColumnType, TableDeclaration
from tflint.columns.table import Table
from tflint.contract import Contract
from tflint.errors import TflintError
from tflint.facts.fact_registry import DERIVED_COLUMNS, DERIVED_TABLES, all_tables
from tflint.model.tables import Tables
from tflint.values import EMPTY

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import PluginFact, Plugins

_Made = TypeVar("_Made")

#: A fact may make this many list elements: far beyond real models, few enough to bound memory (8 bytes each).
MAX_ELEMENTS = 4_000_000


class FactError(TflintError):
    """A fact crashed: which one, and how. The rules that need it are not checked, the others go on."""

    def __init__(self, fact: str, cause: BaseException) -> None:
        super().__init__(f"fact {fact} failed: {type(cause).__name__}: {cause}")
        self.fact = fact


class FactBudgetError(TflintError):
    """A fact would make more list elements than allowed."""


class Facts:
    """The tables of a batch with their derived columns.

    `wanted` names the columns (table, column) that will be asked for, as far as that is known: facts that come out of
    one pass over the same bytes are then made together. It changes no value. `plugins` are facts besides tflint's own,
    `contracts` those of models by number, ascending; `pairs` says which model is the older version of which.
    """

    def __init__(
        self,
        tables: Tables,
        wanted: Collection[tuple[str, str]] = (),
        plugins: Plugins | None = None,
        contracts: Mapping[int, Contract] = EMPTY,
        pairs: Mapping[int, int] = EMPTY,
    ) -> None:
        self.tables = tables
        self.wanted = wanted
        self.plugins = plugins
        self.contracts = contracts
        self.pairs = pairs
        self._made: dict[tuple[str, str], Column] = {}
        self._tables: dict[str, Table] = {}
        self._shared: dict[str, Any] = {}

    def table(self, name: str) -> Table:
        """A table, raw or derived."""
        if name not in DERIVED_TABLES:
            return self.tables.table(name)
        if name not in self._tables:
            self._tables[name] = self._computed(name, DERIVED_TABLES[name].compute)
        return self._tables[name]

    def column(self, table: str, name: str) -> Column:
        """A column, raw or derived; `FactError` where the function that derives it crashes."""
        key = (table, name)
        if key not in self._made:
            self._made[key] = self._make(table, name)
        return self._made[key]

    def _make(self, table: str, name: str) -> Column:
        fact = DERIVED_COLUMNS.get((table, name))
        if fact is not None:
            made: Column = self._computed(f"{table}.{name}", fact.compute) if self.n(table) else _empty(fact.type)
            return made
        if self.plugins is not None and (table, name) in self.plugins.facts:
            return self._given(self.plugins.facts[table, name])
        if name == "model" and name not in self.table(table):
            return References(self.table(table).model)
        return self.table(table).column(name)

    def _computed(self, fact: str, compute: str) -> Any:
        module, function = compute.split(":")
        try:
            return getattr(importlib.import_module(f"tflint.facts.{module}"), function)(self)
        except (FactBudgetError, FactError, MemoryError):
            raise
        except Exception as error:  # whatever a fact does, only the rules that need it may suffer
            raise FactError(fact, error) from error

    def _given(self, fact: PluginFact) -> Column:
        """The column of a plugin's fact, checked; whatever its function does, only the rules that need it suffer."""
        from tflint.facts.plugin_columns import checked

        type_ = fact.column.type
        if not self.n(fact.table):
            return _empty(type_)
        try:
            n_targets = self.n(type_.table) if type_.table else 0
            return checked(fact.compute(self), type_, self.n(fact.table), n_targets, MAX_ELEMENTS)
        except (FactBudgetError, FactError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            raise FactError(f"{fact.table}.{fact.column.name} of the plugin {fact.distribution}", error) from error

    def declared(self) -> Mapping[str, TableDeclaration]:
        """The tables and columns that there are."""
        return self.plugins.tables if self.plugins else all_tables()

    def once(self, name: str, make: Callable[[], _Made]) -> _Made:
        """What several facts need and no rule does: made when first asked for."""
        if name not in self._shared:
            self._shared[name] = make()
        made: _Made = self._shared[name]
        return made

    def let_go(self, table: str) -> None:
        """Let go of a derived table whose rules were judged, for the memory; what its findings need is made again."""
        if self._tables.pop(table, None) is not None:
            for key in [key for key in self._made if key[0] == table]:
                del self._made[key]

    def forget(self) -> None:
        """Let go of all tables: they lead back here, and the bytes of the files would stay in memory until the next
        collection of garbage. What is asked for again is made again.
        """
        self._tables.clear()
        self.tables.forget()

    # -- what the functions of facts read ------------------------------------------------------------------------------

    def n(self, table: str) -> int:
        """How many rows a table has."""
        return len(self.table(table))

    def numbers(self, table: str, name: str) -> NDArray[Any]:
        """The values of a column of numbers or bools, whatever their state."""
        column = self.column(table, name)
        assert isinstance(column, Scalars)
        values: NDArray[Any] = column.values
        return values

    def rows(self, table: str, name: str) -> NDArray[Any]:
        """The row numbers of a reference column."""
        return rows_of(self.column(table, name))

    def lists(self, table: str, name: str) -> Lists:
        """A list column."""
        column = self.column(table, name)
        assert isinstance(column, Lists)
        return column

    def strings(self, table: str, name: str) -> Strings:
        """A string column by codes."""
        column = self.column(table, name)
        assert isinstance(column, Strings)
        return column

    def is_one_of(self, table: str, name: str, texts: set[str]) -> NDArray[np.bool_]:
        """Which rows of a string column hold one of some texts."""
        column = self.strings(table, name)
        accepted = np.array([label in texts for label in column.labels], dtype=np.bool_)
        found = accepted[column.codes] if len(accepted) else np.zeros(len(column.codes), dtype=np.bool_)
        return found if column.state is None else found & (column.state == 0)

    def by_label(self, table: str, name: str, values: dict[str, int], default: int) -> NDArray[np.int64]:
        """A number for each row of a string column, by what the string is."""
        column = self.strings(table, name)
        numbers = np.array([values.get(label, default) for label in column.labels], dtype=np.int64)
        found = numbers[column.codes] if len(numbers) else np.full(len(column.codes), default)
        return found if column.state is None else np.where(column.state == 0, found, default)


def _empty(type_: ColumnType) -> Column:
    """A column of a table without rows."""
    nothing = np.zeros(0, dtype=np.int64)
    if type_.is_list:
        return Lists(nothing, nothing, nothing.take, labels=[] if type_.kind == STRING else None)
    if type_.kind == STRING:
        return Strings(nothing, [])
    if type_.kind == REFERENCE:
        return References(nothing)
    return Scalars(nothing.astype(np.bool_) if type_.kind == BOOL else nothing.astype(np.float64))


def require_budget(n_elements: int, what: str) -> None:
    """Refuse to make more list elements than allowed."""
    if n_elements > MAX_ELEMENTS:
        raise FactBudgetError(f"{what}: {n_elements:,} values, more than {MAX_ELEMENTS:,}")


def taken(values: NDArray[Any], rows: NDArray[Any], fill: Any) -> NDArray[Any]:
    """Values at rows, `fill` where the row is negative."""
    if not len(values):
        return np.full(len(rows), fill)
    found: NDArray[Any] = np.where(rows < 0, fill, values[np.maximum(rows, 0)])
    return found


def first_elements(lists: Lists, rows: NDArray[Any], fill: float) -> NDArray[np.float64]:
    """The first element of the lists of some rows, `fill` where the row is negative or its list empty."""
    result = np.full(len(rows), fill, dtype=np.float64)
    if not len(lists):
        return result
    safe = np.maximum(rows, 0)
    some = np.flatnonzero((rows >= 0) & (lists.lengths[safe] > 0))
    result[some] = lists.take(lists.starts[safe[some]])
    return result


def counts(lists: Lists, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Lengths of the lists of some rows, 0 where the row is negative."""
    return taken(lists.lengths, rows, 0).astype(np.int64)
