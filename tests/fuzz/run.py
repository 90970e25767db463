"""Fuzzes a target with libFuzzer's feedback: `python -m tests.fuzz.run TARGET FOLDER [libFuzzer options]`.

FOLDER holds the growing corpus; seeds are put there first, and `FOLDER.tally` counts. Needs the extra `fuzz`. A failure
ends the run and leaves its input behind; with `--keep-going` it is saved in `FOLDER.found`, once for each place that
failed.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tflint"]):
    from tests.fuzz import mutate, seeds
    from tests.fuzz.targets import MUTATORS, SEEDS, TARGETS
    from tests.fuzz.warm import import_all

    import_all()

#: Longer inputs find little that shorter ones do not, and cost in proportion.
MAX_BYTES = 32 * 1024
#: Seconds after which the tally is written again.
WRITTEN_EVERY = 2.0


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's own limits end the run."""
    rest = [argument for argument in arguments if argument != "--keep-going"]
    target, folder, options = rest[0], Path(rest[1]), rest[2:]
    folder.mkdir(parents=True, exist_ok=True)
    begin = SEEDS.get(target, seeds.inputs)()
    seeds.write(folder, begin)
    found = folder.with_suffix(".found") if "--keep-going" in arguments else None
    tally = Tally(TARGETS[target], folder.with_suffix(".tally"), found)

    change = MUTATORS.get(target, mutate.mutated)
    donors = begin if target in SEEDS else seeds.models()

    def mutator(content: bytes, max_size: int, seed: int) -> bytes:
        return change(content, random.Random(seed), donors, max_size)

    libfuzzer = [f"-max_len={MAX_BYTES}", "-timeout=300", "-rss_limit_mb=3000", "-print_final_stats=1", *options]
    atheris.Setup([sys.argv[0], str(folder), *libfuzzer], tally.run, custom_mutator=mutator)
    atheris.Fuzz()


class Tally:
    """Runs a target and counts: executions, models, processor seconds, failures; written down as the run goes on."""

    def __init__(self, test: Callable[[bytes], int], path: Path, found: Path | None) -> None:
        self._test, self._path, self._found = test, path, found
        self._counts = {"executions": 0, "models": 0, "failures": 0}
        self._seen: set[str] = set()
        self._written = 0.0

    def run(self, content: bytes) -> None:
        """The target on one input; a failure is raised, or saved where there is a folder for it."""
        self._counts["executions"] += 1
        try:
            self._counts["models"] += self._test(content)
        except Exception as error:  # whatever it is, it is what is looked for
            self._counts["failures"] += 1
            if self._found is None:
                raise
            self._save(content, error)
        if time.monotonic() - self._written >= WRITTEN_EVERY:
            self._written = time.monotonic()
            seconds = {"processor_seconds": round(time.process_time())}
            self._path.write_text(json.dumps(self._counts | seconds), encoding="utf-8")

    def _save(self, content: bytes, error: Exception) -> None:
        """Failures that happen at one place are one."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        checksum = hashlib.sha256(str(error)[:60].encode()).hexdigest()[:6]
        name = f"{type(error).__name__}-{Path(last.filename).stem}-{last.lineno}-{checksum}"
        if self._found is None or name in self._seen:
            return
        self._seen.add(name)
        self._found.mkdir(parents=True, exist_ok=True)
        (self._found / name).write_bytes(content)
        print(f"FOUND {name}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
