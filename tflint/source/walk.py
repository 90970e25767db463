"""Finds models: expands folders and globs to files, by suffix and, for `.bin`, by what is in them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tflint.errors import UserError
from tflint.findings.paths import matches

#: Suffixes under which models are kept.
SUFFIXES = {".tflite", ".lite", ".tfl", ".task", ".litertlm"}
#: Suffixes of files that may be anything: a model only where the identifier says so.
DOUBTFUL_SUFFIXES = {".bin"}


def expand(paths: Iterable[str], exclude: Sequence[str] = ()) -> list[str]:
    """The files that paths name, each once, in order: files as they are, folders walked, globs expanded.

    `exclude` holds globs of files and folders that a walk leaves out. `UserError` where a path does not exist.
    """
    found: dict[str, None] = {}
    for path in paths:
        for file in _expand_one(path, exclude):
            found.setdefault(file)
    return list(found)


def _expand_one(path: str, exclude: Sequence[str]) -> Iterator[str]:
    if Path(path).is_dir():
        yield from walk(path, exclude)
    elif os.path.lexists(path):
        yield Path(path).as_posix()
    elif glob.has_magic(path):
        matched = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (a pattern may be absolute)
        if not matched:
            raise UserError(f"no file matches '{path}'")
        for match in matched:
            yield from walk(match, exclude) if Path(match).is_dir() else [Path(match).as_posix()]
    else:
        raise UserError(f"'{path}' does not exist")


def walk(folder: str, exclude: Sequence[str] = ()) -> Iterator[str]:
    """The models below a folder, sorted; hidden folders and what `exclude` matches are left out, links not followed."""
    for parent, folders, files in os.walk(folder):
        base = Path(parent).as_posix()
        prefix = "" if base == "." else f"{base}/"
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not _is_excluded(prefix + name, exclude)
        )
        for name in sorted(files):
            path = prefix + name
            if not _is_excluded(path, exclude) and _is_model(path):
                yield path


def _is_excluded(path: str, exclude: Sequence[str]) -> bool:
    return any(matches(path, pattern) for pattern in exclude)


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
