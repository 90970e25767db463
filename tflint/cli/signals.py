"""Turns termination signals into an exception, so that tflint removes temporary files and stops worker processes."""

from __future__ import annotations

import signal
from types import FrameType


class Terminated(BaseException):
    """Raised when the process receives a termination signal. `reason` is the message to print, `code` the exit code."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.reason = {signal.SIGTERM: "terminated"}.get(signal.Signals(number), "the terminal was closed")
        self.code = 128 + number


def raise_on_termination() -> None:
    """Raise `Terminated` in the main thread on SIGTERM and SIGHUP, unless the parent ignores the signal (nohup)."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise)


def _raise(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the cleanup
    raise Terminated(number)
