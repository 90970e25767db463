"""Takes times and memory: runs what is compared in turn, and makes ratios of what ran next to each other.

A machine that is busy or changes its clock is so for both halves of a pair; that is why ratios are paired, and why
the middle one of many counts.
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
    """Several measurements of one thing: the median, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        return cls(median, low, high)


@dataclass(frozen=True, slots=True)
class Command:
    """A whole process: its arguments behind the interpreter, and the exit codes that are as they should be."""

    arguments: tuple[str, ...]
    codes: tuple[int, ...] = (0,)
    python: str = sys.executable

    def seconds(self, folder: Path, environment: Mapping[str, str]) -> float:
        """Wall time from the start of the process to its end; RuntimeError where it fails."""
        started = time.perf_counter()
        self.run(folder, environment)
        return time.perf_counter() - started

    def run(self, folder: Path, environment: Mapping[str, str]) -> bytes:
        """What the process prints; RuntimeError with what it says where it fails."""
        done = subprocess.run([self.python, *self.arguments], cwd=folder, env=environment, capture_output=True)
        if done.returncode not in self.codes:
            said = done.stderr.decode(errors="replace")
            raise RuntimeError(f"{' '.join(self.arguments)} ended with {done.returncode}: {said}")
        return done.stdout


def timed(action: Action) -> Meter:
    """A meter of the wall time, in seconds, that an action takes in this process."""
    return lambda: _elapsed(action, time.perf_counter)


def timed_on_processor(action: Action) -> Meter:
    """A meter of the processor time, in seconds, that an action takes in this process: user and system, all threads."""
    return lambda: _elapsed(action, time.process_time)


def _elapsed(action: Action, clock: Callable[[], float]) -> float:
    gc.collect()  # what the other half of the pair left behind is not this half's
    started = clock()
    result = action()
    elapsed = clock() - started
    del result  # taking it apart is not part of the work
    return elapsed


def in_turn(meters: Sequence[Meter], runs: int) -> list[list[float]]:
    """What each meter shows, run after run: A B A B …, after one run of each that does not count."""
    for meter in meters:
        meter()
    return [list(column) for column in zip(*([meter() for meter in meters] for _ in range(runs)), strict=True)]


def ratios(of: Sequence[float], to: Sequence[float]) -> Spread:
    """How many times the one is of the other, pair by pair."""
    return Spread.of([a / b for a, b in zip(of, to, strict=True)])


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process took, in bytes: resident after its imports, and at its peak."""

    after_imports: int
    peak: int

    @property
    def growth(self) -> int:
        """By how much the peak is above what the imports took."""
        return self.peak - self.after_imports


def memory_of(work: str, model: Path, environment: Mapping[str, str]) -> Memory:
    """What a process of its own takes that does a work with a model: `check` with all rules, or `values`."""
    said = Command(("-m", "benchmarks.memory", str(model), work)).run(model.parent, environment)
    return Memory(**json.loads(said))
