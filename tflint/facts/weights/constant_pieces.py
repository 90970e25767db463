"""Cuts a large constant into pieces that fit into the CPU cache, and assigns the elements of each piece to groups."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tflint.facts.weights.reduction import Array, Columns, Groups, Runs
from tflint.values import frozen

#: Runs of elements of one channel are reduced run by run if they have at least this many elements. Shorter runs are
#: transposed to columns.
LONG_RUN = 64
#: Narrow matrices are folded (several rows become one) so that a piece has about this many rows. One row and the
#: results then fit into the L1 cache, and the overhead of numpy per row is negligible.
_ROWS = 48


@frozen
class Layout:
    """The channels of a constant's elements: element [o, c, i] of shape [outer, channels, inner] is in channel c."""

    outer: int
    channels: int
    inner: int

    @property
    def period(self) -> int:
        """Number of elements after which the channels repeat."""
        return self.channels * self.inner

    @property
    def n_elements(self) -> int:
        """Number of elements."""
        return self.outer * self.period

    def n_groups(self, limit: int) -> int:
        """Return the number of groups of the whole constant: its channels, or the columns of the folded matrix.

        `limit` is the largest number of elements per piece.
        """
        return self._fold(limit) * self.period if self._is_columns else self.channels

    def by_channel(self, ufunc: np.ufunc, numbers: Array) -> Array:
        """Reduce one number per group to one number per channel."""
        if not self._is_columns:
            return numbers
        return np.asarray(ufunc.reduce(ufunc.reduce(numbers.reshape(-1, self.channels, self.inner), axis=0), axis=1))

    def _fold(self, limit: int) -> int:
        """Return the number of periods per row of the folded matrix."""
        return max(min(limit // (_ROWS * self.period), self.outer), 1)

    @property
    def _is_columns(self) -> bool:
        return self.channels > 1 and self.outer > 1 and self.inner < LONG_RUN

    def pieces(self, limit: int) -> Iterator[Piece]:
        """Yield pieces in order that cover all elements once. A piece has at most `limit` elements or one short run."""
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
        """Yield pieces of several periods with long runs."""
        groups: Groups | None = None
        for begin in range(0, self.outer, step):
            n = min(step, self.outer - begin)
            if groups is None or n < step:
                groups = Runs(np.full(n * self.channels, self.inner), self.channels)
            yield Piece(begin * self.period, (begin + n) * self.period, groups, 0)

    def _long_runs(self, limit: int) -> Iterator[Piece]:
        """Yield pieces of several runs of one period, or of a part of one run."""
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
        """Yield parts of each run. All runs are cut in the same way, so that the same groups serve all of them."""
        inner = self.inner
        part = -(-inner // -(-inner // limit))
        part += -part % 8  # align to bytes of packed elements and to words of marks
        groups = {n: Runs(np.array([n]), 1) for n in (part, (inner - 1) % part + 1)}
        for begin in range(0, self.n_elements, inner):
            for place in range(0, inner, part):
                n = min(part, inner - place)
                yield Piece(begin + place, begin + place + n, groups[n], begin // inner % self.channels)

    def _short_runs(self, step: int) -> Iterator[Piece]:
        """Yield pieces of several short runs, one per channel, transposed to columns."""
        for channel in range(0, self.channels, step):
            n = min(step, self.channels - channel)
            groups = Columns(n, is_transposed=True)
            yield Piece(channel * self.inner, (channel + n) * self.inner, groups, channel)

    def _columns(self, limit: int) -> Iterator[Piece]:
        """Yield pieces that are matrices with one period per row, or several per row if periods are short.

        If a period has more than `limit` elements, yield parts of one period instead.
        """
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
    """The elements of a constant from `begin` to `end` (exclusive), with their groups.

    `first` is the number of the piece's first group among the groups of the whole constant.
    """

    begin: int
    end: int
    groups: Groups
    first: int
