"""Count the executions of a fuzzer, and save the inputs that fail."""

from __future__ import annotations

import hashlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

#: Seconds after which the tally is written again.
WRITTEN_EVERY = 2.0


class Tally:
    """Runs a target and counts executions, models, CPU seconds and failures; writes the counts during the run."""

    def __init__(self, test: Callable[[bytes], int], path: Path, found: Path | None) -> None:
        self._test, self._path, self._found = test, path, found
        self._counts = {"executions": 0, "models": 0, "failures": 0}
        self._seen: set[str] = set()
        self._written = 0.0

    def run(self, content: bytes) -> None:
        """Run the target on one input; save a failure if there is a folder for failures, else raise it."""
        self._counts["executions"] += 1
        try:
            self._counts["models"] += self._test(content)
        except Exception as error:  # whatever it is, it is what is looked for
            self._counts["failures"] += 1
            if self._found is None:
                raise
            self._save(content, error)
        if time.monotonic() - self._written >= WRITTEN_EVERY:
            self.write()

    def write(self) -> None:
        """Write the counts."""
        self._written = time.monotonic()
        seconds = {"processor_seconds": round(time.process_time())}
        self._path.write_text(json.dumps(self._counts | seconds), encoding="utf-8")

    def _save(self, content: bytes, error: Exception) -> None:
        """Save an input, once per place and error message."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        checksum = hashlib.sha256(str(error)[:60].encode()).hexdigest()[:6]
        name = f"{type(error).__name__}-{Path(last.filename).stem}-{last.lineno}-{checksum}"
        if self._found is None or name in self._seen:
            return
        self._seen.add(name)
        self._found.mkdir(parents=True, exist_ok=True)
        (self._found / name).write_bytes(content)
        print(f"FOUND {name}: {error}", file=sys.stderr, flush=True)
