"""Reads protobuf's wire format without a schema: fields by number, every length checked against what holds it.

It takes a function that reads a stretch of bytes, and gives messages; a field's content is read when it is asked for,
so that weights are passed over. It refuses to know what a field means. The `protobuf` package would need classes that
are generated from each format's schema, and takes a whole file into memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from tflint.errors import Place, UserError

Read = Callable[[int, int], bytes]

#: Fields that are read of one file: a graph of 100,000 nodes has as many. More takes longer than a person waits.
MAX_FIELDS = 500_000
#: Deepest nesting; Core ML's pipelines and ONNX's types stay far below.
MAX_DEPTH = 32
#: Most bytes of one text: names and metadata.
MAX_TEXT_BYTES = 1 << 20
#: Most numbers of a packed list that are read: a shape, or the counts of a few classes.
MAX_NUMBERS = 4096

_CHUNK_BYTES = 64 * 1024
_MAX_VARINT_BYTES = 10
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


class WireFile:
    """A file in the wire format: what it is called in errors, its bytes a chunk at a time, and the budget of fields."""

    def __init__(self, path: str, read: Read, size: int) -> None:
        self.path = path
        self._read = read
        self._size = size
        self._begin, self._chunk = 0, b""
        self._left = MAX_FIELDS

    def message(self) -> Message:
        """The file as one message."""
        return Message(self, 0, self._size, 0)

    def span(self, begin: int, end: int) -> bytes:
        """Bytes of the file, fewer where it ends; a few at a time come out of a chunk that is kept."""
        if end - begin > _CHUNK_BYTES:
            return self._read(begin, min(end, self._size))
        if begin < self._begin or end > self._begin + len(self._chunk):
            self._begin, self._chunk = begin, self._read(begin, min(begin + _CHUNK_BYTES, self._size))
        return self._chunk[begin - self._begin : end - self._begin]

    def spend(self, at: int) -> None:
        """Count a field."""
        self._left -= 1
        if self._left < 0:
            raise self.broken(f"has more than {MAX_FIELDS:,} fields", at)

    def broken(self, reason: str, at: int) -> UserError:
        """The error for bytes that are not of the format."""
        return UserError(f"{reason} (byte {at:,})", place=Place(self.path))


class Message:
    """A stretch of bytes with fields in it. What a field is not there for, the getters give as protobuf does: empty."""

    def __init__(self, file: WireFile, begin: int, end: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise file.broken("is nested too deeply to be read", begin)
        self._file = file
        self._begin, self._end, self._depth = begin, end, depth
        self._fields: dict[int, list[tuple[int, int, int]]] | None = None

    def wrong(self, reason: str) -> UserError:
        """The error for a message whose content makes no sense."""
        return self._file.broken(reason, self._begin)

    def has(self, number: int) -> bool:
        """Whether a field is there."""
        return number in self._known()

    def messages(self, number: int) -> Iterator[Message]:
        """The messages of a repeated field."""
        for begin, end in self._stretches(number):
            yield Message(self._file, begin, end, self._depth + 1)

    def message(self, number: int) -> Message | None:
        """The message of a field, the last one where there are several; None where there is none."""
        found = list(self._stretches(number))
        return Message(self._file, *found[-1], self._depth + 1) if found else None

    def text(self, number: int) -> str:
        """The text of a field, empty where there is none."""
        found = list(self._stretches(number))
        if not found:
            return ""
        begin, end = found[-1]
        if end - begin > MAX_TEXT_BYTES:
            raise self._file.broken(f"has a text of more than {MAX_TEXT_BYTES:,} bytes", begin)
        try:
            return self._file.span(begin, end).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._file.broken("has a text that is not UTF-8", begin) from error

    def integer(self, number: int) -> int:
        """The signed integer of a field, 0 where there is none."""
        found = self._of_kind(number, _VARINT)
        return _signed(found[-1][1]) if found else 0

    def integers(self, number: int) -> list[int]:
        """The signed integers of a repeated field, packed or not."""
        made: list[int] = []
        for kind, first, end in self._known().get(number, ()):
            if kind == _VARINT:
                made.append(_signed(first))
            elif kind == _BYTES:
                at = first
                while at < end:
                    value, at = self._varint(at, end)
                    made.append(_signed(value))
                    self._require_few(made, at)
            else:
                raise self._file.broken(f"field {number} is no list of integers", first)
            self._require_few(made, first)
        return made

    def real(self, number: int) -> float:
        """The 32-bit float of a field, 0 where there is none."""
        found = self._of_kind(number, _FIXED32)
        made: float = struct.unpack("<f", self._file.span(found[-1][1], found[-1][2]))[0] if found else 0.0
        return made

    def count(self, number: int) -> int:
        """How often a field is there."""
        return len(self._known().get(number, ()))

    def _require_few(self, values: list[int], at: int) -> None:
        if len(values) > MAX_NUMBERS:
            raise self._file.broken(f"has a list of more than {MAX_NUMBERS:,} numbers", at)

    def _stretches(self, number: int) -> Iterator[tuple[int, int]]:
        return ((begin, end) for _, begin, end in self._of_kind(number, _BYTES))

    def _of_kind(self, number: int, kind: int) -> list[tuple[int, int, int]]:
        found = self._known().get(number, [])
        if any(field[0] != kind for field in found):
            raise self.wrong(f"field {number} is not of the type that it has in this format")
        return found

    def _known(self) -> dict[int, list[tuple[int, int, int]]]:
        """Kind and stretch of each field; of a varint its value instead of where it begins."""
        if self._fields is None:
            self._fields = {}
            at = self._begin
            while at < self._end:
                self._file.spend(at)
                key, begin = self._varint(at, self._end)
                field, at = self._field(key, begin)
                self._fields.setdefault(key >> 3, []).append(field)
        return self._fields

    def _field(self, key: int, begin: int) -> tuple[tuple[int, int, int], int]:
        """A field of which the key was read, and where the next one begins."""
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise self._file.broken("has a field without a number", begin)
        if kind == _VARINT:
            value, end = self._varint(begin, self._end)
            return (kind, value, end), end
        if kind == _BYTES:
            length, begin = self._varint(begin, self._end)
        elif kind in _FIXED_SIZES:
            length = _FIXED_SIZES[kind]
        else:
            raise self._file.broken(f"has a field of wire type {kind}, which is not used here", begin)
        if length > self._end - begin:
            raise self._file.broken(f"field {number} reaches past its end", begin)
        return (kind, begin, begin + length), begin + length

    def _varint(self, at: int, limit: int) -> tuple[int, int]:
        """The unsigned integer of up to 64 bits at a place, and where the next thing begins."""
        content = self._file.span(at, min(at + _MAX_VARINT_BYTES, limit))
        value = 0
        for place, byte in enumerate(content):
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
        raise self._file.broken(
            "breaks off within a number" if at + len(content) >= limit else "has a broken number", at
        )


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
