"""Reads a zip's directory and where its members lie, every offset and size checked, and unpacks one piece by piece.

Takes a function that reads a stretch of bytes; gives entries and bytes. A broken zip raises `ZipError`. It refuses to
know what members mean. The standard library's reader takes a directory of any size before its caller can say no,
and names what is wrong in words that change with its version.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import TypeAlias

from tflint.errors import TflintError
from tflint.source.file_kind import ZIP_TAIL_BYTES
from tflint.values import frozen

Read: TypeAlias = Callable[[int, int], bytes]

STORED, DEFLATED = 0, 8

#: A directory is read whole: 10,000 members with names of 160 characters. Bundles and associated files have some ten.
MAX_DIRECTORY_BYTES = 2 * 1024 * 1024
MAX_MEMBERS = 10_000
#: Packed bytes read, and unpacked bytes given, at a time.
CHUNK_BYTES = 64 * 1024
#: Packed bytes that surely hold the first few unpacked ones: a table of Huffman codes takes some 300.
HEAD_BYTES = 1024

# Layouts of APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16; signatures among them.
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_EXTRA = struct.Struct("<2H")
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED, _UTF8 = 1 << 0, 1 << 11
_EXTRA_ZIP64 = 1


class ZipError(TflintError):
    """A zip, or a member of it, breaks the format or a budget: why, and the byte where it shows (-1: none)."""

    def __init__(self, reason: str, offset: int = -1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@frozen
class ZipEntry:
    """What the directory says of a member: sizes in bytes, `header_offset` from the first byte that can be read."""

    name: str
    method: int
    is_encrypted: bool
    crc: int
    packed_size: int
    size: int
    header_offset: int


@frozen
class Directory:
    """The members in the directory's order, and the byte at which the directory begins: no member reaches past it."""

    entries: tuple[ZipEntry, ...]
    begin: int


def read_directory(read: Read, size: int, begin: int = 0) -> Directory | None:
    """The directory of the zip in `size` bytes; None where they are no zip: there is no end record.

    Bytes before the first member are allowed, whether offsets count from them or from the zip's own start; `begin` is
    where they are known to end.
    """
    found = _directory_span(read, size, begin)
    if found is None:
        return None
    start, stop, offset = found
    return Directory(tuple(_entries(read(start, stop), start, start - offset)), start)


def directory_bytes(read: Read, size: int) -> int:
    """How long the directory is that `read_directory` would read; 0 where there is none, or a broken one."""
    try:
        found = _directory_span(read, size, 0)
    except ZipError:
        return 0
    return 0 if found is None else found[1] - found[0]


def _directory_span(read: Read, size: int, begin: int) -> tuple[int, int, int] | None:
    """Where the directory begins and ends, and the offset that its record names; None where they are no zip."""
    end = _end_offset(read, size, begin)
    if end is None:
        return None
    _, disk, directory_disk, _, n_entries, n_bytes, offset, _ = _END.unpack(read(end, end + _END.size))
    stop = end
    if _FULL_16 in (disk, directory_disk, n_entries) or _FULL_32 in (n_bytes, offset):
        found = _zip64_end(read, end)
        if found is not None:
            stop, disk, directory_disk, n_bytes, offset = found
    if disk or directory_disk:
        raise ZipError("it is one part of a zip that is spread over several files", end)
    if n_bytes > MAX_DIRECTORY_BYTES:
        raise ZipError(f"its directory of {n_bytes:,} bytes is larger than {MAX_DIRECTORY_BYTES:,}", end)
    start = stop - n_bytes
    if start < max(begin, offset):
        raise ZipError("its directory should begin where there is none", end)
    return start, stop, offset


def _end_offset(read: Read, size: int, begin: int) -> int | None:
    """Where the end record is: the last one that is whole."""
    begin = max(begin, size - ZIP_TAIL_BYTES)
    tail = read(begin, size)
    at = tail.rfind(b"PK\x05\x06")
    return begin + at if at >= 0 and at + _END.size <= len(tail) else None


def _zip64_end(read: Read, end: int) -> tuple[int, int, int, int, int] | None:
    """Offset of the zip64 end record, its disks, size and offset of the directory; None where there is none."""
    if end < _LOCATOR64.size + _END64.size:
        return None
    at = end - _LOCATOR64.size
    if read(at, at + 4) != b"PK\x06\x07":
        return None
    record = at - _END64.size  # as writers place it; what the locator says counts from the zip's own start
    fields = _END64.unpack(read(record, at))
    if fields[0] != b"PK\x06\x06":
        raise ZipError("its zip64 end record is not where it should be", record)
    return record, fields[4], fields[5], fields[8], fields[9]


def _entries(directory: bytes, begin: int, base: int) -> Iterator[ZipEntry]:
    at = n_entries = 0
    while at < len(directory):
        if at + _ENTRY.size > len(directory) or directory[at : at + 4] != b"PK\x01\x02":
            raise ZipError(f"its directory is broken after {n_entries:,} members", begin + at)
        n_entries += 1
        if n_entries > MAX_MEMBERS:
            raise ZipError(f"it has more than {MAX_MEMBERS:,} members", begin + at)
        fields = _ENTRY.unpack_from(directory, at)
        name_end = at + _ENTRY.size + fields[10]
        extra_end = name_end + fields[11]
        if extra_end + fields[12] > len(directory):
            raise ZipError(f"its directory is broken after {n_entries - 1:,} members", begin + at)
        yield _entry(fields, directory[at + _ENTRY.size : name_end], directory[name_end:extra_end], base)
        at = extra_end + fields[12]


def _entry(fields: tuple[int, ...], name: bytes, extra: bytes, base: int) -> ZipEntry:
    flags, method, crc, packed, size, offset = (fields[k] for k in (3, 4, 7, 8, 9, 16))
    wide = [size, packed, offset]
    if _FULL_32 in wide:
        large = _zip64_numbers(extra)
        wide = [next(large, value) if value == _FULL_32 else value for value in wide]
    size, packed, offset = wide
    label = _text(name, bool(flags & _UTF8))
    return ZipEntry(label, method, bool(flags & _ENCRYPTED), crc, packed, size, base + offset)


def _zip64_numbers(extra: bytes) -> Iterator[int]:
    """The 64-bit numbers that stand for full 32-bit ones: unpacked size, packed size, offset, as far as needed."""
    at = 0
    while at + _EXTRA.size <= len(extra):
        kind, length = _EXTRA.unpack_from(extra, at)
        at += _EXTRA.size
        if kind == _EXTRA_ZIP64:
            content = extra[at : at + length]
            yield from (int.from_bytes(content[k : k + 8], "little") for k in range(0, len(content) - 7, 8))
            return
        at += length


def _text(name: bytes, is_utf8: bool) -> str:
    if is_utf8:
        try:
            return name.decode("utf-8")
        except UnicodeDecodeError:
            pass  # the flag lies
    return name.decode("cp437")  # has a character for every byte


def data_span(read: Read, entry: ZipEntry, limit: int) -> tuple[int, int]:
    """Where a member's packed bytes lie (begin, end), as its local header says; they must end before `limit`."""
    begin = entry.header_offset + _LOCAL.size
    if begin > limit:
        raise ZipError("its header should lie beyond the last member", entry.header_offset)
    fields = _LOCAL.unpack(read(entry.header_offset, begin))
    if fields[0] != b"PK\x03\x04":
        raise ZipError("there is no header where the directory says", entry.header_offset)
    if fields[3] != entry.method:
        raise ZipError("its header and the directory name different compressions", entry.header_offset)
    name_end = begin + fields[9]
    if name_end > limit or _text(read(begin, name_end), bool(fields[2] & _UTF8)) != entry.name:
        raise ZipError("its header has another name than the directory", entry.header_offset)
    begin = name_end + fields[10]
    if begin + entry.packed_size > limit:
        raise ZipError(f"its {entry.packed_size:,} bytes reach past the last member's place", entry.header_offset)
    return begin, begin + entry.packed_size


def first_bytes(read: Read, entry: ZipEntry, begin: int, end: int, n_bytes: int = 8) -> bytes:
    """The first bytes of a member whose packed bytes lie at begin to end; fewer where it has no more.

    None of a member that is encrypted, or compressed in a way that is not known here.
    """
    if entry.is_encrypted or entry.method not in (STORED, DEFLATED):
        return b""
    if entry.method == STORED:
        return read(begin, min(begin + n_bytes, end))
    import zlib

    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(read(begin, min(begin + HEAD_BYTES, end)), n_bytes)
    except zlib.error:
        raise ZipError("its compressed data is broken", begin) from None


def content_of(read: Read, entry: ZipEntry, limit: int) -> bytes:
    """All bytes of a member, whose packed bytes must end before `limit`: `ZipError` where they cannot be had."""
    if entry.is_encrypted or entry.method not in (STORED, DEFLATED):
        raise ZipError("it is encrypted, or compressed in a way that is not known", entry.header_offset)
    if entry.method == STORED and entry.packed_size != entry.size:
        raise ZipError("it is stored uncompressed, but its packed size differs from its size", entry.header_offset)
    begin, end = data_span(read, entry, limit)
    return b"".join(unpacked(read, begin, end, entry.size)) if entry.method == DEFLATED else read(begin, end)


def unpacked(read: Read, begin: int, end: int, size: int) -> Iterator[bytes]:
    """The bytes of a deflated member, in pieces; ZipError where they are broken, or not exactly `size` bytes."""
    import zlib

    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    pending = b""
    left = size
    while not inflate.eof:
        if not pending and begin < end:
            pending = read(begin, min(begin + CHUNK_BYTES, end))
            begin += len(pending)
        is_over = not pending
        try:
            piece = inflate.decompress(pending, CHUNK_BYTES)
        except zlib.error:
            raise ZipError("its compressed data is broken", begin) from None
        if is_over and not piece and not inflate.eof:
            raise ZipError("its compressed data breaks off", begin)
        pending = inflate.unconsumed_tail
        left -= len(piece)
        if left < 0:
            raise ZipError(f"it unpacks to more than the {size:,} bytes that it says", begin)
        yield piece
    if left:
        raise ZipError(f"it unpacks to {size - left:,} bytes and not to {size:,}", begin)
