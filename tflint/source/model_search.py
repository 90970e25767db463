"""Finds models: expands folders and globs to files, by suffix and, for `.bin`, by their first bytes.

Unreadable paths are selected as well, with the reason, so that they are reported. Skipped paths are counted.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from glob import has_magic
from pathlib import Path
from typing import TypeAlias

from tflint.errors import UserError
from tflint.findings import SkippedPaths
from tflint.findings.path_globs import MEMBER, matches, relative_to_folder
from tflint.source.byte_source import plain_reason
from tflint.source.checkout_boundary import boundary_of, is_within, real_path
from tflint.source.file_kind import CONTAINER_SUFFIXES, MODEL_SUFFIXES, OUTSIDE_LINK, UNREADABLE_FOLDER, FileKind
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

#: Suffixes under which models are kept.
SUFFIXES = MODEL_SUFFIXES | CONTAINER_SUFFIXES
#: Suffixes of files that may be anything: a model only if the identifier says so.
DOUBTFUL_SUFFIXES = {".bin"}
#: Entries of hidden, linked and excluded folders that are looked through to count models: a virtual environment holds
#: 50,000 files, and counting must not cost more than checking.
MAX_PEEKED_ENTRIES = 10_000
#: A link that is no file: it leads to nothing, or in a circle.
_LEADS_NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
#: Hidden folders of version control: what lies there is not the user's file.
_NOT_PEEKED = frozenset({".git", ".hg", ".svn"})


@frozen
class Unopened:
    """A path that is reported without being opened; `kind` says why."""

    path: str
    kind: FileKind


Selected: TypeAlias = str | Unopened


@frozen
class Selection:
    """The paths to check, each once, in order, and what a walk left out."""

    items: tuple[Selected, ...]
    left_out: SkippedPaths = SkippedPaths()


def select(paths: Iterable[str], exclude: Sequence[str] = (), base: str = ".") -> Selection:
    """Select what paths name: files as they are, folders walked, globs expanded.

    `exclude` holds globs, counted from `base`, of files and folders that a walk leaves out. `UserError` for a path that
    does not exist.
    """
    walker = Walker(exclude, base)
    found: dict[Selected, None] = {}
    for path in paths:
        for item in _select_one(path, walker):
            found.setdefault(item)
    return Selection(tuple(found), walker.left_out())


def _select_one(path: str, walker: Walker) -> Iterator[Selected]:
    if not path:
        raise UserError("an empty path")
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises if a folder above cannot be searched)
        yield from walker.walk(path)
    elif may_exist(path):
        yield Path(path).as_posix()
    elif container_of(path):
        yield path
    elif has_magic(path):
        yield from walker.walk_glob(path)
    else:
        raise missing(path)


def may_exist(path: str) -> bool:
    """Return whether a path exists or cannot be looked at: only what is known to be missing is the user's mistake.

    `UserError` for what cannot be a path at all.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in it, which no file has
        return False
    except PermissionError:
        return True
    except OSError as error:  # such as a name longer than the file system has
        if has_magic(path):
            return False
        raise UserError(f"'{path[:80]}…' cannot be a path: {error.strerror}") from error
    return True


def container_of(path: str) -> str:
    """The file that a member's path (`bundle.task!/model.tflite`) begins with; empty where there is none."""
    at = path.find(MEMBER)
    while at >= 0:
        if os.path.isfile(path[:at]):  # noqa: PTH113 (Path.is_file raises if a folder above cannot be searched)
            return path[:at]
        at = path.find(MEMBER, at + 1)
    return ""


def missing(path: str) -> UserError:
    """The error for a path that does not exist, with the name in its folder that is most like it."""
    folder = Path(path).parent
    if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir raises if the path is too long)
        return UserError(f"'{path}' does not exist", hint=f"there is no folder '{folder}' either")
    try:
        names = os.listdir(folder)  # noqa: PTH208 (names are wanted, not paths)
    except OSError:
        names = []
    return UserError(f"'{path}' does not exist", hint=nearest(Path(path).name, names))


class Walker:
    """Walks folders for models and counts what it leaves out: excluded files, hidden and linked folders."""

    def __init__(self, exclude: Sequence[str] = (), base: str = ".") -> None:
        self._exclude, self._base = exclude, base
        self._excluded = self._hidden = self._linked = self._models = 0
        self._entries_left = MAX_PEEKED_ENTRIES

    def left_out(self) -> SkippedPaths:
        """Return the counts of skipped paths."""
        return SkippedPaths(self._excluded, self._hidden, self._linked, self._models)

    def walk(self, folder: str, boundary: Path | None = None) -> Iterator[Selected]:
        """Yield the models below a folder, sorted; a folder that cannot be listed and a model that is a link out of
        the checkout, or the given boundary, are yielded unopened. Links to folders are not followed.
        """
        boundary = boundary or boundary_of(folder)
        root = real_path(folder)
        waiting = [Path(folder).as_posix()]  # os.walk calls itself for each level, deeper than Python allows
        while waiting:
            here = waiting.pop()
            try:
                folders, files = _listed(here)
            except OSError as error:
                yield _unlisted(here, error)
                continue
            prefix = "" if here == "." else here if here.endswith("/") else f"{here}/"
            for name in files:
                if Path(name).suffix.lower() in SUFFIXES | DOUBTFUL_SUFFIXES:
                    yield from self._selected(prefix + name, boundary)
            waiting += reversed([prefix + name for name in folders if self._enters(prefix + name, name, root)])

    def walk_glob(self, pattern: str) -> Iterator[Selected]:
        """Yield what a glob matches: folders walked, files as they are. As in a walk, what links lead out of the
        checkout of the glob's first folder is not opened.
        """
        from tflint.source.glob_expansion import expand_glob, first_folder  # shells expand most globs themselves

        unlisted: dict[str, OSError] = {}
        matched = expand_glob(pattern, unlisted)
        if not matched and not unlisted:
            raise UserError(f"no file matches '{pattern}'", hint="* is any name, ** any folders")
        boundary = boundary_of(first_folder(pattern))
        for match in matched:
            path = Path(match).as_posix()
            if not is_within(path, boundary):
                yield from self._outside(path)
            elif os.path.isdir(path):  # noqa: PTH112
                yield from self.walk(path, boundary)
            else:
                yield path
        for folder, error in unlisted.items():
            if not self._is_excluded(folder):
                yield _unlisted(folder, error)

    def _outside(self, path: str) -> Iterator[Unopened]:
        """Count a folder that links lead out, or yield a file, unopened."""
        if os.path.isdir(path):  # noqa: PTH112
            self._linked += 1
            self._models += self._peek(path)
        else:
            yield _linked_out(path)

    def _selected(self, path: str, boundary: Path) -> Iterator[Selected]:
        """Yield a file if it is a model; unopened if it is a link that leads out of the checkout."""
        is_outside = os.path.islink(path) and not is_within(path, boundary)  # noqa: PTH114
        if not _is_model(path, is_read=not is_outside):
            return
        if self._is_excluded(path):
            self._excluded += 1
        else:
            yield _linked_out(path) if is_outside else path

    def _enters(self, path: str, name: str, root: Path) -> bool:
        if self._is_excluded(path):
            self._excluded += self._peek(path)
        elif os.path.islink(path):  # noqa: PTH114
            self._linked += 1
            self._models += 0 if is_within(path, root) else self._peek(path)  # else it is walked already
        elif name.startswith("."):
            self._hidden += 1
            self._models += 0 if name in _NOT_PEEKED else self._peek(path)
        else:
            return True
        return False

    def _peek(self, folder: str) -> int:
        """Count the files with a model's suffix below a folder, as far as the budget of entries goes."""
        count = 0
        waiting = [folder]
        while waiting and self._entries_left > 0:
            try:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        self._entries_left -= 1
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            count += Path(entry.name).suffix.lower() in SUFFIXES
                        if self._entries_left <= 0:
                            break
            except OSError:
                continue  # it is left out either way
        return count

    def _is_excluded(self, path: str) -> bool:
        return bool(self._exclude) and any(
            matches(relative_to_folder(self._base, path), pattern) for pattern in self._exclude
        )


def as_found(path: str) -> Selected:
    """Return the path of a file that was found, not named; unopened if it is a link out of its folder's checkout."""
    return path if is_within(path, boundary_of(Path(path).parent)) else _linked_out(path)


def _linked_out(path: str) -> Unopened:
    return Unopened(path, FileKind(OUTSIDE_LINK, "a link that leads out of the checkout"))


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """The names of the folders, links to folders among them, and of the files in a folder, sorted."""
    folders: list[str] = []
    files: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError:  # links in a circle
                is_folder = False
            (folders if is_folder else files).append(entry.name)
    return sorted(folders), sorted(files)


def _unlisted(folder: str, error: OSError) -> Unopened:
    return Unopened(folder, FileKind(UNREADABLE_FOLDER, plain_reason(error)))


def _is_model(path: str, *, is_read: bool) -> bool:
    """Whether a file of a known suffix is a model. One of a doubtful suffix must be read, and may be a model if it
    cannot be.
    """
    if Path(path).suffix.lower() in SUFFIXES:
        return True
    try:
        if not is_read or not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            return False
        with Path(path).open("rb") as file:
            return file.read(8)[4:] == b"TFL3"
    except OSError as error:
        return error.errno not in _LEADS_NOWHERE
