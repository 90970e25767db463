"""Says whether a path leads out of the checkout of the file that names it, by links or by `..`.

A pull request can bring in any text and any link. What these name outside of the checkout is not the pull request's to
read or write.
"""

from __future__ import annotations

import os
from pathlib import Path


def boundary_of(folder: str | Path) -> Path:
    """Return the folder that paths named in a folder's files must not leave, links resolved.

    It is the top level of the Git worktree that the folder lies in by its name; without one, the folder itself.
    """
    here = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow the links that are to be judged)
    top = worktree_of(here)
    return (top or here).resolve()


def worktree_of(folder: Path) -> Path | None:
    """Return the nearest folder at or above an absolute one that has a `.git` entry; None if there is none.

    git's own search stops earlier, at any folder that looks like a bare repository; a `.git` cannot be committed.
    """
    return next((parent for parent in (folder, *folder.parents) if os.path.lexists(parent / ".git")), None)


def is_within(path: str | Path, boundary: Path) -> bool:
    """Return whether a path, links resolved, lies in a folder or is it."""
    return Path(path).resolve().is_relative_to(boundary)


def leads_out(folder: str | Path) -> Path | None:
    """Return the real location of a named folder if links lead it out of the checkout; else None.

    A relative path must not leave the current folder's checkout. An absolute one outside any checkout is the user's
    own word.
    """
    whole = Path(os.path.abspath(folder))  # noqa: PTH100
    top = worktree_of(whole)
    here = Path.cwd()
    if top is None and whole.is_relative_to(here):
        top = here
    real = whole.resolve()
    return None if top is None or real.is_relative_to(top.resolve()) else real
