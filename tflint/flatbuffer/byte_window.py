"""Gathers scalars by offset from the bytes of one or several files, which lie end to end and have their own bounds.

A window over bytes in memory is a numpy view. A window over a `ByteSource` reads and keeps only the pages that gathers
need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # most models are in memory
    from tflint.flatbuffer.source_pages import ByteSource, Pages

Offsets = NDArray[np.int64]

#: A source up to this size gets a buffer of its full size, so that gathers need no lookup from offset to buffer
#: position.
MAX_DENSE_BYTES = 64 * 1024 * 1024

_LITTLE_ENDIAN = {
    "bool": "u1", "byte": "i1", "ubyte": "u1", "int8": "i1", "uint8": "u1", "short": "<i2", "ushort": "<u2",
    "int": "<i4", "uint": "<u4", "int32": "<i4", "uint32": "<u4", "float": "<f4",
    "long": "<i8", "ulong": "<u8", "double": "<f8",
}  # fmt: skip
DTYPES: dict[str, np.dtype[Any]] = {name: np.dtype(code) for name, code in _LITTLE_ENDIAN.items()}


class Window:
    """Bytes of one or several files to gather from.

    File k lies from `starts[k]` to `ends[k]`. Offsets are relative to the start of the window; `file_offset` converts
    an offset in the window to an offset in its file.
    """

    def __init__(self, storage: NDArray[np.uint8] | Pages, starts: Offsets, ends: Offsets):
        self.starts = starts
        self.ends = ends
        self._storage = storage
        self._pages = None if isinstance(storage, np.ndarray) else storage
        self._array = storage if isinstance(storage, np.ndarray) else storage.lasting_array
        self._page_size = 0 if self._pages is None else self._pages.source.page_size
        self._typed: dict[str, NDArray[Any]] = {}

    @classmethod
    def of_bytes(cls, content: bytes | bytearray | memoryview) -> Window:
        """Return a window over one file in memory, without a copy."""
        data = np.frombuffer(content, dtype=np.uint8)
        return cls(data, np.zeros(1, dtype=np.int64), np.array([len(data)], dtype=np.int64))

    @classmethod
    def of_batch(cls, contents: Sequence[bytes]) -> Window:
        """Return one window over a copy of many files; each file starts at a multiple of 16 bytes."""
        sizes = np.array([len(content) for content in contents], dtype=np.int64)
        starts = np.zeros(len(contents), dtype=np.int64)
        np.cumsum((sizes[:-1] + 15) & ~15, out=starts[1:])
        joint = bytearray(int(starts[-1] + sizes[-1]) if len(contents) else 0)
        for start, content in zip(starts.tolist(), contents, strict=True):
            joint[start : start + len(content)] = content
        return cls(np.frombuffer(joint, dtype=np.uint8), starts, starts + sizes)

    @classmethod
    def of_source(cls, source: ByteSource, starts: Sequence[int] = (0,), ends: Sequence[int] | None = None) -> Window:
        """Return a window that reads only needed pages of a source.

        `starts` and `ends` are the bounds of the files in the source. By default, the source is one file.
        """
        from tflint.flatbuffer.source_pages import CompactPages, DensePages

        pages = DensePages(source) if source.size <= MAX_DENSE_BYTES else CompactPages(source)
        bounds = [np.array(offsets, dtype=np.int64) for offsets in (starts, [source.size] if ends is None else ends)]
        return cls(pages, bounds[0], bounds[1])

    def subwindow(self, begin: int, end: int) -> Window:
        """Return a window over a range of the same bytes, such as a flatbuffer nested in another."""
        return Window(self._storage, np.array([begin], dtype=np.int64), np.array([end], dtype=np.int64))

    def with_own_cache(self) -> Window:
        """Return a window over the same bytes with its own page cache, for bytes that are needed once.

        The pages that the new window reads are released with it. A window without `CompactPages` is returned itself.
        """
        if self._pages is None or self._array is not None:
            return self
        from tflint.flatbuffer.source_pages import CompactPages

        return Window(CompactPages(self._pages.source), self.starts, self.ends)

    @property
    def n_files(self) -> int:
        """Number of files in the window."""
        return len(self.starts)

    def take(self, offsets: Offsets, scalar: str) -> NDArray[Any]:
        """Return the scalars at offsets in the window, in the shape of `offsets`.

        Offsets may be unaligned. The caller checks bounds.
        """
        dtype = DTYPES[scalar]
        width = dtype.itemsize
        if not offsets.size:
            return np.empty(offsets.shape, dtype=dtype)
        if width > 1 and (np.count_nonzero(offsets & (width - 1)) or 0 < self._page_size < width):
            return self._take_by_bytes(offsets, dtype)
        positions = offsets if self._pages is None else self._pages.buffer_positions(offsets)
        return self._view(scalar).take(positions if width == 1 else positions >> (width.bit_length() - 1))

    def span(self, begin: int, end: int) -> bytes:
        """Return the bytes from begin to end. Pages read from the source stay in memory."""
        if self._pages is not None and not self._pages.is_complete:
            return self._pages.span(begin, end)
        return self._data[begin:end].tobytes()

    @property
    def is_in_memory(self) -> bool:
        """Whether all bytes are in memory."""
        return self._pages is None or self._pages.is_complete

    @property
    def n_bytes_in_memory(self) -> int:
        """Number of bytes in memory: all bytes, or the bytes read from the source so far."""
        return len(self._data) if self._pages is None else self._pages.n_bytes

    def read_once(self, begin: int, end: int, scratch: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the bytes from begin to end without keeping them in memory.

        If not all bytes of the source are in memory, the bytes are read into `scratch`, which must be large enough. The
        result is then valid until the next use of `scratch`.
        """
        if self._pages is None or self._pages.is_complete:
            return self._data[begin:end]
        buffer = scratch[: end - begin]
        self._pages.source.read_into(begin, buffer.data)
        return buffer

    def read(self, begin: int, end: int) -> bytes:
        """Return a copy of the bytes from begin to end. Pages read from the source do not stay in memory."""
        return self.read_once(begin, end, np.empty(0 if self.is_in_memory else end - begin, dtype=np.uint8)).tobytes()

    def bounds(self, roots: NDArray[Any]) -> Offsets | int:
        """Return, for each row, the end of its file; if the window has one file, return a single number."""
        return int(self.ends[0]) if len(self.ends) == 1 else self.ends[roots]

    def file_offset(self, offset: int, root: int) -> int:
        """Convert an offset in the window to an offset in the file with index `root`."""
        return offset - int(self.starts[root])

    @property
    def _data(self) -> NDArray[np.uint8]:
        if self._array is not None:
            return self._array
        assert self._pages is not None  # only windows over a source lack an array
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
        """Gather scalars byte by byte: they are unaligned, or their bytes may be apart in the buffer."""
        index = offsets[..., None] + np.arange(dtype.itemsize)
        positions = index if self._pages is None else self._pages.buffer_positions(index)
        return np.ascontiguousarray(self._data.take(positions)).view(dtype).reshape(offsets.shape)
