"""Lists the members of a zip, with their kinds and problems.

Small and compressed members are read whole; of large uncompressed members, only the first bytes are read.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

from tflint.container import container_contents as c
from tflint.container.container_contents import Budget, Member
from tflint.container.member_names import unique_labels, unsafe_name_reason
from tflint.container.member_reader import open_member
from tflint.source import Source, reader
from tflint.source.file_kind import (
    CONTAINER,
    CONTAINER_SUFFIXES,
    LITERTLM,
    MODEL,
    MODEL_SUFFIXES,
    detect_kind,
    is_model,
    suffix_of,
)
from tflint.source.zip_directory import (
    DEFLATED,
    STORED,
    Read,
    ZipEntry,
    ZipError,
    data_span,
    directory_bytes,
    first_bytes,
    read_directory,
    unpack_pieces,
)
from tflint.values import frozen, replace

_COMPRESSIONS = {STORED: "stored", DEFLATED: "deflate"}


class _ProblemError(Exception):
    """The reason why a member is not checked."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(detail)
        self.problem, self.detail = problem, detail


@frozen
class _Extent:
    """Byte range of a member: offset of its local header, and begin and end of its packed bytes."""

    header: int
    begin: int
    end: int


def zip_members(source: Source, depth: int, budget: Budget) -> list[Member]:
    """List the members of a zip, folders excluded. Raises `ZipError` if the directory cannot be read."""
    read = reader(source)
    directory = read_directory(read, source.size)
    if directory is None:
        raise ZipError("the file has no end-of-central-directory record: it is truncated", source.size)
    entries = [entry for entry in directory.entries if entry.size or not entry.name.endswith("/")]
    if not budget.take_members(len(entries)):
        raise ZipError(
            f"the zip and the containers around it have more than {c.MAX_MEMBERS:,} members", directory.begin
        )
    members = _list_members(entries)
    extents: dict[int, _Extent] = {}
    for member, entry in zip(members, entries, strict=True):
        try:
            extents[member.index] = _locate(read, entry, directory.begin)
        except _ProblemError as error:
            members[member.index] = replace(member, problem=error.problem, detail=error.detail)
    for index in _find_overlaps(extents):
        detail = "the member shares bytes with another member"
        members[index] = replace(members[index], problem=c.OVERLAP, detail=detail)
    for index, extent in extents.items():
        if members[index].problem is None:
            examined = _examine(source, members[index], entries[index], extent, depth, budget)
            members[index] = budget.admit(examined)
    return members


def _list_members(entries: Sequence[ZipEntry]) -> list[Member]:
    names = [entry.name for entry in entries]
    counts = Counter(names)
    return [
        Member(
            index,
            entry.name,
            label,
            entry.size,
            entry.packed_size,
            kind=_kind_by_name(entry.name),
            compression=_COMPRESSIONS.get(entry.method, f"method {entry.method}"),
            is_duplicate=counts[entry.name] > 1,
        )
        for index, (entry, label) in enumerate(zip(entries, unique_labels(names), strict=True))
    ]


def _locate(read: Read, entry: ZipEntry, limit: int) -> _Extent:
    reason = unsafe_name_reason(entry.name)
    if reason:
        raise _ProblemError(c.UNSAFE_NAME, reason)
    if entry.is_encrypted:
        raise _ProblemError(c.ENCRYPTED, "the member is encrypted")
    if entry.method not in _COMPRESSIONS:
        raise _ProblemError(
            c.UNSUPPORTED_COMPRESSION, f"the member is compressed by the unsupported method {entry.method}"
        )
    if entry.method == STORED and entry.packed_size != entry.size:
        detail = f"the member is stored uncompressed, but takes {entry.packed_size:,} bytes for {entry.size:,}"
        raise _ProblemError(c.BROKEN_OFFSETS, detail)
    try:
        begin, end = data_span(read, entry, limit)
    except ZipError as error:
        raise _ProblemError(c.BROKEN_OFFSETS, error.reason) from None
    return _Extent(entry.header_offset, begin, end)


def _find_overlaps(extents: dict[int, _Extent]) -> Iterator[int]:
    """Yield the members whose bytes, headers included, overlap. Overlaps can make few bytes unpack to many members."""
    last, reach = -1, -1
    for index, extent in sorted(extents.items(), key=lambda item: item[1].header):
        if extent.header < reach:
            yield from (last, index)
        if extent.end > reach:
            last, reach = index, extent.end


def _examine(source: Source, member: Member, entry: ZipEntry, extent: _Extent, depth: int, budget: Budget) -> Member:
    """Read a member and return it with its kind, checksum result and problem."""
    member = replace(member, offset=extent.begin)
    read = reader(source)
    try:
        is_right, digest = _compare_checksum(read, entry, extent, budget)
        head = first_bytes(read, entry, extent.begin, extent.end)
        kind = _detect_kind(source, member, head, budget)
    except _ProblemError as error:
        return replace(member, problem=error.problem, detail=error.detail)
    except ZipError as error:
        return replace(member, problem=c.BROKEN_DATA, detail=error.reason)
    member = replace(member, kind=kind, is_checksum_right=is_right, digest=None if kind == c.OTHER else digest)
    if member.kind == CONTAINER and depth >= c.MAX_DEPTH:
        detail = f"the member is a container within {depth} others; tflint opens at most {c.MAX_DEPTH} levels"
        return replace(member, problem=c.TOO_DEEP, detail=detail)
    return member


def _kind_by_name(name: str) -> str:
    suffix = suffix_of(name)
    return MODEL if suffix in MODEL_SUFFIXES else CONTAINER if suffix in CONTAINER_SUFFIXES else c.OTHER


def _detect_kind(source: Source, member: Member, head: bytes, budget: Budget) -> str:
    """Return the kind of a member: by its first bytes, or by its name if they do not determine it."""
    if is_model(head):
        return MODEL
    if head == LITERTLM:
        return CONTAINER
    if member.kind == c.OTHER and head.startswith(b"PK\x03\x04"):
        inner = open_member(source, member)
        refusal = budget.directory_refusal(directory_bytes(reader(inner), inner.size))
        if refusal is not None:
            raise _ProblemError(c.OVER_BUDGET, refusal)
        return CONTAINER if detect_kind(inner).kind == CONTAINER else c.OTHER
    return member.kind


def _compare_checksum(read: Read, entry: ZipEntry, extent: _Extent, budget: Budget) -> tuple[bool | None, bytes | None]:
    """Return whether the checksum matches, and the SHA-256. Both are None for a large member stored uncompressed."""
    if entry.method == STORED:
        if entry.size > c.CHECKSUM_BYTES:
            return None, None
        content = read(extent.begin, extent.end)
        return zlib.crc32(content) == entry.crc, hashlib.sha256(content).digest()
    _require_affordable(entry, budget)
    crc, digest = 0, hashlib.sha256()
    for piece in unpack_pieces(read, extent.begin, extent.end, entry.size):
        crc = zlib.crc32(piece, crc)
        digest.update(piece)
    return crc == entry.crc, digest.digest()


def _require_affordable(entry: ZipEntry, budget: Budget) -> None:
    if entry.size > c.RATIO_ALLOWANCE and entry.size > c.MAX_RATIO * entry.packed_size:
        detail = f"the member unpacks from {entry.packed_size:,} to {entry.size:,} bytes"
        raise _ProblemError(c.BOMB, detail)
    if not budget.take_unpacked(entry.size):
        detail = (
            f"with this member of {entry.size:,} bytes, the file would unpack to more than"
            f" {budget.max_unpacked_bytes:,}"
        )
        raise _ProblemError(c.OVER_BUDGET, detail)
