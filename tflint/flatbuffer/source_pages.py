"""The pages of a source that a window has needed so far: a dense buffer for a small source, a compact one for a large.

Takes absolute offsets, reads the pages that hold them, and gives the places of the same bytes in `data`. It must not
know what the bytes mean. A file is read, not mapped: a mapped file that shrinks ends the process with SIGBUS.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]

#: Two needed pages this close together are read in one go: a second read costs more than the bytes between.
READ_GAP_BYTES = 16 * 1024
#: Bytes of one read: what it gives is copied into the buffer, so that this much is held twice.
PIECE_BYTES = 1024 * 1024
#: A place is congruent to its offset modulo this, so that aligned scalars stay aligned.
_ALIGNMENT = 16


class ByteSource(Protocol):
    """Where bytes come from when they are not in memory: a file, a member of a container, a remote object."""

    @property
    def size(self) -> int:
        """Size in bytes."""
        ...

    @property
    def page_size(self) -> int:
        """The unit in which to ask for bytes: 4096 for a file, larger for something far away."""
        ...

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """The bytes of each range (begin, end); each answer is as long as its range, or an error is raised."""
        ...

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on, or raise an error."""
        ...


class Pages(Protocol):
    """The bytes of a source that were read so far, and where in `data` the byte of an offset lies."""

    source: ByteSource

    @property
    def data(self) -> NDArray[np.uint8]:
        """The buffer; keep no view of it, since the next read may move it."""
        ...

    @property
    def n_bytes(self) -> int:
        """How many bytes of the source are held."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether all bytes are held, each at the place of its offset."""
        ...

    def places(self, offsets: Offsets) -> Offsets:
        """The places of single bytes, or of scalars that cross no page boundary; reads what is missing."""
        ...

    def span(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end."""
        ...


class DensePages:
    """A buffer of the source's size, in which every byte lies at its own offset; pages cost memory when they are read.

    Systems without `MAP_NORESERVE` commit all of it at once, which is why large sources have `CompactPages`.
    """

    def __init__(self, source: ByteSource) -> None:
        flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)}
        sparse = mmap.mmap(-1, max(source.size, 1), **(flags if hasattr(mmap, "MAP_PRIVATE") else {}))
        self.source = source
        self.data: NDArray[np.uint8] = np.frombuffer(sparse, dtype=np.uint8)[: source.size]
        self._shift = source.page_size.bit_length() - 1  # a page's size is a power of two
        self._is_held = np.zeros(-(-source.size // source.page_size), dtype=np.bool_)
        self.is_complete = False

    @property
    def n_bytes(self) -> int:
        """How many bytes of the source are held, the last page counted as a whole one."""
        return int(self._is_held.sum()) << self._shift

    def places(self, offsets: Offsets) -> Offsets:
        """The offsets themselves, once their pages are read."""
        if not self.is_complete:
            self._require(offsets >> self._shift)
        return offsets

    def span(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end."""
        end = min(end, self.source.size)
        if not self.is_complete and end > begin:
            self._require(np.arange(begin >> self._shift, ((end - 1) >> self._shift) + 1))
        return self.data[begin:end].tobytes()

    def _require(self, pages: Offsets) -> None:
        if self._is_held[pages].all():
            return
        needed = np.zeros_like(self._is_held)
        needed[pages] = True
        needed &= ~self._is_held
        missing = np.flatnonzero(needed)
        breaks = np.diff(missing) > _gap_pages(self.source) + 1
        stretches = _stretches(missing, breaks, self.source)
        for at, content in _contents(self.source, stretches):
            self.data[at : at + len(content)] = np.frombuffer(content, dtype=np.uint8)
        for begin, end in stretches:
            self._is_held[begin >> self._shift : ((end - 1) >> self._shift) + 1] = True
        self.is_complete = bool(self._is_held.all())


class CompactPages:
    """A buffer of nothing but the pages that were read, one stretch of the source after the other.

    Stretches are disjoint and in the source's order; run k holds the bytes from `begins[k]` to `ends[k]` at their
    offsets plus `shifts[k]`. What it takes grows with the pages that were read, whatever the source's size. Run 0 is
    empty and lies before all others, so that every offset has a last run that begins at or before it.
    """

    is_complete = False

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self._shift = source.page_size.bit_length() - 1
        self._buffer = bytearray()
        self._begins, self._ends = np.full(1, -1, dtype=np.int64), np.full(1, -1, dtype=np.int64)
        self._shifts = np.zeros(1, dtype=np.int64)
        self._latest = (0, -1, 0)  # the run of the last span: the next one mostly lies there, too

    @property
    def data(self) -> NDArray[np.uint8]:
        """The buffer; a view of it that is kept would forbid the next read."""
        return np.frombuffer(self._buffer, dtype=np.uint8)

    @property
    def n_bytes(self) -> int:
        """How many bytes of the source are held."""
        return int((self._ends - self._begins).sum())

    def places(self, offsets: Offsets) -> Offsets:
        """The places of single bytes, or of scalars that cross no page boundary; reads what is missing."""
        run = int(self._begins.searchsorted(offsets.min(), side="right")) - 1
        is_in_one = offsets.max() < self._ends[run]  # the structure of most models lies together
        runs = run if is_in_one else self._held_runs(offsets)
        places: Offsets = offsets + self._shifts[runs]
        return places

    def span(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end, which may lie in several runs."""
        low, high, shift = self._latest
        if begin < low or end > high:
            return b"".join(self._parts(begin, min(end, self.source.size)))
        return bytes(self._buffer[begin + shift : end + shift])

    def _parts(self, begin: int, end: int) -> Iterator[bytearray]:
        """The bytes from begin to end, run by run; reads what lies between runs."""
        while begin < end:
            run = int(self._begins.searchsorted(begin, side="right")) - 1
            if begin >= self._ends[run]:
                following = int(self._begins[run + 1]) if run + 1 < len(self._begins) else end
                self._read(np.arange(begin >> self._shift, ((min(end, following) - 1) >> self._shift) + 1))
                continue
            self._latest = _, high, shift = int(self._begins[run]), int(self._ends[run]), int(self._shifts[run])
            yield self._buffer[begin + shift : min(end, high) + shift]
            begin = high

    def _held_runs(self, offsets: Offsets) -> NDArray[np.intp]:
        """For each offset the run that holds its byte; reads what is missing."""
        runs = self._runs(offsets)
        is_missing = offsets >= self._ends[runs]
        if not is_missing.any():
            return runs
        self._read(_distinct(offsets[is_missing] >> self._shift))
        return self._runs(offsets)

    def _runs(self, offsets: Offsets) -> NDArray[np.intp]:
        """For each offset the last run that begins at or before it: no other can hold its byte."""
        return self._begins.searchsorted(offsets, side="right") - 1

    def _read(self, missing: Offsets) -> None:
        """Append pages none of which is held: ascending numbers, each once."""
        preceding = self._runs(missing << self._shift)
        # A run that begins between two needed pages ends the stretch: no byte is held twice.
        breaks = (np.diff(missing) > _gap_pages(self.source) + 1) | (np.diff(preceding) > 0)
        stretches = _stretches(missing, breaks, self.source)
        shifts = np.array(self._append(stretches), dtype=np.int64)
        begins, ends = np.array(stretches, dtype=np.int64).T
        at = self._begins.searchsorted(begins)
        begins, ends = np.insert(self._begins, at, begins), np.insert(self._ends, at, ends)
        shifts = np.insert(self._shifts, at, shifts)
        # Neighbours in the source that are neighbours in the buffer are one run.
        is_joined = (begins[1:] == ends[:-1]) & (shifts[1:] == shifts[:-1])
        self._begins = begins[np.r_[True, ~is_joined]]
        self._ends = ends[np.r_[~is_joined, True]]
        self._shifts = shifts[np.r_[True, ~is_joined]]

    def _append(self, stretches: Sequence[tuple[int, int]]) -> list[int]:
        """Append stretches of the source to the buffer; returns for each its places minus its offsets."""
        shifts: list[int] = []
        end = -1
        for at, content in _contents(self.source, stretches):
            if at != end:  # not the next piece of a long stretch
                self._buffer += bytes((at - len(self._buffer)) % _ALIGNMENT)
                shifts.append(len(self._buffer) - at)
            self._buffer += content
            end = at + len(content)
        return shifts


def _gap_pages(source: ByteSource) -> int:
    """How many pages that nobody needs are read along with their neighbours; none if a page is one byte."""
    return READ_GAP_BYTES // source.page_size if source.page_size > 1 else 0


def _distinct(pages: Offsets) -> Offsets:
    """Pages ascending, each once; `np.unique` imports numpy.ma when it is first called (12 ms)."""
    ordered = np.sort(pages)
    return ordered[np.r_[True, np.diff(ordered) > 0]]


def _stretches(pages: NDArray[Any], breaks: NDArray[np.bool_], source: ByteSource) -> list[tuple[int, int]]:
    """Ascending pages as stretches (begin, end) of bytes; a new one begins after each break."""
    at = np.flatnonzero(breaks)
    begins, ends = pages[np.r_[0, at + 1]] * source.page_size, (pages[np.r_[at, len(pages) - 1]] + 1) * source.page_size
    return list(zip(begins.tolist(), np.minimum(ends, source.size).tolist(), strict=True))


def _contents(source: ByteSource, stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    """The bytes of stretches in order, long ones in pieces, each with its offset; many short ones are one request."""
    request: list[tuple[int, int]] = []
    n_bytes = 0
    for begin, end in stretches:
        for at in range(begin, end, PIECE_BYTES):
            piece = (at, min(at + PIECE_BYTES, end))
            if n_bytes + piece[1] - at > PIECE_BYTES:
                yield from _answers(source, request)
                request, n_bytes = [], 0
            request.append(piece)
            n_bytes += piece[1] - at
    yield from _answers(source, request)


def _answers(source: ByteSource, request: Sequence[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    for (begin, _), content in zip(request, source.read(request) if request else (), strict=True):
        yield begin, content
