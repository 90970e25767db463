"""The table of the lists that are packed after the models of pairs: labels and vocabularies, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tflint.columns.column import Scalars, scalars_of, state_of, strings_of
from tflint.columns.table import Table
from tflint.contract.label_file import label_lines
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_tables import Makers, new_models, references, strings_or_unknown
from tflint.model.model_extras import MAX_LIST_BYTES
from tflint.model.trailing_data import read_packed_file
from tflint.values import frozen, replace

_Lines = tuple[str, ...] | None

#: So many lists of a pair are compared: each is unpacked, and a zip can name the same bytes ten thousand times.
MAX_COMPARED = 16


@frozen
class _Lists:
    """A list in both models: the pair's number, the name, rows of the files (-1: none), and the lines (None: unknown).

    `first` is the first line that differs, from 0; -1 where none does, or the file is in one model only.
    """

    pair: int
    name: str
    new: int
    old: int
    lines: _Lines = ()
    old_lines: _Lines = ()
    first: int = -1

    @property
    def is_known(self) -> bool:
        """Whether the lines of both are known."""
        return self.lines is not None and self.old_lines is not None

    @property
    def change(self) -> str | None:
        """What became of the lines; None for nothing."""
        if self.lines is None or self.old_lines is None or self.first < 0:
            return None
        new, old = self.lines, self.old_lines
        if len(new) < len(old):
            return "fewer"
        if len(new) > len(old):
            return "appended" if self.first == len(old) else "more"
        return "reordered" if Counter(new) == Counter(old) else "changed"


def labels_table(facts: Facts) -> Table:
    """The lists by name."""
    listed = [one for pair, models in enumerate(facts.pairs.items()) for one in _of_pair(facts, pair, *models)]
    makers: Makers = {
        "pair": lambda: references(one.pair for one in listed),
        "file": lambda: references(one.new for one in listed),
        "old": lambda: references(one.old for one in listed),
        "name": lambda: strings_of(one.name for one in listed),
        "n_lines": lambda: _counts(listed, [one.lines for one in listed]),
        "n_old_lines": lambda: _counts(listed, [one.old_lines for one in listed]),
        "change": lambda: strings_or_unknown([one.change for one in listed], [not one.is_known for one in listed]),
        "line": lambda: scalars_of(one.first + 1 or None for one in listed),
        "label": lambda: strings_of(_line(one.lines, one.first) for one in listed),
        "old_label": lambda: strings_of(_line(one.old_lines, one.first) for one in listed),
    }
    return Table("pair_labels", new_models(facts, (one.pair for one in listed)), makers)


def _files(facts: Facts, model: int) -> dict[str, int]:
    """The rows of a model's packed lists by name."""
    first = facts.table("associated_file").rows_of(model).start
    found: dict[str, int] = {}
    for row, entry in enumerate(facts.tables.extras[model].associated_files(), first):
        if entry.is_list and entry.packed_size is not None:
            found.setdefault(entry.name, row)
    return found


def _of_pair(facts: Facts, pair: int, new: int, old: int) -> Iterator[_Lists]:
    """The lists of a pair, those of both models compared as far as they are few."""
    ours, theirs = _files(facts, new), _files(facts, old)
    left = MAX_COMPARED
    for name in dict.fromkeys([*ours, *theirs]):
        one = _Lists(pair, name, ours.get(name, -1), theirs.get(name, -1))
        if min(one.new, one.old) < 0:
            yield one
        else:
            left -= 1
            yield _compared(facts, one, new, old) if left >= 0 else replace(one, lines=None, old_lines=None)


def _compared(facts: Facts, one: _Lists, new: int, old: int) -> _Lists:
    """The same with the lines of both."""
    lines, old_lines = _lines(facts, new, one.name), _lines(facts, old, one.name)
    if lines is None or old_lines is None:
        return replace(one, lines=lines, old_lines=old_lines)
    return replace(one, lines=lines, old_lines=old_lines, first=next(_differing(lines, old_lines), -1))


def _lines(facts: Facts, model: int, name: str) -> _Lines:
    content = read_packed_file(facts.tables, model, name, MAX_LIST_BYTES)
    return None if content is None else label_lines(content.decode("utf-8", "replace"))


def _differing(lines: Sequence[str], old_lines: Sequence[str]) -> Iterator[int]:
    """Numbers of lines that differ, and that of the line at which one of both ends."""
    yield from (number for number, (a, b) in enumerate(zip(lines, old_lines, strict=False)) if a != b)
    if len(lines) != len(old_lines):
        yield min(len(lines), len(old_lines))


def _counts(listed: Sequence[_Lists], lines: Sequence[_Lines]) -> Scalars:
    """Numbers of lines: absent where only one model has the file, unknown where it was not read."""
    absent = np.array([min(one.new, one.old) < 0 for one in listed], dtype=np.bool_)
    unknown = np.array([some is None for some in lines], dtype=np.bool_)
    return Scalars(np.array([len(some or ()) for some in lines], dtype=np.float64), state_of(absent, unknown))


def _line(lines: _Lines, number: int) -> str | None:
    return lines[number] if lines is not None and 0 <= number < len(lines) else None
