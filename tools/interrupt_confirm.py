"""Interrupts `tflint check --confirm` at random moments and looks for leftovers: `python -m tools.interrupt_confirm N`.

After each of N runs, which end by SIGINT or SIGTERM after a random time, no process with the run's temporary folder, no
file in this folder and no new file in /dev/shm may exist. The exit code is 1 if something is left or a run hangs. Linux
only.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tflint.resources import named_model_path

#: Wall-clock seconds within which an interrupted run must end.
_END_SECONDS = 15
_SHARED = Path("/dev/shm")


def find_processes(text: str) -> list[str]:
    """Return the ids of the processes whose environment contains a text."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if text.encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


def interrupt_once(models: list[str], seconds: float, number: signal.Signals) -> str:
    """Interrupt a run after some seconds; return what is wrong afterwards, empty if nothing is."""
    shared = set(_SHARED.iterdir())
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tflint", "check", "--confirm", "--jobs", "2", *models],
            env={**os.environ, "TMPDIR": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(seconds)
        process.send_signal(number)
        try:
            _, errors = process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return "the run hangs"
        left = sorted(path.name for path in Path(folder).iterdir())
        problems = [
            f"files {left}" if left else "",
            f"processes {running}" if (running := find_processes(folder)) else "",
            f"shared memory {new}" if (new := set(_SHARED.iterdir()) - shared) else "",
            errors if "Traceback" in errors else "",
        ]
        return ", ".join(filter(None, problems))


def main() -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    models = [str(named_model_path("conv_int8"))] * 96 + [str(named_model_path("custom_op"))] * 8
    n_wrong = 0
    for _ in range(options.runs):
        seconds, number = rng.uniform(0.1, 2.0), rng.choice([signal.SIGINT, signal.SIGTERM])
        problem = interrupt_once(models, seconds, number)
        if problem:
            n_wrong += 1
            print(f"{number.name} after {seconds:.2f} s: {problem}")
    print(f"{options.runs} interrupted runs, {n_wrong} left something or did not end")
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
