"""The interface of sources, the sources for files and bytes in memory, and the error for an unreadable source."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tflint.errors import TflintError

_SHORTER = "the file shrank while tflint read it"


class SourceError(TflintError):
    """A source cannot be read, or it changed while tflint read it. `reason` is a short clause for messages."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(Protocol):
    """Bytes that can be read in parts."""

    @property
    def size(self) -> int:
        """Size in bytes."""
        ...

    @property
    def page_size(self) -> int:
        """Smallest useful size of a read, in bytes."""
        ...

    def identity(self) -> tuple[object, ...]:
        """Return a value that changes if the content of the source changes."""
        ...

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Return all bytes of each range (begin, end). Raises `SourceError` if a range cannot be read completely."""
        ...

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on. Raises `SourceError` like `read`, but allocates no memory."""
        ...

    def content(self) -> bytes | memoryview | None:
        """Return all bytes of the source if they are in memory, else None."""
        ...

    def close(self) -> None:
        """Release the resources of the source."""
        ...


def reader(source: Source) -> Callable[[int, int], bytes]:
    """Return a function that reads one byte range (begin, end) of a source."""

    def read(begin: int, end: int) -> bytes:
        return source.read([(begin, end)])[0]

    return read


class BytesSource:
    """A source over bytes in memory, without a copy."""

    page_size = 4096

    def __init__(self, content: bytes | bytearray | memoryview) -> None:
        self._content = memoryview(content).cast("B")
        self.size = len(self._content)

    def identity(self) -> tuple[object, ...]:
        """Return the identity of the bytes object."""
        return ("bytes", id(self._content.obj), self.size)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Return copies of the ranges."""
        return [bytes(self._content[begin:end]) for begin, end in ranges]

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Copy bytes from `begin` on into the buffer."""
        buffer[:] = self._content[begin : begin + len(buffer)]

    def content(self) -> memoryview:
        """Return a view of all bytes."""
        return self._content

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


class FileSource:
    """A regular file. It is never memory-mapped: if a mapped file shrinks, SIGBUS ends the process."""

    page_size = 4096

    def __init__(self, path: Path | str) -> None:
        try:
            # O_NONBLOCK: do not wait for a writer if the path is a named pipe.
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
            self._descriptor = os.open(path, flags)
        except OSError as error:
            raise SourceError(plain_reason(error)) from error
        except ValueError as error:  # a NUL, or a character missing in the file system's encoding
            raise SourceError("the path is not a valid file name") from error
        self._status = os.fstat(self._descriptor)
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            raise SourceError("it is a directory" if stat.S_ISDIR(self._status.st_mode) else "it is not a regular file")
        self.size = self._status.st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def identity(self) -> tuple[object, ...]:
        """Return the device, inode, size and modification time that the file had when it was opened."""
        return _identity(self._status)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Read the ranges. Raises `SourceError` if the file changed since it was opened."""
        parts = [self._read_range(begin, end) for begin, end in ranges]
        self._require_unchanged()
        return parts

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on. Raises `SourceError` if the file changed since opening."""
        filled = 0
        while filled < len(buffer):
            n_bytes = self._read_at_into(begin + filled, buffer[filled:])
            if not n_bytes:
                raise SourceError(_SHORTER)
            filled += n_bytes
        self._require_unchanged()

    def content(self) -> None:
        """Return None: the file is not in memory."""
        return

    def close(self) -> None:
        """Close the file. Repeated calls are allowed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _require_unchanged(self) -> None:
        try:
            status = os.fstat(self._descriptor)
        except OSError as error:
            raise SourceError(plain_reason(error)) from error
        if _identity(status) != self.identity():
            raise SourceError("the file changed while tflint read it")

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
        """Read bytes into the buffer with one system call, which may not fill it. Return the number of bytes read."""
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
    """Return the operating system's reason for an error as a short clause."""
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "permission denied"
    return (error.strerror or type(error).__name__).lower()
