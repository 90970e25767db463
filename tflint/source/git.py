"""Reads a file as it is in a revision of its Git repository, with the `git` program; no network, no filters.

Takes a revision and a path of the working tree; gives bytes. What is in the way is a `UserError`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tflint.errors import UserError
from tflint.source.kind import GIT_LFS_POINTER, kind_of
from tflint.source.source import BytesSource

#: A file that is larger is not read from a repository: it would lie in memory as a whole, here and in git.
MAX_BLOB_BYTES = 1 << 30
TIMEOUT_SECONDS = 120
#: Most characters that an error shows of what git said.
_MAX_SAID = 300
#: What a repository may not make git do: ask a server for objects that it lacks, or start a program.
_SETTINGS = ("-c", "protocol.allow=never", "-c", "core.fsmonitor=false")
#: Variables that lead git elsewhere than to the file's own repository: a hook has them.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE")
#: Variables that change what a path means.
_PATHSPECS = ("GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS")
_ENTRY = re.compile(rb"(\d{6}) (\w+) ([0-9a-f]{40,64}) +(\d+|-)\t[^\0]*\0")
_LINK, _SUBMODULE = b"120000", b"160000"


def read_revision(revision: str, path: str) -> bytes:
    """The content of a file in a revision, such as `HEAD~1`; `UserError` where it cannot be had."""
    if not path:
        raise UserError("an empty path")
    folder = Path(path).parent
    if not folder.is_dir():
        raise UserError(f"there is no folder '{folder.as_posix()}' to look for a Git repository in")
    commit = _commit(revision, folder)
    blob, size = _entry(commit, revision, path)
    if size > MAX_BLOB_BYTES:
        what = f"'{path}' has {size:,} bytes in '{revision}', more than the {MAX_BLOB_BYTES:,} that are read"
        raise UserError(what, hint=_by_hand(revision, path))
    content = _git(["cat-file", "blob", blob], folder, f"'{path}' of '{revision}' cannot be read")
    if kind_of(BytesSource(content)).kind == GIT_LFS_POINTER:
        raise UserError(
            f"'{path}' is a Git LFS pointer in '{revision}': the model itself is not in the repository",
            hint=f"git lfs fetch, then {_by_hand(revision, path, ' | git lfs smudge')}",
        )
    return content


def _by_hand(revision: str, path: str, smudged: str = "") -> str:
    blob = shlex.quote(f"{revision}:./{Path(path).name}")
    return f"git cat-file blob {blob}{smudged} > old.tflite in its folder, and compare with that file"


def _commit(revision: str, folder: Path) -> str:
    """The commit that a revision means, as an object's name: what users wrote goes no further."""
    if not revision or revision.startswith("-") or not revision.isprintable():
        raise UserError(f"'{revision}' is no revision", hint="such as HEAD, HEAD~1, main or v1.2")
    _git(["rev-parse", "--git-dir"], folder, f"'{folder.as_posix()}' does not lie in a Git repository that can be read")
    what = f"there is no revision '{revision}' in the repository of '{folder.as_posix()}'"
    found = _git(["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], folder, what)
    return found.decode("ascii", "replace").strip()


def _entry(commit: str, revision: str, path: str) -> tuple[str, int]:
    """The blob of a file in a commit, and its size in bytes."""
    wanted = Path(path)
    listed = _git(
        ["--literal-pathspecs", "ls-tree", "-z", "-l", commit, "--", f"./{wanted.name}"],
        wanted.parent,
        f"'{revision}' cannot be listed",
    )
    match = _ENTRY.fullmatch(listed)
    if match is None:
        hint = "git log --all -- FILE says in which revisions it is; a file that was renamed is compared as OLD NEW"
        raise UserError(f"'{path}' is not in '{revision}'", hint=hint)
    mode, kind, blob, size = match.groups()
    if kind != b"blob" or mode in (_LINK, _SUBMODULE):
        what = {_LINK: "a link", _SUBMODULE: "a submodule"}.get(mode, "a folder")
        raise UserError(f"'{path}' is {what} in '{revision}', no file", hint="name the file itself")
    return blob.decode(), int(size)


def _git(arguments: Sequence[str], folder: Path, wrong: str) -> bytes:
    """What git prints; `UserError` that says what is wrong where it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE + _PATHSPECS}
    environment |= {"GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *_SETTINGS, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise UserError("--git needs the program git, which is not to be found", hint="compare two files") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{wrong}: git took more than {TIMEOUT_SECONDS} seconds") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
        raise UserError(f"{wrong}: {error}") from None
    if done.returncode:
        raise UserError(f"{wrong}{_said(done.stderr)}")
    return done.stdout


def _said(stderr: bytes) -> str:
    """The first line of what git said, for the end of an error."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {lines[0].removeprefix('fatal: ')[:_MAX_SAID]}" if lines else ""
