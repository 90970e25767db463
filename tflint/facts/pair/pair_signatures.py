"""The table of the signatures of pairs, with removed and added names of inputs and outputs."""

from __future__ import annotations

from tflint.columns.column import references_of, strings_of, texts_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_matching import SIDES, signature_names, signatures, subgraphs
from tflint.facts.pair.pair_tables import Makers, new_models


def signature_table(facts: Facts) -> Table:
    """Return the signatures of all pairs, one row per pair and key."""
    listed = [(one.pair, key, new, old) for one in signatures(facts) for key, (new, old) in one.rows.items()]
    makers: Makers = {
        "pair": lambda: references_of(pair for pair, *_ in listed),
        "signature": lambda: references_of(new for _, _, new, _ in listed),
        "old": lambda: references_of(old for *_, old in listed),
        "key": lambda: strings_of(key for _, key, _, _ in listed),
    }
    row_pairs = [(new, old) for _, _, new, old in listed]
    for side in SIDES:
        makers |= _name_columns(facts, side, row_pairs)
    return Table("pair_signature", new_models(facts, (pair for pair, *_ in listed)), makers)


def _name_columns(facts: Facts, side: str, row_pairs: list[tuple[int, int]]) -> Makers:
    """Return the columns with the names of inputs (or outputs) that only one of the two signatures has."""

    def removed_names(new: int, old: int) -> list[str]:
        if new < 0:
            return []
        names = signature_names(facts, new, side)
        removed = _removed_tensors(facts, side)
        return [
            name
            for name, tensor in signature_names(facts, old, side).items()
            if name not in names and tensor not in removed
        ]

    def added_names(new: int, old: int) -> list[str]:
        names = signature_names(facts, old, side)
        return [name for name in signature_names(facts, new, side) if name not in names] if old >= 0 else []

    return {
        f"lost_{side}s": lambda: texts_of([removed_names(new, old) for new, old in row_pairs]),
        f"new_{side}s": lambda: texts_of([added_names(new, old) for new, old in row_pairs]),
    }


def _removed_tensors(facts: Facts, side: str) -> set[int]:
    """Return the tensors of removed inputs (or outputs). A rule of their own reports them."""

    def find_tensors() -> set[int]:
        entries = (entry for one in subgraphs(facts) for entry in one.entries[side])
        return {entry.old.tensor for entry in entries if entry.old and not entry.new}

    return facts.memoize(f"removed {side}s", find_tensors)
