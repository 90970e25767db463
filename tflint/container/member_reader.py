"""Opens a member of a container. An uncompressed member is read in place; a compressed one is unpacked in memory."""

from __future__ import annotations

from tflint.container.container_contents import Member
from tflint.source import BytesSource, Source, reader
from tflint.source.member_source import MemberSource
from tflint.source.zip_directory import unpack_pieces


def open_member(source: Source, member: Member) -> Source:
    """Return a source for a member that has no problem. The container's source must stay open while it is in use."""
    assert member.offset is not None
    if member.compression == "stored":
        return MemberSource(source, member.offset, member.size)
    content = bytearray(member.size)
    at = 0
    for piece in unpack_pieces(reader(source), member.offset, member.offset + member.packed_size, member.size):
        content[at : at + len(piece)] = piece
        at += len(piece)
    return BytesSource(content)
