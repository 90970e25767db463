"""Limits of a whole run, checked between groups of files. Every file beyond a limit is reported as unchecked.

They bound a run on files that someone else chose. A single file is bounded by budgets, which do not depend on the
machine; these do, so they are off by default.
"""

from __future__ import annotations

import sys
import time

from tflint.values import frozen


@frozen
class Limits:
    """When a run stops: a number of seconds after `started` (monotonic clock), or at a peak of resident memory in bytes
    of one of its processes. None: never.
    """

    started: float = 0.0
    max_seconds: float | None = None
    max_bytes: int | None = None

    @property
    def are_set(self) -> bool:
        """Whether there is any limit."""
        return self.max_seconds is not None or self.max_bytes is not None

    def reached(self) -> str:
        """Return which limit is reached, in words; empty if none is."""
        if self.max_seconds is not None and time.monotonic() - self.started > self.max_seconds:
            return f"the run took longer than --max-seconds ({self.max_seconds:g} s) before this file was checked"
        if self.max_bytes is not None and peak_bytes() > self.max_bytes:
            limit = f"{self.max_bytes // 1_000_000:,} MB"
            return f"a process used more than --max-memory ({limit}) before this file was checked"
        return ""


#: A run without limits.
NO_LIMITS = Limits()


def peak_bytes() -> int:
    """Return the peak of resident memory of this process; 0 if the system does not tell (Windows)."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
