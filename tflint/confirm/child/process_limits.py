"""Limits what the child process can do before it imports a runtime.

The limits contain accidents: crashes, endless loops, memory exhaustion. They are not a sandbox against an attacker who
can run code in the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

#: Largest file in bytes that the process may write.
MAX_FILE_BYTES = 64 << 20

# Constants of Linux that the standard library does not have.
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def restrict_process(parent: int) -> dict[str, bool]:
    """Restrict this process for its whole life; return which restrictions are in force.

    `parent` is the id of the process that started this one. The process ends with it on Linux. Call this while the
    process has only one thread.
    """
    in_force = {"files": False, "core_dumps": False, "network": False, "ends_with_parent": False}
    if sys.platform == "win32":
        return in_force
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        in_force["core_dumps"] = True
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
        in_force["files"] = True
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        in_force["ends_with_parent"] = libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
        if os.getppid() != parent:  # the parent ended before the call
            os._exit(1)
        # A new network namespace has no interfaces. Without privileges, it needs a new user namespace.
        in_force["network"] = libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWNET) == 0
    return in_force


def limit_model(max_bytes: int, max_seconds: float) -> None:
    """Limit the address space of this process in bytes, and the CPU seconds that it may use from now on."""
    limit_memory(max_bytes)
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_soft_limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + max_seconds) + 1)


def limit_memory(max_bytes: int) -> None:
    """Limit the address space of this process in bytes."""
    if sys.platform == "win32":
        return
    import resource

    _set_soft_limit(resource.RLIMIT_AS, max_bytes)


def _set_soft_limit(kind: int, value: int) -> None:
    """Set a soft limit, so that the next model can have another."""
    import resource

    with contextlib.suppress(ValueError, OSError):  # macOS does not limit the address space
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def used_address_space() -> int:
    """Return the bytes of address space that this process uses; 0 if the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 (called per model; Path needs twice the time)
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return 0


def release_memory() -> None:
    """Return freed memory to the system, so that one model does not count against the next."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
