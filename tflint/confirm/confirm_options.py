"""The options of a confirmation."""

from __future__ import annotations

from tflint.values import frozen

#: Default limit of wall-clock seconds per model and runtime.
MAX_SECONDS = 20.0


@frozen
class ConfirmOptions:
    """Options of a confirmation.

    `runtime` is the package to use, such as ai-edge-litert; None chooses those of the targets. `max_seconds` is the
    limit of wall-clock time per model and runtime. `jobs` is the number of child processes that run at the same time.
    """

    runtime: str | None = None
    max_seconds: float = MAX_SECONDS
    jobs: int = 1
