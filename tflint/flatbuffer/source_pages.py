"""The pages that a window has read from its source, in a buffer: dense for a small source, compact for a large one.

Input: offsets in the source. Output: positions of the same bytes in the buffer, after reading missing pages. Must not
know the meaning of the bytes. Files are read, not memory-mapped: if a mapped file shrinks, SIGBUS ends the process.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.byte_window import Offsets

#: Two needed pages at most this far apart are read at once: a second read would take longer than the bytes between.
READ_GAP_BYTES = 16 * 1024
#: Maximum bytes per read. The bytes are then copied into the buffer, so up to this many bytes are in memory twice.
PIECE_BYTES = 1024 * 1024
#: The buffer position of a byte and its offset are equal modulo this number, so that aligned scalars stay aligned.
_ALIGNMENT = 16


class ByteSource(Protocol):
    """Bytes that are not in memory: a file, a member of a container, a remote object."""

    @property
    def size(self) -> int:
        """Size in bytes."""
        ...

    @property
    def page_size(self) -> int:
        """Unit of reads in bytes: 4096 for a file, more for a remote object."""
        ...

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Return the bytes of each range (begin, end) in full, or raise an error."""
        ...

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on, or raise an error."""
        ...


class Pages(Protocol):
    """The bytes read from a source so far, in the buffer `data`, and the buffer position of each byte."""

    source: ByteSource

    @property
    def data(self) -> NDArray[np.uint8]:
        """Buffer. Do not keep the array: the next read may move the buffer."""
        ...

    @property
    def lasting_array(self) -> NDArray[np.uint8] | None:
        """The buffer if no read moves it, otherwise None."""
        ...

    @property
    def n_bytes(self) -> int:
        """Number of bytes of the source in memory."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether all bytes are in memory, each at the position of its offset."""
        ...

    def buffer_positions(self, offsets: Offsets) -> Offsets:
        """Return the buffer positions of bytes, or of scalars within a page; read missing pages."""
        ...

    def span(self, begin: int, end: int) -> bytes:
        """Return the bytes from begin to end."""
        ...


class DensePages:
    """A buffer of the source's size, in which the position of every byte is its offset in the source.

    A page takes memory only after it is read. Systems without `MAP_NORESERVE` reserve memory for the whole buffer at
    once, so large sources use `CompactPages`.
    """

    def __init__(self, source: ByteSource) -> None:
        flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)}
        sparse = mmap.mmap(-1, max(source.size, 1), **(flags if hasattr(mmap, "MAP_PRIVATE") else {}))
        self.source = source
        self.data: NDArray[np.uint8] = np.frombuffer(sparse, dtype=np.uint8)[: source.size]
        self._shift = source.page_size.bit_length() - 1  # the page size is a power of two
        self._is_loaded = np.zeros(-(-source.size // source.page_size), dtype=np.bool_)
        self.is_complete = False

    @property
    def lasting_array(self) -> NDArray[np.uint8]:
        """Buffer, which never moves."""
        return self.data

    @property
    def n_bytes(self) -> int:
        """Number of bytes of the source in memory, counting the last page as a full page."""
        return int(self._is_loaded.sum()) << self._shift

    def buffer_positions(self, offsets: Offsets) -> Offsets:
        """Read missing pages and return the offsets, which are the buffer positions."""
        if not self.is_complete:
            self._load(offsets >> self._shift)
        return offsets

    def span(self, begin: int, end: int) -> bytes:
        """Return the bytes from begin to end."""
        end = min(end, self.source.size)
        if not self.is_complete and end > begin:
            self._load(np.arange(begin >> self._shift, ((end - 1) >> self._shift) + 1))
        return self.data[begin:end].tobytes()

    def _load(self, pages: Offsets) -> None:
        if self._is_loaded[pages].all():
            return
        needed = np.zeros_like(self._is_loaded)
        needed[pages] = True
        needed &= ~self._is_loaded
        missing = np.flatnonzero(needed)
        breaks = np.diff(missing) > _gap_pages(self.source) + 1
        ranges = _byte_ranges(missing, breaks, self.source)
        for at, content in _read_pieces(self.source, ranges):
            self.data[at : at + len(content)] = np.frombuffer(content, dtype=np.uint8)
        for begin, end in ranges:
            self._is_loaded[begin >> self._shift : ((end - 1) >> self._shift) + 1] = True
        self.is_complete = bool(self._is_loaded.all())


class CompactPages:
    """A buffer that holds only the pages read so far, in the order of reading.

    A run is a range of bytes that is contiguous in source and buffer. Runs are disjoint and sorted by source offset.
    Run k holds the bytes from offset `begins[k]` to `ends[k]`; the buffer position of a byte is its offset plus
    `shifts[k]`. Memory grows with the pages read, not with the size of the source. Run 0 is empty and begins before all
    offsets, so that every offset has a last run that begins at or before it.
    """

    is_complete = False
    lasting_array = None  # a bytearray cannot be resized while an array views it

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self._shift = source.page_size.bit_length() - 1
        self._buffer = bytearray()
        self._begins, self._ends = np.full(1, -1, dtype=np.int64), np.full(1, -1, dtype=np.int64)
        self._shifts = np.zeros(1, dtype=np.int64)
        self._last_run = (0, -1, 0)  # the last run that `span` used: the next span usually lies in it

    @property
    def data(self) -> NDArray[np.uint8]:
        """Buffer. Do not keep the array: as long as it exists, no more pages can be read."""
        return np.frombuffer(self._buffer, dtype=np.uint8)

    @property
    def n_bytes(self) -> int:
        """Number of bytes of the source in memory."""
        return int((self._ends - self._begins).sum())

    def buffer_positions(self, offsets: Offsets) -> Offsets:
        """Return the buffer positions of bytes, or of scalars within a page; read missing pages."""
        run = int(self._begins.searchsorted(offsets.min(), side="right")) - 1
        is_in_one = offsets.max() < self._ends[run]  # most models have all their tables in one run
        runs = run if is_in_one else self._loaded_runs(offsets)
        buffer_positions: Offsets = offsets + self._shifts[runs]
        return buffer_positions

    def span(self, begin: int, end: int) -> bytes:
        """Return the bytes from begin to end, which may span several runs."""
        low, high, shift = self._last_run
        if begin < low or end > high:
            return b"".join(self._read_parts(begin, min(end, self.source.size)))
        return bytes(self._buffer[begin + shift : end + shift])

    def _read_parts(self, begin: int, end: int) -> Iterator[bytearray]:
        """Yield the bytes from begin to end, run by run; read the gaps between runs."""
        while begin < end:
            run = int(self._begins.searchsorted(begin, side="right")) - 1
            if begin >= self._ends[run]:
                following = int(self._begins[run + 1]) if run + 1 < len(self._begins) else end
                self._read(np.arange(begin >> self._shift, ((min(end, following) - 1) >> self._shift) + 1))
                continue
            self._last_run = _, high, shift = int(self._begins[run]), int(self._ends[run]), int(self._shifts[run])
            yield self._buffer[begin + shift : min(end, high) + shift]
            begin = high

    def _loaded_runs(self, offsets: Offsets) -> NDArray[np.intp]:
        """Return the run that holds each offset's byte; read missing pages."""
        runs = self._find_runs(offsets)
        is_missing = offsets >= self._ends[runs]
        if not is_missing.any():
            return runs
        self._read(_distinct(offsets[is_missing] >> self._shift))
        return self._find_runs(offsets)

    def _find_runs(self, offsets: Offsets) -> NDArray[np.intp]:
        """Return, for each offset, the last run that begins at or before it: the only run that can hold its byte."""
        return self._begins.searchsorted(offsets, side="right") - 1

    def _read(self, missing: Offsets) -> None:
        """Read pages that are not in memory yet and append them to the buffer.

        `missing` holds the numbers of the pages, ascending and distinct.
        """
        preceding = self._find_runs(missing << self._shift)
        # If a run begins between two missing pages, read these as separate ranges, so that no byte is stored twice.
        breaks = (np.diff(missing) > _gap_pages(self.source) + 1) | (np.diff(preceding) > 0)
        ranges = _byte_ranges(missing, breaks, self.source)
        shifts = np.array(self._append(ranges), dtype=np.int64)
        begins, ends = np.array(ranges, dtype=np.int64).T
        at = self._begins.searchsorted(begins)
        begins, ends = np.insert(self._begins, at, begins), np.insert(self._ends, at, ends)
        shifts = np.insert(self._shifts, at, shifts)
        # Merge runs that are adjacent both in the source and in the buffer.
        is_joined = (begins[1:] == ends[:-1]) & (shifts[1:] == shifts[:-1])
        self._begins = begins[np.r_[True, ~is_joined]]
        self._ends = ends[np.r_[~is_joined, True]]
        self._shifts = shifts[np.r_[True, ~is_joined]]

    def _append(self, ranges: Sequence[tuple[int, int]]) -> list[int]:
        """Append byte ranges of the source to the buffer. Return each range's buffer position minus its offset."""
        shifts: list[int] = []
        end = -1
        for at, content in _read_pieces(self.source, ranges):
            if at != end:  # not the next piece of a long range
                self._buffer += bytes((at - len(self._buffer)) % _ALIGNMENT)
                shifts.append(len(self._buffer) - at)
            self._buffer += content
            end = at + len(content)
        return shifts


def _gap_pages(source: ByteSource) -> int:
    """Return how many unneeded pages between two needed pages may be read with them; 0 for pages of one byte."""
    return READ_GAP_BYTES // source.page_size if source.page_size > 1 else 0


def _distinct(pages: Offsets) -> Offsets:
    """Return distinct page numbers, ascending. `np.unique` would import numpy.ma on its first call (12 ms)."""
    ordered = np.sort(pages)
    return ordered[np.r_[True, np.diff(ordered) > 0]]


def _byte_ranges(pages: NDArray[Any], breaks: NDArray[np.bool_], source: ByteSource) -> list[tuple[int, int]]:
    """Merge ascending page numbers into byte ranges (begin, end).

    `breaks[k]` says whether a range ends after `pages[k]`.
    """
    at = np.flatnonzero(breaks)
    begins, ends = pages[np.r_[0, at + 1]] * source.page_size, (pages[np.r_[at, len(pages) - 1]] + 1) * source.page_size
    return list(zip(begins.tolist(), np.minimum(ends, source.size).tolist(), strict=True))


def _read_pieces(source: ByteSource, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    """Yield the bytes of ranges with their offsets: long ranges in pieces, several short ranges per request."""
    request: list[tuple[int, int]] = []
    n_bytes = 0
    for begin, end in ranges:
        for at in range(begin, end, PIECE_BYTES):
            piece = (at, min(at + PIECE_BYTES, end))
            if n_bytes + piece[1] - at > PIECE_BYTES:
                yield from _read_request(source, request)
                request, n_bytes = [], 0
            request.append(piece)
            n_bytes += piece[1] - at
    yield from _read_request(source, request)


def _read_request(source: ByteSource, request: Sequence[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    for (begin, _), content in zip(request, source.read(request) if request else (), strict=True):
        yield begin, content
