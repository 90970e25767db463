"""Reads files from a revision of their Git repository with the `git` program, without network or filters.

Input: a revision and a path in the working tree. Output: bytes, or the list of files. Failures raise `UserError`.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

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
class TreeEntry:
    """A file in a revision: the hash of its blob and its size in bytes. `is_file` is false for links and submodules."""

    blob: str
    size: int
    is_file: bool


def list_revision(revision: str, top: str, missing_hint: str = "") -> dict[str, TreeEntry]:
    """Return all files of a revision by their path in the working tree with the top level `top`.

    Raises `UserError` if the repository does not have the revision, with the hint `missing_hint`.
    """
    _require_revision(revision)
    file = _TrackedFile(str(Path(top, ".")), top, ".")
    commit = _resolve_commit(revision, file, missing_hint)
    output = run_git(["ls-tree", "-r", "-z", "-l", "--full-tree", commit], top, f"'{revision}' cannot be listed")
    entries = {}
    for match in _ENTRY.finditer(output):
        mode, kind, blob, size = match.groups()[:4]
        is_file = kind == b"blob" and mode not in (_LINK, _SUBMODULE)
        entries[os.fsdecode(match[5])] = TreeEntry(blob.decode(), int(size) if size != b"-" else 0, is_file)
    return entries


def read_blob(blob: str, top: str, wrong: str) -> bytes:
    """Return the content of a blob by its hash. The message of a failure begins with `wrong`."""
    return run_git(["cat-file", "blob", blob], top, wrong)


def _require_revision(revision: str) -> None:
    """Raise `UserError` if a text cannot be a revision, such as an option of git."""
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise UserError(f"'{revision}' is not a revision", hint="use a revision such as HEAD, HEAD~1, main or v1.2")


def read_revision(revision: str, path: str) -> bytes:
    """Return the content of a file in a revision, such as `HEAD~1`. Raises `UserError` if it cannot be read."""
    _require_revision(revision)
    file = _find(path)
    blob, size = _find_blob(_resolve_commit(revision, file), revision, file)
    if size > MAX_BLOB_BYTES:
        what = f"'{path}' has {size:,} bytes in '{revision}', more than the limit of {MAX_BLOB_BYTES:,}"
        raise UserError(what, hint=_manual_hint(revision, file))
    content = read_blob(blob, file.top, f"'{path}' of '{revision}' cannot be read")
    if detect_kind(BytesSource(content)).kind == GIT_LFS_POINTER:
        raise UserError(
            f"'{path}' is a Git LFS pointer in '{revision}': the model itself is not in the repository",
            hint=f"git lfs fetch, then {_manual_hint(revision, file, ' | git lfs smudge')}",
        )
    return content


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


def _resolve_commit(revision: str, file: _TrackedFile, missing_hint: str = "") -> str:
    """Return the commit hash of a revision. Later git commands get this hash, not the text that the user wrote.

    If there is no such revision, the `UserError` has the hint `missing_hint`.
    """
    folder = Path(file.path).parent.as_posix()
    wrong = f"'{folder}' is not in a readable Git repository"
    if run_git(["rev-parse", "--git-dir"], file.top, wrong).strip() == b".":
        # If `.git` is invalid and the folder looks like a bare repository, git before 2.38 uses the folder itself.
        raise UserError(f"{wrong}: '{Path(file.top, '.git').as_posix()}' is invalid")
    what = f"there is no revision '{revision}' in the repository of '{folder}'"
    try:
        output = run_git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], file.top, what)
    except UserError as error:
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
