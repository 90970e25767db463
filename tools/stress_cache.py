"""Uses one cache from many processes that are killed at random: `python -m tools.stress_cache --seconds 60`.

Each worker has its own folder of models, which it changes at random before each run of `tflint check`. All share the
cache. Runs of different workers have equal paths and contents, so they find each other's entries. Some runs are killed
after a random time; the reports of all others are compared with those of a run without a cache. The exit code is 1 if a
report differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tflint.cache.cache_folder import FOLDER_VARIABLE
from tflint.resources import rules_folder

CHECKOUT = Path(__file__).resolve().parent.parent
#: Number of models in the folder of each worker, and of the models that they are taken from.
N_FILES, N_CONTENTS = 6, 40
#: Share of the runs that are killed, and the longest time in seconds after which that happens.
KILLED, LONGEST = 0.4, 0.5


def load_contents() -> list[bytes]:
    """Return the bytes of some named models, each once as it is and once with a renamed input."""
    paths = sorted((rules_folder() / "models").glob("*.tflite"))[:N_CONTENTS]
    contents = [path.read_bytes() for path in paths]
    return contents + [content.replace(b"input", b"image") for content in contents]


class Worker:
    """A worker with a folder of its own. `tally` counts runs by result: equal, cached, killed, different."""

    def __init__(self, folder: Path, cache: Path, contents: list[bytes], seed: int) -> None:
        self.folder, self.cache, self.contents = folder, cache, contents
        self.random = random.Random(seed)
        self.tally: Counter[str] = Counter()
        folder.mkdir()

    def work(self, seconds: float) -> Counter[str]:
        """Change files, run tflint and compare, until the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(self.random.randrange(3)):
                self._change()
            time.sleep(self.random.choice([0, 0.03]))  # a file that has just been written is not trusted
            if self.random.random() < KILLED:
                self._run_and_kill()
            else:
                self._compare()
        return self.tally

    def _change(self) -> None:
        """Write a model in place, replace it, or remove it."""
        path = self.folder / f"m{self.random.randrange(N_FILES)}.tflite"
        content = self.random.choice(self.contents)
        how = self.random.choice(["write", "replace", "remove"])
        if how == "write":
            path.write_bytes(content)
        elif how == "replace":
            new = self.folder / "new"
            new.write_bytes(content)
            new.replace(path)
        else:
            path.unlink(missing_ok=True)

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tflint", "check", "--format", "json", "--allow-empty", *options],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), FOLDER_VARIABLE: str(self.cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def _run_and_kill(self) -> None:
        with self._start() as process:
            time.sleep(self.random.uniform(0, LONGEST))
            process.kill()
            process.communicate()
        self.tally["killed"] += 1

    def _compare(self) -> None:
        with self._start() as process:
            output, errors = process.communicate()
        with self._start("--no-cache") as process:
            expected, _ = process.communicate()
        seconds, files = _read_report(output)
        is_equal = errors == b"" and files == _read_report(expected)[1]
        self.tally["equal" if is_equal else "different"] += 1
        self.tally["cached"] += seconds == 0
        if not is_equal:
            print(f"{self.folder}: {errors.decode()}{output.decode()[:2000]}", flush=True)


def _read_report(text: bytes) -> tuple[float, Any]:
    """Return the time of a run (0 if its report is from the cache) and the reports of its files."""
    data = json.loads(text)
    return data["run"]["elapsed_seconds"], data["files"]


def stress(n_workers: int, seconds: float, seed: int) -> Counter[str]:
    """Run the workers for some seconds; return the number of runs by result."""
    folder = Path(tempfile.mkdtemp())
    try:
        workers = [Worker(folder / f"w{n}", folder / "cache", load_contents(), seed + n) for n in range(n_workers)]
        with ThreadPoolExecutor(n_workers) as pool:
            return sum(pool.map(lambda worker: worker.work(seconds), workers), Counter())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.stress_cache", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally = stress(options.workers, options.seconds, options.seed)
    print(", ".join(f"{tally[name]:,} {name}" for name in ("equal", "cached", "killed", "different")))
    return 1 if tally["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
