"""Reads the bytes of constants and computes statistics per channel.

Small constants are read in blocks. Large constants are read piece by piece through one small buffer. A scan reads the
bytes of each constant once, and the small gaps between the constants of a block. It does not keep any bytes.
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
from tflint.facts.weights.reduction import LANES, Runs
from tflint.facts.weights.weight_statistics import RESULTS, Array, PieceStatistics, Scratch, applies, join_function
from tflint.flatbuffer.byte_window import Window

#: Number of bytes processed at once. Together with the intermediate results, they fit into the L2 cache.
CHUNK_BYTES = 384 * 1024
#: Small constants are read at once if the gap between them has at most this many bytes.
_GAP_BYTES = 16 * 1024


class WeightScan:
    """Statistics of constants, computed on demand.

    `results` has one array per result name. An array has one number per channel of all constants. The results
    "smallest" and "largest" are values, not keys. All other results are counts.
    """

    def __init__(self, window: Window, constants: Constants, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.results: dict[str, Array] = {}
        self._window = window
        self._constants = constants
        self._firsts = constants.firsts
        self._types = list(element_types().values())
        self._chunk_bytes = chunk_bytes
        self._scratch = Scratch()

    def require(self, statistic: str, others: Collection[str] = ()) -> None:
        """Compute a statistic if it is not known yet. The same scan also computes `others`."""
        wanted = [name for name in (statistic, *others) if RESULTS[name][0] not in self.results]
        if statistic not in wanted:
            return
        n_channels = int(self._constants.channels.sum())
        results = {name: np.zeros(n_channels) for statistic in wanted for name in RESULTS[statistic]}
        applicable = self._is_applicable(wanted)
        is_large = self._constants.n_bytes > self._chunk_bytes
        with np.errstate(all="ignore"):  # NaN is an ordinary value here
            for block in self._blocks(np.flatnonzero(applicable & ~is_large)):
                self._scan_block(block, wanted, results)
            for constant in np.flatnonzero(applicable & is_large).tolist():
                self._scan_large(constant, wanted, results)
        self.results |= results
        self._scratch = Scratch()

    def _is_applicable(self, wanted: Collection[str]) -> NDArray[np.bool_]:
        by_type = np.array([any(applies(name, type_) for name in wanted) for type_ in self._types])
        applicable: NDArray[np.bool_] = by_type[self._constants.types]
        return applicable

    def _read(self, begin: int, end: int) -> NDArray[np.uint8]:
        n_bytes = 0 if self._window.is_in_memory else end - begin
        return self._window.read_once(begin, end, self._scratch.array("bytes", n_bytes, np.uint8))

    # -- small constants -----------------------------------------------------------------------------------------------

    def _blocks(self, small: Ints) -> Iterator[Ints]:
        """Yield small constants by offset, in blocks of about two chunks. The bytes of constants may overlap."""
        if not len(small):
            return iter(())
        starts, n_bytes = self._constants.starts[small], self._constants.n_bytes[small]
        is_new = np.diff(starts // self._chunk_bytes) > 0
        is_new |= np.diff(np.cumsum(n_bytes) // (2 * self._chunk_bytes)) > 0
        if not self._window.is_in_memory:
            ends = np.maximum.accumulate(starts + n_bytes)
            is_new |= starts[1:] - ends[:-1] > _GAP_BYTES
        return iter(np.split(small, np.flatnonzero(is_new) + 1))

    def _scan_block(self, block: Ints, wanted: Collection[str], results: dict[str, Array]) -> None:
        constants = self._constants
        begin = int(constants.starts[block[0]])
        raw = self._read(begin, int((constants.starts[block] + constants.n_bytes[block]).max()))
        # Marks are counted eight at a time, unless a run of the piece has a remainder.
        has_remainder = constants.outer[block] * constants.inner[block] % LANES > 0
        kinds = constants.types[block] * 4 + has_remainder * 2 + constants.is_symmetric[block]
        for kind in np.bincount(kinds).nonzero()[0].tolist():
            chosen = block[kinds == kind]
            type_ = self._types[kind // 4]
            runs = constants.outer[chosen] * constants.inner[chosen]
            channels = constants.channels[chosen]
            groups = Runs(np.repeat(runs, channels), int(channels.sum()))
            zero = _zero_points(constants.zeros[chosen], runs * channels, type_)
            elements = self._gather(raw, begin, chosen, type_)
            places = flat_positions(self._firsts[chosen], channels, 1)
            statistics = PieceStatistics(type_, wanted, zero, bool(kind % 2), self._scratch)
            for name, numbers in statistics.compute(elements, groups).items():
                results[name][places] = _values(name, numbers, type_)

    def _gather(self, raw: NDArray[np.uint8], begin: int, chosen: Ints, type_: ElementType) -> Array:
        """Return the elements of some constants, concatenated channel by channel."""
        constants = self._constants
        starts = constants.starts[chosen] - begin
        spans = zip(starts.tolist(), (starts + constants.n_bytes[chosen]).tolist(), strict=True)
        if type_.bits >= 8 and (constants.outer[chosen] == 1).all():
            return self._concatenate([type_.elements(raw[start:end]) for start, end in spans], type_)
        parts = []
        for (start, end), constant in zip(spans, chosen.tolist(), strict=True):
            layout = constants.layout(constant)
            elements = type_.elements(raw[start:end])[: layout.n_elements]
            if layout.outer > 1:
                elements = elements.reshape(layout.outer, layout.channels, layout.inner).swapaxes(0, 1).reshape(-1)
            parts.append(elements)
        return self._concatenate(parts, type_)

    def _concatenate(self, parts: list[Array], type_: ElementType) -> Array:
        if len(parts) == 1:
            return parts[0]
        n_elements = sum(map(len, parts))
        return np.concatenate(parts, out=self._scratch.array("elements", n_elements, type_.stored))

    # -- large constants -----------------------------------------------------------------------------------------------

    def _scan_large(self, constant: int, wanted: Collection[str], results: dict[str, Array]) -> None:
        constants = self._constants
        type_ = self._types[constants.types[constant]]
        layout = constants.layout(constant)
        statistics = PieceStatistics(
            type_, wanted, int(constants.zeros[constant]), bool(constants.is_symmetric[constant]), self._scratch
        )
        totals: dict[str, Array] = {}
        limit = self._chunk_bytes * 8 // type_.bits
        n_groups = layout.n_groups(limit)
        for piece in layout.pieces(limit):
            elements = self._elements(int(constants.starts[constant]), piece, type_)
            _join(totals, statistics.compute(elements, piece.groups), piece, n_groups)
        first = int(self._firsts[constant])
        for name, total in totals.items():
            of_channels = layout.by_channel(join_function(name), total)
            results[name][first : first + layout.channels] = _values(name, of_channels, type_)

    def _elements(self, start: int, piece: Piece, type_: ElementType) -> Array:
        """Return the elements of a piece. Packed elements may share the first and the last byte with other pieces."""
        begin, end = piece.begin * type_.bits, piece.end * type_.bits
        raw = self._read(start + begin // 8, start + -(-end // 8))
        n = piece.end - piece.begin
        skipped = begin % 8 // type_.bits
        return type_.elements(raw)[skipped : skipped + n]


def _zero_points(zeros: Ints, lengths: Ints, type_: ElementType) -> Array | int:
    """Return one number if several constants have the same zero point, otherwise the zero point of each element."""
    if (zeros == zeros[0]).all():
        return int(zeros[0])
    is_in_range = ((zeros >= type_.low) & (zeros <= type_.high)).all()
    return np.repeat(zeros.astype(type_.stored) if is_in_range else zeros, lengths)


def _values(name: str, numbers: Array, type_: ElementType) -> Array:
    return numbers if join_function(name) is np.add else type_.values(numbers)


def _join(totals: dict[str, Array], numbers: dict[str, Array], piece: Piece, n_groups: int) -> None:
    """Combine the numbers of a piece with the totals of the previous pieces."""
    for name, of_piece in numbers.items():
        ufunc = join_function(name)
        if name not in totals:
            dtype = np.dtype(np.int64) if ufunc is np.add else of_piece.dtype
            totals[name] = np.full(n_groups, _neutral(ufunc, dtype), dtype=dtype)
        part = totals[name][piece.first : piece.first + piece.groups.n]
        ufunc(part, of_piece, out=part)


def _neutral(ufunc: np.ufunc, dtype: np.dtype[Any]) -> Any:
    """Return the neutral element of `ufunc`."""
    if ufunc is np.add:
        return 0
    if dtype.kind == "f":
        return np.inf if ufunc is np.minimum else -np.inf
    limits = np.iinfo(dtype)
    return limits.max if ufunc is np.minimum else limits.min
