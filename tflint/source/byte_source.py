"""Sources of bytes, and the error of one that cannot be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tflint.errors import TflintError

_SHORTER = "it became shorter while it was read"


class SourceError(TflintError):
    """A source cannot be read, or changed while it was read; `reason` says which in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(Protocol):
    """Bytes that can be read in parts. `page_size` is the unit in which asking for them makes sense."""

    @property
    def size(self) -> int:
        """Size in bytes."""
        ...

    @property
    def page_size(self) -> int:
        """The smallest part worth asking for, in bytes."""
        ...

    def identity(self) -> tuple[object, ...]:
        """A value that is another one when the content is another one."""
        ...

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """The bytes of each range (begin, end), complete; SourceError where that cannot be had."""
        ...

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on; the same promises as `read`, and nothing new is allocated."""
        ...

    def content(self) -> bytes | memoryview | None:
        """All bytes, where they already lie in memory; else None."""
        ...

    def close(self) -> None:
        """Give back what the source holds open."""
        ...


def reader(source: Source) -> Callable[[int, int], bytes]:
    """A function that reads one stretch (begin, end) of a source."""

    def read(begin: int, end: int) -> bytes:
        return source.read([(begin, end)])[0]

    return read


class BytesSource:
    """A source over bytes in memory; nothing is copied."""

    page_size = 4096

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._content = memoryview(content).cast("B")
        self.size = len(self._content)

    def identity(self) -> tuple[object, ...]:
        """The object itself: bytes in memory have no other name."""
        return ("bytes", id(self._content.obj), self.size)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Copies of the ranges."""
        return [bytes(self._content[begin:end]) for begin, end in ranges]

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Copy into the buffer."""
        buffer[:] = self._content[begin : begin + len(buffer)]

    def content(self) -> memoryview:
        """A view of all bytes."""
        return self._content

    def close(self) -> None:
        """Nothing is held open."""


class FileSource:
    """A regular file, read by position. It is never memory-mapped: a mapped file that shrinks ends the process."""

    page_size = 4096

    def __init__(self, path: Path | str) -> None:
        try:
            # O_NONBLOCK: opening a named pipe must not wait for a writer.
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise SourceError(plain_reason(error)) from error
        except ValueError as error:  # a NUL in the path, or a character that its encoding lacks
            raise SourceError("its path cannot be the name of a file") from error
        self._status = os.fstat(self._descriptor)
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            raise SourceError("it is a directory" if stat.S_ISDIR(self._status.st_mode) else "it is no regular file")
        self.size = self._status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def identity(self) -> tuple[object, ...]:
        """Device, inode, size and modification time as they were when the file was opened."""
        return _identity(self._status)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """The ranges, and the certainty that the file was not changed since it was opened."""
        parts = [self._read_range(begin, end) for begin, end in ranges]
        self._require_unchanged()
        return parts

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer, and be certain that the file was not changed since it was opened."""
        filled = 0
        while filled < len(buffer):
            n_bytes = self._read_at_into(begin + filled, buffer[filled:])
            if not n_bytes:
                raise SourceError(_SHORTER)
            filled += n_bytes
        self._require_unchanged()

    def content(self) -> None:
        """A file does not lie in memory."""
        return

    def close(self) -> None:
        """Close the file; more than once is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _require_unchanged(self) -> None:
        try:
            status = os.fstat(self._descriptor)
        except OSError as error:
            raise SourceError(plain_reason(error)) from error
        if _identity(status) != self.identity():
            raise SourceError("it changed while it was read")

    def _read_range(self, begin: int, end: int) -> bytes:
        parts: list[bytes] = []
        while begin < end:
            part = self._read_at(begin, end - begin)
            if not part:
                raise SourceError(_SHORTER)
            parts.append(part)
            begin += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read_at(self, offset: int, n_bytes: int) -> bytes:
        try:
            if hasattr(os, "pread"):
                return os.pread(self._descriptor, n_bytes, offset)
            os.lseek(self._descriptor, offset, os.SEEK_SET)  # Windows has no pread
            return os.read(self._descriptor, n_bytes)
        except OSError as error:
            raise SourceError(plain_reason(error)) from error

    def _read_at_into(self, offset: int, buffer: memoryview) -> int:
        """Read as much as one call gives; how many bytes that was."""
        if not hasattr(os, "preadv"):  # Windows, and macOS before 11
            part = self._read_at(offset, len(buffer))
            buffer[: len(part)] = part
            return len(part)
        try:
            return os.preadv(self._descriptor, [buffer], offset)
        except OSError as error:
            raise SourceError(plain_reason(error)) from error


def _identity(status: os.stat_result) -> tuple[object, ...]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def plain_reason(error: OSError) -> str:
    """Return the system's reason in a few words."""
    if isinstance(error, FileNotFoundError):
        return "it does not exist (any more)"
    if isinstance(error, PermissionError):
        return "permission denied"
    return (error.strerror or type(error).__name__).lower()
