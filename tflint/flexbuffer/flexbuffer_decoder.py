"""Decodes a FlexBuffer: its root value and all values that the root references (https://flatbuffers.dev/internals/#flexbuffers)."""

from __future__ import annotations

import struct
from typing import TypeAlias

from tflint.errors import TflintError

#: A decoded value. A blob becomes bytes, and so does a string that is not UTF-8 (compilers store
#: compiled code in strings).
Value: TypeAlias = bool | int | float | str | bytes | list["Value"] | dict[str, "Value"] | None

#: Maximum nesting depth of vectors; the limit of the C++ verifier.
MAX_DEPTH = 64

# Types: the upper six bits of a packed type byte; the lower two bits are the width. Values of the first four types and
# of BOOL are stored inline; values of the other types are stored elsewhere, with an offset to them.
_NULL, _INT, _UINT, _FLOAT, _KEY, _STRING, _INDIRECT_INT, _INDIRECT_UINT, _INDIRECT_FLOAT, _MAP, _VECTOR = range(11)
_VECTOR_INT, _VECTOR_STRING, _VECTOR_INT2, _VECTOR_FLOAT4, _BLOB, _BOOL, _VECTOR_BOOL = 11, 15, 16, 24, 25, 26, 36
_INLINE = (_NULL, _INT, _UINT, _FLOAT, _BOOL)
_INDIRECT = {_INDIRECT_INT: _INT, _INDIRECT_UINT: _UINT, _INDIRECT_FLOAT: _FLOAT}
_WIDTHS = (1, 2, 4, 8)
_FLOATS = {4: "<f", 8: "<d"}


class FlexbufferError(TflintError):
    """The bytes are not a valid FlexBuffer, or have more values than the budget. `offset` is the byte of the error."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} (at byte {offset})")
        self.reason = reason
        self.offset = offset


class Budget:
    """Number of values that may still be decoded; several calls of `decode` can share it."""

    def __init__(self, values: int) -> None:
        self.values = values


def decode(data: bytes, budget: Budget | None = None) -> Value:
    """Decode the FlexBuffer that fills `data`. Raises `FlexbufferError` if it is invalid or exceeds the budget.

    With or without a budget, a FlexBuffer with more values than bytes is an error: every value takes at least one byte,
    unless vectors reference the same values repeatedly. Keys, strings and blobs must not overlap.
    """
    if len(data) < 3:
        raise FlexbufferError(f"{len(data)} bytes are too few for a FlexBuffer", 0)
    width = data[-1]
    at = len(data) - 2 - width
    if width not in _WIDTHS or at < 0:
        raise FlexbufferError(f"the root cannot be {width} bytes wide", len(data) - 1)
    return _Decoder(data, budget or Budget(len(data))).value(at, width, data[-2], 1)


class _Decoder:
    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data = data
        self.budget = budget
        self.most_values = len(data)
        self.bytes_left = len(data)
        self.known: dict[tuple[int, int], bytes] = {}

    def value(self, at: int, width: int, packed: int, depth: int) -> Value:
        """Decode a value that is stored at offset `at` in `width` bytes; `packed` is its packed type byte."""
        self.budget.values -= 1
        self.most_values -= 1
        if self.most_values < 0 or self.budget.values < 0:
            raise FlexbufferError("more values than the FlexBuffer has bytes, or than the budget allows", at)
        type_, own_width = packed >> 2, 1 << (packed & 3)
        if type_ in _INLINE:
            return self._scalar(type_, at, width)
        target = self._follow(at, width)
        if type_ in _INDIRECT:
            return self._scalar(_INDIRECT[type_], target, own_width)
        if type_ == _KEY:
            return self._key(target)
        if type_ in (_STRING, _BLOB):
            content = self._content(target, target + self._length(target, own_width))
            return content if type_ == _BLOB else _text(content)
        if depth >= MAX_DEPTH:
            raise FlexbufferError(f"vectors are nested deeper than {MAX_DEPTH}", at)
        if type_ == _MAP:
            return self._map(target, own_width, depth)
        if type_ == _VECTOR:
            return self._vector(target, own_width, depth)
        return self._typed_vector(type_, target, own_width, depth)

    def _scalar(self, type_: int, at: int, width: int) -> Value:
        content = self._span(at, width)
        if type_ == _NULL:
            return None
        if type_ == _FLOAT:
            if width not in _FLOATS:
                raise FlexbufferError(f"a float of {8 * width} bits", at)
            number: float = struct.unpack(_FLOATS[width], content)[0]
            return number
        integer = int.from_bytes(content, "little", signed=type_ == _INT)
        return bool(integer) if type_ == _BOOL else integer

    def _key(self, at: int) -> str:
        end = self.data.find(b"\0", at)
        if end < 0:
            raise FlexbufferError("a key does not end with a zero byte", at)
        return self._content(at, end).decode("utf-8", "backslashreplace")

    def _content(self, begin: int, end: int) -> bytes:
        """Return the bytes of a key, string or blob. Bytes that several values share are copied and counted once."""
        content = self.known.get((begin, end))
        if content is None:
            content = self.known[begin, end] = self._span(begin, end - begin)
            self.bytes_left -= len(content)
            if self.bytes_left < 0:
                raise FlexbufferError("keys, strings or blobs overlap", begin)
        return content

    def _vector(self, at: int, width: int, depth: int) -> list[Value]:
        """Decode a vector: elements of `width` bytes each, then one packed type byte per element."""
        length = self._length(at, width)
        types = self._span(at + length * width, length)
        self._span(at, length * width)
        return [self.value(at + k * width, width, packed, depth + 1) for k, packed in enumerate(types)]

    def _map(self, at: int, width: int, depth: int) -> dict[str, Value]:
        """Decode a map: a vector of values, preceded by the offset of the vector of keys and the width of the keys."""
        keys_width = self._read_unsigned(at - 2 * width, width)
        if keys_width not in _WIDTHS:
            raise FlexbufferError(f"keys cannot be {keys_width} bytes wide", at)
        keys_at = self._follow(at - 3 * width, width)
        length = self._length(keys_at, keys_width)
        if length != self._length(at, width):
            raise FlexbufferError("a map has different numbers of keys and values", at)
        self._span(keys_at, length * keys_width)
        keys = [self._key(self._follow(keys_at + k * keys_width, keys_width)) for k in range(length)]
        return dict(zip(keys, self._vector(at, width, depth), strict=True))

    def _typed_vector(self, type_: int, at: int, width: int, depth: int) -> list[Value]:
        """Decode a vector whose elements have one type. Its length is stored, or fixed by the type (2 to 4)."""
        if _VECTOR_INT2 <= type_ <= _VECTOR_FLOAT4:
            element, length = _INT + (type_ - _VECTOR_INT2) % 3, 2 + (type_ - _VECTOR_INT2) // 3
        elif _VECTOR_INT <= type_ <= _VECTOR_STRING or type_ == _VECTOR_BOOL:
            # In a vector of strings, the width of the strings' lengths is not stored, so the strings are read as keys.
            element, length = min(type_ - _VECTOR_INT + _INT, _KEY), self._length(at, width)
            element = _BOOL if type_ == _VECTOR_BOOL else element
        else:
            raise FlexbufferError(f"the type {type_} is unknown", at)
        self._span(at, length * width)
        return [self.value(at + k * width, width, element << 2, depth + 1) for k in range(length)]

    def _length(self, at: int, width: int) -> int:
        return self._read_unsigned(at - width, width)

    def _follow(self, at: int, width: int) -> int:
        """Return the position that the offset stored at `at` points to; offsets count backwards from `at`."""
        distance = self._read_unsigned(at, width)
        if distance > at:
            raise FlexbufferError("an offset points before the first byte", at)
        return at - distance

    def _read_unsigned(self, at: int, width: int) -> int:
        return int.from_bytes(self._span(at, width), "little")

    def _span(self, at: int, length: int) -> bytes:
        if at < 0 or at + length > len(self.data):
            raise FlexbufferError("a value lies outside of the FlexBuffer", min(max(at, 0), len(self.data)))
        return self.data[at : at + length]


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content
