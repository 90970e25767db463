"""A lock on a file that the operating system releases when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tflint.registry.model_registry import UnreachableError

#: Time in seconds to wait for a different process, and between two attempts.
MAX_WAIT_SECONDS = 30.0
_STEP_SECONDS = 0.02


@contextlib.contextmanager
def hold_lock(path: Path, max_seconds: float = MAX_WAIT_SECONDS) -> Iterator[None]:
    """Hold the lock of a file. Raises `UnreachableError` if a different process holds it for too long."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise UnreachableError(f"'{path}' cannot be locked: {error.strerror or error}") from error
    try:
        deadline = time.monotonic() + max_seconds
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise UnreachableError(f"a different process has held '{path}' for {max_seconds:g} s")
            time.sleep(_STEP_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
