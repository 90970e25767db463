"""Finds models: expands folders and globs to files, by suffix and, for `.bin`, by what is in them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from glob import has_magic
from pathlib import Path

from tflint.documents.nearest import nearest
from tflint.errors import UserError
from tflint.findings.paths import MEMBER, matches, seen_from
from tflint.source.globbing import expand_glob
from tflint.source.kind import CONTAINER_SUFFIXES, MODEL_SUFFIXES

#: Suffixes under which models are kept.
SUFFIXES = MODEL_SUFFIXES | CONTAINER_SUFFIXES
#: Suffixes of files that may be anything: a model only where the identifier says so.
DOUBTFUL_SUFFIXES = {".bin"}


def expand(paths: Iterable[str], exclude: Sequence[str] = (), base: str = ".") -> list[str]:
    """The files that paths name, each once, in order: files as they are, folders walked, globs expanded.

    `exclude` holds globs, counted from `base`, of files and folders that a walk leaves out. `UserError` where a path
    does not exist.
    """
    found: dict[str, None] = {}
    for path in paths:
        for file in _expand_one(path, exclude, base):
            found.setdefault(file)
    return list(found)


def _expand_one(path: str, exclude: Sequence[str], base: str) -> Iterator[str]:
    if not path:
        raise UserError("an empty path")
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises if the path is too long)
        yield from walk(path, exclude, base)
    elif os.path.lexists(path):
        yield Path(path).as_posix()
    elif container_of(path):
        yield path
    elif has_magic(path):
        matched = expand_glob(path)
        if not matched:
            raise UserError(f"no file matches '{path}'", hint="* is any name, ** any folders")
        for match in matched:
            yield from walk(match, exclude, base) if Path(match).is_dir() else [Path(match).as_posix()]
    else:
        raise missing(path)


def container_of(path: str) -> str:
    """The file that a member's path (`bundle.task!/model.tflite`) begins with; empty where there is none."""
    at = path.find(MEMBER)
    while at >= 0:
        if os.path.isfile(path[:at]):  # noqa: PTH113 (Path.is_file raises if the path is too long)
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


def walk(folder: str, exclude: Sequence[str] = (), base: str = ".") -> Iterator[str]:
    """The models below a folder, sorted; hidden folders and what `exclude` matches are left out, links not followed."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent).as_posix()
        prefix = "" if here == "." else f"{here}/"
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not _is_excluded(prefix + name, exclude, base)
        )
        for name in sorted(files):
            path = prefix + name
            if _is_model(path) and not _is_excluded(path, exclude, base):
                yield path


def _is_excluded(path: str, exclude: Sequence[str], base: str) -> bool:
    return bool(exclude) and any(matches(seen_from(base, path), pattern) for pattern in exclude)


def _is_model(path: str) -> bool:
    suffix = Path(path).suffix.lower()
    if suffix in SUFFIXES:
        return True
    if suffix not in DOUBTFUL_SUFFIXES or not Path(path).is_file():
        return False
    try:
        with Path(path).open("rb") as file:
            return file.read(8)[4:] == b"TFL3"
    except OSError:
        return False
