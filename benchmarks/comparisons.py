"""The kinds of comparison that rows are made of: whole processes, work in this process, rates, memory."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks import yardsticks
from benchmarks.measure import Command, Spread, in_turn, memory_of, ratios, timed, timed_on_processor
from benchmarks.memory import STATUS, all_rules
from benchmarks.models import CORPUS_MODEL, Workshop
from benchmarks.values import statistics
from tflint.api import check
from tflint.config import Config

#: What the console script that pip writes does.
TFLINT = ("-c", "import sys; from tflint.__main__ import entry; sys.exit(entry())")
IMPORT_NUMPY = Command(("-c", "import numpy"))
NOTHING = Command(("-c", "pass"))

FREE_BYTES = 40_000_000
BYTES_PER_STRUCTURAL = 3
RESIDENT_BYTES = 100 << 20


class NotHereError(Exception):
    """A row cannot be measured here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a row gave, in the row's unit, and for information the medians of both sides in units of their own."""

    value: Spread
    tflint: str
    yardstick: str = ""


Measure: TypeAlias = Callable[[Workshop, int], Result]


# -- whole processes ---------------------------------------------------------------------------------------------------


def processes(
    arguments: Callable[[Workshop], Sequence[str]], against: Command, codes: tuple[int, ...] = (0,)
) -> Measure:
    """A process of tflint with some arguments, as a multiple of another process."""

    def measure(workshop: Workshop, runs: int) -> Result:
        command = Command((*TFLINT, *arguments(workshop)), codes)
        meters = [lambda one=one: one.seconds(workshop.folder, workshop.environment) for one in (command, against)]
        ours, theirs = in_turn(meters, runs)
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def check_mobile(workshop: Workshop) -> list[str]:
    """Arguments that check the generated model of 2 to 4 MB."""
    return ["check", str(workshop.mobile())]


def check_corpus_model(_workshop: Workshop) -> list[str]:
    """Arguments that check a real model of 2 to 4 MB."""
    if not CORPUS_MODEL.exists():
        raise NotHereError("no corpus beside the checkout")
    return ["check", str(CORPUS_MODEL)]


def check_bad_rule(workshop: Workshop) -> list[str]:
    """Arguments that check a rule file with a misspelt field."""
    return ["rules", "check", str(workshop.bad_rule())]


# -- in this process ---------------------------------------------------------------------------------------------------


def many_tensors_walk(workshop: Workshop, runs: int) -> Result:
    """How many times as long one walk with the `tflite` package takes."""
    require_packages("tflite")
    path, config = workshop.many_tensors(), all_rules()
    meters = [timed(lambda: check(path, config=config)), timed(lambda: yardsticks.walk(path))]
    ours, theirs = in_turn(meters, runs)
    return Result(ratios(theirs, ours), milliseconds(ours), milliseconds(theirs))


def many_tensors_load(load: Callable[[Path], object]) -> Measure:
    """How many times LiteRT's load a check takes."""

    def measure(workshop: Workshop, runs: int) -> Result:
        require_packages("ai_edge_litert")
        path, config = workshop.many_tensors(), all_rules()
        ours, theirs = in_turn([timed(lambda: check(path, config=config)), timed(lambda: load(path))], runs)
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def rate(models: Callable[[Workshop], Sequence[Path]]) -> tuple[Measure, Measure]:
    """Models checked in a second of processor time: a call of `check` for each, and one call for all."""

    def one_by_one(paths: Sequence[Path], config: Config) -> None:
        for path in paths:
            check(path, config=config)

    def in_batches(paths: Sequence[Path], config: Config) -> None:
        check(paths, config=config)

    def measure(workshop: Workshop, runs: int, work: Callable[[Sequence[Path], Config], None]) -> Result:
        paths, config = models(workshop), all_rules()
        if not paths:
            raise NotHereError("no corpus beside the checkout")
        (seconds,) = in_turn([timed_on_processor(lambda: work(paths, config))], runs)
        each = Spread.of([1000 * s / len(paths) for s in seconds])
        return Result(Spread.of([len(paths) / s for s in seconds]), f"{each.median:.2f} ms a model")

    return functools.partial(measure, work=one_by_one), functools.partial(measure, work=in_batches)


def values(model: Callable[[Workshop], Path], columns: Sequence[str]) -> Measure:
    """How many times as long some statistics of the values of constants take as numpy's min and max of the bytes."""

    def measure(workshop: Workshop, runs: int) -> Result:
        path = model(workshop)
        meters = [lambda: statistics(path, columns), lambda: yardsticks.range_of_bytes(path)]
        ours, theirs = in_turn([timed_on_processor(meter) for meter in meters], runs)
        return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))

    return measure


def peak_of_values(model: Callable[[Workshop], Path]) -> Measure:
    """What a process that computes all statistics holds at its peak, as a part of what it may hold."""

    def measure(workshop: Workshop, runs: int) -> Result:
        if not STATUS.exists():
            raise NotHereError("no /proc/self/status")
        peaks = [memory_of("values", model(workshop), workshop.environment).peak for _ in range(runs)]
        held = Spread.of([peak / RESIDENT_BYTES for peak in peaks])
        return Result(held, f"{Spread.of(peaks).median / (1 << 20):.0f} MiB", f"{RESIDENT_BYTES >> 20} MiB")

    return measure


def memory(model: Callable[[Workshop], Path]) -> Measure:
    """What a check takes beyond its imports, as a part of what it may take."""

    def measure(workshop: Workshop, runs: int) -> Result:
        require_packages("tflite")
        if not STATUS.exists():
            raise NotHereError("no /proc/self/status")
        path = model(workshop)
        allowed = FREE_BYTES + BYTES_PER_STRUCTURAL * yardsticks.structural_bytes(path)
        grown = [memory_of("check", path, workshop.environment).growth for _ in range(runs)]
        value = Spread.of([growth / allowed for growth in grown])
        return Result(value, f"{Spread.of(grown).median / 1e6:.1f} MB", f"{allowed / 1e6:.1f} MB")

    return measure


def require_packages(name: str) -> None:
    """`NotHereError` where a package is not installed."""
    if importlib.util.find_spec(name) is None:
        raise NotHereError(f"the package {name} is not installed")


def milliseconds(seconds: Sequence[float]) -> str:
    """The median of some times."""
    return f"{Spread.of(seconds).median * 1000:.1f} ms"
