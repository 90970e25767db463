"""Lists the members of a zip: what each is, and what is wrong with it. Reads no weights but of compressed members."""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

from tflint.container import container_contents as c
from tflint.container.container_contents import Budget, Member
from tflint.container.member_names import labels, unsafe
from tflint.container.member_reader import open_member
from tflint.source import Source, reader
from tflint.source.file_kind import (
    CONTAINER,
    CONTAINER_SUFFIXES,
    LITERTLM,
    MODEL,
    MODEL_SUFFIXES,
    is_model,
    kind_of,
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
    unpacked,
)
from tflint.values import frozen, replace

_COMPRESSIONS = {STORED: "stored", DEFLATED: "deflate"}


class _ProblemError(Exception):
    """A member that is not looked at, and why."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(detail)
        self.problem, self.detail = problem, detail


@frozen
class _Place:
    """Where a member lies: its local header, its packed bytes, their end."""

    header: int
    begin: int
    end: int


def zip_members(source: Source, depth: int, budget: Budget) -> list[Member]:
    """The members of a zip, folders left out; `ZipError` where its directory cannot be read."""
    read = reader(source)
    directory = read_directory(read, source.size)
    if directory is None:
        raise ZipError("it has no end-of-central-directory record: it was cut short", source.size)
    entries = [entry for entry in directory.entries if entry.size or not entry.name.endswith("/")]
    if not budget.take_members(len(entries)):
        raise ZipError(f"it and the containers around it have more than {c.MAX_MEMBERS:,} members", directory.begin)
    members = _described(entries)
    places: dict[int, _Place] = {}
    for member, entry in zip(members, entries, strict=True):
        try:
            places[member.index] = _place(read, entry, directory.begin)
        except _ProblemError as error:
            members[member.index] = replace(member, problem=error.problem, detail=error.detail)
    for index in _overlapping(places):
        detail = "its bytes are those of another member, too"
        members[index] = replace(members[index], problem=c.OVERLAP, detail=detail)
    for index, place in places.items():
        if members[index].problem is None:
            examined = _examined(source, members[index], entries[index], place, depth, budget)
            members[index] = budget.admit(examined)
    return members


def _described(entries: Sequence[ZipEntry]) -> list[Member]:
    """The members as the directory has them."""
    names = [entry.name for entry in entries]
    counts = Counter(names)
    return [
        Member(
            index,
            entry.name,
            label,
            entry.size,
            entry.packed_size,
            kind=_named_kind(entry.name),
            compression=_COMPRESSIONS.get(entry.method, f"method {entry.method}"),
            is_duplicate=counts[entry.name] > 1,
        )
        for index, (entry, label) in enumerate(zip(entries, labels(names), strict=True))
    ]


def _place(read: Read, entry: ZipEntry, limit: int) -> _Place:
    reason = unsafe(entry.name)
    if reason:
        raise _ProblemError(c.UNSAFE_NAME, reason)
    if entry.is_encrypted:
        raise _ProblemError(c.ENCRYPTED, "it is encrypted")
    if entry.method not in _COMPRESSIONS:
        raise _ProblemError(c.UNSUPPORTED_COMPRESSION, f"it is compressed by method {entry.method}")
    if entry.method == STORED and entry.packed_size != entry.size:
        detail = f"it is stored, but takes {entry.packed_size:,} bytes for {entry.size:,}"
        raise _ProblemError(c.BROKEN_OFFSETS, detail)
    try:
        begin, end = data_span(read, entry, limit)
    except ZipError as error:
        raise _ProblemError(c.BROKEN_OFFSETS, error.reason) from None
    return _Place(entry.header_offset, begin, end)


def _overlapping(places: dict[int, _Place]) -> Iterator[int]:
    """Members whose bytes, headers included, another one has too: a few bytes that many members unpack."""
    last, reach = -1, -1
    for index, place in sorted(places.items(), key=lambda item: item[1].header):
        if place.header < reach:
            yield from (last, index)
        if place.end > reach:
            last, reach = index, place.end


def _examined(source: Source, member: Member, entry: ZipEntry, place: _Place, depth: int, budget: Budget) -> Member:
    """The member with what its bytes say: what it is, and whether it can be unpacked."""
    member = replace(member, offset=place.begin)
    read = reader(source)
    try:
        is_right, digest = _checksum(read, entry, place, budget)
        head = first_bytes(read, entry, place.begin, place.end)
        kind = _kind(source, member, head, budget)
    except _ProblemError as error:
        return replace(member, problem=error.problem, detail=error.detail)
    except ZipError as error:
        return replace(member, problem=c.BROKEN_DATA, detail=error.reason)
    member = replace(member, kind=kind, is_checksum_right=is_right, digest=None if kind == c.OTHER else digest)
    if member.kind == CONTAINER and depth >= c.MAX_DEPTH:
        detail = f"it is a container within {depth} others, and no more than {c.MAX_DEPTH} are opened"
        return replace(member, problem=c.TOO_DEEP, detail=detail)
    return member


def _named_kind(name: str) -> str:
    """What a member should be by its name."""
    suffix = suffix_of(name)
    return MODEL if suffix in MODEL_SUFFIXES else CONTAINER if suffix in CONTAINER_SUFFIXES else c.OTHER


def _kind(source: Source, member: Member, head: bytes, budget: Budget) -> str:
    """What a member is by its first bytes, or should be by its name: one that is named otherwise may be a model."""
    if is_model(head):
        return MODEL
    if head == LITERTLM:
        return CONTAINER
    if member.kind == c.OTHER and head.startswith(b"PK\x03\x04"):
        inner = open_member(source, member)
        refusal = budget.directory_refusal(directory_bytes(reader(inner), inner.size))
        if refusal is not None:
            raise _ProblemError(c.OVER_BUDGET, refusal)
        return CONTAINER if kind_of(inner).kind == CONTAINER else c.OTHER
    return member.kind


def _checksum(read: Read, entry: ZipEntry, place: _Place, budget: Budget) -> tuple[bool | None, bytes | None]:
    """Whether the checksum is that of the bytes, and their SHA-256; None where a large stored member is not read."""
    if entry.method == STORED:
        if entry.size > c.CHECKSUM_BYTES:
            return None, None
        content = read(place.begin, place.end)
        return zlib.crc32(content) == entry.crc, hashlib.sha256(content).digest()
    _require_affordable(entry, budget)
    crc, digest = 0, hashlib.sha256()
    for piece in unpacked(read, place.begin, place.end, entry.size):
        crc = zlib.crc32(piece, crc)
        digest.update(piece)
    return crc == entry.crc, digest.digest()


def _require_affordable(entry: ZipEntry, budget: Budget) -> None:
    if entry.size > c.RATIO_ALLOWANCE and entry.size > c.MAX_RATIO * entry.packed_size:
        detail = f"{entry.packed_size:,} bytes should unpack to {entry.size:,}"
        raise _ProblemError(c.BOMB, detail)
    if not budget.take_unpacked(entry.size):
        detail = f"with its {entry.size:,} bytes the file would unpack to more than {budget.max_unpacked_bytes:,}"
        raise _ProblemError(c.OVER_BUDGET, detail)
