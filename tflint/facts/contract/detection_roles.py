"""Facts about the outputs of detection models: what the detection operator produces, and what a contract specifies."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Lists, absent_where_none, lists_by_owner, text_of, texts_of
from tflint.facts.facts import Facts
from tflint.values import frozen

_PREFIX = "detection-"


@frozen
class _Order:
    """The roles of all outputs of a model, in order: those that its graph gives them, and those of the contract.

    `wrong` are the entries of the contract, by row, whose role is different from that of the graph.
    """

    produced: tuple[str, ...]
    specified: tuple[str, ...]
    wrong: tuple[int, ...]


def detection_order(facts: Facts) -> Lists:
    """Return the roles that the detection operator gives the outputs of each contract's model."""
    return _texts([None if order is None else order.produced for order in _orders(facts)])


def specified_order(facts: Facts) -> Lists:
    """Return the roles that each contract gives the outputs of its detection model."""
    return _texts([None if order is None else order.specified for order in _orders(facts)])


def wrong_roles(facts: Facts) -> Lists:
    """Return the entries of each contract that give an output a role other than the detection operator gives it."""
    orders = _orders(facts)
    pairs = [(number, row) for number, order in enumerate(orders) if order is not None for row in order.wrong]
    owners, rows = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return lists_by_owner(owners, rows, len(orders), absent_where_none(orders))


def _texts(roles: list[tuple[str, ...] | None]) -> Lists:
    return texts_of([of_model or () for of_model in roles], absent_where_none(roles))


def _orders(facts: Facts) -> list[_Order | None]:
    """Return the order of each contract's outputs, or None if no entry with a role describes a detection output."""
    return facts.memoize("detection orders", lambda: [_order(facts, number) for number in range(facts.n("contract"))])


def _order(facts: Facts, contract: int) -> _Order | None:
    entries = _entries_with_roles(facts, contract)
    if not entries:
        return None
    subgraph = facts.rows("output", "subgraph")[next(iter(entries))]
    outputs = [row for row in range(facts.n("output")) if facts.rows("output", "subgraph")[row] == subgraph]
    produced = {row: _produced_role(facts, row) for row in outputs}
    role_of = {row: text_of(facts.column("contract_output", "role"), entries[row]) or "" for row in entries}
    return _Order(
        tuple(produced[row] or "other" for row in outputs),
        tuple(role_of.get(row, "none") for row in outputs),
        tuple(entries[row] for row in outputs if row in entries and role_of[row] != produced[row]),
    )


def _entries_with_roles(facts: Facts, contract: int) -> dict[int, int]:
    """Return the entries of a contract that give a detection output a role, by the output's row, in output order."""
    owners, outputs = facts.rows("contract_output", "contract"), facts.rows("contract_output", "output")
    roles = facts.column("contract_output", "role")
    entries = {
        int(outputs[entry]): entry
        for entry in range(len(owners))
        if owners[entry] == contract and outputs[entry] >= 0 and text_of(roles, entry) is not None
    }
    return {row: entries[row] for row in sorted(entries) if _produced_role(facts, row)}


def _produced_role(facts: Facts, output: int) -> str:
    """Return the role that the detection operator gives an output; empty if it does not produce the output."""
    meaning = text_of(facts.column("output", "meaning"), output) or ""
    return meaning.removeprefix(_PREFIX) if meaning.startswith(_PREFIX) else ""
