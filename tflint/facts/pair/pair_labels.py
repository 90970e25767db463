"""The table of label lists and vocabularies packed with the models of pairs, compared line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tflint.columns.column import Scalars, references_of, scalars_of, state_of, strings_of
from tflint.columns.table import Table
from tflint.contract.label_file import label_lines
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_tables import Makers, new_models, strings_or_unknown
from tflint.model.model_extras import MAX_LIST_BYTES
from tflint.model.trailing_data import read_packed_file
from tflint.values import frozen, replace

_Lines = tuple[str, ...] | None

#: Largest number of lists that are compared per pair. Each list must be unpacked, and a hostile zip can list the same
#: bytes 10,000 times.
MAX_COMPARED = 16


@frozen
class _ListPair:
    """A list of labels or a vocabulary, packed under the same name with the new model, the old model, or both.

    `pair` is the number of the pair. `new` and `old` are the rows of the packed files (-1: missing). `lines` and
    `old_lines` are their lines (None: unknown). `first` is the number of the first different line, counted from 0. It
    is -1 if no line differs or only one model has the file.
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
        """Whether the lines of both files are known."""
        return self.lines is not None and self.old_lines is not None

    @property
    def change(self) -> str | None:
        """How the lines changed: "fewer", "appended", "more", "reordered" or "changed".

        None if the lines are unchanged or unknown, or if only one model has the file.
        """
        if self.lines is None or self.old_lines is None or self.first < 0:
            return None
        new, old = self.lines, self.old_lines
        if len(new) < len(old):
            return "fewer"
        if len(new) > len(old):
            return "appended" if self.first == len(old) else "more"
        return "reordered" if Counter(new) == Counter(old) else "changed"


def labels_table(facts: Facts) -> Table:
    """Return the label lists and vocabularies of all pairs, one row per pair and file name."""
    listed = [one for pair, models in enumerate(facts.pairs.items()) for one in _compare_lists(facts, pair, *models)]
    makers: Makers = {
        "pair": lambda: references_of(one.pair for one in listed),
        "file": lambda: references_of(one.new for one in listed),
        "old": lambda: references_of(one.old for one in listed),
        "name": lambda: strings_of(one.name for one in listed),
        "n_lines": lambda: _line_counts(listed, [one.lines for one in listed]),
        "n_old_lines": lambda: _line_counts(listed, [one.old_lines for one in listed]),
        "change": lambda: strings_or_unknown([one.change for one in listed], [not one.is_known for one in listed]),
        "line": lambda: scalars_of(one.first + 1 or None for one in listed),
        "label": lambda: strings_of(_line_at(one.lines, one.first) for one in listed),
        "old_label": lambda: strings_of(_line_at(one.old_lines, one.first) for one in listed),
    }
    return Table("pair_labels", new_models(facts, (one.pair for one in listed)), makers)


def _packed_lists(facts: Facts, model: int) -> dict[str, int]:
    """Return the rows of the label lists and vocabularies packed with a model, by file name."""
    first = facts.table("associated_file").rows_of(model).start
    rows: dict[str, int] = {}
    for row, entry in enumerate(facts.tables.extras[model].associated_files(), first):
        if entry.is_list and entry.packed_size is not None:
            rows.setdefault(entry.name, row)
    return rows


def _compare_lists(facts: Facts, pair: int, new: int, old: int) -> Iterator[_ListPair]:
    """Yield the lists of a pair. The first `MAX_COMPARED` lists that both models have are compared."""
    new_rows, old_rows = _packed_lists(facts, new), _packed_lists(facts, old)
    left = MAX_COMPARED
    for name in dict.fromkeys([*new_rows, *old_rows]):
        one = _ListPair(pair, name, new_rows.get(name, -1), old_rows.get(name, -1))
        if min(one.new, one.old) < 0:
            yield one
        else:
            left -= 1
            yield _read_and_compare(facts, one, new, old) if left >= 0 else replace(one, lines=None, old_lines=None)


def _read_and_compare(facts: Facts, one: _ListPair, new: int, old: int) -> _ListPair:
    lines, old_lines = _read_lines(facts, new, one.name), _read_lines(facts, old, one.name)
    if lines is None or old_lines is None:
        return replace(one, lines=lines, old_lines=old_lines)
    return replace(one, lines=lines, old_lines=old_lines, first=next(_differing_lines(lines, old_lines), -1))


def _read_lines(facts: Facts, model: int, name: str) -> _Lines:
    content = read_packed_file(facts.tables, model, name, MAX_LIST_BYTES)
    return None if content is None else label_lines(content.decode("utf-8", "replace"))


def _differing_lines(lines: Sequence[str], old_lines: Sequence[str]) -> Iterator[int]:
    """Yield the number of each line that differs, then the number of the first line that only one list has."""
    yield from (number for number, (a, b) in enumerate(zip(lines, old_lines, strict=False)) if a != b)
    if len(lines) != len(old_lines):
        yield min(len(lines), len(old_lines))


def _line_counts(listed: Sequence[_ListPair], lines: Sequence[_Lines]) -> Scalars:
    """Return the number of lines of each file. Absent if only one model has the file, unknown if it was not read."""
    absent = np.array([min(one.new, one.old) < 0 for one in listed], dtype=np.bool_)
    unknown = np.array([of_file is None for of_file in lines], dtype=np.bool_)
    return Scalars(np.array([len(of_file or ()) for of_file in lines], dtype=np.float64), state_of(absent, unknown))


def _line_at(lines: _Lines, number: int) -> str | None:
    return lines[number] if lines is not None and 0 <= number < len(lines) else None
