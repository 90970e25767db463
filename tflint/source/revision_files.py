"""Reads configurations, rules, baselines and contracts from a Git revision instead of the working tree.

Input: a revision and paths in working trees. Output: copies of the files in a temporary folder. A pull request changes
the working tree, but not the revision. Failures raise `UserError`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tflint.errors import UserError
from tflint.findings.fingerprint import hash_text
from tflint.source.checkout_boundary import worktree_of
from tflint.source.git_revision import RevisionEntry, list_revision
from tflint.userfiles.userfile import MAX_TEXT_BYTES

#: Suffix of the files in a folder of rules.
_RULES_SUFFIX = ".toml"
#: Maximum size of a baseline in bytes; other files are smaller.
_MAX_BYTES = 32 << 20


class RevisionFiles:
    """The files of a revision, such as `origin/main`, in every repository that contains a path.

    A file is copied when it is first needed. `close` deletes the copies. `folder` is the folder for the copies; without
    it, the object creates one.
    """

    def __init__(self, revision: str, folder: str = "") -> None:
        self.revision = revision
        self._folder = folder or tempfile.mkdtemp(prefix="tflint-")
        self._entries: dict[Path, dict[str, RevisionEntry]] = {}  # by top level

    def __reduce__(self) -> tuple[type[RevisionFiles], tuple[str, str]]:
        return RevisionFiles, (self.revision, self._folder)  # worker processes share the copies

    def close(self) -> None:
        """Delete the copies."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def locate(self, path: Path) -> Path:
        """Return the copy of a file or folder of the revision. If the revision does not have it, no file is there.

        Raises `UserError` if the path is not in a repository, or the repository does not have the revision.
        """
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
        top = self._find_top(absolute)
        inner = absolute.relative_to(top).as_posix()
        entries = self._list(top)
        if inner in entries:
            return self._copy(top, inner, entries[inner])
        prefix = f"{inner}/"
        below = [name for name in entries if name.startswith(prefix) and "/" not in name[len(prefix) :]]
        for name in below:
            if name.endswith(_RULES_SUFFIX):
                self._copy(top, name, entries[name])
        return self._place(top, inner)

    def describe(self, path: Path) -> str:
        """Return the name of a file of the revision, as Git writes it: `revision:path`."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100
        return f"{self.revision}:{absolute.relative_to(self._find_top(absolute)).as_posix()}"

    def _find_top(self, path: Path) -> Path:
        top = worktree_of(path.parent)
        if top is None:
            hint = "--config-from reads the configuration from a revision of the models' repository"
            raise UserError(f"'{path.parent.as_posix()}' is not in a Git repository", hint=hint)
        return top

    def _list(self, top: Path) -> dict[str, RevisionEntry]:
        if top not in self._entries:
            hint = "fetch the revision first; in GitHub Actions, set fetch-depth: 0 in actions/checkout"
            entries = list_revision(self.revision, str(top), hint)
            self._entries[top] = {Path(entry.path).relative_to(top).as_posix(): entry for entry in entries}
        return self._entries[top]

    def _place(self, top: Path, inner: str) -> Path:
        """Return the path of a copy. Each top level has a folder of its own."""
        return Path(self._folder, hash_text(str(top)), inner)

    def _copy(self, top: Path, inner: str, entry: RevisionEntry) -> Path:
        copy = self._place(top, inner)
        if copy.exists():
            return copy
        if entry.is_link:
            raise UserError(f"'{inner}' is not a file in '{self.revision}'", hint="links are not followed")
        limit = MAX_TEXT_BYTES if inner.endswith(_RULES_SUFFIX) else _MAX_BYTES
        if entry.size > limit:
            raise UserError(f"'{inner}' has {entry.size:,} bytes in '{self.revision}', more than {limit:,}")
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = entry.read()
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(copy)  # another process may copy the same file
        return copy
