"""Follows containers into their members: every model in one, with the path that reports call it by."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from tflint.container import Contents, Member, open_member
from tflint.findings import MemberOrigin
from tflint.findings.path_globs import MEMBER
from tflint.model.batch_reader import ContentKey, Found, LeavesOut, Opened, open_found, unreadable
from tflint.source import Source, SourceError
from tflint.source.file_kind import CONTAINER, CONTAINER_SUFFIXES, MODEL_SUFFIXES, suffix_of
from tflint.values import replace


def members_of(found: Found, wanted: str, leaves_out: LeavesOut | None) -> Iterator[Found]:
    """The members of a container that are models or containers, each followed by its own, opened when it is asked for.

    `wanted` is the path of the one that is asked for, with all that is in it; empty for all. What was compressed lies
    unpacked in memory until the next one is asked for; the container's source must stay open until then. Of members of
    equal bytes only the first is opened.
    """
    contents, source = found.opened.contents, found.opened.source
    if contents is not None and source is not None:
        yield from _Walk(wanted, leaves_out).below(found, contents, lambda: source)


def is_within(path: str, container: str) -> bool:
    """Whether a path is that of a container, or of something in it."""
    return path == container or path.startswith(container + MEMBER)


class _Walk:
    """A walk through all that is in one file; remembers what bytes were, not the bytes."""

    def __init__(self, wanted: str, leaves_out: LeavesOut | None) -> None:
        self._wanted = wanted
        self._leaves_out = leaves_out
        self._known: dict[ContentKey, Opened] = {}

    def below(self, found: Found, contents: Contents, source: Callable[[], Source]) -> Iterator[Found]:
        """The members of a container and what is in them; `source` gives the container's bytes if they are needed."""
        for member in contents.members:
            path = f"{found.path}{MEMBER}{member.label}"
            if not member.is_checked or not self._is_asked_for(found.path, path):
                continue
            inner = self._found(found, contents, member, path, source)
            if self._is_wanted(path):
                yield inner
            if inner.opened.contents is not None:
                yield from self.below(inner, inner.opened.contents, _source_of(inner.opened, source, member))

    def _is_asked_for(self, container: str, path: str) -> bool:
        if not self._is_wanted(path) and not is_within(self._wanted, path):
            return False
        return self._leaves_out is None or not self._leaves_out(container, path)

    def _is_wanted(self, path: str) -> bool:
        return not self._wanted or is_within(path, self._wanted)

    def _found(
        self, outer: Found, contents: Contents, member: Member, path: str, source: Callable[[], Source]
    ) -> Found:
        if contents.budget is not None and self._is_wanted(path):
            contents.budget.is_for_one = False
        key, within = _key(contents, member), _within(outer, member)
        known = self._known.get(key) if key is not None else None
        if known is not None and _is_affordable(known):
            reopen = functools.partial(_open, source, contents, member)
            return Found(path, known, within, outer.path, member.index, contents.budget, key, reopen)
        opened = _open(source, contents, member)
        if key is not None and opened.source is not None:
            self._known[key] = replace(opened, source=None, content=None)
        return Found(path, opened, within, outer.path, member.index, contents.budget, key)


def _source_of(opened: Opened, outer: Callable[[], Source], member: Member) -> Callable[[], Source]:
    """A function that gives a container's bytes; those of a repeated one are unpacked only if they are needed."""
    source = opened.source
    return functools.cache(lambda: open_member(outer(), member)) if source is None else lambda: source


def _is_affordable(known: Opened) -> bool:
    """Whether what is known of a container holds for another one of the same bytes, which is then paid for."""
    contents = known.contents
    return contents is None or (
        contents.is_complete and contents.budget is not None and contents.budget.afford(contents)
    )


def _key(contents: Contents, member: Member) -> ContentKey | None:
    """What makes members equal; None if nobody knows their bytes."""
    if member.digest is None:
        return None
    suffix = suffix_of(member.name)
    is_telling = suffix in MODEL_SUFFIXES or suffix in CONTAINER_SUFFIXES
    return member.digest, suffix if is_telling else "", contents.depth if member.kind == CONTAINER else 0


def _open(source: Callable[[], Source], contents: Contents, member: Member) -> Opened:
    name = member.name.rsplit("/", 1)[-1]
    try:
        return open_found(open_member(source(), member), name, contents)
    except SourceError as error:
        return unreadable(error, member.size, name)


def _within(found: Found, member: Member) -> MemberOrigin:
    """Where a member lies in the file on disk; without an offset where it, or what it is in, is compressed."""
    outer = found.within or MemberOrigin(found.path, "", 0)
    route = f"{outer.member}{MEMBER}{member.label}" if outer.member else member.label
    offset = None
    if outer.offset is not None and member.offset is not None and member.compression == "stored":
        offset = outer.offset + member.offset
    return MemberOrigin(outer.path, route, offset)
