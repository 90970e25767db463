"""The kinds of column: numbers and bools, strings, references to rows, and lists of these.

The state of each row is `PRESENT`, `ABSENT` (the file does not have the value) or `UNKNOWN` (the value could not be
determined). A `state` of None means that all rows are present.
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
    """One number or bool per row."""

    values: NDArray[Any]
    state: State = None

    def __len__(self) -> int:
        return len(self.values)


@frozen(eq=False)
class Strings:
    """One string per row, stored as an index (code) into a list of distinct `labels`."""

    codes: NDArray[Any]
    labels: Sequence[str]
    state: State = None

    def __len__(self) -> int:
        return len(self.codes)


@frozen(eq=False)
class Texts:
    """One string per row, stored as its byte range in the file and decoded when needed."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    decode: Callable[[int, int], str]
    state: State = None

    def __len__(self) -> int:
        return len(self.starts)

    def text(self, row: int) -> str:
        """Return the text of a row; empty if the row has none. Bytes that are not UTF-8 become escapes."""
        start, length = int(self.starts[row]), int(self.lengths[row])
        return self.decode(start, start + length) if length else ""


@frozen(eq=False)
class References:
    """References: per row, a row number in another table; -1 means absent."""

    rows: NDArray[Any]
    state: State = None

    def __len__(self) -> int:
        return len(self.rows)


@frozen(eq=False)
class Lists:
    """One list per row, stored as its start and length. Elements are numbers, bools, string codes or row numbers.

    `take` returns the elements at positions `start + k * stride`. The positions are indices in an array (stride 1) or
    byte offsets in a file (the stride is the element width in bytes). Rows can share a stored vector. Lists that are
    not needed are never read.
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
        """Return the elements of the lists of all rows, concatenated, and the number of elements per row."""
        lengths = self.lengths[rows]
        return self.take(flat_positions(self.starts[rows], lengths, self.stride)), lengths

    def row(self, row: int) -> list[Any]:
        """Return the elements of a row's list."""
        values: list[Any] = self.flatten(np.array([row]))[0].tolist()
        return values


def flat_positions(starts: NDArray[np.int64], lengths: NDArray[np.int64], stride: int) -> NDArray[np.int64]:
    """Return the positions of all elements of lists, concatenated."""
    ends = lengths.cumsum()
    n_elements = int(ends[-1]) if len(ends) else 0
    positions: NDArray[np.int64] = (starts - (ends - lengths) * stride).repeat(lengths)
    positions += np.arange(0, n_elements * stride, stride)
    return positions


Column: TypeAlias = Scalars | Strings | Texts | References | Lists


def lists_of(values: NDArray[Any], starts: NDArray[Any], lengths: NDArray[Any], state: State = None) -> Lists:
    """Return a list column whose lists lie in an array at the given starts."""
    return Lists(np.asarray(starts, np.int64), np.asarray(lengths, np.int64), values.take, state=state)


def lists_by_counts(values: NDArray[Any], lengths: NDArray[Any], state: State = None) -> Lists:
    """Return a list column whose lists lie in an array, row after row, with the given lengths."""
    counts = np.asarray(lengths, np.int64)
    return Lists(np.cumsum(counts) - counts, counts, values.take, state=state)


def lists_of_arrays(values: Sequence[NDArray[Any] | None]) -> Lists:
    """Return a column of lists of numbers from one array per row; None becomes absent."""
    flat = np.concatenate([np.zeros(0), *(one for one in values if one is not None)])
    lengths = np.array([0 if one is None else len(one) for one in values], dtype=np.int64)
    return lists_by_counts(flat, lengths, absent_where_none(values))


def absent_where_none(values: Sequence[object]) -> State:
    """Return the column state in which None values are absent."""
    return state_of(np.array([value is None for value in values], dtype=np.bool_))


def lists_by_owner(owners: NDArray[Any], values: NDArray[Any], n_rows: int, state: State = None) -> Lists:
    """Return a list column from pairs of owner row and value.

    Each owner row gets its values in the order of the pairs. Pairs with a negative owner are dropped.
    """
    kept = owners >= 0
    owners, values = owners[kept], values[kept]
    order = np.argsort(owners, kind="stable")
    return lists_by_counts(values[order], np.bincount(owners, minlength=n_rows), state)


def strings_of(texts: Iterable[str | None]) -> Strings:
    """Return a string column; None becomes absent."""
    items = list(texts)
    labels = sorted({text for text in items if text is not None})
    numbers = {text: number for number, text in enumerate(labels)}
    codes = np.array([numbers.get(text, 0) if text is not None else 0 for text in items], dtype=np.int32)
    absent = np.array([text is None for text in items], dtype=np.uint8)
    return Strings(codes, labels, absent if np.count_nonzero(absent) else None)


def scalars_of(values: Iterable[float | None], dtype: type[np.generic] = np.float64) -> Scalars:
    """Return a column of numbers or bools; None becomes absent."""
    items = list(values)
    absent = np.array([value is None for value in items], dtype=np.bool_)
    return Scalars(np.array([value or 0 for value in items], dtype=dtype), state_of(absent))


def references_of(rows: Iterable[int]) -> References:
    """Return a reference column from row numbers. The row -1 means that the reference is absent."""
    return References(np.array(list(rows), dtype=np.int32))


def texts_of(items: Sequence[Sequence[str]], state: State = None) -> Lists:
    """Return a column with one list of strings per row."""
    flat = strings_of(text for texts in items for text in texts)
    lists = lists_by_counts(np.asarray(flat.codes), np.array([len(texts) for texts in items], dtype=np.int64), state)
    return Lists(lists.starts, lists.lengths, lists.take, labels=flat.labels, state=state)


def state_of(absent: NDArray[np.bool_], unknown: NDArray[np.bool_] | None = None) -> State:
    """Return the state of a column from masks of absent and unknown rows; absent takes precedence."""
    if not np.count_nonzero(absent) and (unknown is None or not np.count_nonzero(unknown)):
        return None
    state = absent.astype(np.uint8)
    if unknown is not None:
        state[unknown & ~absent] = UNKNOWN
    return state


def text_of(column: Column, row: int) -> str | None:
    """Return the string in a row of a string column, or None if it is not present."""
    if column.state is not None and column.state[row] != PRESENT:
        return None
    if isinstance(column, Texts):
        return column.text(row)
    if isinstance(column, Strings):
        return column.labels[int(column.codes[row])]
    raise TypeError(f"{type(column).__name__} is not a string column")


def rows_of(column: Column) -> NDArray[Any]:
    """Return the row numbers in a reference column."""
    if not isinstance(column, References):
        raise TypeError(f"{type(column).__name__} is not a reference column")
    return column.rows
