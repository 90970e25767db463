"""Finds the data after a flatbuffer, such as a zip of associated files, and moves it to the end of a new flatbuffer.

Input and output: bytes. Of the zip format, it knows only the positions of offsets.
"""

from __future__ import annotations

import struct

#: Builders pad the end of a flatbuffer to its largest alignment: 16, that of Buffer.data.
_MAX_PADDING = 15

_DIRECTORY_ENTRY = b"PK\x01\x02"
_DIRECTORY_END = b"PK\x05\x06"


def tail_offset(data: bytes, flatbuffer_end: int) -> int:
    """Return the offset of the data after the flatbuffer and its zero padding; `len(data)` if there is none."""
    rest = data[flatbuffer_end:]
    padding = len(rest) - len(rest.lstrip(b"\0"))
    return flatbuffer_end + padding if padding <= _MAX_PADDING else flatbuffer_end


def relocate_tail(tail: bytes, old_offset: int, new_offset: int) -> bytes:
    """Return the data after a flatbuffer, adjusted to its new offset in the file.

    In a zip whose offsets are relative to the start of the file, the offsets are changed. A zip with offsets relative
    to its own first byte is returned unchanged, as is any other data.
    """
    end = tail.rfind(_DIRECTORY_END)
    if end < 0 or len(tail) < end + 22:
        return tail
    n_entries, directory_bytes, directory_offset = struct.unpack_from("<HII", tail, end + 10)
    if directory_offset != old_offset + end - directory_bytes:
        return tail
    moved = bytearray(tail)
    _add(moved, end + 16, new_offset - old_offset)
    entry = end - directory_bytes
    for _ in range(n_entries):
        if moved[entry : entry + 4] != _DIRECTORY_ENTRY:
            return tail
        _add(moved, entry + 42, new_offset - old_offset)
        entry += 46 + sum(struct.unpack_from("<HHH", moved, entry + 28))
    return bytes(moved)


def _add(buffer: bytearray, position: int, delta: int) -> None:
    (value,) = struct.unpack_from("<I", buffer, position)
    struct.pack_into("<I", buffer, position, value + delta)
