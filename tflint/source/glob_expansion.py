"""Expands a glob of the command line, as `glob.glob` does with `recursive`, but in time that no folder can drive up.

`glob.glob` walks a tree again for each `**` and each way that leads there; it follows links to folders, so that two
links to their own folder make 2^40 paths. Here each step holds each folder once, and `**` does not follow links to
folders, as a folder walk does not.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator
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


class _Disk:
    """Looks at folders, each once; adds those that it may not look into to `unlisted`, with the reason."""

    def __init__(self, unlisted: dict[str, OSError]) -> None:
        self._unlisted = unlisted
        self._listed: dict[str, list[_Entry]] = {}

    def entries(self, folder: str) -> list[_Entry]:
        """What a folder holds; nothing if it cannot be listed."""
        if folder not in self._listed:
            self._listed[folder] = self._list(folder)
        return self._listed[folder]

    def entry(self, folder: str, name: str) -> Iterator[_Entry]:
        """What a folder holds under a name, without listing it: it may be `..`, or one that may only be entered."""
        path = _join(folder, name)
        try:
            os.lstat(path)
        except PermissionError as error:
            self._unlisted[Path(folder).as_posix()] = error
        except (OSError, ValueError):  # ValueError: a NUL in the path
            return
        else:
            yield _Entry(name, os.path.isdir(path), is_link=False)  # noqa: PTH112 (may be too long)

    def _list(self, folder: str) -> list[_Entry]:
        try:
            with os.scandir(folder or ".") as entries:
                return [_Entry(entry.name, _is_folder(entry), entry.is_symlink()) for entry in entries]
        except ValueError:  # a NUL in the path
            return []
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                self._unlisted[Path(folder).as_posix()] = error
            return []


def expand_glob(pattern: str, unlisted: dict[str, OSError]) -> list[str]:
    """Return the paths that a glob matches, each once, sorted.

    Folders that cannot be listed count as empty, and are added to `unlisted` with the reason.
    """
    whole = Path(pattern)
    *inner, last = _without_repeats(whole.parts[1:] if whole.anchor else whole.parts)
    disk = _Disk(unlisted)
    folders = [whole.anchor or "." * pattern.startswith("./")]  # as `./**` begins with the folder itself, `**` does not
    for segment in inner:
        folders = _unique(_folders(folders, segment, disk))
    if pattern.endswith(("/", os.sep)):
        return sorted(_join(folder, "") for folder in _unique(_folders(folders, last, disk)) if folder)
    return sorted(_unique(_paths(folders, last, disk)))


def first_folder(pattern: str) -> str:
    """Return the folder that a glob begins with: the part before the first segment with a wildcard."""
    return str(Path(*itertools.takewhile(lambda part: not has_magic(part), Path(pattern).parts)))


def _without_repeats(segments: Iterable[str]) -> list[str]:
    """The segments with one `**` for several in a row: they mean the same."""
    return [segment for segment, group in itertools.groupby(segments) for _ in (group if segment != "**" else range(1))]


def _unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))


def _folders(folders: Iterable[str], segment: str, disk: _Disk) -> Iterator[str]:
    """The folders that a segment leads to."""
    if segment == "**":
        yield from _below(folders, disk)
        return
    for folder in folders:
        for entry in _matching(folder, segment, disk):
            if entry.is_folder:
                yield _join(folder, entry.name)


def _paths(folders: list[str], segment: str, disk: _Disk) -> Iterator[str]:
    """The files and folders that the last segment leads to."""
    if segment != "**":
        for folder in folders:
            yield from (_join(folder, entry.name) for entry in _matching(folder, segment, disk))
        return
    yield from (_join(folder, "") for folder in folders if os.path.isdir(folder))  # noqa: PTH112 (may be too long)
    for folder in _below(folders, disk):
        yield from (_join(folder, entry.name) for entry in _visible(disk.entries(folder)))


def _below(folders: Iterable[str], disk: _Disk) -> Iterator[str]:
    """The folders and all below them, each once, without hidden and linked ones."""
    seen: set[str] = set()
    for start in folders:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            if folder not in seen:
                seen.add(folder)
                yield folder
                waiting += [_join(folder, entry.name) for entry in _visible(disk.entries(folder)) if entry.is_folder]


def _visible(entries: list[_Entry]) -> Iterator[_Entry]:
    """What `**` matches: nothing hidden, no links to folders."""
    return (entry for entry in entries if not entry.name.startswith(".") and not (entry.is_folder and entry.is_link))


def _matching(folder: str, segment: str, disk: _Disk) -> Iterator[_Entry]:
    if not has_magic(segment):
        yield from disk.entry(folder, segment)
        return
    match = matcher(os.path.normcase(segment), has_sets=True)
    for entry in disk.entries(folder):
        is_seen = segment.startswith(".") or not entry.name.startswith(".")
        if is_seen and match(os.path.normcase(entry.name)):
            yield entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _join(folder: str, name: str) -> str:
    return os.path.join(folder, name) if folder else name  # noqa: PTH118 (a Path would lose the closing slash)
