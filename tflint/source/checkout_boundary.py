"""Checks whether a path, through links or `..`, leaves the checkout of the file that names the path.

A pull request can contain any path and any link. tflint must not use them to read or write files outside of the
checkout.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tflint.errors import Place, UserError

#: The only folder in `.git` that links in a checkout may point to: git-annex keeps the contents of large files there.
_ANNEX = (".git", "annex", "objects")
#: Maximum number of links per path (as on Linux; macOS allows 32), and of path segments after links are followed: links
#: of a few kilobytes that refer to each other can expand to many thousands of segments.
_MAX_LINKS = 40
_MAX_NAMES = 1_000


def real_path(path: str | Path) -> Path:
    """Return a path with its links resolved; a path with too many links is returned unresolved.

    Raises `OSError` if the path has too many segments, and `ValueError` if it contains a NUL.
    """
    if sys.platform == "win32":
        return Path(os.path.realpath(path))
    # os.path.realpath is not used: it recurses for each link, so a long chain of links takes a second or exceeds the
    # recursion limit.
    if "\0" in str(path):
        raise ValueError("a NUL in a path")
    resolved = "/"
    segments = os.path.join(Path.cwd(), path).split("/")[::-1]  # noqa: PTH118 (a Path would normalize the path)
    n_links = 0
    for _ in range(_MAX_NAMES):
        if not segments:
            return Path(resolved)
        name = segments.pop()
        if name == "..":
            resolved = os.path.dirname(resolved)  # noqa: PTH120
        elif name not in ("", "."):
            at = os.path.join(resolved, name)  # noqa: PTH118
            if not os.path.islink(at):  # noqa: PTH114
                resolved = at
                continue
            n_links += 1
            if n_links > _MAX_LINKS:
                return Path(os.path.abspath(path))  # noqa: PTH100
            target = os.readlink(at)  # noqa: PTH115
            resolved = "/" if target.startswith("/") else resolved
            segments += reversed(target.split("/"))
    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), os.fspath(path))


def boundary_of(folder: str | Path) -> Path:
    """Return the folder that paths named by files in `folder` must not leave, with links resolved.

    It is the top level of the Git worktree that contains `folder`, or `folder` itself if no worktree contains it.
    """
    current = real_path(folder)
    return worktree_of(current) or current


def worktree_of(folder: Path) -> Path | None:
    """Return the nearest folder with a `.git` entry at or above an absolute folder, or None if there is none."""
    return next(_worktrees(folder), None)


def is_within(path: str | Path, boundary: Path) -> bool:
    """Return whether a path, with links resolved, is the folder `boundary` or below it, but not in a `.git` there."""
    try:
        real = real_path(path)
    except (OSError, ValueError):  # too many segments, or a NUL
        return False
    return real.is_relative_to(boundary) and not _is_in_git(real.relative_to(boundary).parts)


def require_within(path: str | Path, boundary: Path, hint: str = "") -> None:
    """Raise `UserError` if a path that tflint discovered leads outside of the folder `boundary` through links."""
    if not is_within(path, boundary):
        raise UserError(f"is a link that points outside the checkout '{boundary}'", place=Place(str(path)), hint=hint)


def find_outside_target(folder: str | Path) -> Path | None:
    """Return the real location of a folder if links place it outside of its checkout or in a `.git`, else None.

    A relative path must stay in the checkout of the current folder. An absolute path outside of any checkout is
    accepted, because the user chose it.
    """
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow the links to be checked)
    worktrees = list(_worktrees(absolute))
    current = Path.cwd()
    if absolute.is_relative_to(current) and not any(current.is_relative_to(worktree) for worktree in worktrees):
        worktrees.append(current)
    real = real_path(folder)  # `link/..` is relative to the link's target
    return None if not worktrees or is_within(real, _innermost(worktrees)) else real


def _worktrees(folder: Path) -> Iterator[Path]:
    """Yield the folders with a `.git` entry at or above an absolute folder, nearest first.

    Git's own search also stops at a folder that looks like a bare repository. This search does not, because such a
    folder can be committed to a repository, while a `.git` cannot.
    """
    return (parent for parent in (folder, *folder.parents) if os.path.lexists(parent / ".git"))


def _innermost(worktrees: Sequence[Path]) -> Path:
    """Return the real location of the nearest worktree that links do not place outside of the worktrees around it."""
    *inner, outer = worktrees
    location = real_path(outer)
    for worktree in reversed(inner):
        real = real_path(worktree)
        location = real if real.is_relative_to(location) else location
    return location


def _is_in_git(parts: Sequence[str]) -> bool:
    """Return whether a path below a worktree is in a `.git`, which may contain credentials."""
    names = [part.casefold() for part in parts]
    return any(name == ".git" and tuple(names[at : at + 3]) != _ANNEX for at, name in enumerate(names))
