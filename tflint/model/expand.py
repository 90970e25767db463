"""Follows containers into their members: every model in one, with the path that reports call it by."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.container import Contents, Member, open_member
from tflint.findings import Within
from tflint.findings.paths import MEMBER
from tflint.model.load import Found, LeavesOut, Opened, open_found, unreadable
from tflint.source import Source, SourceError


def members_of(found: Found, wanted: str, leaves_out: LeavesOut | None) -> Iterator[Found]:
    """The members of a container that are models or containers, each followed by its own, opened when it is asked for.

    `wanted` is the path of the one that is asked for, with all that is in it; empty for all. What was compressed lies
    unpacked in memory until the next one is asked for; the container's source must stay open until then.
    """
    contents, source = found.opened.contents, found.opened.source
    if contents is None or source is None:
        return
    for member in contents.members:
        path = f"{found.path}{MEMBER}{member.label}"
        is_on_the_way = not wanted or is_within(path, wanted) or is_within(wanted, path)
        if not member.is_checked or not is_on_the_way or (leaves_out is not None and leaves_out(found.path, path)):
            continue
        inner = Found(path, _open(source, contents, member), _within(found, member))
        if not wanted or is_within(path, wanted):
            yield inner
        yield from members_of(inner, wanted, leaves_out)


def is_within(path: str, container: str) -> bool:
    """Whether a path is that of a container, or of something in it."""
    return path == container or path.startswith(container + MEMBER)


def _open(source: Source, contents: Contents, member: Member) -> Opened:
    name = member.name.rsplit("/", 1)[-1]
    try:
        return open_found(open_member(source, member), name, contents)
    except SourceError as error:
        return unreadable(error, member.size, name)


def _within(found: Found, member: Member) -> Within:
    """Where a member lies in the file on disk; without an offset where it, or what it is in, is compressed."""
    outer = found.within or Within(found.path, "", 0)
    route = f"{outer.member}{MEMBER}{member.label}" if outer.member else member.label
    offset = None
    if outer.offset is not None and member.offset is not None and member.compression == "stored":
        offset = outer.offset + member.offset
    return Within(outer.path, route, offset)
