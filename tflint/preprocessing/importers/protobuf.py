"""Reads the wire format of protobuf without a schema. Fields are identified by number, and every length is validated.

The input is a function that reads a range of bytes. The fields of a message are read on demand, so weights are skipped.
This module must not depend on the meaning of fields. It replaces the package `protobuf`, which needs generated classes
for each format and reads whole files into memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from tflint.errors import Place, UserError

Read = Callable[[int, int], bytes]

#: Maximum number of fields per file, as in a graph of about 100,000 nodes. More fields take too long to parse.
MAX_FIELDS = 500_000
#: Maximum nesting of messages. Pipelines of Core ML and types of ONNX stay far below it.
MAX_DEPTH = 32
#: Maximum size in bytes of one string, such as a name or a metadata value.
MAX_TEXT_BYTES = 1 << 20
#: Maximum number of elements of a packed list, such as a shape.
MAX_NUMBERS = 4096

_CHUNK_BYTES = 64 * 1024
_MAX_VARINT_BYTES = 10
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


class WireFile:
    """A file in the wire format, which is read in chunks. It has a path for errors, and counts the fields read."""

    def __init__(self, path: str, read: Read, size: int) -> None:
        self.path = path
        self._read = read
        self._size = size
        self._begin, self._chunk = 0, b""
        self._left = MAX_FIELDS

    def message(self) -> Message:
        """Return the file as one protobuf message."""
        return Message(self, 0, self._size, 0)

    def span(self, begin: int, end: int) -> bytes:
        """Return the bytes from `begin` to `end`, or fewer at the end of the file. Short ranges use a cached chunk."""
        if end - begin > _CHUNK_BYTES:
            return self._read(begin, min(end, self._size))
        if begin < self._begin or end > self._begin + len(self._chunk):
            self._begin, self._chunk = begin, self._read(begin, min(begin + _CHUNK_BYTES, self._size))
        return self._chunk[begin - self._begin : end - self._begin]

    def count_field(self, at: int) -> None:
        """Count a field at a byte offset. Raises `UserError` if there are more than `MAX_FIELDS` fields."""
        self._left -= 1
        if self._left < 0:
            raise self.format_error(f"has more than {MAX_FIELDS:,} fields", at)

    def format_error(self, reason: str, at: int) -> UserError:
        """Return the error for invalid bytes at an offset."""
        return UserError(f"{reason} (byte {at:,})", place=Place(self.path))


class Message:
    """A range of bytes that holds fields. As in protobuf, the value of an absent field is 0 or empty."""

    def __init__(self, file: WireFile, begin: int, end: int, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise file.format_error("is nested too deeply to be read", begin)
        self._file = file
        self._begin, self._end, self._depth = begin, end, depth
        self._fields: dict[int, list[tuple[int, int, int]]] | None = None

    def format_error(self, reason: str) -> UserError:
        """Return the error for an invalid message."""
        return self._file.format_error(reason, self._begin)

    def has(self, number: int) -> bool:
        """Return whether the message has a field."""
        return number in self._parse_fields()

    def messages(self, number: int) -> Iterator[Message]:
        """Yield the messages of a repeated field."""
        for begin, end in self._stretches(number):
            yield Message(self._file, begin, end, self._depth + 1)

    def message(self, number: int) -> Message | None:
        """Return the message in a field, or the last one if there are several. Return None if the field is absent."""
        occurrences = list(self._stretches(number))
        return Message(self._file, *occurrences[-1], self._depth + 1) if occurrences else None

    def text(self, number: int) -> str:
        """Return the string of a field, or an empty string if the field is absent."""
        occurrences = list(self._stretches(number))
        if not occurrences:
            return ""
        begin, end = occurrences[-1]
        if end - begin > MAX_TEXT_BYTES:
            raise self._file.format_error(f"has a string of more than {MAX_TEXT_BYTES:,} bytes", begin)
        try:
            return self._file.span(begin, end).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._file.format_error("has a string that is not UTF-8", begin) from error

    def integer(self, number: int) -> int:
        """Return the signed integer of a field, or 0 if the field is absent."""
        occurrences = self._of_kind(number, _VARINT)
        return _to_signed(occurrences[-1][1]) if occurrences else 0

    def integers(self, number: int) -> list[int]:
        """Return the signed integers of a repeated field, packed or not."""
        values: list[int] = []
        for kind, first, end in self._parse_fields().get(number, ()):
            if kind == _VARINT:
                values.append(_to_signed(first))
            elif kind == _BYTES:
                at = first
                while at < end:
                    value, at = self._varint(at, end)
                    values.append(_to_signed(value))
                    self._require_few(values, at)
            else:
                raise self._file.format_error(f"field {number} is not a list of integers", first)
            self._require_few(values, first)
        return values

    def real(self, number: int) -> float:
        """Return the 32-bit float of a field, or 0 if the field is absent."""
        occurrences = self._of_kind(number, _FIXED32)
        value: float = (
            struct.unpack("<f", self._file.span(occurrences[-1][1], occurrences[-1][2]))[0] if occurrences else 0.0
        )
        return value

    def count(self, number: int) -> int:
        """Return the number of occurrences of a field."""
        return len(self._parse_fields().get(number, ()))

    def _require_few(self, values: list[int], at: int) -> None:
        if len(values) > MAX_NUMBERS:
            raise self._file.format_error(f"has a list of more than {MAX_NUMBERS:,} numbers", at)

    def _stretches(self, number: int) -> Iterator[tuple[int, int]]:
        return ((begin, end) for _, begin, end in self._of_kind(number, _BYTES))

    def _of_kind(self, number: int, kind: int) -> list[tuple[int, int, int]]:
        occurrences = self._parse_fields().get(number, [])
        if any(field[0] != kind for field in occurrences):
            raise self.format_error(f"field {number} has the wrong wire type")
        return occurrences

    def _parse_fields(self) -> dict[int, list[tuple[int, int, int]]]:
        """Return wire type, begin and end of each field, by field number. A varint has its value instead of begin."""
        if self._fields is None:
            self._fields = {}
            at = self._begin
            while at < self._end:
                self._file.count_field(at)
                key, begin = self._varint(at, self._end)
                field, at = self._field(key, begin)
                self._fields.setdefault(key >> 3, []).append(field)
        return self._fields

    def _field(self, key: int, begin: int) -> tuple[tuple[int, int, int], int]:
        """Return the field with a key, and the offset of the next field."""
        number, kind = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise self._file.format_error("has a field without a number", begin)
        if kind == _VARINT:
            value, end = self._varint(begin, self._end)
            return (kind, value, end), end
        if kind == _BYTES:
            length, begin = self._varint(begin, self._end)
        elif kind in _FIXED_SIZES:
            length = _FIXED_SIZES[kind]
        else:
            raise self._file.format_error(f"has a field of wire type {kind}, which is not supported", begin)
        if length > self._end - begin:
            raise self._file.format_error(f"field {number} extends past the end of its message", begin)
        return (kind, begin, begin + length), begin + length

    def _varint(self, at: int, limit: int) -> tuple[int, int]:
        """Return the unsigned integer of up to 64 bits at an offset, and the offset after it."""
        content = self._file.span(at, min(at + _MAX_VARINT_BYTES, limit))
        value = 0
        for place, byte in enumerate(content):
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, at + place + 1
        raise self._file.format_error(
            "is truncated within a number" if at + len(content) >= limit else "has an invalid number", at
        )


def _to_signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
