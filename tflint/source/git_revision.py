"""Reads a file as it is in a revision of its Git repository, with the `git` program; no network, no filters.

Takes a revision and a path of the working tree; gives bytes. What is in the way is a `UserError`.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from tflint.errors import UserError
from tflint.source.byte_source import BytesSource
from tflint.source.checkout_boundary import real_path, worktree_of
from tflint.source.file_kind import GIT_LFS_POINTER, kind_of
from tflint.source.git_program import run_git
from tflint.values import frozen

#: A larger file is not read from a repository: it would be in memory as a whole, here and in git.
MAX_BLOB_BYTES = 1 << 30
_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-)\t[^\0]*\0")
_LINK, _SUBMODULE = b"120000", b"160000"


@frozen
class _Tracked:
    """A file of a working tree: the path as given, the working tree's top level, and the path from there."""

    path: str
    top: str
    inner: str


def read_revision(revision: str, path: str) -> bytes:
    """Return the content of a file in a revision, such as `HEAD~1`; `UserError` if it cannot be read."""
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise UserError(f"'{revision}' is not a revision", hint="such as HEAD, HEAD~1, main or v1.2")
    file = _find(path)
    blob, size = _entry(_commit(revision, file), revision, file)
    if size > MAX_BLOB_BYTES:
        what = f"'{path}' has {size:,} bytes in '{revision}', more than the {MAX_BLOB_BYTES:,} that are read"
        raise UserError(what, hint=_by_hand(revision, file))
    content = run_git(["cat-file", "blob", blob], file.top, f"'{path}' of '{revision}' cannot be read")
    if kind_of(BytesSource(content)).kind == GIT_LFS_POINTER:
        raise UserError(
            f"'{path}' is a Git LFS pointer in '{revision}': the model itself is not in the repository",
            hint=f"git lfs fetch, then {_by_hand(revision, file, ' | git lfs smudge')}",
        )
    return content


def _find(path: str) -> _Tracked:
    """Find the working tree that a file belongs to. Links stay links, as git stores them."""
    if not path:
        raise UserError("an empty path")
    folder = Path(path).parent
    if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir raises if the path is too long)
        raise UserError(f"the folder '{folder.as_posix()}' does not exist")
    whole = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    top = worktree_of(whole.parent)
    if top is None:
        hint = "--git compares a file with its version in Git; without one: tflint diff OLD NEW"
        raise UserError(f"'{folder.as_posix()}' is not in a Git repository", hint=hint)
    return _Tracked(path, str(top), whole.relative_to(top).as_posix())


def _by_hand(revision: str, file: _Tracked, smudged: str = "") -> str:
    command = f"git -C {shlex.quote(file.top)} cat-file blob {shlex.quote(f'{revision}:{file.inner}')}"
    return f"{command}{smudged} > old.tflite, and compare with that file"


def _commit(revision: str, file: _Tracked) -> str:
    """Return the name of the commit that a revision means: what users wrote goes no further."""
    folder = Path(file.path).parent.as_posix()
    wrong = f"'{folder}' does not lie in a Git repository that can be read"
    if run_git(["rev-parse", "--git-dir"], file.top, wrong).strip() == b".":
        # The `.git` is broken and its neighbors look like a bare repository, which git before 2.38 takes instead.
        raise UserError(f"{wrong}: '{Path(file.top, '.git').as_posix()}' is broken")
    what = f"there is no revision '{revision}' in the repository of '{folder}'"
    found = run_git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], file.top, what)
    return found.decode("ascii", "replace").strip()


def _entry(commit: str, revision: str, file: _Tracked) -> tuple[str, int]:
    """Return the blob of a file in a commit, and its size in bytes."""
    listed = run_git(
        ["--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", commit, "--", file.inner],
        file.top,
        f"'{revision}' cannot be listed",
    )
    match = _ENTRY.fullmatch(listed)
    if match is None:
        raise UserError(f"'{file.path}' is not in '{revision}'", hint=_where_else(file))
    mode, kind, blob, size = match.groups()
    if kind != b"blob" or mode in (_LINK, _SUBMODULE):
        what = {_LINK: "a link", _SUBMODULE: "a submodule"}.get(mode, "a folder")
        raise UserError(f"'{file.path}' is {what} in '{revision}', not a file", hint="name the file itself")
    return blob.decode(), int(size)


def _where_else(file: _Tracked) -> str:
    """Say why git may not know a path: its folder is a link, or the file had another name."""
    inner = Path(file.inner).parent
    real = real_path(Path(file.top, inner))
    if real != real_path(file.top) / inner:
        return f"its folder is a link to '{real.as_posix()}': name the file there"
    return "'git log --all -- FILE' lists its revisions; for a renamed file, run tflint diff OLD NEW"
