"""The bytes of one or many files laid end to end, gathered from by offset; each file has bounds of its own.

A window over memory is a numpy view. A window over a `ByteSource` is a sparse buffer of the file's size into which
pages are read when a gather first needs them: nothing else of the file costs memory, and a file that shrinks while it
is read gives an error (a memory map would end the process with SIGBUS).
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]

#: Two needed pages this close together are read in one go: a second read costs more than the bytes between.
READ_GAP_BYTES = 16 * 1024

_LITTLE_ENDIAN = {
    "bool": "u1", "byte": "i1", "ubyte": "u1", "int8": "i1", "uint8": "u1", "short": "<i2", "ushort": "<u2",
    "int": "<i4", "uint": "<u4", "int32": "<i4", "uint32": "<u4", "float": "<f4",
    "long": "<i8", "ulong": "<u8", "double": "<f8",
}  # fmt: skip
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(code) for name, code in _LITTLE_ENDIAN.items()}


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


class Window:
    """Bytes to gather from.

    `starts[k]` and `ends[k]` bound file k. Offsets are absolute in the window; `file_offset` turns one into an offset
    in its own file.
    """

    def __init__(self, data: NDArray[np.uint8], starts: Offsets, ends: Offsets, source: ByteSource | None = None):
        self.data = data
        self.starts = starts
        self.ends = ends
        self._source = source
        self._typed: dict[str, NDArray[Any]] = {}
        self._resident: NDArray[np.bool_] | None = None
        self._page = source.page_size if source is not None else 1
        if source is not None:
            self._resident = np.zeros(-(-len(data) // self._page), dtype=np.bool_)
        self._shift = self._page.bit_length() - 1  # a page's size is a power of two

    @classmethod
    def of_bytes(cls, content: bytes | bytearray | memoryview) -> Window:
        """A window over one file that lies in memory; nothing is copied."""
        data = np.frombuffer(content, dtype=np.uint8)
        return cls(data, np.zeros(1, dtype=np.int64), np.array([len(data)], dtype=np.int64))

    @classmethod
    def of_batch(cls, contents: Sequence[bytes]) -> Window:
        """One window over the bytes of many files, each begun at a multiple of 16, as alignment wants."""
        sizes = np.array([len(content) for content in contents], dtype=np.int64)
        starts = np.zeros(len(contents), dtype=np.int64)
        np.cumsum((sizes[:-1] + 15) & ~15, out=starts[1:])
        joint = bytearray(int(starts[-1] + sizes[-1]) if len(contents) else 0)
        for start, content in zip(starts.tolist(), contents, strict=True):
            joint[start : start + len(content)] = content
        return cls(np.frombuffer(joint, dtype=np.uint8), starts, starts + sizes)

    @classmethod
    def of_source(cls, source: ByteSource, starts: Sequence[int] = (0,), ends: Sequence[int] | None = None) -> Window:
        """A window over one source of which only the pages that are asked for are read.

        `starts` and `ends` bound the files that lie in it end to end; without them it is one file.
        """
        flags = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)}
        sparse = mmap.mmap(-1, max(source.size, 1), **(flags if hasattr(mmap, "MAP_PRIVATE") else {}))
        data = np.frombuffer(sparse, dtype=np.uint8)[: source.size]
        bounds = [np.array(offsets, dtype=np.int64) for offsets in (starts, [source.size] if ends is None else ends)]
        return cls(data, bounds[0], bounds[1], source)

    def part(self, begin: int, end: int) -> Window:
        """A window over one stretch of the same bytes, such as a flatbuffer stored inside another."""
        part = Window(self.data, np.array([begin], dtype=np.int64), np.array([end], dtype=np.int64))
        part._typed, part._resident, part._source = self._typed, self._resident, self._source
        part._page, part._shift = self._page, self._shift
        return part

    @property
    def n_files(self) -> int:
        """How many files lie in the window."""
        return len(self.starts)

    def take(self, offsets: Offsets, scalar: str) -> NDArray[Any]:
        """The scalars of a type at absolute, already bounds-checked byte offsets, one each, in the offsets' shape."""
        dtype = DTYPES[scalar]
        width = dtype.itemsize
        if not offsets.size:
            return np.empty(offsets.shape, dtype=dtype)
        if self._resident is not None:
            self._fetch(offsets.ravel(), width)
        if width == 1:
            return self._view(scalar).take(offsets)
        if np.count_nonzero(offsets & (width - 1)):
            return self._take_misaligned(offsets, dtype)
        return self._view(scalar).take(offsets >> (width.bit_length() - 1))

    def span(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end."""
        if self._resident is not None and end > begin:
            self._fetch(np.array([begin], dtype=np.int64), end - begin)
        return self.data[begin:end].tobytes()

    @property
    def is_in_memory(self) -> bool:
        """Whether nothing is left to read."""
        return self._resident is None

    def stretch(self, begin: int, end: int, scratch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The bytes from begin to end, to be looked at once: read into `scratch` unless they lie in memory.

        Nothing of what is read so is kept. The scratch must be large enough; what it holds lasts until its next use.
        """
        if self._resident is None:
            return self.data[begin:end]
        assert self._source is not None
        held = scratch[: end - begin]
        self._source.read_into(begin, held.data)
        return held

    def bounds(self, roots: NDArray[Any]) -> Offsets | int:
        """The end of the file of each row; one number where there is one file."""
        return int(self.ends[0]) if len(self.ends) == 1 else self.ends[roots]

    def file_offset(self, offset: int, root: int) -> int:
        """An absolute offset as an offset in its own file."""
        return offset - int(self.starts[root])

    def _view(self, scalar: str) -> NDArray[Any]:
        if scalar not in self._typed:
            dtype = DTYPES[scalar]
            self._typed[scalar] = self.data[: len(self.data) // dtype.itemsize * dtype.itemsize].view(dtype)
        return self._typed[scalar]

    def _take_misaligned(self, offsets: Offsets, dtype: np.dtype[Any]) -> NDArray[Any]:
        index = offsets[..., None] + np.arange(dtype.itemsize)
        return np.ascontiguousarray(self.data.take(index)).view(dtype).reshape(offsets.shape)

    def _fetch(self, offsets: Offsets, width: int) -> None:
        assert self._resident is not None  # only windows over a source come here
        assert self._source is not None
        first = offsets >> self._shift
        last = (offsets + (width - 1)) >> self._shift
        if self._resident[first].all() and (last - first).max() <= 1 and self._resident[last].all():
            return
        needed = np.zeros_like(self._resident)
        for begin, end in zip(first.tolist(), last.tolist(), strict=True) if width > self._page else ():
            needed[begin : end + 1] = True
        needed[first] = True
        needed[last] = True
        needed &= ~self._resident
        self._read_pages(np.flatnonzero(needed))

    def _read_pages(self, pages: NDArray[np.intp]) -> None:
        assert self._resident is not None  # only windows over a source come here
        assert self._source is not None
        if not len(pages):
            return
        gap = READ_GAP_BYTES // self._page if self._page > 1 else 0
        breaks = np.flatnonzero(np.diff(pages) > gap + 1)
        begins = pages[np.r_[0, breaks + 1]]
        ends = pages[np.r_[breaks, len(pages) - 1]] + 1
        ranges = [
            (int(begin) * self._page, min(int(end) * self._page, len(self.data)))
            for begin, end in zip(begins, ends, strict=True)
        ]
        for (begin, end), content in zip(ranges, self._source.read(ranges), strict=True):
            self.data[begin:end] = np.frombuffer(content, dtype=np.uint8)
        for begin_page, end_page in zip(begins, ends, strict=True):
            self._resident[begin_page:end_page] = True
        if self._resident.all():
            self._resident = None  # nothing is left to fetch, so nothing to look up before each gather
