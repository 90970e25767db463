"""Expands globs of the command line, like `glob.glob` with `recursive`, but in time linear in the number of folders.

`glob.glob` walks a tree again for each `**` and for each path that leads to it, and follows links. Two links in a
folder to the folder itself give more paths than can be walked. Here, each segment of the glob visits each folder at
most once, and `**` does not follow links to folders, as in a folder walk.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tflint.values import frozen
from tflint.wildcards import has_wildcard, matcher


@frozen
class _Entry:
    """A file, folder or link in a folder. `is_folder` is also true for a link to a folder."""

    name: str
    is_folder: bool
    is_link: bool


class _Disk:
    """Lists each folder once. Adds folders that cannot be listed to `unlisted`, with the error."""

    def __init__(self, unlisted: dict[str, OSError]) -> None:
        self._unlisted = unlisted
        self._listed: dict[str, list[_Entry]] = {}

    def entries(self, folder: str) -> list[_Entry]:
        """Return the entries of a folder; empty if it cannot be listed."""
        if folder not in self._listed:
            self._listed[folder] = self._list(folder)
        return self._listed[folder]

    def entry(self, folder: str, name: str) -> Iterator[_Entry]:
        """Yield the entry with this name without listing the folder, for `..` and folders without read permission."""
        path = _join(folder, name)
        try:
            os.lstat(path)
        except PermissionError as error:
            self._unlisted[Path(folder).as_posix()] = error
        except (OSError, ValueError):  # ValueError: the path contains a NUL
            return
        else:
            yield _Entry(name, os.path.isdir(path), is_link=False)  # noqa: PTH112 (may be too long)

    def _list(self, folder: str) -> list[_Entry]:
        try:
            with os.scandir(folder or ".") as entries:
                return [_Entry(entry.name, _is_folder(entry), entry.is_symlink()) for entry in entries]
        except ValueError:  # the path contains a NUL
            return []
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                self._unlisted[Path(folder).as_posix()] = error
            return []


def expand_glob(pattern: str, unlisted: dict[str, OSError]) -> list[str]:
    """Return the paths that match a glob, distinct and sorted.

    A folder that cannot be listed counts as empty and is added to `unlisted`, with the error.
    """
    whole = Path(pattern)
    *inner, last = _merge_stars(whole.parts[1:] if whole.anchor else whole.parts)
    disk = _Disk(unlisted)
    folders = [whole.anchor or "." * pattern.startswith("./")]  # `./**` includes the folder itself, `**` does not
    for segment in inner:
        folders = _unique(_match_folders(folders, segment, disk))
    if pattern.endswith(("/", os.sep)):
        return sorted(_join(folder, "") for folder in _unique(_match_folders(folders, last, disk)) if folder)
    return sorted(_unique(_match_paths(folders, last, disk)))


def first_folder(pattern: str) -> str:
    """Return the part of a glob before its first segment with a wildcard: the folder in which the search begins."""
    return str(Path(*itertools.takewhile(lambda part: not has_wildcard(part), Path(pattern).parts)))


def _merge_stars(segments: Iterable[str]) -> list[str]:
    """Merge consecutive `**` segments, which are equivalent to one."""
    return [segment for segment, group in itertools.groupby(segments) for _ in (group if segment != "**" else range(1))]


def _unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))


def _match_folders(folders: Iterable[str], segment: str, disk: _Disk) -> Iterator[str]:
    """Yield the folders in (or, for `**`, at or below) `folders` that match a segment of a glob."""
    if segment == "**":
        yield from _walk_below(folders, disk)
        return
    for folder in folders:
        for entry in _match_entries(folder, segment, disk):
            if entry.is_folder:
                yield _join(folder, entry.name)


def _match_paths(folders: list[str], segment: str, disk: _Disk) -> Iterator[str]:
    """Yield the files and folders that match the last segment of a glob."""
    if segment != "**":
        for folder in folders:
            yield from (_join(folder, entry.name) for entry in _match_entries(folder, segment, disk))
        return
    yield from (_join(folder, "") for folder in folders if os.path.isdir(folder))  # noqa: PTH112 (may be too long)
    for folder in _walk_below(folders, disk):
        yield from (_join(folder, entry.name) for entry in _without_hidden(disk.entries(folder)))


def _walk_below(folders: Iterable[str], disk: _Disk) -> Iterator[str]:
    """Yield the folders and all folders below them, each once. Hidden folders and links to folders are skipped."""
    visited: set[str] = set()
    for start in folders:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            if folder not in visited:
                visited.add(folder)
                yield folder
                waiting += [
                    _join(folder, entry.name) for entry in _without_hidden(disk.entries(folder)) if entry.is_folder
                ]


def _without_hidden(entries: list[_Entry]) -> Iterator[_Entry]:
    """Yield the entries that `**` matches: all except hidden entries and links to folders."""
    return (entry for entry in entries if not entry.name.startswith(".") and not (entry.is_folder and entry.is_link))


def _match_entries(folder: str, segment: str, disk: _Disk) -> Iterator[_Entry]:
    if not has_wildcard(segment):
        yield from disk.entry(folder, segment)
        return
    match = matcher(os.path.normcase(segment), has_sets=True)
    for entry in disk.entries(folder):
        is_visible = segment.startswith(".") or not entry.name.startswith(".")
        if is_visible and match(os.path.normcase(entry.name)):
            yield entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop of links
        return False


def _join(folder: str, name: str) -> str:
    return os.path.join(folder, name) if folder else name  # noqa: PTH118 (a Path would drop the closing slash)
