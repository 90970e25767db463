"""Reads and lists files of a revision of a Git repository with the `git` program, without network or filters.

Input: a revision and a path in the working tree. Output: bytes, or files. Failures raise `UserError`.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path, PurePosixPath

from tflint.errors import UserError
from tflint.source.byte_source import BytesSource
from tflint.source.checkout_boundary import real_path, worktree_of
from tflint.source.file_kind import GIT_LFS_POINTER, detect_kind
from tflint.source.git_program import run_git
from tflint.values import frozen

#: Maximum size of a blob in bytes: tflint and git both hold the complete blob in memory.
MAX_BLOB_BYTES = 1 << 30
_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-)\t([^\0]*)\0")
_LINK, _SUBMODULE = b"120000", b"160000"


@frozen
class _TrackedFile:
    """A file in a working tree.

    `path` is the path as the user wrote it, `top` the top level of the working tree, and `inner` the file's path
    relative to `top`.
    """

    path: str
    top: str
    inner: str


@frozen
class RevisionEntry:
    """A file in a revision. `is_link` tells whether it is a symbolic link."""

    revision: str
    is_link: bool
    _file: _TrackedFile
    _blob: str
    _size: int

    @property
    def path(self) -> str:
        """Path of the file in the working tree. It begins with the path that the user wrote."""
        return self._file.path

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return self._size

    def read(self) -> bytes:
        """Return the content of the file. Raises `UserError` if it cannot be read."""
        return _read_blob(self._file, self.revision, self._blob, self._size)


def list_revision(revision: str, path: str, missing_hint: str = "") -> list[RevisionEntry]:
    """Return the files of a revision below a folder, or the file that a path names, sorted by path.

    The folder need not exist in the working tree. Raises `UserError` if the revision cannot be listed, with the hint
    `missing_hint` if the repository does not have the revision.
    """
    require_revision(revision)
    file = _find_in_worktree(path)
    commit = _resolve(revision, file, missing_hint)
    options = ["--literal-pathspecs", "ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--"]
    pathspec = [] if file.inner == "." else [file.inner]
    output = run_git([*options, *pathspec], file.top, f"'{revision}' cannot be listed")
    entries = []
    for mode, kind, blob, size, name in _ENTRY.findall(output):
        inner = PurePosixPath(os.fsdecode(name))
        if kind == b"blob":
            below = inner.relative_to(file.inner).as_posix()
            place = Path(path).as_posix() if below == "." else Path(path, below).as_posix()
            tracked = _TrackedFile(place, file.top, inner.as_posix())
            entries.append(RevisionEntry(revision, mode == _LINK, tracked, blob.decode(), int(size)))
    return sorted(entries, key=lambda entry: entry.path)


def read_revision(revision: str, path: str) -> bytes:
    """Return the content of a file in a revision, such as `HEAD~1`. Raises `UserError` if it cannot be read."""
    require_revision(revision)
    file = _find(path)
    content = _read_blob(file, revision, *_find_blob(_resolve(revision, file), revision, file))
    if detect_kind(BytesSource(content)).kind == GIT_LFS_POINTER:
        raise UserError(
            f"'{path}' is a Git LFS pointer in '{revision}': the model itself is not in the repository",
            hint=f"git lfs fetch, then {_manual_hint(revision, file, ' | git lfs smudge')}",
        )
    return content


def require_revision(revision: str) -> None:
    """Raise `UserError` for a text that is not the name of a revision, such as an option."""
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise UserError(f"'{revision}' is not a revision", hint="use a revision such as HEAD, HEAD~1, main or v1.2")


def _read_blob(file: _TrackedFile, revision: str, blob: str, size: int) -> bytes:
    if size > MAX_BLOB_BYTES:
        what = f"'{file.path}' has {size:,} bytes in '{revision}', more than the limit of {MAX_BLOB_BYTES:,}"
        raise UserError(what, hint=_manual_hint(revision, file))
    return run_git(["cat-file", "blob", blob], file.top, f"'{file.path}' of '{revision}' cannot be read")


def _find_in_worktree(path: str) -> _TrackedFile:
    """Return a file or folder with its working tree. It need not exist."""
    if not path:
        raise UserError("the path is empty")
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    folder = absolute
    while not os.path.isdir(folder) and folder != folder.parent:  # noqa: PTH112 (Path.is_dir raises for long paths)
        folder = folder.parent
    top = worktree_of(folder)
    if top is None:
        hint = "--git compares files with their versions in Git; without one: tflint diff OLD NEW"
        raise UserError(f"'{Path(path).as_posix()}' is not in a Git repository", hint=hint)
    inner = absolute.relative_to(top)
    if real_path(folder) != real_path(top) / folder.relative_to(top):
        what = f"'{Path(path).as_posix()}' leads through a link, which Git does not follow"
        raise UserError(what, hint=f"use the path '{real_path(folder).as_posix()}'")
    return _TrackedFile(path, str(top), inner.as_posix())


def _find(path: str) -> _TrackedFile:
    """Return a file with its working tree. Links in the path are not resolved, as in Git."""
    if not path:
        raise UserError("the path is empty")
    folder = Path(path).parent
    if not os.path.isdir(folder):  # noqa: PTH112 (Path.is_dir raises if the path is too long)
        raise UserError(f"the folder '{folder.as_posix()}' does not exist")
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    top = worktree_of(absolute.parent)
    if top is None:
        hint = "--git compares a file with its version in Git; without one: tflint diff OLD NEW"
        raise UserError(f"'{folder.as_posix()}' is not in a Git repository", hint=hint)
    return _TrackedFile(path, str(top), absolute.relative_to(top).as_posix())


def _manual_hint(revision: str, file: _TrackedFile, filter_command: str = "") -> str:
    command = f"git -C {shlex.quote(file.top)} cat-file blob {shlex.quote(f'{revision}:{file.inner}')}"
    return f"{command}{filter_command} > old.tflite, and compare with that file"


def _resolve(revision: str, file: _TrackedFile, missing_hint: str = "") -> str:
    return resolve_commit(revision, Path(file.path).parent.as_posix(), file.top, missing_hint)


def resolve_commit(revision: str, folder: str, top: str, missing_hint: str = "") -> str:
    """Return the commit hash of a revision. Later git commands get this hash, not the text that the user wrote.

    `folder` is the folder that an error message names, and `top` the top level of its working tree. If there is no such
    revision, and the clone is not shallow, the `UserError` has the hint `missing_hint`.
    """
    wrong = f"'{folder}' is not in a readable Git repository"
    if run_git(["rev-parse", "--git-dir"], top, wrong).strip() == b".":
        # If `.git` is invalid and the folder looks like a bare repository, git before 2.38 uses the folder itself.
        raise UserError(f"{wrong}: '{Path(top, '.git').as_posix()}' is invalid")
    what = f"there is no revision '{revision}' in the repository of '{folder}'"
    try:
        output = run_git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], top, what)
    except UserError as error:
        if run_git(["rev-parse", "--is-shallow-repository"], top, wrong).strip() == b"true":
            hint = "the clone is shallow: git fetch --unshallow, or fetch-depth: 0 for actions/checkout"
            raise UserError(error.message, hint=error.hint or hint) from None
        raise UserError(error.message, hint=error.hint or missing_hint) from None
    return output.decode("ascii", "replace").strip()


def _find_blob(commit: str, revision: str, file: _TrackedFile) -> tuple[str, int]:
    """Return the blob hash of a file in a commit, and its size in bytes."""
    output = run_git(
        ["--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", commit, "--", file.inner],
        file.top,
        f"'{revision}' cannot be listed",
    )
    match = _ENTRY.fullmatch(output)
    if match is None:
        raise UserError(f"'{file.path}' is not in '{revision}'", hint=_missing_hint(file))
    mode, kind, blob, size, _ = match.groups()
    if kind != b"blob" or mode in (_LINK, _SUBMODULE):
        what = {_LINK: "a link", _SUBMODULE: "a submodule"}.get(mode, "a folder")
        raise UserError(f"'{file.path}' is {what} in '{revision}', not a file", hint="use the path of a file")
    return blob.decode(), int(size)


def _missing_hint(file: _TrackedFile) -> str:
    """Return a hint for a file that is not in a revision: its folder is a link, or the file was renamed."""
    inner = Path(file.inner).parent
    real = real_path(Path(file.top, inner))
    if real != real_path(file.top) / inner:
        return f"the folder is a link to '{real.as_posix()}': use the path in that folder"
    return "'git log --all -- FILE' lists the file's revisions; for a renamed file, run tflint diff OLD NEW"
