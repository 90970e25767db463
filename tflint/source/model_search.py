"""Finds models: expands folders and globs to files that have a model's suffix.

A `.bin` file counts as a model if its first bytes are those of a model. Unreadable paths are selected too, with the
reason, so that tflint reports them. Skipped paths are counted.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from tflint.errors import UserError
from tflint.findings import SkippedPaths
from tflint.findings.path_globs import MEMBER
from tflint.source.byte_source import plain_reason
from tflint.source.checkout_boundary import boundary_of, is_within, real_path
from tflint.source.file_kind import CONTAINER_SUFFIXES, MODEL_SUFFIXES, OUTSIDE_LINK, UNREADABLE_FOLDER, FileKind
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen
from tflint.wildcards import has_wildcard

#: Suffixes of models and containers.
SUFFIXES = MODEL_SUFFIXES | CONTAINER_SUFFIXES
#: Suffixes that other files have too. A file with such a suffix is a model only if it has the identifier of a model.
DOUBTFUL_SUFFIXES = {".bin"}
#: Maximum number of files and folders that are examined to count models in hidden, linked and excluded folders. A
#: virtual environment has 50,000 files, and counting must not take longer than checking.
MAX_PEEKED_ENTRIES = 10_000
#: Errors of a link whose target does not exist, or of links in a loop.
_LEADS_NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
#: Folders of version control systems. Models in them are not counted, because they are not files of the user.
_NOT_PEEKED = frozenset({".git", ".hg", ".svn"})


@frozen
class UnopenedPath:
    """A path that tflint reports without opening it; `kind` says why."""

    path: str
    kind: FileKind


Selected: TypeAlias = str | UnopenedPath
#: Returns why a file or folder is skipped: "excluded", "ignored" (by Git), or an empty text if it is not skipped.
ReasonToSkip: TypeAlias = Callable[[str], str]


@frozen
class Selection:
    """The paths to check, distinct and in order, and the counts of skipped paths.

    `examined` are the folders that were listed and the files that were read to find models. `has_links` is true if a
    listed folder has links.
    """

    items: tuple[Selected, ...]
    left_out: SkippedPaths = SkippedPaths()
    examined: tuple[str, ...] = ()
    has_links: bool = False

    @property
    def paths(self) -> list[str]:
        """The paths of all items."""
        return [item.path if isinstance(item, UnopenedPath) else item for item in self.items]


def _skip_nothing(_path: str) -> str:
    return ""


def select(
    paths: Iterable[str], reason_to_skip: ReasonToSkip = _skip_nothing, skip_named: ReasonToSkip = _skip_nothing
) -> Selection:
    """Select the files that paths name. Folders are walked and globs are expanded.

    `reason_to_skip` decides about the files and folders that a walk finds, and `skip_named` about the paths themselves.
    Raises `UserError` if a path does not exist.
    """
    walker = Walker(reason_to_skip)
    found: dict[Selected, None] = {}
    for path in paths:
        for item in _select_one(path, walker):
            reason = skip_named(path) if item == Path(path).as_posix() else ""
            if reason:
                walker.count_skipped(reason)
            else:
                found.setdefault(item)
    return Selection(tuple(found), walker.left_out(), tuple(walker.examined), walker.has_links)


def _select_one(path: str, walker: Walker) -> Iterator[Selected]:
    if not path:
        raise UserError("the path is empty")
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises if a folder above cannot be searched)
        yield from walker.walk(path)
    elif may_exist(path):
        yield Path(path).as_posix()
    elif find_container(path):
        yield path
    elif has_wildcard(path):
        yield from walker.walk_glob(path)
    else:
        raise missing_path_error(path)


def are_whole_files(items: Iterable[object]) -> bool:
    """Return whether all items are paths of files, or unopened paths. Paths of members are not."""
    return all(isinstance(item, UnopenedPath) or (isinstance(item, str) and MEMBER not in item) for item in items)


def may_exist(path: str) -> bool:
    """Return whether a path exists. Also returns True if tflint has no permission to find out.

    Raises `UserError` if the path is invalid, such as too long.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: the path contains a NUL
        return False
    except PermissionError:
        return True
    except OSError as error:  # such as a name that is too long for the file system
        if has_wildcard(path):
            return False
        raise UserError(f"'{path[:80]}…' is not a valid path: {error.strerror}") from error
    return True


def find_container(path: str) -> str:
    """Return the path of the container if a path names a member (`bundle.task!/model.tflite`), else an empty string."""
    at = path.find(MEMBER)
    while at >= 0:
        if os.path.isfile(path[:at]):  # noqa: PTH113 (Path.is_file raises if a folder above cannot be searched)
            return path[:at]
        at = path.find(MEMBER, at + 1)
    return ""


def missing_path_error(path: str) -> UserError:
    """Build the error for a path that does not exist; the hint suggests the most similar name in its folder."""
    folder = Path(path).parent
    if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir raises if the path is too long)
        return UserError(f"'{path}' does not exist", hint=f"the folder '{folder}' does not exist either")
    try:
        names = os.listdir(folder)  # noqa: PTH208 (names are wanted, not paths)
    except OSError:
        names = []
    return UserError(f"'{path}' does not exist", hint=nearest(Path(path).name, names))


class Walker:
    """Walks folders for models and counts what it skips: excluded and ignored files, hidden and linked folders.

    `reason_to_skip` decides about files and folders. `examined` are the folders that were listed and the files that
    were read so far; `has_links` is true if one of these folders has links.
    """

    def __init__(self, reason_to_skip: ReasonToSkip = _skip_nothing) -> None:
        self.examined: list[str] = []
        self.has_links = False
        self.reason_to_skip = reason_to_skip
        self._skipped: Counter[str] = Counter()  # number of models by reason
        self._hidden = self._linked = self._models = 0
        self._entries_left = MAX_PEEKED_ENTRIES

    def left_out(self) -> SkippedPaths:
        """Return the counts of skipped paths."""
        return SkippedPaths(
            self._skipped["excluded"], self._hidden, self._linked, self._models, self._skipped["ignored"]
        )

    def count_skipped(self, reason: str) -> None:
        """Count a named file that is skipped."""
        self._skipped[reason] += 1

    def walk(self, folder: str, boundary: Path | None = None) -> Iterator[Selected]:
        """Yield the models below a folder, sorted. Links to folders are not followed.

        Folders that cannot be listed, and models that are links to outside of `boundary` (by default, the checkout),
        are yielded as `UnopenedPath`.
        """
        boundary = boundary or boundary_of(folder)
        root = real_path(folder)
        waiting = [Path(folder).as_posix()]  # os.walk recurses per level and exceeds Python's recursion limit
        while waiting:
            here = waiting.pop()
            self.examined.append(here)
            try:
                folders, files, has_links = _list_folder(here)
                self.has_links |= has_links
            except OSError as error:
                yield _unreadable_folder(here, error)
                continue
            prefix = "" if here == "." else here if here.endswith("/") else f"{here}/"
            for name in files:
                if Path(name).suffix.lower() in SUFFIXES | DOUBTFUL_SUFFIXES:
                    yield from self._check_file(prefix + name, boundary)
            waiting += reversed([prefix + name for name in folders if self._should_enter(prefix + name, name, root)])

    def walk_glob(self, pattern: str) -> Iterator[Selected]:
        """Yield the files that a glob matches, and the models below folders that it matches.

        As in a walk, files that links place outside of the checkout are not opened. The checkout is that of the folder
        before the glob's first wildcard.
        """
        from tflint.source.glob_expansion import expand_glob, first_folder  # shells expand most globs themselves

        unlisted: dict[str, OSError] = {}
        matched = expand_glob(pattern, unlisted)
        if not matched and not unlisted:
            raise UserError(f"no file matches '{pattern}'", hint="* matches any name, ** any folders")
        boundary = boundary_of(first_folder(pattern))
        for match in matched:
            path = Path(match).as_posix()
            if not is_within(path, boundary):
                yield from self._skip_outside(path)
            elif os.path.isdir(path):  # noqa: PTH112
                yield from self.walk(path, boundary)
            else:
                yield path
        for folder, error in unlisted.items():
            if not self.reason_to_skip(folder):
                yield _unreadable_folder(folder, error)

    def _skip_outside(self, path: str) -> Iterator[UnopenedPath]:
        """Count a matched folder that is outside of the boundary; yield such a file as `UnopenedPath`."""
        if os.path.isdir(path):  # noqa: PTH112
            self._linked += 1
            self._models += self._peek(path)
        else:
            yield _outside_link(path)

    def _check_file(self, path: str, boundary: Path) -> Iterator[Selected]:
        """Yield a file if it is a model; yield it as `UnopenedPath` if it is a link to outside of `boundary`."""
        is_outside = os.path.islink(path) and not is_within(path, boundary)  # noqa: PTH114
        if Path(path).suffix.lower() in DOUBTFUL_SUFFIXES:
            self.examined.append(path)
        if not _is_model(path, is_read=not is_outside):
            return
        reason = self.reason_to_skip(path)
        if reason:
            self._skipped[reason] += 1
        else:
            yield _outside_link(path) if is_outside else path

    def _should_enter(self, path: str, name: str, root: Path) -> bool:
        reason = self.reason_to_skip(path)
        if reason:
            self._skipped[reason] += self._peek(path)
        elif os.path.islink(path):  # noqa: PTH114
            self._linked += 1
            self._models += 0 if is_within(path, root) else self._peek(path)  # the walk finds the models of other links
        elif name.startswith("."):
            self._hidden += 1
            self._models += 0 if name in _NOT_PEEKED else self._peek(path)
        else:
            return True
        return False

    def _peek(self, folder: str) -> int:
        """Return the number of files with a model's suffix below a folder.

        After `MAX_PEEKED_ENTRIES` files and folders in all calls, counting stops.
        """
        count = 0
        waiting = [folder]
        while waiting and self._entries_left > 0:
            here = waiting.pop()
            self.examined.append(here)
            try:
                with os.scandir(here) as entries:
                    for entry in entries:
                        self._entries_left -= 1
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        else:
                            count += Path(entry.name).suffix.lower() in SUFFIXES
                        if self._entries_left <= 0:
                            break
            except OSError:
                continue  # the walk skips this folder in any case
        return count


def is_model_path(path: str, folder: str) -> bool:
    """Return whether a walk of a folder considers a file below it: by its suffix, and not in a hidden folder."""
    inner = Path(path).relative_to(folder)
    return inner.suffix.lower() in SUFFIXES and not any(name.startswith(".") for name in inner.parts[:-1])


def check_link(path: str) -> Selected:
    """Return the path of a discovered file; return an `UnopenedPath` if it is a link to outside of its checkout."""
    return path if is_within(path, boundary_of(Path(path).parent)) else _outside_link(path)


def _outside_link(path: str) -> UnopenedPath:
    return UnopenedPath(path, FileKind(OUTSIDE_LINK, "a link that points outside the checkout"))


def _list_folder(folder: str) -> tuple[list[str], list[str], bool]:
    """Return the names of the folders in a folder (including links to folders) and of its files, each sorted.

    The third value is whether the folder has links.
    """
    folders: list[str] = []
    files: list[str] = []
    has_links = False
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                is_folder = entry.is_dir()
            except OSError:  # links in a loop
                is_folder = False
            has_links |= entry.is_symlink()
            (folders if is_folder else files).append(entry.name)
    return sorted(folders), sorted(files), has_links


def _unreadable_folder(folder: str, error: OSError) -> UnopenedPath:
    return UnopenedPath(folder, FileKind(UNREADABLE_FOLDER, plain_reason(error)))


def _is_model(path: str, *, is_read: bool) -> bool:
    """Return whether a file is a model, by its suffix; for `DOUBTFUL_SUFFIXES`, by its first bytes.

    If these bytes cannot be read, the file counts as a model, so that the error is reported. If `is_read` is false, a
    file with a doubtful suffix is not read and does not count.
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
