"""The table of the signatures of pairs: which keys, and which names of inputs and outputs, both models have."""

from __future__ import annotations

from tflint.columns.column import strings_of, texts_of
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_matching import SIDES, names_of, signatures, subgraphs
from tflint.facts.pair.pair_tables import Makers, new_models, references


def signature_table(facts: Facts) -> Table:
    """The signatures by key."""
    listed = [(one.pair, key, new, old) for one in signatures(facts) for key, (new, old) in one.rows.items()]
    makers: Makers = {
        "pair": lambda: references(pair for pair, *_ in listed),
        "signature": lambda: references(new for _, _, new, _ in listed),
        "old": lambda: references(old for *_, old in listed),
        "key": lambda: strings_of(key for _, key, _, _ in listed),
    }
    couples = [(new, old) for _, _, new, old in listed]
    for side in SIDES:
        makers |= _names(facts, side, couples)
    return Table("pair_signature", new_models(facts, (pair for pair, *_ in listed)), makers)


def _names(facts: Facts, side: str, couples: list[tuple[int, int]]) -> Makers:
    """Columns on the names of a side that one of both signatures does not have."""

    def lost(new: int, old: int) -> list[str]:
        if new < 0:
            return []
        names = names_of(facts, new, side)
        gone = _gone(facts, side)
        return [name for name, tensor in names_of(facts, old, side).items() if name not in names and tensor not in gone]

    def came(new: int, old: int) -> list[str]:
        names = names_of(facts, old, side)
        return [name for name in names_of(facts, new, side) if name not in names] if old >= 0 else []

    return {
        f"lost_{side}s": lambda: texts_of([lost(new, old) for new, old in couples]),
        f"new_{side}s": lambda: texts_of([came(new, old) for new, old in couples]),
    }


def _gone(facts: Facts, side: str) -> set[int]:
    """Tensors of old inputs (or outputs) that are gone as such: a rule of their own speaks of them."""

    def gather() -> set[int]:
        entries = (entry for one in subgraphs(facts) for entry in one.entries[side])
        return {entry.old.tensor for entry in entries if entry.old and not entry.new}

    return facts.once(f"{side}s that are gone", gather)
