"""Tells which files Git ignores. Tracked files are never ignored."""

from __future__ import annotations

import os
from pathlib import Path

from tflint.source.checkout_boundary import worktree_of
from tflint.source.git_program import run_git

_LIST = ("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")


class IgnoredFiles:
    """The files and folders that Git ignores, in every repository that contains a path."""

    def __init__(self) -> None:
        self._by_top: dict[Path, frozenset[str]] = {}

    def contains(self, path: str) -> bool:
        """Return whether Git ignores a path or a folder around it. Outside of repositories, nothing is ignored.

        Raises `UserError` if git fails.
        """
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
        top = worktree_of(absolute.parent)
        if top is None:
            return False
        if top not in self._by_top:
            self._by_top[top] = _list_ignored(top)
        ignored = self._by_top[top]
        if not ignored:
            return False
        inner = absolute.relative_to(top)
        return any(one.as_posix() in ignored for one in (inner, *inner.parents))


def _list_ignored(top: Path) -> frozenset[str]:
    output = run_git(_LIST, str(top), f"'respect-gitignore': the ignored files of '{top.as_posix()}' cannot be listed")
    return frozenset(os.fsdecode(name).rstrip("/") for name in output.split(b"\0") if name)
