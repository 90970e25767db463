"""Registry of facts: collects the declarations of all subpackages. Does not import numpy.

The declarations about pairs and runs are imported on demand, because most runs do not need them.
"""

from __future__ import annotations

import functools

from tflint.columns.column_types import ColumnDeclaration, TableDeclaration, reference
from tflint.facts.contract import contract_declarations
from tflint.facts.graph import graph_declarations
from tflint.facts.interface import interface_declarations
from tflint.facts.quantization import quantization_declarations
from tflint.facts.weights import weight_declarations

_FACTS: dict[str, tuple[ColumnDeclaration, ...]] = {}
for _module in (
    graph_declarations,
    quantization_declarations,
    interface_declarations,
    weight_declarations,
    contract_declarations,
):
    for _table, _columns in _module.FACTS.items():
        _FACTS[_table] = _FACTS.get(_table, ()) + _columns

#: Tables about files. They have rows for every file, whether it is a readable model or not.
FILE_TABLES = frozenset({"file", "member"})
#: Tables that have rows only for models with a contract.
CONTRACT_TABLES = frozenset(declared.name for declared in contract_declarations.TABLES)
#: The table of invalid contracts. It has rows for unreadable files, too.
CONTRACT_PROBLEM_TABLE = "contract_problem"
#: Tables that have rows only if two versions of a model are compared.
PAIR_TABLES = frozenset(
    {
        *("pair", "pair_constants", "pair_input", "pair_labels", "pair_operator", "pair_output", "pair_signature"),
        "pair_subgraph",
    }
)
#: Tables that have rows only if models were run.
RUN_TABLES = frozenset(
    {"run", "run_change", "run_golden", "run_normalization", "run_output", "run_sample", "run_tensor"}
)
_DERIVED_TABLES = {
    declared.name: declared
    for declared in (*graph_declarations.TABLES, *quantization_declarations.TABLES, *contract_declarations.TABLES)
}
#: Derived columns by table and name.
DERIVED_COLUMNS = {(table, column.name): column for table, columns in _FACTS.items() for column in columns}


def derived_table(name: str) -> TableDeclaration | None:
    """Return the declaration of a derived table, None if the table is stored in the file."""
    if name in PAIR_TABLES or name in RUN_TABLES:
        return tables_of_pairs_and_runs()[name]
    return _DERIVED_TABLES.get(name)


@functools.cache
def tables_of_pairs_and_runs() -> dict[str, TableDeclaration]:
    """Return the declarations of the tables about pairs and runs, by name."""
    from tflint.facts.pair import pair_declarations
    from tflint.facts.run import run_declarations

    return {declared.name: declared for declared in (*pair_declarations.TABLES, *run_declarations.TABLES)}


@functools.cache
def all_tables() -> dict[str, TableDeclaration]:
    """Return the declarations of all tables that rules can use, with raw and derived columns."""
    from tflint.model.model_columns import (
        raw_tables,
    )  # imported here because only rule checks and `tflint facts` need it

    tables = {}
    for name, declared in raw_tables().items():
        columns = dict(declared.columns)
        columns.update({column.name: column for column in _FACTS.get(name, ())})
        if name not in (*FILE_TABLES, "model"):
            columns["model"] = ColumnDeclaration("model", reference("model"), "its model")
        tables[name] = TableDeclaration(name, declared.row, columns)
    for declared in (_DERIVED_TABLES | tables_of_pairs_and_runs()).values():
        columns = {**declared.columns, "model": ColumnDeclaration("model", reference("model"), "its model")}
        columns.update({column.name: column for column in _FACTS.get(declared.name, ())})
        tables[declared.name] = TableDeclaration(declared.name, declared.row, columns, declared.needs, declared.compute)
    return tables
