"""Cuts a large constant into pieces that fit a processor's cache, each with the groups its elements fall into."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tflint.facts.weights.reduction import Array, Columns, Groups, Runs
from tflint.values import frozen

#: From this length on the elements of one channel are reduced run by run; shorter runs are turned into columns.
LONG_RUN = 64
#: Narrow matrices are folded so that a piece has about this many rows: one row and the results so far then fit the
#: first-level cache, and numpy's cost a row does not show.
_ROWS = 48


@frozen
class Layout:
    """How the elements of a constant belong to channels: element [o, c, i] of outer × channels × inner is of c."""

    outer: int
    channels: int
    inner: int

    @property
    def period(self) -> int:
        """After so many elements the channels begin anew."""
        return self.channels * self.inner

    @property
    def n_elements(self) -> int:
        """All elements."""
        return self.outer * self.period

    def n_groups(self, limit: int) -> int:
        """How many groups the pieces speak of: channels, or places within as many periods as lie side by side."""
        return self._fold(limit) * self.period if self._is_columns else self.channels

    def by_channel(self, ufunc: np.ufunc, numbers: Array) -> Array:
        """One number a channel of one a group."""
        if not self._is_columns:
            return numbers
        return np.asarray(ufunc.reduce(ufunc.reduce(numbers.reshape(-1, self.channels, self.inner), axis=0), axis=1))

    def _fold(self, limit: int) -> int:
        """How many periods lie side by side in a row of a matrix."""
        return max(min(limit // (_ROWS * self.period), self.outer), 1)

    @property
    def _is_columns(self) -> bool:
        return self.channels > 1 and self.outer > 1 and self.inner < LONG_RUN

    def pieces(self, limit: int) -> Iterator[Piece]:
        """Pieces of at most `limit` elements (or one short run), in order, that cover all elements once."""
        if self.channels == 1:
            return Layout(1, 1, self.n_elements)._long_runs(limit)
        if self._is_columns:
            return self._columns(limit)
        if self.inner < LONG_RUN:
            return self._short_runs(max(limit // self.inner, 1))
        if self.period <= limit:
            return self._whole_periods(limit // self.period)
        return self._long_runs(limit)

    def _whole_periods(self, step: int) -> Iterator[Piece]:
        """Several periods of long runs."""
        groups: Groups | None = None
        for begin in range(0, self.outer, step):
            n = min(step, self.outer - begin)
            if groups is None or n < step:
                groups = Runs(np.full(n * self.channels, self.inner), self.channels)
            yield Piece(begin * self.period, (begin + n) * self.period, groups, 0)

    def _long_runs(self, limit: int) -> Iterator[Piece]:
        """Some runs of one period, or parts of one run."""
        step = limit // self.inner
        if not step:
            yield from self._parts_of_runs(limit)
            return
        groups: Groups | None = None
        for period in range(0, self.n_elements, self.period):
            for channel in range(0, self.channels, step):
                n = min(step, self.channels - channel)
                if groups is None or groups.n != n:
                    groups = Runs(np.full(n, self.inner), n)
                begin = period + channel * self.inner
                yield Piece(begin, begin + n * self.inner, groups, channel)

    def _parts_of_runs(self, limit: int) -> Iterator[Piece]:
        """Equal parts of each run, so that groups are made once."""
        inner = self.inner
        part = -(-inner // -(-inner // limit))
        part += -part % 8  # whole bytes of packed elements, whole words of marks
        groups = {n: Runs(np.array([n]), 1) for n in (part, (inner - 1) % part + 1)}
        for begin in range(0, self.n_elements, inner):
            for place in range(0, inner, part):
                n = min(part, inner - place)
                yield Piece(begin + place, begin + place + n, groups[n], begin // inner % self.channels)

    def _short_runs(self, step: int) -> Iterator[Piece]:
        """Some short runs, one a channel, turned into columns."""
        for channel in range(0, self.channels, step):
            n = min(step, self.channels - channel)
            groups = Columns(n, is_transposed=True)
            yield Piece(channel * self.inner, (channel + n) * self.inner, groups, channel)

    def _columns(self, limit: int) -> Iterator[Piece]:
        """Several periods as rows of a matrix, side by side where they are short; or parts of one period."""
        period = self.period
        if period > limit:
            for begin in range(0, self.n_elements, period):
                for place in range(0, period, limit):
                    n = min(limit, period - place)
                    yield Piece(begin + place, begin + place + n, Columns(n), place)
            return
        fold = self._fold(limit)
        step = limit // period // fold * fold
        begin = 0
        while begin < self.outer:
            n = min(step, self.outer - begin)
            if n < fold:
                fold = 1
            n = n // fold * fold
            yield Piece(begin * period, (begin + n) * period, Columns(fold * period), 0)
            begin += n


@frozen
class Piece:
    """Elements from `begin` to `end`; the result of the groups' first is of the constant's group `first`."""

    begin: int
    end: int
    groups: Groups
    first: int
