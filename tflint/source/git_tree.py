"""Compares files of a working tree with a revision of its Git repository, without network or filters.

Input: a revision, and paths in the working tree. Output: whether a file differs, and its content in the revision. Git's
own `git diff` is not used, because it runs the filters of the user's configuration (such as `git lfs`) on files.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from tflint.errors import UserError
from tflint.source.byte_source import BytesSource
from tflint.source.checkout_boundary import real_path, worktree_of
from tflint.source.file_kind import GIT_LFS_POINTER, FileKind, detect_kind
from tflint.source.git_program import run_git
from tflint.source.git_revision import MAX_BLOB_BYTES, require_revision, resolve_commit

#: A regular file in the output of `git ls-tree -z`. Links and submodules have other modes.
_FILE = re.compile(rb"100\d{3} blob ([0-9a-f]{40,64})\t([^\0]+)\0")
_RENAME = re.compile(rb"R\d+\0([^\0]+)\0([^\0]+)\0")
#: Maximum size of a Git LFS pointer (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md).
_MAX_POINTER_BYTES = 1024
_CHUNK_BYTES = 1 << 20


class GitTree:
    """The regular files of a revision. `top` is the top level of the working tree, with links resolved."""

    def __init__(self, top: Path, revision: str, folder: str) -> None:
        self.top = top
        self.revision = revision
        self._commit = resolve_commit(revision, folder, str(top))
        what = f"'{revision}' cannot be listed"
        listing = run_git(["ls-tree", "-r", "-z", "--full-tree", self._commit], str(top), what)
        self._blobs = {os.fsdecode(path): blob.decode() for blob, path in _FILE.findall(listing)}
        self._renames: dict[str, str] | None = None

    def locate(self, path: str) -> str | None:
        """Return a path relative to the top level, with links resolved, or None if it is not in this repository."""
        try:
            real = real_path(path)
        except (OSError, ValueError):  # too many segments, or a NUL
            return None
        return real.relative_to(self.top).as_posix() if worktree_of(real.parent) == self.top else None

    def has(self, inner: str) -> bool:
        """Return whether the revision has a regular file with this path, relative to the top level."""
        return inner in self._blobs

    def read(self, inner: str) -> bytes:
        """Return the content of a file in the revision. Raises `UserError` if it cannot be read or is too large."""
        blob, what = self._blobs[inner], f"'{inner}' of '{self.revision}' cannot be read"
        size = int(run_git(["cat-file", "-s", blob], str(self.top), what))
        if size > MAX_BLOB_BYTES:
            raise UserError(f"it has {size:,} bytes in '{self.revision}', more than {MAX_BLOB_BYTES:,}")
        return run_git(["cat-file", "blob", blob], str(self.top), what)

    def pointer(self, inner: str) -> FileKind | None:
        """Return the Git LFS pointer that a file is in the revision, or None if it is something else."""
        blob, what = self._blobs[inner], f"'{inner}' of '{self.revision}' cannot be read"
        if int(run_git(["cat-file", "-s", blob], str(self.top), what)) > _MAX_POINTER_BYTES:
            return None
        kind = detect_kind(BytesSource(run_git(["cat-file", "blob", blob], str(self.top), what)))
        return kind if kind.kind == GIT_LFS_POINTER else None

    def is_unchanged(self, inner: str) -> bool:
        """Return whether the working tree has the same file as the revision, or neither has one."""
        path, blob = self.top / inner, self._blobs.get(inner)
        if blob is None or not path.is_file():
            return blob is None and not os.path.lexists(path)
        if _hash_blob(path, blob) == blob or _hash_text(path, blob) == blob:
            return True
        pointer = self.pointer(inner)
        return pointer is not None and is_target(pointer, path)

    def find_old_path(self, inner: str) -> str | None:
        """Return the path of a file in the revision: its own, or the one from which it was renamed, or None."""
        if self.has(inner):
            return inner
        old = self._committed_renames().get(inner)
        if old is not None and self.has(old):
            return old
        path = self.top / inner
        if not path.is_file() or not self._blobs:
            return None
        blob = _hash_blob(path, next(iter(self._blobs.values())))
        equal = (other for other, own in self._blobs.items() if own == blob)
        return next((other for other in equal if not os.path.lexists(self.top / other)), None)

    def _committed_renames(self) -> dict[str, str]:
        """Return the old path of each file that was renamed, perhaps with changes, between the revision and HEAD."""
        if self._renames is None:
            arguments = ["diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status", self._commit, "HEAD"]
            try:
                output = run_git(arguments, str(self.top), "renamed files cannot be found")
            except UserError:  # such as a partial clone without the old content
                output = b""
            self._renames = {os.fsdecode(new): os.fsdecode(old) for old, new in _RENAME.findall(output)}
        return self._renames


class GitTrees:
    """The trees of a revision in the repositories that paths are in. Each repository is listed once."""

    def __init__(self, revision: str) -> None:
        require_revision(revision)
        self.revision = revision
        self._trees: dict[Path, GitTree] = {}

    def locate(self, path: str) -> tuple[GitTree, str]:
        """Return the tree for a path, and the path relative to the top level of the repository. Links are followed.

        Raises `UserError` if the path is not in a repository, or the repository does not have the revision.
        """
        real = real_path(path)
        top = worktree_of(real.parent)
        folder = Path(path).parent.as_posix()
        if top is None:
            hint = "--since compares files with a revision of their repository"
            raise UserError(f"'{folder}' is not in a Git repository", hint=hint)
        if top not in self._trees:
            self._trees[top] = GitTree(top, self.revision, folder)
        return self._trees[top], real.relative_to(top).as_posix()


def is_target(pointer: FileKind, path: Path) -> bool:
    """Return whether a file is the one that a Git LFS pointer refers to."""
    return pointer.lfs_size == path.stat().st_size and pointer.lfs_oid == _hash_file(path, hashlib.sha256())


def _hash_blob(path: Path, like: str) -> str:
    """Return the hash that Git gives the content of a file, with the algorithm of the hash `like`."""
    digest = hashlib.sha1(usedforsecurity=False) if len(like) == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % path.stat().st_size)
    return _hash_file(path, digest)


def _hash_text(path: Path, like: str) -> str:
    """Return the hash of a small text file with the line ends that Git stores if it converts them on checkout."""
    if path.suffix not in (".toml", ".txt", ".csv"):
        return ""
    content = path.read_bytes().replace(b"\r\n", b"\n")
    digest = hashlib.sha1(usedforsecurity=False) if len(like) == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(content) + content)
    return digest.hexdigest()


def _hash_file(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
