"""Runs `git` in a repository in such a way that committed files cannot influence what `git` does.

Input: arguments and the top level of a working tree. Output: git's output. Failures raise `UserError`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tflint.errors import UserError

TIMEOUT_SECONDS = 120
#: Maximum number of characters that an error message quotes from git's message.
_MAX_QUOTED = 300
#: Git settings. A bare repository can be committed as plain files; by default, git would trust its configuration.
_SETTINGS = ("-c", "safe.bareRepository=explicit", "-c", "protocol.allow=never", "-c", "core.fsmonitor=false")
#: Disable all protocols. Unlike `protocol.allow`, GIT_ALLOW_PROTOCOL cannot be overridden by configuration, and unlike
#: GIT_NO_LAZY_FETCH (Git 2.45 and later), every version of git supports it.
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",  # error messages are matched
}
#: Environment variables to remove: git sets some for hooks, so that they name another repository, and others change the
#: meaning of a path.
_REMOVED = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE"),
    *("GIT_REPLACE_REF_BASE", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS"),
    "GIT_ICASE_PATHSPECS",
}
#: Git's message if another user owns the repository. The second alternative is the message of Git 2.35.2.
_DUBIOUS = re.compile(r"detected dubious ownership|unsafe repository")
#: The command that git's message suggests. It is repeated verbatim, because git knows which path it compares.
_REMEDY = re.compile(r"git config --global --add safe\.directory \S.*")


def run_git(arguments: Sequence[str], top: str, wrong: str) -> bytes:
    """Run git in the top level of a working tree and return its output.

    Raises `UserError` if git fails; its message begins with `wrong`.
    """
    program = find_program("git")
    if program is None:
        raise UserError(f"{wrong}: this needs the program 'git', which is not on PATH")
    environment = {name: value for name, value in os.environ.items() if name.upper() not in _REMOVED} | _ENVIRONMENT
    # If the `.git` in `top` is invalid, git must not search the folders above `top`.
    environment["GIT_CEILING_DIRECTORIES"] = str(Path(top).parent)
    try:
        result = subprocess.run(
            [program, *_SETTINGS, *arguments],
            cwd=top,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UserError(f"{wrong}: git took more than {TIMEOUT_SECONDS} seconds") from None
    except (OSError, ValueError) as error:  # ValueError: an argument contains a NUL
        raise UserError(f"{wrong}: {error}") from None
    if result.returncode:
        raise _git_error(result.stderr.decode("utf-8", "replace"), top, wrong)
    return result.stdout


def find_program(name: str) -> str | None:
    """Return the path of a program in an absolute folder of PATH other than the current folder, or None.

    `subprocess` is not left to search: on Windows, it searches the current folder first; on other systems, it searches
    relative folders of PATH. A checkout could thus supply its own `git`. On Windows, batch files are not considered,
    because `cmd.exe` would parse their arguments a second time.
    """
    file_name = f"{name}.exe" if os.name == "nt" else name
    here = os.path.realpath(".")
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        folder = entry.strip('"') if os.name == "nt" else entry
        if not Path(folder).is_absolute() or os.path.realpath(folder) == here:
            continue
        path = os.path.join(folder, file_name)  # noqa: PTH118 (entries of PATH are strings)
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113 (false if PATH has an invalid entry)
            return path
    return None


def _git_error(message: str, top: str, wrong: str) -> UserError:
    """Build the error for a failed run of git. If git does not trust the repository's owner, a hint says what to do."""
    if _DUBIOUS.search(message):
        remedy = _REMEDY.search(message)
        command = remedy[0].strip() if remedy else f"git config --global --add safe.directory {shlex.quote(top)}"
        what = f"{wrong}: git refuses the repository '{Path(top).as_posix()}', because another user owns it"
        return UserError(what, hint=f"if you trust it: {command}")
    lines = [line for line in message.splitlines() if line.strip()]
    return UserError(f"{wrong}: {lines[0].removeprefix('fatal: ')[:_MAX_QUOTED]}" if lines else wrong)
