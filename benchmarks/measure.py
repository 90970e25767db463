"""Measure time and memory: run the two actions of a comparison in turn, and divide the times of adjacent runs.

Changes of the machine's load and clock frequency affect both runs of a pair alike. Therefore, a ratio is computed per
pair, and the median of the ratios is reported.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Action = Callable[[], object]
Meter = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median and quartiles of repeated measurements."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of one or more values."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        return cls(median, low, high)


@dataclass(frozen=True, slots=True)
class Command:
    """A whole process: the arguments after the interpreter, and the expected exit codes."""

    arguments: tuple[str, ...]
    codes: tuple[int, ...] = (0,)
    python: str = sys.executable

    def seconds(self, folder: Path, environment: Mapping[str, str]) -> float:
        """Return the wall-clock time of the process in seconds. Raises RuntimeError if it fails."""
        started = time.perf_counter()
        self.run(folder, environment)
        return time.perf_counter() - started

    def run(self, folder: Path, environment: Mapping[str, str]) -> bytes:
        """Return what the process prints. Raises RuntimeError with its error output if it fails."""
        process = subprocess.run([self.python, *self.arguments], cwd=folder, env=environment, capture_output=True)
        if process.returncode not in self.codes:
            errors = process.stderr.decode(errors="replace")
            raise RuntimeError(f"{' '.join(self.arguments)} ended with {process.returncode}: {errors}")
        return process.stdout


def wall_clock_meter(action: Action) -> Meter:
    """Return a meter of the wall-clock time of an action in this process, in seconds."""
    return lambda: _elapsed_seconds(action, time.perf_counter)


def cpu_meter(action: Action) -> Meter:
    """Return a meter of the CPU time of an action in this process, in seconds: user and system, all threads."""
    return lambda: _elapsed_seconds(action, time.process_time)


def _elapsed_seconds(action: Action, clock: Callable[[], float]) -> float:
    gc.collect()  # do not charge this action for garbage of the previous one
    started = clock()
    result = action()
    elapsed = clock() - started
    del result  # deallocation is not measured
    return elapsed


def measure_in_turn(meters: Sequence[Meter], runs: int) -> list[list[float]]:
    """Run each meter once to warm up, then all meters in turn (A B A B …). Return the list of readings per meter."""
    for meter in meters:
        meter()
    return [list(column) for column in zip(*([meter() for meter in meters] for _ in range(runs)), strict=True)]


def ratios(of: Sequence[float], to: Sequence[float]) -> Spread:
    """Return the spread of the ratios `of[i] / to[i]`."""
    return Spread.of([a / b for a, b in zip(of, to, strict=True)])


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a process in bytes: after its imports, and at its peak."""

    after_imports: int
    peak: int

    @property
    def growth(self) -> int:
        """The peak minus the memory after the imports, in bytes."""
        return self.peak - self.after_imports


def memory_of(work: str, model: Path, environment: Mapping[str, str]) -> Memory:
    """Return the memory of a separate process that runs `work` on a model: `check` with all rules, or `values`."""
    output = Command(("-m", "benchmarks.memory", str(model), work)).run(model.parent, environment)
    return Memory(**json.loads(output))
