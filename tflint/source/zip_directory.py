"""Reads the directory of a zip, and locates and unpacks its members. Checks every offset and size.

Input: a function that reads a byte range. Output: directory entries, and members' bytes. An invalid zip raises
`ZipError`. Must not know the meaning of members. The standard library's `zipfile` is not used: it accepts a directory
of any size, and its error messages change with the Python version.
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

#: Maximum size of a directory, which is read completely: enough for 10,000 members with names of 160 characters. A
#: bundle, or a zip of associated files, has about ten members.
MAX_DIRECTORY_BYTES = 2 * 1024 * 1024
MAX_MEMBERS = 10_000
#: Maximum size in bytes of a read and of an unpacked piece.
CHUNK_BYTES = 64 * 1024
#: Number of packed bytes that are enough to unpack a member's first bytes: its Huffman table takes about 300 bytes.
HEAD_BYTES = 1024

# Structures of APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16. Except in _EXTRA, the first field is the signature.
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
    """A zip, or a member of a zip, is invalid or exceeds a limit. `offset` is the byte of the error (-1: unknown)."""

    def __init__(self, reason: str, offset: int = -1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@frozen
class ZipEntry:
    """A member's entry in the directory of a zip.

    Sizes are in bytes. `header_offset` is the offset of the member's local header, relative to the first byte of the
    source.
    """

    name: str
    method: int
    is_encrypted: bool
    crc: int
    packed_size: int
    size: int
    header_offset: int


@frozen
class Directory:
    """The directory of a zip: its entries in order, and the byte offset at which it begins.

    No member may reach past that offset.
    """

    entries: tuple[ZipEntry, ...]
    begin: int


def read_directory(read: Read, size: int, begin: int = 0) -> Directory | None:
    """Return the directory of the zip in a source of `size` bytes, or None if the source has no zip end record.

    Other bytes may precede the zip; its offsets may be relative to the start of the source or to the start of the zip.
    At least the first `begin` bytes are known to precede the zip.
    """
    span = _directory_span(read, size, begin)
    if span is None:
        return None
    start, stop, offset = span
    return Directory(tuple(_entries(read(start, stop), start, start - offset)), start)


def directory_bytes(read: Read, size: int) -> int:
    """Return the size in bytes of the directory that `read_directory` would read, or 0 if it is missing or invalid."""
    try:
        span = _directory_span(read, size, 0)
    except ZipError:
        return 0
    return 0 if span is None else span[1] - span[0]


def _directory_span(read: Read, size: int, begin: int) -> tuple[int, int, int] | None:
    """Return begin and end of the directory, and the offset of the directory that the end record declares.

    Returns None if there is no end record.
    """
    end = _end_offset(read, size, begin)
    if end is None:
        return None
    _, disk, directory_disk, _, n_entries, n_bytes, offset, _ = _END.unpack(read(end, end + _END.size))
    stop = end
    if _FULL_16 in (disk, directory_disk, n_entries) or _FULL_32 in (n_bytes, offset):
        zip64 = _zip64_end(read, end)
        if zip64 is not None:
            stop, disk, directory_disk, n_bytes, offset = zip64
    if disk or directory_disk:
        raise ZipError("the zip is split over several files", end)
    if n_bytes > MAX_DIRECTORY_BYTES:
        raise ZipError(f"the directory has {n_bytes:,} bytes, more than {MAX_DIRECTORY_BYTES:,}", end)
    start = stop - n_bytes
    if start < max(begin, offset):
        raise ZipError("the end record has an invalid directory size or offset", end)
    return start, stop, offset


def _end_offset(read: Read, size: int, begin: int) -> int | None:
    """Return the offset of the last end record, or None if there is none or it is incomplete."""
    begin = max(begin, size - ZIP_TAIL_BYTES)
    tail = read(begin, size)
    at = tail.rfind(b"PK\x05\x06")
    return begin + at if at >= 0 and at + _END.size <= len(tail) else None


def _zip64_end(read: Read, end: int) -> tuple[int, int, int, int, int] | None:
    """Return the offset of the zip64 end record, and its fields, or None if there is no such record.

    The fields are the number of the disk, the disk of the directory, and the directory's size and offset.
    """
    if end < _LOCATOR64.size + _END64.size:
        return None
    at = end - _LOCATOR64.size
    if read(at, at + 4) != b"PK\x06\x07":
        return None
    record = at - _END64.size  # not the locator's offset: it is relative to the zip's start
    fields = _END64.unpack(read(record, at))
    if fields[0] != b"PK\x06\x06":
        raise ZipError("the zip64 end record is not at the expected offset", record)
    return record, fields[4], fields[5], fields[8], fields[9]


def _entries(directory: bytes, begin: int, base: int) -> Iterator[ZipEntry]:
    at = n_entries = 0
    while at < len(directory):
        if at + _ENTRY.size > len(directory) or directory[at : at + 4] != b"PK\x01\x02":
            raise ZipError(f"the directory is invalid after {n_entries:,} members", begin + at)
        n_entries += 1
        if n_entries > MAX_MEMBERS:
            raise ZipError(f"the zip has more than {MAX_MEMBERS:,} members", begin + at)
        fields = _ENTRY.unpack_from(directory, at)
        name_end = at + _ENTRY.size + fields[10]
        extra_end = name_end + fields[11]
        if extra_end + fields[12] > len(directory):
            raise ZipError(f"the directory is invalid after {n_entries - 1:,} members", begin + at)
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
    """Yield the 64-bit values in an entry's extra fields.

    They replace those of the 32-bit fields unpacked size, packed size and offset that have their largest value.
    """
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
            pass  # the UTF-8 flag is wrong
    return name.decode("cp437")  # CP437 has a character for every byte


def data_span(read: Read, entry: ZipEntry, limit: int) -> tuple[int, int]:
    """Return begin and end of a member's packed bytes, from its local header.

    Raises `ZipError` if the local header is invalid or the packed bytes reach past `limit`.
    """
    begin = entry.header_offset + _LOCAL.size
    if begin > limit:
        raise ZipError("the offset of the local header lies past the last member", entry.header_offset)
    fields = _LOCAL.unpack(read(entry.header_offset, begin))
    if fields[0] != b"PK\x03\x04":
        raise ZipError("there is no local header at the offset in the directory", entry.header_offset)
    if fields[3] != entry.method:
        raise ZipError("the local header and the directory have different compression methods", entry.header_offset)
    name_end = begin + fields[9]
    if name_end > limit or _text(read(begin, name_end), bool(fields[2] & _UTF8)) != entry.name:
        raise ZipError("the local header and the directory have different names", entry.header_offset)
    begin = name_end + fields[10]
    if begin + entry.packed_size > limit:
        raise ZipError(f"the {entry.packed_size:,} bytes of the member reach into the directory", entry.header_offset)
    return begin, begin + entry.packed_size


def first_bytes(read: Read, entry: ZipEntry, begin: int, end: int, n_bytes: int = 8) -> bytes:
    """Return the first `n_bytes` unpacked bytes of a member, or fewer if the member is smaller.

    The packed bytes occupy the range `begin` to `end`. The result is empty if the member is encrypted or compressed
    by an unsupported method.
    """
    if entry.is_encrypted or entry.method not in (STORED, DEFLATED):
        return b""
    if entry.method == STORED:
        return read(begin, min(begin + n_bytes, end))
    import zlib

    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(read(begin, min(begin + HEAD_BYTES, end)), n_bytes)
    except zlib.error:
        raise ZipError("the compressed data is invalid", begin) from None


def read_content(read: Read, entry: ZipEntry, limit: int) -> bytes:
    """Return all unpacked bytes of a member. Raises `ZipError` if it is invalid or its packed bytes pass `limit`."""
    if entry.is_encrypted or entry.method not in (STORED, DEFLATED):
        raise ZipError("the member is encrypted, or compressed by an unsupported method", entry.header_offset)
    if entry.method == STORED and entry.packed_size != entry.size:
        raise ZipError(
            "the member is stored uncompressed, but its packed size differs from its size", entry.header_offset
        )
    begin, end = data_span(read, entry, limit)
    return b"".join(unpack_pieces(read, begin, end, entry.size)) if entry.method == DEFLATED else read(begin, end)


def unpack_pieces(read: Read, begin: int, end: int, size: int) -> Iterator[bytes]:
    """Yield the unpacked bytes of a deflated member in pieces.

    Raises `ZipError` if the packed bytes are invalid or unpack to more or fewer than `size` bytes.
    """
    import zlib

    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    pending = b""
    left = size
    while not inflate.eof:
        if not pending and begin < end:
            pending = read(begin, min(begin + CHUNK_BYTES, end))
            begin += len(pending)
        is_exhausted = not pending
        try:
            piece = inflate.decompress(pending, CHUNK_BYTES)
        except zlib.error:
            raise ZipError("the compressed data is invalid", begin) from None
        if is_exhausted and not piece and not inflate.eof:
            raise ZipError("the compressed data is truncated", begin)
        pending = inflate.unconsumed_tail
        left -= len(piece)
        if left < 0:
            raise ZipError(f"the member unpacks to more than the declared {size:,} bytes", begin)
        yield piece
    if left:
        raise ZipError(f"the member unpacks to {size - left:,} bytes, not to the declared {size:,}", begin)
