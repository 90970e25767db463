"""The kinds of column: numbers and bools, strings, references to rows, and lists of these.

Every column says for each row whether its value is there (`PRESENT`), is not in the file (`ABSENT`) or could not be
determined (`UNKNOWN`); `state` is None where all rows are present.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tflint.values import frozen

PRESENT, ABSENT, UNKNOWN = 0, 1, 2

State: TypeAlias = NDArray[np.uint8] | None
Take: TypeAlias = Callable[[NDArray[np.int64]], NDArray[Any]]


@frozen(eq=False)
class Scalars:
    """Numbers or bools, one a row."""

    values: NDArray[Any]
    state: State = None

    def __len__(self) -> int:
        return len(self.values)


@frozen(eq=False)
class Strings:
    """Strings, one a row, as codes into distinct `labels`."""

    codes: NDArray[Any]
    labels: Sequence[str]
    state: State = None

    def __len__(self) -> int:
        return len(self.codes)


@frozen(eq=False)
class Texts:
    """Strings, one a row, that still lie in the file: decoded for the rows that somebody looks at."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    decode: Callable[[int, int], str]
    state: State = None

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, row: int) -> str:
        """The text of one row; bytes that are not UTF-8 are shown as escapes. Empty where the row has none."""
        start, length = int(self.starts[row]), int(self.lengths[row])
        return self.decode(start, start + length) if length else ""


@frozen(eq=False)
class References:
    """Row numbers in another table, one a row; -1 is absent."""

    rows: NDArray[Any]
    state: State = None

    def __len__(self) -> int:
        return len(self.rows)


@frozen(eq=False)
class Lists:
    """Lists of numbers, bools, string codes or row numbers: where the elements of each row begin, and how many.

    `take` gives the elements at element positions (`start + k * stride`): into an array (stride 1) or into a file
    (positions are byte offsets, stride the element's width), so that shared vectors are stored once and a list that
    nobody asks for is never read.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    take: Take
    stride: int = 1
    labels: Sequence[str] | None = None
    state: State = None

    def __len__(self) -> int:
        return len(self.starts)

    def flatten(self, rows: NDArray[Any] | slice) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """All elements of the rows one after the other, and how many each row has."""
        lengths = self.lengths[rows]
        return self.take(flat_positions(self.starts[rows], lengths, self.stride)), lengths

    def row(self, row: int) -> list[Any]:
        """The elements of one row."""
        values: list[Any] = self.flatten(np.array([row]))[0].tolist()
        return values


def flat_positions(starts: NDArray[np.int64], lengths: NDArray[np.int64], stride: int) -> NDArray[np.int64]:
    """The positions of all elements of some lists, one list after the other."""
    ends = lengths.cumsum()
    n_elements = int(ends[-1]) if len(ends) else 0
    positions: NDArray[np.int64] = (starts - (ends - lengths) * stride).repeat(lengths)
    positions += np.arange(0, n_elements * stride, stride)
    return positions


Column: TypeAlias = Scalars | Strings | Texts | References | Lists


def lists_of(values: NDArray[Any], starts: NDArray[Any], lengths: NDArray[Any], state: State = None) -> Lists:
    """Lists whose elements lie in an array."""
    return Lists(np.asarray(starts, np.int64), np.asarray(lengths, np.int64), values.take, state=state)


def lists_by_counts(values: NDArray[Any], lengths: NDArray[Any], state: State = None) -> Lists:
    """Lists whose elements lie in an array one row after the other."""
    counts = np.asarray(lengths, np.int64)
    return Lists(np.cumsum(counts) - counts, counts, values.take, state=state)


def lists_of_arrays(values: Sequence[NDArray[Any] | None]) -> Lists:
    """Lists of numbers, one a row, absent where there is none."""
    flat = np.concatenate([np.zeros(0), *(one for one in values if one is not None)])
    lengths = np.array([0 if one is None else len(one) for one in values], dtype=np.int64)
    return lists_by_counts(flat, lengths, absent_where_none(values))


def absent_where_none(values: Sequence[object]) -> State:
    """The state of a column whose values are None where they are absent."""
    return state_of(np.array([value is None for value in values], dtype=np.bool_))


def lists_by_owner(owners: NDArray[Any], values: NDArray[Any], n_rows: int, state: State = None) -> Lists:
    """Lists from pairs (owner row, value), in the order of the pairs; pairs whose owner is negative are left out."""
    kept = owners >= 0
    owners, values = owners[kept], values[kept]
    order = np.argsort(owners, kind="stable")
    return lists_by_counts(values[order], np.bincount(owners, minlength=n_rows), state)


def strings_of(texts: Iterable[str | None]) -> Strings:
    """Strings from Python's, None being absent."""
    items = list(texts)
    labels = sorted({text for text in items if text is not None})
    numbers = {text: number for number, text in enumerate(labels)}
    codes = np.array([numbers.get(text, 0) if text is not None else 0 for text in items], dtype=np.int32)
    absent = np.array([text is None for text in items], dtype=np.uint8)
    return Strings(codes, labels, absent if np.count_nonzero(absent) else None)


def scalars_of(values: Iterable[float | None], dtype: type[np.generic] = np.float64) -> Scalars:
    """Numbers, or bools, from Python's, None being absent."""
    items = list(values)
    absent = np.array([value is None for value in items], dtype=np.bool_)
    return Scalars(np.array([value or 0 for value in items], dtype=dtype), state_of(absent))


def texts_of(items: Sequence[Sequence[str]], state: State = None) -> Lists:
    """Lists of strings from Python's, one a row."""
    flat = strings_of(text for texts in items for text in texts)
    lists = lists_by_counts(np.asarray(flat.codes), np.array([len(texts) for texts in items], dtype=np.int64), state)
    return Lists(lists.starts, lists.lengths, lists.take, labels=flat.labels, state=state)


def state_of(absent: NDArray[np.bool_], unknown: NDArray[np.bool_] | None = None) -> State:
    """A state from what is absent and, where not absent, unknown."""
    if not np.count_nonzero(absent) and (unknown is None or not np.count_nonzero(unknown)):
        return None
    state = absent.astype(np.uint8)
    if unknown is not None:
        state[unknown & ~absent] = UNKNOWN
    return state


def text_of(column: Column, row: int) -> str | None:
    """The string of one row of a string column; None where it is not present."""
    if column.state is not None and column.state[row] != PRESENT:
        return None
    if isinstance(column, Texts):
        return column.text(row)
    if isinstance(column, Strings):
        return column.labels[int(column.codes[row])]
    raise TypeError(f"{type(column).__name__} is not a string column")


def rows_of(column: Column) -> NDArray[Any]:
    """The row numbers of a reference column."""
    if not isinstance(column, References):
        raise TypeError(f"{type(column).__name__} is not a reference column")
    return column.rows
