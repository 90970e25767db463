"""The tables of pairs: two versions of a model, their subgraphs that callers call, and these subgraphs' borders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    UNKNOWN,
    Column,
    References,
    Strings,
    scalars_of,
    state_of,
    strings_of,
    texts_of,
)
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_matching import POSITION, SIDES, Entry, Face, Subgraphs, subgraphs

Makers = dict[str, Callable[[], Column]]

#: Shapes of more axes are not compared: kernels take eight at most, and a hostile file may name a long one many times.
MAX_AXES = 32


def pair_table(facts: Facts) -> Table:
    """The pairs."""
    return Table("pair", new_models(facts), {"old": lambda: references(facts.pairs.values())})


def new_models(facts: Facts, pairs: Iterable[int] | None = None) -> NDArray[np.int32]:
    """The number of the new model of some pairs (None: of each)."""
    models = np.array(list(facts.pairs), dtype=np.int32)
    return models if pairs is None else models[np.array(list(pairs), dtype=np.intp)]


def references(rows: Iterable[int]) -> References:
    """References from Python's row numbers, -1 for none."""
    return References(np.array(list(rows), dtype=np.int32))


def strings_or_unknown(texts: Sequence[str | None], unknown: Sequence[bool]) -> Strings:
    """Strings from Python's, None being absent, but for rows that are unknown."""
    column, is_unknown = strings_of(texts), np.array(unknown, dtype=np.bool_)
    absent = np.array([text is None for text in texts], dtype=np.bool_) & ~is_unknown
    return Strings(column.codes, column.labels, state_of(absent, is_unknown))


# -- subgraphs ---------------------------------------------------------------------------------------------------------


def subgraph_table(facts: Facts) -> Table:
    """The subgraphs that callers call."""
    found = subgraphs(facts)
    makers: Makers = {
        "pair": lambda: references(one.pair for one in found),
        "subgraph": lambda: references(one.new for one in found),
        "old": lambda: references(one.old for one in found),
    }
    for side in SIDES:
        makers |= _order(side, found)
    return Table("pair_subgraph", new_models(facts, (one.pair for one in found)), makers)


def _order(side: str, found: Sequence[Subgraphs]) -> Makers:
    """Columns on the order of a side's entries, as far as it is known which is which."""
    entries = [one.entries[side] for one in found]
    return {
        f"{side}s": lambda: texts_of([[entry.name for entry, *_ in _known(mine)] for mine in entries]),
        f"old_{side}s": lambda: texts_of(
            [[entry.name for entry, _, _ in sorted(_known(mine), key=lambda known: known[2])] for mine in entries]
        ),
        f"are_{side}s_moved": lambda: scalars_of((_are_moved(mine) for mine in entries), np.bool_),
    }


def _known(entries: Iterable[Entry]) -> list[tuple[Entry, int, int]]:
    """Entries that are known by a name in both models, with their new and old positions."""
    return [
        (entry, entry.new.position, entry.old.position)
        for entry in entries
        if entry.new and entry.old and entry.matched != POSITION
    ]


def _are_moved(entries: Sequence[Entry]) -> bool:
    """Whether entries stand in another order; where some came or went, all that stand behind them have moved, too."""
    known = _known(entries)
    if all(entry.new and entry.old for entry in entries):
        return any(position != old for _, position, old in known)
    old_positions = [old for _, _, old in known]
    return old_positions != sorted(old_positions)


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def input_table(facts: Facts) -> Table:
    """The inputs of these subgraphs."""
    return _border_table(facts, "input")


def output_table(facts: Facts) -> Table:
    """The outputs of these subgraphs."""
    return _border_table(facts, "output")


def _border_table(facts: Facts, side: str) -> Table:
    listed = [(number, one, entry) for number, one in enumerate(subgraphs(facts)) for entry in one.entries[side]]
    entries = [entry for _, _, entry in listed]
    makers: Makers = {
        "pair": lambda: references(one.pair for _, one, _ in listed),
        "pair_subgraph": lambda: references(number for number, _, _ in listed),
        side: lambda: references(_row(entry.new) for entry in entries),
        "old": lambda: references(_row(entry.old) for entry in entries),
        "name": lambda: strings_of(entry.name for entry in entries),
        "old_name": lambda: strings_of(entry.old.label if entry.old else None for entry in entries),
        "matched": lambda: strings_of(entry.matched for entry in entries),
        "is_renamed": lambda: scalars_of(map(_is_renamed, entries), np.bool_),
        "is_before_others": lambda: scalars_of(
            (before for one in subgraphs(facts) for before in _before_others(one.entries[side])), np.bool_
        ),
        "shape_change": lambda: _shape_changes(facts, entries),
    }
    return Table(f"pair_{side}", new_models(facts, (one.pair for _, one, _ in listed)), makers)


def _row(face: Face | None) -> int:
    return face.row if face else -1


def _is_renamed(entry: Entry) -> bool:
    names = [face.tensor_name for face in (entry.new, entry.old) if face]
    return len(names) == 2 and all(names) and names[0] != names[1]


def _before_others(entries: Sequence[Entry]) -> Iterator[bool]:
    """For each entry whether one that both models have stands behind it in the new model."""
    last = max((entry.new.position for entry in entries if entry.new and entry.old), default=-1)
    for entry in entries:
        yield entry.new is not None and entry.new.position < last


def _shape_changes(facts: Facts, entries: Sequence[Entry]) -> Strings:
    shapes = _Shapes(facts)
    changes = [shapes.change(entry) for entry in entries]
    return strings_or_unknown([change for change, _ in changes], [is_unknown for _, is_unknown in changes])


class _Shapes:
    """Compares shapes: those that are stored, and those that say which axes are free."""

    def __init__(self, facts: Facts) -> None:
        self._stored = facts.lists("tensor", "shape")
        self._signatures = facts.lists("tensor", "shape_signature")
        self._ranks = facts.column("tensor", "rank")

    def change(self, entry: Entry) -> tuple[str | None, bool]:
        """What became of an entry's shape (None: nothing), and whether that could not be determined."""
        if not entry.new or not entry.old or min(entry.new.tensor, entry.old.tensor) < 0:
            return None, False
        tensors = entry.new.tensor, entry.old.tensor
        n_axes = [int(self._stored.lengths[tensor]) for tensor in tensors]
        if max(n_axes) > MAX_AXES:
            return None, True
        if n_axes[0] != n_axes[1]:
            state = self._ranks.state
            is_unknown = state is not None and any(state[tensor] == UNKNOWN for tensor in tensors)
            return (None, True) if is_unknown else ("rank", False)
        new, old = (self._stored.row(tensor) for tensor in tensors)
        free = [self._axes(tensor, stored) for tensor, stored in zip(tensors, (new, old), strict=True)]
        return _change(list(zip(new, old, *free, strict=True))), False

    def _axes(self, tensor: int, stored: Sequence[int]) -> list[bool]:
        """Which axes of a tensor may have any size."""
        is_said = self._signatures.lengths[tensor] == len(stored)
        return [size < 0 for size in (self._signatures.row(tensor) if is_said else stored)]


def _change(axes: Sequence[tuple[int, int, bool, bool]]) -> str | None:
    """What became of axes: of each the stored size, the old one, whether it is free, whether it was."""
    if any(new != old and not is_free and not was_free for new, old, is_free, was_free in axes):
        return "size"
    if any(was_free and not is_free for _, _, is_free, was_free in axes):
        return "fixed"
    return "stored" if any(new != old and is_free for new, old, is_free, _ in axes) else None
