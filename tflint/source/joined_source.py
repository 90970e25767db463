"""Joins several sources end to end, so that their models can be read together."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.source.byte_source import Source

#: Each source starts at a multiple of this many bytes.
ALIGNMENT = 16


class JoinedSource:
    """The bytes of several sources, with zeros between them for alignment.

    Source k lies from `starts[k]` to `ends[k]`. The sources must stay open while the joined source is used.
    """

    page_size = 4096

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self.starts: list[int] = []
        self.ends: list[int] = []
        for source in sources:
            start = -(-self.ends[-1] // ALIGNMENT) * ALIGNMENT if self.ends else 0
            self.starts.append(start)
            self.ends.append(start + source.size)
        self.size = self.ends[-1] if self.ends else 0

    def read(self, ranges: Sequence[tuple[int, int]]) -> Sequence[bytes]:
        """Return the bytes of each range, which may span several sources."""
        return [self._stretch(begin, end) for begin, end in ranges]

    def read_into(self, begin: int, buffer: memoryview) -> None:
        """Fill a buffer with the bytes from `begin` on."""
        end = begin + len(buffer)
        for source, first, last in zip(self._sources, self.starts, self.ends, strict=True):
            low, high = max(begin, first), min(end, last)
            if low < high:
                source.read_into(low - first, buffer[low - begin : high - begin])

    def _stretch(self, begin: int, end: int) -> bytes:
        buffer = bytearray(end - begin)
        self.read_into(begin, memoryview(buffer))
        return bytes(buffer)
