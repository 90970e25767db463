"""A source for a part of another source, such as a member stored uncompressed in a container."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.source.byte_source import Source


class MemberSource:
    """The `size` bytes of another source from `offset` on, read on demand without a copy.

    The creator makes sure that the range lies within the other source, and closes that source.
    """

    def __init__(self, whole: Source, offset: int, size: int) -> None:
        self._whole = whole
        self._offset = offset
        self.size = size

    @property
    def page_size(self) -> int:
        """Page size of the whole source."""
        return self._whole.page_size

    def identity(self) -> tuple[object, ...]:
        """Return the identity of the whole source, extended by the member's offset and size."""
        return (*self._whole.identity(), self._offset, self.size)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Return the bytes of each range (begin, end), relative to the member's start."""
        return self._whole.read([(begin + self._offset, end + self._offset) for begin, end in ranges])

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on, relative to the member's start."""
        self._whole.read_into(begin + self._offset, buffer)

    def content(self) -> memoryview | None:
        """Return a view of the member's bytes if the whole source is in memory, else None."""
        whole = self._whole.content()
        return None if whole is None else memoryview(whole)[self._offset : self._offset + self.size]

    def close(self) -> None:
        """Do nothing: the whole source is closed by its owner."""
