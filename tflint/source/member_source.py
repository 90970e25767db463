"""A source within a source: a stretch of a file, such as a member that a container stores as it is."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.source.byte_source import Source


class MemberSource:
    """The bytes of another source from `offset` on, `size` of them; nothing is copied, and only what is asked for read.

    Whoever made it sees to it that the stretch lies within the other source, and closes that one.
    """

    def __init__(self, whole: Source, offset: int, size: int) -> None:
        self._whole = whole
        self._offset = offset
        self.size = size

    @property
    def page_size(self) -> int:
        """That of the whole."""
        return self._whole.page_size

    def identity(self) -> tuple[object, ...]:
        """The identity of the whole, and which part of it this is."""
        return (*self._whole.identity(), self._offset, self.size)

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """The ranges, counted from the member's own start."""
        return self._whole.read([(begin + self._offset, end + self._offset) for begin, end in ranges])

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on, counted from the member's own start."""
        self._whole.read_into(begin + self._offset, buffer)

    def content(self) -> memoryview | None:
        """A view of all bytes, where the whole lies in memory."""
        whole = self._whole.content()
        return None if whole is None else memoryview(whole)[self._offset : self._offset + self.size]

    def close(self) -> None:
        """Nothing is held open."""
