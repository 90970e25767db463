"""Limits the wall-clock time that requests to a child take together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class RequestClock:
    """Calls `on_end` once the time that was spent inside `running` exceeds the limit.

    Only requests count: the work of tflint between them is not the model's fault.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._lock = threading.Lock()
        self._seconds_left: float | None = None
        self._current: object = None
        self.has_ended = False

    def set(self, seconds: float | None) -> None:
        """Set the seconds that requests may take from now on; None means no limit."""
        self._seconds_left = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of a request."""
        if self._seconds_left is None:
            yield
            return
        token = object()
        with self._lock:
            self._current = token
        if self._seconds_left <= 0:
            self._end(token)
        timer = threading.Timer(max(self._seconds_left, 0.0), self._end, (token,))
        timer.daemon = True
        begin = time.monotonic()
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:  # a timer that is about to call `_end` must not end a later request
                self._current = None
            self._seconds_left -= time.monotonic() - begin

    def _end(self, token: object) -> None:
        with self._lock:
            if token is not self._current:
                return
            self.has_ended = True
        self._on_end()
