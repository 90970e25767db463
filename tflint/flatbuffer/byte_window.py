"""The bytes of one or many files laid end to end, gathered from by offset; each file has bounds of its own.

A window over memory is a numpy view. A window over a `ByteSource` reads the pages that a gather needs: no other byte of
the file is read, nor memory set aside for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.source_pages import ByteSource, CompactPages, DensePages, Offsets, Pages

#: A source up to this size gets a buffer of its own size, which saves gathers the way from offsets to places.
MAX_DENSE_BYTES = 64 * 1024 * 1024

_LITTLE_ENDIAN = {
    "bool": "u1", "byte": "i1", "ubyte": "u1", "int8": "i1", "uint8": "u1", "short": "<i2", "ushort": "<u2",
    "int": "<i4", "uint": "<u4", "int32": "<i4", "uint32": "<u4", "float": "<f4",
    "long": "<i8", "ulong": "<u8", "double": "<f8",
}  # fmt: skip
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(code) for name, code in _LITTLE_ENDIAN.items()}


class Window:
    """Bytes to gather from.

    `starts[k]` and `ends[k]` bound file k. Offsets are absolute in the window; `file_offset` turns one into an offset
    in its own file.
    """

    def __init__(self, held: NDArray[np.uint8] | Pages, starts: Offsets, ends: Offsets):
        self.starts = starts
        self.ends = ends
        self._held = held
        self._pages = None if isinstance(held, np.ndarray) else held
        # None if the buffer grows: an array over it that is kept would forbid that.
        self._array = None if isinstance(held, CompactPages) else held if isinstance(held, np.ndarray) else held.data
        self._page_size = 0 if self._pages is None else self._pages.source.page_size
        self._typed: dict[str, NDArray[Any]] = {}

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
        pages = DensePages(source) if source.size <= MAX_DENSE_BYTES else CompactPages(source)
        bounds = [np.array(offsets, dtype=np.int64) for offsets in (starts, [source.size] if ends is None else ends)]
        return cls(pages, bounds[0], bounds[1])

    def part(self, begin: int, end: int) -> Window:
        """A window over one stretch of the same bytes, such as a flatbuffer stored inside another."""
        return Window(self._held, np.array([begin], dtype=np.int64), np.array([end], dtype=np.int64))

    def apart(self) -> Window:
        """A window over the same bytes for what is looked at once: what it reads of a large source goes with it."""
        if not isinstance(self._held, CompactPages):
            return self
        return Window(CompactPages(self._held.source), self.starts, self.ends)

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
        if width > 1 and (np.count_nonzero(offsets & (width - 1)) or 0 < self._page_size < width):
            return self._take_by_bytes(offsets, dtype)
        places = offsets if self._pages is None else self._pages.places(offsets)
        return self._view(scalar).take(places if width == 1 else places >> (width.bit_length() - 1))

    def span(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end."""
        if self._pages is not None and not self._pages.is_complete:
            return self._pages.span(begin, end)
        return self._data[begin:end].tobytes()

    @property
    def is_in_memory(self) -> bool:
        """Whether nothing is left to read."""
        return self._pages is None or self._pages.is_complete

    @property
    def n_held_bytes(self) -> int:
        """How many bytes lie in memory: those of a source that were read so far, or all."""
        return len(self._data) if self._pages is None else self._pages.n_bytes

    def stretch(self, begin: int, end: int, scratch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The bytes from begin to end, to be looked at once: read into `scratch` unless they lie in memory.

        Nothing of what is read so is kept. The scratch must be large enough; what it holds lasts until its next use.
        """
        if self._pages is None or self._pages.is_complete:
            return self._data[begin:end]
        found = scratch[: end - begin]
        self._pages.source.read_into(begin, found.data)
        return found

    def read(self, begin: int, end: int) -> bytes:
        """The bytes from begin to end, of which nothing is kept either."""
        return self.stretch(begin, end, np.empty(0 if self.is_in_memory else end - begin, dtype=np.uint8)).tobytes()

    def bounds(self, roots: NDArray[Any]) -> Offsets | int:
        """The end of the file of each row; one number where there is one file."""
        return int(self.ends[0]) if len(self.ends) == 1 else self.ends[roots]

    def file_offset(self, offset: int, root: int) -> int:
        """An absolute offset as an offset in its own file."""
        return offset - int(self.starts[root])

    @property
    def _data(self) -> NDArray[np.uint8]:
        if self._array is not None:
            return self._array
        assert self._pages is not None  # whatever is no array in memory has pages
        return self._pages.data

    def _view(self, scalar: str) -> NDArray[Any]:
        if scalar in self._typed:
            return self._typed[scalar]
        data, dtype = self._data, DTYPES[scalar]
        view = data[: len(data) // dtype.itemsize * dtype.itemsize].view(dtype)
        if self._array is not None:
            self._typed[scalar] = view
        return view

    def _take_by_bytes(self, offsets: Offsets, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Scalars that are misaligned or cross a page boundary: their bytes need not lie together in the buffer."""
        index = offsets[..., None] + np.arange(dtype.itemsize)
        places = index if self._pages is None else self._pages.places(index)
        return np.ascontiguousarray(self._data.take(places)).view(dtype).reshape(offsets.shape)
