"""The rows of the table: what is measured, against what, and how much is demanded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import yardsticks
from benchmarks.measure import Command, Spread, in_turn, memory_of_check, ratios, timed, timed_on_processor
from benchmarks.memory import STATUS
from benchmarks.models import CORPUS, CORPUS_MODEL, Workshop
from tflint.api import check
from tflint.catalog import load_catalog
from tflint.config import Config

#: What the console script that pip writes does.
TFLINT = ("-c", "import sys; from tflint.__main__ import entry; sys.exit(entry())")
IMPORT_NUMPY = Command(("-c", "import numpy"))
NOTHING = Command(("-c", "pass"))

FREE_BYTES = 40_000_000
BYTES_PER_STRUCTURAL = 3


class NotHereError(Exception):
    """A row cannot be measured here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A bound on what is measured: `at most` or, where not `is_upper`, `at least` the limit."""

    limit: float
    is_upper: bool = True

    def is_met(self, value: float) -> bool:
        """Whether a median is within the bound."""
        return value <= self.limit if self.is_upper else value >= self.limit


@dataclass(frozen=True, slots=True)
class Result:
    """What a row gave, in the row's unit, and for information the medians of both sides in units of their own."""

    value: Spread
    tflint: str
    yardstick: str = ""


Measure = Callable[[Workshop, int], Result]


@dataclass(frozen=True, slots=True)
class Row:
    """A row: without `measure` one that cannot exist yet, without `demand` one for information."""

    name: str
    what: str
    against: str
    measure: Measure | None
    runs: int = 0
    demand: Demand | None = None
    unit: str = "x"
    note: str = ""


def all_rules() -> Config:
    """A configuration that runs every rule, those too that must be named to run."""
    named = (rule.id for rule in load_catalog(()).rules if rule.status != "stable")
    return Config(select=("all", *named))


# -- whole processes ---------------------------------------------------------------------------------------------------


def processes(arguments: Callable[[Workshop], Sequence[str]], against: Command, codes: tuple[int, ...] = (0,)) -> Measure:
    """tflint with some arguments, a process each time, as a multiple of another process."""

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


def many_tensors_load(workshop: Workshop, runs: int) -> Result:
    """How many times LiteRT's load a check takes."""
    require_packages("ai_edge_litert")
    path, config = workshop.many_tensors(), all_rules()
    meters = [timed(lambda: check(path, config=config)), timed(lambda: yardsticks.load_litert(path))]
    ours, theirs = in_turn(meters, runs)
    return Result(ratios(ours, theirs), milliseconds(ours), milliseconds(theirs))


def rate(models: Callable[[Workshop], Sequence[Path]], *, in_batches: bool) -> Measure:
    """Small models checked in a second of processor time: one call of `check` for each, or one for all."""

    def measure(workshop: Workshop, runs: int) -> Result:
        paths, config = models(workshop), all_rules()
        if not paths:
            raise NotHereError("no corpus beside the checkout")

        def one_by_one() -> None:
            for path in paths:
                check(path, config=config)

        meter = timed_on_processor((lambda: check(paths, config=config)) if in_batches else one_by_one)
        (seconds,) = in_turn([meter], runs)
        each = [1000 * s / len(paths) for s in seconds]
        return Result(Spread.of([len(paths) / s for s in seconds]), f"{Spread.of(each).median:.2f} ms a model")

    return measure


def memory(model: Callable[[Workshop], Path]) -> Measure:
    """What a check takes beyond its imports, as a part of what it may take."""

    def measure(workshop: Workshop, runs: int) -> Result:
        require_packages("tflite")
        if not STATUS.exists():
            raise NotHereError("no /proc/self/status")
        path = model(workshop)
        allowed = FREE_BYTES + BYTES_PER_STRUCTURAL * yardsticks.structural_bytes(path)
        grown = [memory_of_check(path, workshop.environment).growth for _ in range(runs)]
        value = Spread.of([growth / allowed for growth in grown])
        return Result(value, f"{Spread.of(grown).median / 1e6:.1f} MB", f"{allowed / 1e6:.1f} MB")

    return measure


def require_packages(name: str) -> None:
    """`NotHereError` where a package is not installed."""
    import importlib.util

    if importlib.util.find_spec(name) is None:
        raise NotHereError(f"the package {name} is not installed")


def milliseconds(seconds: Sequence[float]) -> str:
    """The median of some times."""
    return f"{Spread.of(seconds).median * 1000:.1f} ms"


# -- the table ---------------------------------------------------------------------------------------------------------

_COLD = "No contract is present: there are none yet. The built-in rules are compiled and cached before the first run."
_RATE = "Models in a second of this process's processor time, from the page cache."
_SMALL = f"{_RATE} The tests' named models and 104 generated ones of 10 to 60 operators, 5 to 200 KB."
_REAL = f"{_RATE} All corpus models of up to 256 KiB."
_MEMORY = (
    "The kernel's peak of resident pages (VmHWM) minus those resident after the imports, in a process of its own;"
    " files are read, not mapped, so that this is anonymous memory. Structural bytes: the file without buffer content."
)
_ALLOWANCE = "40 MB + 3 x structural bytes"
_WALK = "A check in this process, all rules, against names, shapes, types, buffers, quantization, operands and options."
_LOAD = "The interpreter is constructed; its tensors are not allocated."

ROWS = (
    Row("cold", "check, 3.7 MB generated model, a process", "import numpy", processes(check_mobile, IMPORT_NUMPY), 21, Demand(1.35), note=_COLD),  # fmt: skip
    Row("cold-corpus", "check, 2.9 MB real model, a process", "import numpy", processes(check_corpus_model, IMPORT_NUMPY, (0, 1)), 21, Demand(1.35), note=_COLD),  # fmt: skip
    Row("version", "tflint --version", "python -c pass", processes(lambda _: ["--version"], NOTHING), 11),
    Row("explain", "tflint explain Q001", "python -c pass", processes(lambda _: ["explain", "Q001"], NOTHING), 11),
    Row("bad-rule", "rules check, a misspelt field", "import numpy", processes(check_bad_rule, IMPORT_NUMPY, (2,)), 11, Demand(2)),  # fmt: skip
    Row("many-walk", "60,000 tensors: times faster", "walk with tflite", many_tensors_walk, 5, Demand(6, False), note=_WALK),  # fmt: skip
    Row("many-load", "60,000 tensors", "LiteRT's load", many_tensors_load, 11, Demand(1.6), note=_LOAD),
    Row("small-single", "small models, one by one", "", rate(Workshop.small_models, in_batches=False), 7, Demand(150, False), "/s", _SMALL),  # fmt: skip
    Row("small-batch", "small models, in batches", "", rate(Workshop.small_models, in_batches=True), 7, Demand(500, False), "/s", _SMALL),  # fmt: skip
    Row("corpus-single", "small real models, one by one", "", rate(Workshop.small_corpus, in_batches=False), 3, Demand(150, False), "/s", _REAL),  # fmt: skip
    Row("corpus-batch", "small real models, in batches", "", rate(Workshop.small_corpus, in_batches=True), 5, Demand(500, False), "/s", _REAL),  # fmt: skip
    Row("memory-weights", "memory, 512 MiB of int8 weights", _ALLOWANCE, memory(Workshop.big_weights), 3, Demand(1), note=_MEMORY),  # fmt: skip
    Row("memory-tensors", "memory, 60,000 tensors", _ALLOWANCE, memory(Workshop.many_tensors), 3, Demand(1), note=_MEMORY),  # fmt: skip
    Row("hit", "an unchanged file (cache hit)", "python -c pass", None, demand=Demand(2.5)),
    Row("hits", "800 unchanged files (cache hits)", "python -c pass", None, demand=Demand(3)),
    Row("range", "768 MiB of weights: min, max a channel", "numpy min + max", None, demand=Demand(1.3)),
    Row("zeros", "768 MiB of weights: with zeros", "numpy min + max", None, demand=Demand(1.8)),
    Row("saturation", "768 MiB of weights: with saturation", "numpy min + max", None, demand=Demand(3.2)),
)
