"""States of files: texts that change if a file changes, and the times after which a state can be trusted."""

from __future__ import annotations

import os

#: State of a path that does not exist.
MISSING = "-"
#: State of a path of which only its existence counts.
EXISTS = "+"
#: The system's clock for files may be this much behind the clock of processes: at most one tick of 10 ms on Linux.
_TICK_NS = 20_000_000
#: Some file systems store times in seconds (older ones) or in units of two seconds (FAT).
_COARSE_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


def read_state(path: str) -> str:
    """Return the state of what a path leads to: device, inode, size, mode, and the times of modification and change.

    The times are in nanoseconds. Raises `OSError` if the state cannot be read.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    return (
        f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mode} {status.st_mtime_ns} {status.st_ctime_ns}"
    )


def is_unchanged(path: str, state: str) -> bool:
    """Return whether a path still has a state that was read earlier."""
    try:
        return os.path.lexists(path) if state == EXISTS else read_state(path) == state
    except (OSError, ValueError):
        return False


def is_settled(state: str, begin_ns: int) -> bool:
    """Return whether a state can be trusted by a run that began at `begin_ns`, in nanoseconds since 1970.

    It cannot be trusted if the file may have been changed after the run began: the times of a file have a limited
    resolution, so a second change within the same tick leaves the state as it is.
    """
    if state in (MISSING, EXISTS):
        return True
    modified, changed = map(int, state.split()[-2:])
    is_coarse = not modified % _SECOND_NS or not changed % _SECOND_NS
    return max(modified, changed) + (_COARSE_NS if is_coarse else _TICK_NS) < begin_ns
