"""Expands a glob of the command line, as `glob.glob` does with `recursive`, but in time that no folder can drive up.

`glob.glob` walks a tree again for each `**` and each way that leads there; it follows links to folders, so that two
links to their own folder make 2^40 paths. Here each step holds each folder once, and `**` does not follow links to
folders, as a folder walk does not.
"""

from __future__ import annotations

import errno
import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from glob import has_magic
from pathlib import Path

from tflint.values import frozen
from tflint.wildcards import matcher


@frozen
class _Entry:
    """A name in a folder; `is_folder` is also true of a link to one."""

    name: str
    is_folder: bool
    is_link: bool


_Listing = Callable[[str], list[_Entry]]


def expand_glob(pattern: str, unlisted: dict[str, OSError]) -> list[str]:
    """Return the paths that a glob matches, each once, sorted.

    Folders that cannot be listed count as empty, and are added to `unlisted` with the reason.
    """
    whole = Path(pattern)
    *inner, last = _without_repeats(whole.parts[1:] if whole.anchor else whole.parts)
    listing: _Listing = functools.cache(functools.partial(_entries, unlisted=unlisted))
    folders = [whole.anchor or "." * pattern.startswith("./")]  # as `./**` begins with the folder itself, `**` does not
    for segment in inner:
        folders = _unique(_folders(folders, segment, listing))
    if pattern.endswith(("/", os.sep)):
        return sorted(_join(folder, "") for folder in _unique(_folders(folders, last, listing)) if folder)
    return sorted(_unique(_paths(folders, last, listing)))


def first_folder(pattern: str) -> str:
    """Return the folder that a glob begins with: the part before the first segment with a wildcard."""
    return str(Path(*itertools.takewhile(lambda part: not has_magic(part), Path(pattern).parts)))


def _without_repeats(segments: Iterable[str]) -> list[str]:
    """The segments with one `**` for several in a row: they mean the same."""
    return [segment for segment, group in itertools.groupby(segments) for _ in (group if segment != "**" else range(1))]


def _unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))


def _folders(folders: Iterable[str], segment: str, listing: _Listing) -> Iterator[str]:
    """The folders that a segment leads to."""
    if segment == "**":
        yield from _below(folders, listing)
        return
    for folder in folders:
        for entry in _matching(folder, segment, listing):
            if entry.is_folder:
                yield _join(folder, entry.name)


def _paths(folders: list[str], segment: str, listing: _Listing) -> Iterator[str]:
    """The files and folders that the last segment leads to."""
    if segment != "**":
        for folder in folders:
            yield from (_join(folder, entry.name) for entry in _matching(folder, segment, listing))
        return
    yield from (_join(folder, "") for folder in folders if os.path.isdir(folder))  # noqa: PTH112 (may be too long)
    for folder in _below(folders, listing):
        yield from (_join(folder, entry.name) for entry in _visible(listing(folder)))


def _below(folders: Iterable[str], listing: _Listing) -> Iterator[str]:
    """The folders and all below them, each once, without hidden and linked ones."""
    seen: set[str] = set()
    for start in folders:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            if folder not in seen:
                seen.add(folder)
                yield folder
                waiting += [_join(folder, entry.name) for entry in _visible(listing(folder)) if entry.is_folder]


def _visible(entries: list[_Entry]) -> Iterator[_Entry]:
    """What `**` matches: nothing hidden, no links to folders."""
    return (entry for entry in entries if not entry.name.startswith(".") and not (entry.is_folder and entry.is_link))


def _matching(folder: str, segment: str, listing: _Listing) -> Iterator[_Entry]:
    if not has_magic(segment):  # need not be listed, such as `..`, or in a folder that may not be
        path = _join(folder, segment)
        if os.path.lexists(path):
            yield _Entry(segment, os.path.isdir(path), is_link=False)  # noqa: PTH112 (may be too long)
        return
    match = matcher(os.path.normcase(segment), has_sets=True)
    for entry in listing(folder):
        is_seen = segment.startswith(".") or not entry.name.startswith(".")
        if is_seen and match(os.path.normcase(entry.name)):
            yield entry


def _entries(folder: str, unlisted: dict[str, OSError]) -> list[_Entry]:
    try:
        with os.scandir(folder or ".") as entries:
            return [_Entry(entry.name, _is_folder(entry), entry.is_symlink()) for entry in entries]
    except ValueError:  # a NUL in the path
        return []
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            unlisted[Path(folder).as_posix()] = error
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _join(folder: str, name: str) -> str:
    return os.path.join(folder, name) if folder else name  # noqa: PTH118 (a Path would lose the closing slash)
