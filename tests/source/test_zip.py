"""Test the zip reader: it reads what the standard library reads, and explains every other file at low cost."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.models.containers import Entry, deflated, squeezed, stored, zip_bytes
from tflint.source.zip_directory import (
    CHUNK_BYTES,
    DEFLATED,
    MAX_DIRECTORY_BYTES,
    MAX_MEMBERS,
    Directory,
    ZipEntry,
    ZipError,
    data_span,
    first_bytes,
    read_content,
    read_directory,
    unpack_pieces,
)


def directory_of(content: bytes) -> Directory | None:
    return read_directory(lambda begin, end: content[begin:end], len(content))


def read_member(content: bytes, entry: ZipEntry, limit: int) -> bytes:
    """A member's bytes, unpacked."""

    def read(begin: int, end: int) -> bytes:
        return content[begin:end]

    begin, end = data_span(read, entry, limit)
    return b"".join(unpack_pieces(read, begin, end, entry.size)) if entry.method == DEFLATED else content[begin:end]


def assert_same_as_the_standard_library(content: bytes) -> None:
    found = directory_of(content)
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        expected = archive.infolist()
        assert [(e.name, e.method, e.crc, e.packed_size, e.size, e.header_offset) for e in found.entries] == [
            (i.filename, i.compress_type, i.CRC, i.compress_size, i.file_size, i.header_offset) for i in expected
        ]
        for entry, info in zip(found.entries, expected, strict=True):
            assert read_member(content, entry, found.begin) == archive.read(info)


MEMBERS = [
    stored("a.tflite", b"abc" * 100),
    squeezed("b/c.txt", b"\0" * 5000),
    deflated("d", b"x"),
    stored("größe", b""),
]

FORMS = {
    "plain": zip_bytes(MEMBERS),
    "no members": zip_bytes([]),
    "a comment": zip_bytes(MEMBERS, comment=b"made by hand"),
    "bytes before it": zip_bytes(MEMBERS, prefix=b"\0\0"),
    "bytes before it that offsets count": zip_bytes(MEMBERS, prefix=b"#!/bin/sh\n", counts_prefix=True),
    "zip64": zip_bytes(MEMBERS, zip64=True),
    "zip64 behind other bytes": zip_bytes(MEMBERS, zip64=True, prefix=b"\0" * 7),
    "a folder": zip_bytes([stored("folder/", b""), stored("folder/a", b"1")]),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_zip_is_read_as_the_standard_library_reads_it(form):
    assert_same_as_the_standard_library(FORMS[form])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(st.characters(blacklist_characters="\0/\\", blacklist_categories=["Cs"]), min_size=1),
                       st.binary(max_size=300), st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])),
             max_size=6, unique_by=lambda member: member[0]),
    st.binary(max_size=20),
    st.binary(max_size=40).filter(lambda comment: b"PK" not in comment),
)  # fmt: skip
def test_what_the_standard_library_writes(members, prefix, comment):
    file = io.BytesIO(prefix)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = comment
        for name, data, method in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    assert_same_as_the_standard_library(file.getvalue())


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04 and no end", bytes(70_000), b"PK\x05\x06"])
def test_bytes_without_an_end_record_are_no_zip(content):
    assert directory_of(content) is None


def changed(content: bytes, at: int, format_: str, *numbers: int) -> bytes:
    """A zip with numbers written over; a negative place counts from its end record's start."""
    place = at if at >= 0 else content.rindex(b"PK\x05\x06") - at
    return content[:place] + struct.pack(format_, *numbers) + content[place + struct.calcsize(format_) :]


PLAIN, ZIP64 = FORMS["plain"], FORMS["zip64"]
BROKEN = {
    "one disk of several": (changed(PLAIN, -4, "<H", 3), "split over several files"),
    "a directory larger than the budget": (changed(PLAIN, -12, "<I", 1 << 31), "more than 2,097,152"),
    "a directory larger than the file": (changed(PLAIN, -12, "<I", len(PLAIN)), "invalid directory size or offset"),
    "an offset beyond the directory": (changed(PLAIN, -16, "<I", len(PLAIN)), "invalid directory size or offset"),
    "a directory that begins too early": (
        changed(zip_bytes(MEMBERS, prefix=bytes(999)), -12, "<I", 300),
        "invalid after 0 members",
    ),
    "a name that reaches past the directory": (
        changed(PLAIN, PLAIN.index(b"PK\x01\x02") + 28, "<H", 999),
        "invalid after 0 members",
    ),
    "a directory cut short": (changed(zip_bytes([stored("a", b"")]), -12, "<I", 40), "invalid after 0 members"),
    "a zip64 record that is not there": (
        ZIP64.replace(b"PK\x06\x06", b"PK\x06\x05"),
        "zip64 end record is not at the expected offset",
    ),
}


@pytest.mark.parametrize("oddity", BROKEN)
def test_a_broken_directory_has_a_reason(oddity):
    content, reason = BROKEN[oddity]
    with pytest.raises(ZipError) as caught:
        directory_of(content)
    assert reason in caught.value.reason
    assert 0 <= caught.value.offset <= len(content)


def test_a_directory_of_many_members_is_refused():
    few = zip_bytes([stored("", b"")] * MAX_MEMBERS)
    assert len(directory_of(few).entries) == MAX_MEMBERS
    with pytest.raises(ZipError, match="more than 10,000 members"):
        directory_of(zip_bytes([stored("", b"")] * (MAX_MEMBERS + 1)))


def test_a_huge_directory_is_refused_before_it_is_read():
    content = changed(b"\0" * (4 * MAX_DIRECTORY_BYTES) + zip_bytes([]), -12, "<I", 3 * MAX_DIRECTORY_BYTES)
    asked = []

    def read(begin: int, end: int) -> bytes:
        asked.append(end - begin)
        return content[begin:end]

    with pytest.raises(ZipError, match="more than"):
        read_directory(read, len(content))
    assert sum(asked) < 70_000


MISPLACED = {
    "a header beyond the directory": (stored("a", b"", at=10_000), "past the last member"),
    "a header that is none": (stored("a", b"", at=1), "no local header at the offset in the directory"),
    "another name in the header": (stored("a", b"", header_name="b"), "have different names"),
    "another compression in the header": (stored("a", b"", header_method=8), "different compression methods"),
    "more bytes than there are": (stored("a", b"12", packed_size=1 << 40), "reach into the directory"),
}


@pytest.mark.parametrize("oddity", MISPLACED)
def test_a_misplaced_member_has_a_reason(oddity):
    entry, reason = MISPLACED[oddity]
    content = zip_bytes([stored("first", b"x"), entry], zip64=True)
    found = directory_of(content)
    assert found is not None
    with pytest.raises(ZipError, match=reason):
        read_member(content, found.entries[1], found.begin)


def unpack(entry: Entry) -> bytes:
    content = zip_bytes([entry])
    found = directory_of(content)
    assert found is not None
    return read_member(content, found.entries[0], found.begin)


@pytest.mark.parametrize("n_bytes", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 1_000_000])
@pytest.mark.parametrize("make", [deflated, squeezed])
def test_a_compressed_member_of_any_size(make, n_bytes):
    data = (bytes(range(256)) * (n_bytes // 256 + 1))[:n_bytes]
    assert unpack(make("a", data)) == data
    zeros = bytes(n_bytes)
    assert unpack(make("a", zeros)) == zeros


WRONG_DATA = {
    "no deflate": (Entry("a", b"\xff\xff\xff", 8, size=3), "compressed data is invalid"),
    "nothing": (Entry("a", b"", 8, size=3), "compressed data is truncated"),
    "cut short": (
        Entry("a", squeezed("a", bytes(range(256)) * 9).data[:-9], 8, size=2304),
        "compressed data is truncated",
    ),
    "more than it says": (squeezed("a", bytes(100_000), size=10), "more than the declared 10 bytes"),
    "less than it says": (squeezed("a", bytes(100), size=1000), "unpacks to 100 bytes, not to the declared 1,000"),
}


@pytest.mark.parametrize("oddity", WRONG_DATA)
def test_wrong_compressed_data_has_a_reason(oddity):
    entry, reason = WRONG_DATA[oddity]
    with pytest.raises(ZipError, match=reason):
        unpack(entry)


@pytest.mark.security
def test_a_stored_member_with_more_bytes_than_its_size_is_not_read():
    content = zip_bytes([stored("labels.txt", b"x" * 5000, size=10)])
    found = directory_of(content)
    assert found is not None
    with pytest.raises(ZipError, match="its packed size differs from its size"):
        read_content(lambda begin, end: pytest.fail("it was read"), found.entries[0], found.begin)


def test_a_member_that_lies_about_its_size_is_not_unpacked_beyond_it():
    packed = squeezed("a", bytes(50_000_000)).data
    pieces = unpack_pieces(lambda begin, end: packed[begin:end], 0, len(packed), 100_000)
    n_bytes = 0
    with pytest.raises(ZipError):
        for piece in pieces:
            n_bytes += len(piece)
    assert n_bytes <= 100_000


@pytest.mark.parametrize("entry", [stored("a", b"123456789"), squeezed("a", b"123456789"), deflated("a", b"123456789")])
def test_the_first_bytes_of_a_member(entry):
    content = zip_bytes([entry])
    found = directory_of(content)
    assert found is not None

    def read(begin: int, end: int) -> bytes:
        return content[begin:end]

    begin, end = data_span(read, found.entries[0], found.begin)
    assert first_bytes(read, found.entries[0], begin, end) == b"12345678"


def test_a_checksum_is_that_of_the_unpacked_bytes():
    found = directory_of(zip_bytes([squeezed("a", b"abc")]))
    assert found is not None
    assert found.entries[0].crc == zlib.crc32(b"abc")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_change_gives_a_directory_or_a_zip_error(data):
    content = bytearray(data.draw(st.sampled_from(list(FORMS.values()))))
    for _ in range(data.draw(st.integers(1, 5))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = directory_of(bytes(content))
        for entry in found.entries if found is not None else ():
            if entry.size < 1_000_000:
                read_member(bytes(content), entry, found.begin)
    except ZipError:
        pass
