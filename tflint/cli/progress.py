"""Progress bar with the number of files that are done. It appears on a terminal, and only after one second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

#: Shorter runs show no progress bar.
PATIENCE_SECONDS = 1.0


class Progress:
    """Callback that takes the number of files done and the number of all files, and draws a progress bar.

    `label` says what is done with the files. Imports rich when it draws the bar for the first time.
    """

    def __init__(self, label: str = "checking") -> None:
        self._label = label
        self._started = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Update the bar. Does nothing in the first second, or if standard error is not a terminal."""
        if sys.stderr is None or not sys.stderr.isatty() or time.monotonic() - self._started < PATIENCE_SECONDS:
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._label, total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done)
