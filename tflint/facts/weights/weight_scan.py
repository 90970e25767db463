"""Passes over the bytes of constants: small ones many at a time, large ones piece by piece through one small buffer.

Takes where constants lie and which statistics are wanted, gives one number a channel for each; keeps no byte. A pass
reads each byte once, and nothing else but the gaps between small neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import flat_positions
from tflint.facts.weights.constant_pieces import Piece
from tflint.facts.weights.element_types import ElementType, element_types
from tflint.facts.weights.readable_constants import Constants, Ints
from tflint.facts.weights.reduction import Runs
from tflint.facts.weights.weight_statistics import FOUND, Array, Measure, applies, joining
from tflint.flatbuffer.byte_window import Window

#: Bytes looked at together: with what is made of them they stay in a processor's second-level cache.
CHUNK_BYTES = 384 * 1024
#: Small constants closer together than this are read in one go.
_GAP_BYTES = 16 * 1024


class Survey:
    """What is known of constants so far. `found` has an array over all channels for each kind of finding.

    Smallest and largest are values, not keys; the others are counts.
    """

    def __init__(self, window: Window, constants: Constants, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.found: dict[str, Array] = {}
        self._window = window
        self._constants = constants
        self._firsts = constants.firsts
        self._types = list(element_types().values())
        self._chunk_bytes = chunk_bytes
        self._scratch = np.empty(0, dtype=np.uint8)

    def require(self, statistic: str, others: Collection[str] = ()) -> None:
        """Pass over the constants for a statistic, and for others in the same pass, unless that is done."""
        wanted = [name for name in (statistic, *others) if FOUND[name][0] not in self.found]
        if statistic not in wanted:
            return
        n_channels = int(self._constants.channels.sum())
        found = {name: np.zeros(n_channels) for statistic in wanted for name in FOUND[statistic]}
        concerned = self._concerned(wanted)
        is_large = self._constants.n_bytes > self._chunk_bytes
        with np.errstate(all="ignore"):  # NaN is a value here
            for block in self._blocks(np.flatnonzero(concerned & ~is_large)):
                self._measure_block(block, wanted, found)
            for constant in np.flatnonzero(concerned & is_large).tolist():
                self._measure_large(constant, wanted, found)
        self.found |= found
        self._scratch = np.empty(0, dtype=np.uint8)

    def _concerned(self, wanted: Collection[str]) -> NDArray[np.bool_]:
        by_type = np.array([any(applies(name, type_) for name in wanted) for type_ in self._types])
        concerned: NDArray[np.bool_] = by_type[self._constants.types]
        return concerned

    def _read(self, begin: int, end: int) -> NDArray[np.uint8]:
        if not self._window.is_in_memory and len(self._scratch) < end - begin:
            self._scratch = np.empty(end - begin, dtype=np.uint8)
        return self._window.read_once(begin, end, self._scratch)

    # -- small constants -----------------------------------------------------------------------------------------------

    def _blocks(self, small: Ints) -> Iterator[Ints]:
        """Small constants, ascending by place, in blocks of neighbours of about two chunks, overlapping ones too."""
        if not len(small):
            return iter(())
        starts, n_bytes = self._constants.starts[small], self._constants.n_bytes[small]
        is_new = np.diff(starts // self._chunk_bytes) > 0
        is_new |= np.diff(np.cumsum(n_bytes) // (2 * self._chunk_bytes)) > 0
        if not self._window.is_in_memory:
            ends = np.maximum.accumulate(starts + n_bytes)
            is_new |= starts[1:] - ends[:-1] > _GAP_BYTES
        return iter(np.split(small, np.flatnonzero(is_new) + 1))

    def _measure_block(self, block: Ints, wanted: Collection[str], found: dict[str, Array]) -> None:
        constants = self._constants
        begin = int(constants.starts[block[0]])
        raw = self._read(begin, int((constants.starts[block] + constants.n_bytes[block]).max()))
        kinds = constants.types[block] * 2 + constants.is_symmetric[block]
        for kind in np.flatnonzero(np.bincount(kinds)).tolist():
            chosen = block[kinds == kind]
            type_ = self._types[kind // 2]
            runs = constants.outer[chosen] * constants.inner[chosen]
            channels = constants.channels[chosen]
            groups = Runs(np.repeat(runs, channels), int(channels.sum()))
            zero = _zeros(constants.zeros[chosen], runs * channels, type_)
            elements = self._gathered(raw, begin, chosen, type_)
            places = flat_positions(self._firsts[chosen], channels, 1)
            measure = Measure(type_, wanted, zero, bool(kind % 2))
            for name, numbers in measure.of(elements, groups).items():
                found[name][places] = _values(name, numbers, type_)

    def _gathered(self, raw: NDArray[np.uint8], begin: int, chosen: Ints, type_: ElementType) -> Array:
        """The elements of some constants one after the other, each channel's together."""
        constants = self._constants
        starts = constants.starts[chosen] - begin
        spans = zip(starts.tolist(), (starts + constants.n_bytes[chosen]).tolist(), strict=True)
        if type_.bits >= 8 and (constants.outer[chosen] == 1).all():
            return type_.elements(np.concatenate([raw[start:end] for start, end in spans]))
        parts = []
        for (start, end), constant in zip(spans, chosen.tolist(), strict=True):
            layout = constants.layout(constant)
            elements = type_.elements(raw[start:end])[: layout.n_elements]
            if layout.outer > 1:
                elements = elements.reshape(layout.outer, layout.channels, layout.inner).swapaxes(0, 1).reshape(-1)
            parts.append(elements)
        return np.concatenate(parts)

    # -- large constants -----------------------------------------------------------------------------------------------

    def _measure_large(self, constant: int, wanted: Collection[str], found: dict[str, Array]) -> None:
        constants = self._constants
        type_ = self._types[constants.types[constant]]
        layout = constants.layout(constant)
        measure = Measure(type_, wanted, int(constants.zeros[constant]), bool(constants.is_symmetric[constant]))
        totals: dict[str, Array] = {}
        limit = self._chunk_bytes * 8 // type_.bits
        n_groups = layout.n_groups(limit)
        for piece in layout.pieces(limit):
            elements = self._elements(int(constants.starts[constant]), piece, type_)
            _join(totals, measure.of(elements, piece.groups), piece, n_groups)
        first = int(self._firsts[constant])
        for name, total in totals.items():
            of_channels = layout.by_channel(joining(name), total)
            found[name][first : first + layout.channels] = _values(name, of_channels, type_)

    def _elements(self, start: int, piece: Piece, type_: ElementType) -> Array:
        """The elements of a piece; where several share a byte, the bytes at its ends may be read for two pieces."""
        begin, end = piece.begin * type_.bits, piece.end * type_.bits
        raw = self._read(start + begin // 8, start + -(-end // 8))
        n = piece.end - piece.begin
        skipped = begin % 8 // type_.bits
        return type_.elements(raw)[skipped : skipped + n]


def _zeros(zeros: Ints, lengths: Ints, type_: ElementType) -> Array | int:
    """The zero points of several constants of some lengths: one number where all have the same, else one an element."""
    if (zeros == zeros[0]).all():
        return int(zeros[0])
    is_in_range = ((zeros >= type_.low) & (zeros <= type_.high)).all()
    return np.repeat(zeros.astype(type_.stored) if is_in_range else zeros, lengths)


def _values(name: str, numbers: Array, type_: ElementType) -> Array:
    return numbers if joining(name) is np.add else type_.values(numbers)


def _join(totals: dict[str, Array], numbers: dict[str, Array], piece: Piece, n_groups: int) -> None:
    """Add what a piece gave to what the pieces before it gave."""
    for name, of_piece in numbers.items():
        ufunc = joining(name)
        if name not in totals:
            dtype = np.dtype(np.int64) if ufunc is np.add else of_piece.dtype
            totals[name] = np.full(n_groups, _neutral(ufunc, dtype), dtype=dtype)
        part = totals[name][piece.first : piece.first + piece.groups.n]
        ufunc(part, of_piece, out=part)


def _neutral(ufunc: np.ufunc, dtype: np.dtype[Any]) -> Any:
    """The number that changes no other by `ufunc`."""
    if ufunc is np.add:
        return 0
    if dtype.kind == "f":
        return np.inf if ufunc is np.minimum else -np.inf
    limits = np.iinfo(dtype)
    return limits.max if ufunc is np.minimum else limits.min
