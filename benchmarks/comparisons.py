"""The measurements that a row of the table can make: whole processes, work in this process, rates and memory."""

from __future__ import annotations

import functools
import importlib.util
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks import yardsticks
from benchmarks.measure import Command, Spread, cpu_meter, measure_in_turn, memory_of, ratios, wall_clock_meter
from benchmarks.memory import STATUS, all_rules
from benchmarks.models import CORPUS_MODEL, Workspace
from benchmarks.values import statistics
from tflint.api import check
from tflint.config import Config

#: Same as the console script that pip writes.
TFLINT = ("-c", "import sys; from tflint.__main__ import entry; sys.exit(entry())")
#: With one BLAS thread, as in a tflint process. By default, numpy starts one per processor.
IMPORT_NUMPY = Command(("-c", "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; import numpy"))
NOTHING = Command(("-c", "pass"))

#: Exit codes of a check that found something or not.
_ANY = (0, 1)

FREE_BYTES = 40_000_000
BYTES_PER_STRUCTURAL = 3
RESIDENT_BYTES = 100 << 20


class NotAvailableError(Exception):
    """Something that a row needs is missing; the message names it."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a row, in the unit of the row, and the medians of the two compared sides as text with units."""

    value: Spread
    tflint: str
    yardstick: str = ""


Measure: TypeAlias = Callable[[Workspace, int], Result]


# -- whole processes ---------------------------------------------------------------------------------------------------


def processes(
    arguments: Callable[[Workspace], Sequence[str]], against: Command, codes: tuple[int, ...] = (0,)
) -> Measure:
    """Measure the time of a tflint process as a multiple of the time of another process."""

    def measure(workspace: Workspace, runs: int) -> Result:
        command = Command((*TFLINT, *arguments(workspace)), codes)
        meters = [lambda one=one: one.seconds(workspace.folder, workspace.environment) for one in (command, against)]
        ours, theirs = measure_in_turn(meters, runs)
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def check_mobile(workspace: Workspace) -> list[str]:
    """Return the arguments that check the generated model of 2 to 4 MB."""
    return ["check", "--no-cache", str(workspace.mobile())]


def check_corpus_model(_workspace: Workspace) -> list[str]:
    """Return the arguments that check a real model of 2 to 4 MB."""
    if not CORPUS_MODEL.exists():
        raise NotAvailableError("no corpus next to the checkout")
    return ["check", "--no-cache", str(CORPUS_MODEL)]


def check_bad_rule(workspace: Workspace) -> list[str]:
    """Return the arguments that check a rule file with a misspelled field."""
    return ["rules", "check", str(workspace.bad_rule())]


def cache_hits(arguments: Callable[[Workspace], Sequence[str]]) -> Measure:
    """Measure the time of a process that repeats a stored run as a multiple of the time of `python -c pass`."""

    def measure(workspace: Workspace, runs: int) -> Result:
        _fill_cache(workspace, arguments(workspace))
        return processes(arguments, NOTHING, _ANY)(workspace, runs)

    return measure


def fleet_rate(n_models: int, *, is_cached: bool) -> Measure:
    """Measure the number of models that one process checks per second of wall-clock time, start included.

    Without `is_cached`, the cache is empty, and the run fills it.
    """

    def measure(workspace: Workspace, runs: int) -> Result:
        arguments = ["check", "--jobs", "1", str(workspace.fleet(n_models))]
        command = Command((*TFLINT, *arguments), _ANY)
        if is_cached:
            _fill_cache(workspace, arguments)
        seconds = []
        for _ in range(runs):
            if not is_cached:
                shutil.rmtree(workspace.cache, ignore_errors=True)
            seconds.append(command.seconds(workspace.folder, workspace.environment))
        each = Spread.of([1e6 * s / n_models for s in seconds])
        return Result(Spread.of([n_models / s for s in seconds]), f"{each.median:,.0f} µs per model")

    return measure


def _fill_cache(workspace: Workspace, arguments: Sequence[str]) -> None:
    """Run a command until its run is stored: the cache distrusts files that have just been written."""
    command = Command((*TFLINT, *arguments), _ANY)
    for _ in range(3):
        time.sleep(0.05)
        printed = command.run(workspace.folder, workspace.environment)
    if b"from the cache" not in printed:
        raise RuntimeError("the run was not stored in the cache")


# -- in this process ---------------------------------------------------------------------------------------------------


def many_tensors_walk(workspace: Workspace, runs: int) -> Result:
    """Measure the time of a walk with the `tflite` package as a multiple of a check's time. Higher is better."""
    require_packages("tflite")
    path, config = workspace.many_tensors(), all_rules()
    meters = [wall_clock_meter(lambda: check(path, config=config)), wall_clock_meter(lambda: yardsticks.walk(path))]
    ours, theirs = measure_in_turn(meters, runs)
    return Result(ratios(theirs, ours), milliseconds(ours), milliseconds(theirs))


def many_tensors_load(load: Callable[[Path], object]) -> Measure:
    """Measure the time of a check as a multiple of the time that LiteRT takes to load the model."""

    def measure(workspace: Workspace, runs: int) -> Result:
        require_packages("ai_edge_litert")
        path, config = workspace.many_tensors(), all_rules()
        ours, theirs = measure_in_turn(
            [wall_clock_meter(lambda: check(path, config=config)), wall_clock_meter(lambda: load(path))], runs
        )
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def rate(models: Callable[[Workspace], Sequence[Path]]) -> tuple[Measure, Measure]:
    """Return two measurements of models per second of CPU time: with one call of `check` per model, and one for all."""

    def one_by_one(paths: Sequence[Path], config: Config) -> None:
        for path in paths:
            check(path, config=config)

    def in_batches(paths: Sequence[Path], config: Config) -> None:
        check(paths, config=config)

    def measure(workspace: Workspace, runs: int, work: Callable[[Sequence[Path], Config], None]) -> Result:
        paths, config = models(workspace), all_rules()
        if not paths:
            raise NotAvailableError("no corpus next to the checkout")
        (seconds,) = measure_in_turn([cpu_meter(lambda: work(paths, config))], runs)
        each = Spread.of([1000 * s / len(paths) for s in seconds])
        return Result(Spread.of([len(paths) / s for s in seconds]), f"{each.median:.2f} ms per model")

    return functools.partial(measure, work=one_by_one), functools.partial(measure, work=in_batches)


def values(model: Callable[[Workspace], Path], columns: Sequence[str]) -> Measure:
    """Measure the time for statistics of constant values as a multiple of the time for numpy's min and max."""

    def measure(workspace: Workspace, runs: int) -> Result:
        path = model(workspace)
        meters = [lambda: statistics(path, columns), lambda: yardsticks.range_of_bytes(path)]
        ours, theirs = measure_in_turn([cpu_meter(meter) for meter in meters], runs)
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def peak_of_values(model: Callable[[Workspace], Path]) -> Measure:
    """Measure the peak memory of a process that computes all statistics, as a share of its limit."""

    def measure(workspace: Workspace, runs: int) -> Result:
        if not STATUS.exists():
            raise NotAvailableError("no /proc/self/status")
        peaks = [memory_of("values", model(workspace), workspace.environment).peak for _ in range(runs)]
        shares = Spread.of([peak / RESIDENT_BYTES for peak in peaks])
        return Result(shares, f"{Spread.of(peaks).median / (1 << 20):.0f} MiB", f"{RESIDENT_BYTES >> 20} MiB")

    return measure


def memory(model: Callable[[Workspace], Path]) -> Measure:
    """Measure the memory of a check beyond its imports, as a share of its limit."""

    def measure(workspace: Workspace, runs: int) -> Result:
        require_packages("tflite")
        if not STATUS.exists():
            raise NotAvailableError("no /proc/self/status")
        path = model(workspace)
        allowed = FREE_BYTES + BYTES_PER_STRUCTURAL * yardsticks.structural_bytes(path)
        growths = [memory_of("check", path, workspace.environment).growth for _ in range(runs)]
        value = Spread.of([growth / allowed for growth in growths])
        return Result(value, f"{Spread.of(growths).median / 1e6:.1f} MB", f"{allowed / 1e6:.1f} MB")

    return measure


def require_packages(name: str) -> None:
    """Raise `NotAvailableError` if a package is not installed."""
    if importlib.util.find_spec(name) is None:
        raise NotAvailableError(f"the package {name} is not installed")


def milliseconds(seconds: Sequence[float]) -> str:
    """Return the median of some times as text."""
    return f"{Spread.of(seconds).median * 1000:.1f} ms"
