"""The tables of pairs: two versions of a model, subgraphs that client code can run, and their inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    UNKNOWN,
    Column,
    Strings,
    references_of,
    scalars_of,
    state_of,
    strings_of,
    texts_of,
)
from tflint.columns.table import Table
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_matching import POSITION, SIDES, InterfaceTensor, MatchedEntry, Subgraphs, subgraphs

Makers = dict[str, Callable[[], Column]]

#: Shapes with more dimensions than this are not compared. Kernels support eight dimensions at most, and a hostile file
#: may use one long shape for many tensors.
MAX_AXES = 32


def pair_table(facts: Facts) -> Table:
    """Return the pairs."""
    return Table("pair", new_models(facts), {"old": lambda: references_of(facts.pairs.values())})


def new_models(facts: Facts, pairs: Iterable[int] | None = None) -> NDArray[np.int32]:
    """Return the number of the new model for each pair number in `pairs` (None: all pairs)."""
    models = np.array(list(facts.pairs), dtype=np.int32)
    return models if pairs is None else models[np.array(list(pairs), dtype=np.intp)]


def strings_or_unknown(texts: Sequence[str | None], unknown: Sequence[bool]) -> Strings:
    """Return a string column. A row is unknown if its `unknown` is true, otherwise absent if its text is None."""
    column, is_unknown = strings_of(texts), np.array(unknown, dtype=np.bool_)
    absent = np.array([text is None for text in texts], dtype=np.bool_) & ~is_unknown
    return Strings(column.codes, column.labels, state_of(absent, is_unknown))


# -- subgraphs ---------------------------------------------------------------------------------------------------------


def subgraph_table(facts: Facts) -> Table:
    """Return the matched subgraphs that client code can run."""
    matches = subgraphs(facts)
    makers: Makers = {
        "pair": lambda: references_of(one.pair for one in matches),
        "subgraph": lambda: references_of(one.new for one in matches),
        "old": lambda: references_of(one.old for one in matches),
    }
    for side in SIDES:
        makers |= _order_columns(side, matches)
    return Table("pair_subgraph", new_models(facts, (one.pair for one in matches)), makers)


def _order_columns(side: str, matches: Sequence[Subgraphs]) -> Makers:
    """Return the columns about the order of the inputs (or outputs) that were matched by name."""
    entries = [one.entries[side] for one in matches]
    return {
        f"{side}s": lambda: texts_of([[entry.name for entry, *_ in _matched_by_name(mine)] for mine in entries]),
        f"old_{side}s": lambda: texts_of(
            [
                [entry.name for entry, _, _ in sorted(_matched_by_name(mine), key=lambda known: known[2])]
                for mine in entries
            ]
        ),
        f"are_{side}s_moved": lambda: scalars_of((_are_moved(mine) for mine in entries), np.bool_),
    }


def _matched_by_name(entries: Iterable[MatchedEntry]) -> list[tuple[MatchedEntry, int, int]]:
    """Return the entries that were matched by name, each with its position in the new and in the old model."""
    return [
        (entry, entry.new.position, entry.old.position)
        for entry in entries
        if entry.new and entry.old and entry.matched != POSITION
    ]


def _are_moved(entries: Sequence[MatchedEntry]) -> bool:
    """Return whether the order of the entries that were matched by name changed.

    An added or removed entry shifts all later positions. If there is one, only the relative order counts.
    """
    known = _matched_by_name(entries)
    if all(entry.new and entry.old for entry in entries):
        return any(position != old for _, position, old in known)
    old_positions = [old for _, _, old in known]
    return old_positions != sorted(old_positions)


# -- inputs and outputs ------------------------------------------------------------------------------------------------


def input_table(facts: Facts) -> Table:
    """Return the inputs of the matched subgraphs."""
    return _side_table(facts, "input")


def output_table(facts: Facts) -> Table:
    """Return the outputs of the matched subgraphs."""
    return _side_table(facts, "output")


def _side_table(facts: Facts, side: str) -> Table:
    listed = [(number, one, entry) for number, one in enumerate(subgraphs(facts)) for entry in one.entries[side]]
    entries = [entry for _, _, entry in listed]
    makers: Makers = {
        "pair": lambda: references_of(one.pair for _, one, _ in listed),
        "pair_subgraph": lambda: references_of(number for number, _, _ in listed),
        side: lambda: references_of(_row(entry.new) for entry in entries),
        "old": lambda: references_of(_row(entry.old) for entry in entries),
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


def _row(tensor: InterfaceTensor | None) -> int:
    return tensor.row if tensor else -1


def _is_renamed(entry: MatchedEntry) -> bool:
    names = [tensor.tensor_name for tensor in (entry.new, entry.old) if tensor]
    return len(names) == 2 and all(names) and names[0] != names[1]


def _before_others(entries: Sequence[MatchedEntry]) -> Iterator[bool]:
    """Yield, for each entry, whether it comes before an entry that both models have, in the order of the new model."""
    last = max((entry.new.position for entry in entries if entry.new and entry.old), default=-1)
    for entry in entries:
        yield entry.new is not None and entry.new.position < last


def _shape_changes(facts: Facts, entries: Sequence[MatchedEntry]) -> Strings:
    shapes = _Shapes(facts)
    changes = [shapes.compare(entry) for entry in entries]
    return strings_or_unknown([change for change, _ in changes], [is_unknown for _, is_unknown in changes])


class _Shapes:
    """Compares the shapes that entries have in the two models: the stored sizes, and which dimensions are dynamic."""

    def __init__(self, facts: Facts) -> None:
        self._stored = facts.lists("tensor", "shape")
        self._signatures = facts.lists("tensor", "shape_signature")
        self._ranks = facts.column("tensor", "rank")

    def compare(self, entry: MatchedEntry) -> tuple[str | None, bool]:
        """Return how an entry's shape changed (None: unchanged or unknown), and whether this is unknown."""
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
        dynamic = [self._dynamic_axes(tensor, stored) for tensor, stored in zip(tensors, (new, old), strict=True)]
        return _classify_change(list(zip(new, old, *dynamic, strict=True))), False

    def _dynamic_axes(self, tensor: int, stored: Sequence[int]) -> list[bool]:
        """Return whether each dimension of a tensor is dynamic."""
        has_signature = self._signatures.lengths[tensor] == len(stored)
        return [size < 0 for size in (self._signatures.row(tensor) if has_signature else stored)]


def _classify_change(axes: Sequence[tuple[int, int, bool, bool]]) -> str | None:
    """Return how a shape changed, or None if it did not.

    Each axis is (new size, old size, is dynamic in the new model, was dynamic in the old model).
    """
    if any(new != old and not is_dynamic and not was_dynamic for new, old, is_dynamic, was_dynamic in axes):
        return "size"
    if any(was_dynamic and not is_dynamic for _, _, is_dynamic, was_dynamic in axes):
        return "fixed"
    return "stored" if any(new != old and is_dynamic for new, old, is_dynamic, _ in axes) else None
