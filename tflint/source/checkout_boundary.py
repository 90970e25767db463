"""Says whether a path leads out of the checkout of the file that names it, by links or by `..`.

A pull request can bring in any text and any link. What these name outside of the checkout is not the pull request's to
read or write.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tflint.errors import Place, UserError

#: The one folder in `.git` that links in a checkout lead to: git-annex keeps the contents of large files there.
_ANNEX = (".git", "annex", "objects")
#: Links that a system follows for one path (Linux; macOS follows 32), and names that one is followed through: a few
#: kilobytes of links to each other can make many thousands.
_MAX_LINKS = 40
_MAX_NAMES = 1_000


def real_path(path: str | Path) -> Path:
    """Return a path with its links resolved, as far as they lead; one that no system follows to its end stays.

    `OSError` for a path through too many folders, `ValueError` for one with a NUL.
    """
    if sys.platform == "win32":
        return Path(os.path.realpath(path))
    # os.path.realpath calls itself for each link: a chain of them ends it, and a long one takes a second.
    if "\0" in str(path):
        raise ValueError("a NUL in a path")
    done = "/"
    waiting = os.path.join(Path.cwd(), path).split("/")[::-1]  # noqa: PTH118 (a Path would lose what follows a link)
    n_links = 0
    for _ in range(_MAX_NAMES):
        if not waiting:
            return Path(done)
        name = waiting.pop()
        if name == "..":
            done = os.path.dirname(done)  # noqa: PTH120
        elif name not in ("", "."):
            at = os.path.join(done, name)  # noqa: PTH118
            if not os.path.islink(at):  # noqa: PTH114
                done = at
                continue
            n_links += 1
            if n_links > _MAX_LINKS:
                return Path(os.path.abspath(path))  # noqa: PTH100
            target = os.readlink(at)  # noqa: PTH115
            done = "/" if target.startswith("/") else done
            waiting += reversed(target.split("/"))
    raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), os.fspath(path))


def boundary_of(folder: str | Path) -> Path:
    """Return the folder that paths named in a folder's files must not leave, links resolved.

    It is the top level of the Git worktree that the folder lies in; without one, the folder itself.
    """
    here = real_path(folder)
    return worktree_of(here) or here


def worktree_of(folder: Path) -> Path | None:
    """Return the nearest folder at or above an absolute one that has a `.git` entry; None if there is none."""
    return next(_worktrees(folder), None)


def is_within(path: str | Path, boundary: Path) -> bool:
    """Return whether a path, links resolved, lies in a folder or is it. What lies in its `.git` does not."""
    try:
        real = real_path(path)
    except (OSError, ValueError):  # through too many folders, or with a NUL in it
        return False
    return real.is_relative_to(boundary) and not _is_in_git(real.relative_to(boundary).parts)


def require_within(path: str | Path, boundary: Path, hint: str = "") -> None:
    """`UserError` for a file that was found, not named, and that links lead out of a folder."""
    if not is_within(path, boundary):
        raise UserError(f"is a link that leads out of the checkout '{boundary}'", place=Place(str(path)), hint=hint)


def leads_out(folder: str | Path) -> Path | None:
    """Return the real location of a named folder if links lead it out of the checkout, or into its `.git`; else None.

    A relative path must not leave the current folder's checkout. An absolute one outside any checkout is the user's
    own word.
    """
    whole = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow the links that are to be judged)
    tops = list(_worktrees(whole))
    here = Path.cwd()
    if whole.is_relative_to(here) and not any(here.is_relative_to(top) for top in tops):
        tops.append(here)
    real = real_path(folder)  # `link/..` is not where its text says
    return None if not tops or is_within(real, _innermost(tops)) else real


def _worktrees(folder: Path) -> Iterator[Path]:
    """The folders at or above an absolute one that have a `.git` entry, the nearest first.

    git's own search stops earlier, at any folder that looks like a bare repository; a `.git` cannot be committed.
    """
    return (parent for parent in (folder, *folder.parents) if os.path.lexists(parent / ".git"))


def _innermost(tops: Sequence[Path]) -> Path:
    """The real location of the nearest of some folders, without those that links lead out of the ones around them."""
    *inner, outer = tops
    kept = real_path(outer)
    for top in reversed(inner):
        real = real_path(top)
        kept = real if real.is_relative_to(kept) else kept
    return kept


def _is_in_git(parts: Sequence[str]) -> bool:
    """Whether a path below a worktree lies in a `.git`, which may hold credentials."""
    names = [part.casefold() for part in parts]
    return any(name == ".git" and tuple(names[at : at + 3]) != _ANNEX for at, name in enumerate(names))
