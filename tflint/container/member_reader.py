"""Opens a member of a container: a stored one in place, a compressed one unpacked in memory."""

from __future__ import annotations

from tflint.container.container_contents import Member
from tflint.source import BytesSource, Source, reader
from tflint.source.member_source import MemberSource
from tflint.source.zip_directory import unpack_pieces


def open_member(source: Source, member: Member) -> Source:
    """Return a source for a member without a problem. The container's source must stay open while it is read."""
    assert member.offset is not None
    if member.compression == "stored":
        return MemberSource(source, member.offset, member.size)
    content = bytearray(member.size)
    at = 0
    for piece in unpack_pieces(reader(source), member.offset, member.offset + member.packed_size, member.size):
        content[at : at + len(piece)] = piece
        at += len(piece)
    return BytesSource(content)
