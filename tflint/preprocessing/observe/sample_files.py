"""Finds the data files at a path: regular files with a known suffix, one folder in memory at a time."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tflint.errors import UserError
from tflint.values import frozen

ARRAY_SUFFIXES = (".npy", ".npz")
IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")

#: Most entries of all folders below a path. Names of a folder are sorted in memory: a million take about 200 MB.
MAX_ENTRIES = 1_000_000

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


@frozen
class FileCount:
    """The number of data files at a path, and how many of them are images."""

    n_files: int
    n_images: int


def count_files(path: str) -> FileCount:
    """Count the data files at a path, without reading them. Raises `UserError` as `find_files` does."""
    n_files = n_images = 0
    for file in find_files(path):
        n_files += 1
        n_images += file.name.lower().endswith(IMAGE_SUFFIXES)
    return FileCount(n_files, n_images)


def select_files(path: str, n_files: int, limit: int) -> Iterator[Path]:
    """Yield `limit` of the `n_files` data files at a path, spread evenly over them."""
    for number, file in enumerate(find_files(path)):
        if number * limit // n_files < (number + 1) * limit // n_files:
            yield file


def find_files(path: str) -> Iterator[Path]:
    """Yield the data files at a path, sorted folder by folder; raise `UserError` if there are none.

    Linked folders are skipped, so that links cannot form cycles or lead out of the folder. A path with the suffix of a
    data file that is not a regular file is an error.
    """
    root = Path(path)
    if root.is_dir():
        n_files = 0
        for file in _walk(root):
            n_files += 1
            yield file
        if not n_files:
            raise UserError(f"no data in '{path}'", hint="tflint reads .npy files, .npz files and images")
        return
    if not os.path.lexists(root):
        raise UserError(f"'{path}' does not exist")
    if not _is_data(root.name):
        raise UserError(f"'{path}' is not a .npy file, .npz file or image", hint="save arrays with numpy.savez")
    _require_regular(root)
    yield root


def _is_data(name: str) -> bool:
    return name.lower().endswith((*ARRAY_SUFFIXES, *IMAGE_SUFFIXES))


def _walk(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, with a stack, because recursion fails at about 1,000 nested folders."""
    folders = [root]
    n_entries = 0
    while folders:
        folder = folders.pop()
        inner = []
        for name, is_folder in _entries(folder, MAX_ENTRIES - n_entries):
            n_entries += 1
            if is_folder:
                inner.append(folder / name)
            elif _is_data(name) and not (folder / name).is_dir():
                _require_regular(folder / name)
                yield folder / name
        folders.extend(reversed(inner))


def _entries(folder: Path, limit: int) -> list[tuple[str, bool]]:
    """Return the sorted names in a folder, each with whether it is a folder; a link to a folder is not."""
    names: list[tuple[str, bool]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(names) == limit:
                    raise UserError(
                        f"there are more than {MAX_ENTRIES:,} files and folders (limit reached in '{folder}')",
                        hint="observe a sample of the data",
                    )
                names.append((entry.name, entry.is_dir(follow_symlinks=False)))
    except OSError as error:
        raise UserError(f"'{folder}' cannot be read: {error.strerror or error}") from error
    return sorted(names)


def _require_regular(file: Path) -> None:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise UserError(f"'{file}' cannot be read: {error.strerror or error}") from error
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "a special file")
        raise UserError(
            f"'{file}' is {kind}, not a regular file", hint="tflint reads .npy files, .npz files and images"
        )
