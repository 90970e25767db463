"""Runs `git` on a file's repository so that committed files cannot influence what it does.

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
#: Maximum number of characters of git's message that an error quotes.
_MAX_QUOTED = 300
#: A bare repository can be committed as plain files; git would trust its configuration.
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
#: Variables that a hook sets for its own repository, and variables that change the meaning of a path.
_REMOVED = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE"),
    *("GIT_REPLACE_REF_BASE", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS"),
    "GIT_ICASE_PATHSPECS",
}
#: Git's message if another user owns the repository; the second is that of Git 2.35.2.
_DUBIOUS = re.compile(r"detected dubious ownership|unsafe repository")
#: The remedy in git's words, because git knows which path it compares.
_REMEDY = re.compile(r"git config --global --add safe\.directory \S.*")


def run_git(arguments: Sequence[str], top: str, wrong: str) -> bytes:
    """Run git in the top level of a working tree and return its output; `wrong` starts the message of a `UserError`."""
    program = find_program("git")
    if program is None:
        raise UserError("--git needs the program 'git', which is not on PATH", hint="compare two files")
    environment = {name: value for name, value in os.environ.items() if name.upper() not in _REMOVED} | _ENVIRONMENT
    # Keep git from searching above `top` if the `.git` there is invalid.
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
    """Return the path of a program found through absolute entries of PATH, or None if there is none.

    `subprocess` searches the current folder first on Windows, and relative entries elsewhere, so that a checkout could
    supply its own `git`. Batch files are skipped because `cmd.exe` would parse the arguments again.
    """
    file_name = f"{name}.exe" if os.name == "nt" else name
    here = os.path.realpath(".")
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        folder = entry.strip('"') if os.name == "nt" else entry
        if not Path(folder).is_absolute() or os.path.realpath(folder) == here:
            continue
        path = os.path.join(folder, file_name)  # noqa: PTH118 (entries of PATH are strings)
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113 (false if the entry is not a valid path)
            return path
    return None


def _git_error(message: str, top: str, wrong: str) -> UserError:
    """Build the error for a failed run, with the remedy if git does not trust the owner of the repository."""
    if _DUBIOUS.search(message):
        remedy = _REMEDY.search(message)
        command = remedy[0].strip() if remedy else f"git config --global --add safe.directory {shlex.quote(top)}"
        what = f"{wrong}: git refuses the repository '{Path(top).as_posix()}', because another user owns it"
        return UserError(what, hint=f"if you trust it: {command}")
    lines = [line for line in message.splitlines() if line.strip()]
    return UserError(f"{wrong}: {lines[0].removeprefix('fatal: ')[:_MAX_QUOTED]}" if lines else wrong)
