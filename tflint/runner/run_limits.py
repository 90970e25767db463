"""Limits of a whole run, checked between groups of files. Files beyond a limit are reported as unchecked.

The limits are for runs on files from strangers. What they allow depends on the machine, so they are off by default.
(The budgets that bound a single file do not depend on the machine.)
"""

from __future__ import annotations

import sys
import time

from tflint.values import frozen


@frozen
class Limits:
    """The limits of a run. A limit is None if it is not set.

    `max_seconds` is wall-clock time since `started`, a time of the monotonic clock. `max_bytes` is the largest allowed
    peak of resident memory of any process.
    """

    started: float = 0.0
    max_seconds: float | None = None
    max_bytes: int | None = None

    @property
    def are_set(self) -> bool:
        """Whether at least one limit is set."""
        return self.max_seconds is not None or self.max_bytes is not None

    def describe_reached(self) -> str:
        """Return a sentence about the limit that the run has reached. The result is empty if it has reached none."""
        if self.max_seconds is not None and time.monotonic() - self.started > self.max_seconds:
            return f"the run took longer than --max-seconds ({self.max_seconds:g} s) before this file was checked"
        if self.max_bytes is not None and peak_bytes() > self.max_bytes:
            limit = f"{self.max_bytes // 1_000_000:,} MB"
            return f"a process used more than --max-memory ({limit}) before this file was checked"
        return ""


#: A run without limits.
NO_LIMITS = Limits()


def peak_bytes() -> int:
    """Return the peak of resident memory of this process in bytes, or 0 on Windows, which does not report it."""
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
