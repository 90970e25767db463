"""Follows containers into their members and yields every model with its path in reports."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from tflint.container import Contents, Member, open_member
from tflint.findings import MemberOrigin
from tflint.findings.path_globs import MEMBER
from tflint.model.batch_reader import ContentKey, FoundFile, OpenedFile, SkipMember, open_source, unreadable_file
from tflint.source import Source, SourceError
from tflint.source.file_kind import CONTAINER, CONTAINER_SUFFIXES, MODEL_SUFFIXES, suffix_of
from tflint.values import replace


def members_of(container: FoundFile, wanted: str, leaves_out: SkipMember | None) -> Iterator[FoundFile]:
    """Yield the members of a container that are models or containers, each followed by its own members.

    If `wanted` is not empty, only the member with this path is yielded, followed by its own members. Members are opened
    one by one: an unpacked member stays in memory until the next one is requested, and the container's source must stay
    open until the last one is yielded. Of several members with equal bytes, only the first is opened.
    """
    contents, source = container.opened.contents, container.opened.source
    if contents is not None and source is not None:
        yield from _MemberWalk(wanted, leaves_out).walk(container, contents, lambda: source)


def is_within(path: str, container: str) -> bool:
    """Return whether a path is the path of a container or of a member in it, at any depth."""
    return path == container or path.startswith(container + MEMBER)


class _MemberWalk:
    """A walk through the members of one file. Keeps opened members by key, without their bytes."""

    def __init__(self, wanted: str, leaves_out: SkipMember | None) -> None:
        self._wanted = wanted
        self._leaves_out = leaves_out
        self._opened_by_key: dict[ContentKey, OpenedFile] = {}

    def walk(self, container: FoundFile, contents: Contents, source: Callable[[], Source]) -> Iterator[FoundFile]:
        """Yield the members of a container and, recursively, their members; `source` returns the container's source."""
        for member in contents.members:
            path = f"{container.path}{MEMBER}{member.label}"
            if not member.is_checked or not self._is_on_path(container.path, path):
                continue
            member_file = self._open_member(container, contents, member, path, source)
            if self._is_wanted(path):
                yield member_file
            if member_file.opened.contents is not None:
                yield from self.walk(
                    member_file, member_file.opened.contents, _defer_source(member_file.opened, source, member)
                )

    def _is_on_path(self, container: str, path: str) -> bool:
        if not self._is_wanted(path) and not is_within(self._wanted, path):
            return False
        return self._leaves_out is None or not self._leaves_out(container, path)

    def _is_wanted(self, path: str) -> bool:
        return not self._wanted or is_within(path, self._wanted)

    def _open_member(
        self, outer: FoundFile, contents: Contents, member: Member, path: str, source: Callable[[], Source]
    ) -> FoundFile:
        if contents.budget is not None and self._is_wanted(path):
            contents.budget.is_for_one = False
        key, location = _content_key(contents, member), _locate(outer, member)
        earlier = self._opened_by_key.get(key) if key is not None else None
        if earlier is not None and _is_affordable(earlier):
            reopen = functools.partial(_open, source, contents, member)
            return FoundFile(path, earlier, location, outer.path, member.index, contents.budget, key, reopen)
        opened = _open(source, contents, member)
        if key is not None and opened.source is not None:
            self._opened_by_key[key] = replace(opened, source=None, content=None)
        return FoundFile(path, opened, location, outer.path, member.index, contents.budget, key)


def _defer_source(opened: OpenedFile, outer: Callable[[], Source], member: Member) -> Callable[[], Source]:
    """Return a function that returns the source of a container, which is itself a member.

    If an equal container came before, this one has no source yet and is unpacked on the first call.
    """
    source = opened.source
    return functools.cache(lambda: open_member(outer(), member)) if source is None else lambda: source


def _is_affordable(earlier: OpenedFile) -> bool:
    """Return whether an equal member can reuse the result of an earlier one; charge the budget for a container."""
    contents = earlier.contents
    return contents is None or (
        contents.is_complete and contents.budget is not None and contents.budget.try_charge(contents)
    )


def _content_key(contents: Contents, member: Member) -> ContentKey | None:
    """Return the key that a member shares with equal members, or None if its digest is unknown."""
    if member.digest is None:
        return None
    suffix = suffix_of(member.name)
    is_relevant = suffix in MODEL_SUFFIXES or suffix in CONTAINER_SUFFIXES
    return member.digest, suffix if is_relevant else "", contents.depth if member.kind == CONTAINER else 0


def _open(source: Callable[[], Source], contents: Contents, member: Member) -> OpenedFile:
    name = member.name.rsplit("/", 1)[-1]
    try:
        return open_source(open_member(source(), member), name, contents)
    except SourceError as error:
        return unreadable_file(error, member.size, name)


def _locate(container: FoundFile, member: Member) -> MemberOrigin:
    """Return the location of a member in the file on disk.

    Its offset is None if the member, or a container that it is in, is compressed.
    """
    outer = container.within or MemberOrigin(container.path, "", 0)
    route = f"{outer.member}{MEMBER}{member.label}" if outer.member else member.label
    offset = None
    if outer.offset is not None and member.offset is not None and member.compression == "stored":
        offset = outer.offset + member.offset
    return MemberOrigin(outer.path, route, offset)
