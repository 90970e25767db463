"""Rows of the table: what each row measures, what it compares this with, and the target."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import yardsticks
from benchmarks.comparisons import (
    IMPORT_NUMPY,
    NOTHING,
    Measure,
    cache_hits,
    check_bad_rule,
    check_corpus_model,
    check_mobile,
    fleet_rate,
    many_tensors_load,
    many_tensors_walk,
    memory,
    peak_of_values,
    processes,
    rate,
    values,
)
from benchmarks.confirmation import alive
from benchmarks.models import CORPUS_MODEL, Workspace
from benchmarks.peers import PEERS, peer
from benchmarks.values import RANGE, SATURATION, ZEROS
from benchmarks.worst import KINDS, worst


@dataclass(frozen=True, slots=True)
class Demand:
    """A limit for the measured value: at most `limit` if `is_upper`, else at least `limit`."""

    limit: float
    is_upper: bool = True

    def is_met(self, value: float) -> bool:
        """Return whether a median is within the limit."""
        return value <= self.limit if self.is_upper else value >= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table. Without `demand`, there is no target."""

    name: str
    what: str
    against: str
    measure: Measure
    runs: int
    demand: Demand | None = None
    unit: str = "x"
    note: str = ""


_COLD = "The generated model has a contract. The built-in rules are compiled and cached before the first run."
_RATE = "Models per second of this process's CPU time, from the page cache."
_SMALL = (
    f"{_RATE} The models that the tests use by name, and 104 generated models (8 to 65 operators, 7 to 232 KB each)."
)
_REAL = f"{_RATE} All corpus models of up to 256 KiB."
_MEMORY = (
    "Peak of resident pages (VmHWM) minus those resident after the imports, in a separate process. Files are read, not"
    " mapped, so this is anonymous memory. Structural bytes: the file without buffer contents."
)
_ALLOWANCE = "40 MB + 3 x structural bytes"
_WALK = (
    "A check with all rules in this process. The walk reads names, shapes, types, buffers, quantization, operands and"
    " options."
)
_LOAD = "Constructs the interpreter without allocate_tensors, which the next row includes."
_PASS = (
    "CPU time of this process, with the file in the page cache. numpy: min(), then max() of the mapped file. The"
    " weights have 65,536 channels on the first axis, or 96 on the last."
)
_RESIDENT = "Peak of resident pages (VmHWM) of a process, including interpreter and imports."

_WORST_NOTE = (
    "The larger share of the limits on CPU time and peak memory of a whole process, over all texts and commands of"
    " benchmarks/worst.py."
)
_ALIVE = (
    "A warm child. Both sides use the built-in kernels without delegates, keep all tensors, and generate six inputs."
)
_PEER = (
    "Whole processes on the generated model of 3.5 MB; benchmarks/peers.py describes how to install and run the peers."
)

_WHOLE_PROCESSES = (
    Row(
        "cold",
        "check a generated model of 3.5 MB",
        "import numpy",
        processes(check_mobile, IMPORT_NUMPY),
        runs=21,
        demand=Demand(1.5),
        note=_COLD,
    ),
    Row(
        "cold-corpus",
        "check a real model of 2.9 MB",
        "import numpy",
        processes(check_corpus_model, IMPORT_NUMPY, codes=(0, 1)),
        runs=21,
        demand=Demand(1.5),
        note=_COLD,
    ),
    Row("version", "tflint --version", "python -c pass", processes(lambda _: ["--version"], NOTHING), runs=11),
    Row("explain", "tflint explain Q001", "python -c pass", processes(lambda _: ["explain", "Q001"], NOTHING), runs=11),
    Row(
        "bad-rule",
        "check a rule with a misspelled field",
        "import numpy",
        processes(check_bad_rule, IMPORT_NUMPY, codes=(2,)),
        runs=11,
        demand=Demand(2),
    ),
)

_MANY_TENSORS = (
    Row(
        "many-walk",
        "60,000 tensors: speedup",
        "a walk with tflite",
        many_tensors_walk,
        runs=5,
        demand=Demand(6, is_upper=False),
        note=_WALK,
    ),
    Row(
        "many-load",
        "60,000 tensors",
        "LiteRT's load",
        many_tensors_load(yardsticks.load_litert),
        runs=11,
        note=_LOAD,
    ),
    Row(
        "many-allocate",
        "60,000 tensors",
        "LiteRT's load + allocate",
        many_tensors_load(yardsticks.allocate_litert),
        runs=5,
        demand=Demand(0.5),
    ),
)


def _rates(name: str, models: str, measure: tuple[Measure, Measure], note: str) -> tuple[Row, Row]:
    one_by_one, in_batches = Demand(150, is_upper=False), Demand(500, is_upper=False)
    return (
        Row(f"{name}-single", f"{models}, one by one", "", measure[0], 5, one_by_one, "/s", note),
        Row(f"{name}-batch", f"{models}, in batches", "", measure[1], 7, in_batches, "/s", note),
    )


_SMALL_MODELS = (
    *_rates("small", "small models", rate(Workspace.small_models), _SMALL),
    *_rates("corpus", "small real models", rate(Workspace.small_corpus), _REAL),
)

_PEAKS = tuple(
    Row(f"memory-{name}", f"memory: {what}", _ALLOWANCE, memory(model), runs=3, demand=Demand(1), note=_MEMORY)
    for name, what, model in (
        ("weights", "512 MiB of int8 weights", Workspace.big_weights),
        ("tensors", "60,000 tensors", Workspace.many_tensors),
    )
)

_STATISTICS = (
    ("range", "min, max per channel", RANGE, Demand(1.3)),
    ("zeros", "with zeros", ZEROS, Demand(1.8)),
    ("saturation", "with saturation", SATURATION, Demand(3.2)),
)
_VALUES = (
    *(
        Row(f"{name}{suffix}", f"{size}: {what}", "numpy min + max", values(model, columns), 9, demand, note=_PASS)
        for suffix, size, model in (
            ("", "768 MiB of weights", Workspace.long_rows),
            ("-last", "the same, last axis", Workspace.last_axis),
        )
        for name, what, columns, demand in _STATISTICS
    ),
    Row(
        "memory-values",
        "memory: with saturation",
        "100 MiB",
        peak_of_values(Workspace.long_rows),
        runs=3,
        demand=Demand(1),
        note=_RESIDENT,
    ),
)

_WORST = tuple(
    Row(f"worst-{kind}", f"worst text: {kind}", "5 s, 1 GiB", worst(kind), runs=1, demand=Demand(1), note=_WORST_NOTE)
    for kind in KINDS
)

_CONFIRMATION = tuple(
    Row(
        f"alive{suffix}",
        f"confirm: alive, {what}",
        "LiteRT's load, allocate, 6 invokes",
        alive(model),
        runs=9,
        demand=Demand(1.5),
        note=_ALIVE,
    )
    for suffix, what, model in (
        ("", "a generated model of 3.5 MB", Workspace.mobile),
        ("-corpus", "a real model of 2.9 MB", lambda _: CORPUS_MODEL),
    )
)

_HIT = "Whole processes. No input of the run has changed since the report was stored."
_FLEET = "Models per second of wall-clock time of one process, start included. Generated models of 0.4 to 1.5 KB."
_CACHE = (
    Row(
        "hit",
        "an unchanged model of 3.5 MB (cache hit)",
        "python -c pass",
        cache_hits(lambda workspace: ["check", str(workspace.mobile())]),
        runs=21,
        demand=Demand(2.5),
        note=_HIT,
    ),
    Row(
        "hits",
        "800 unchanged models (cache hits)",
        "python -c pass",
        cache_hits(lambda workspace: ["check", str(workspace.fleet(800))]),
        runs=21,
        demand=Demand(3),
        note=_HIT,
    ),
    Row(
        "fleet-cold",
        "10,000 small models, filling the cache",
        "",
        fleet_rate(10_000, is_cached=False),
        runs=3,
        demand=Demand(1000, is_upper=False),
        unit="/s",
        note=_FLEET,
    ),
    Row(
        "fleet-warm",
        "10,000 small models, unchanged",
        "",
        fleet_rate(10_000, is_cached=True),
        runs=7,
        demand=Demand(20_000, is_upper=False),
        unit="/s",
        note=_FLEET,
    ),
)

_PEERS = tuple(
    Row(f"peer-{name}", "time relative to tflint check", what, peer(module, code), runs=5, note=_PEER)
    for name, (what, module, code) in PEERS.items()
)

ROWS = (
    *_WHOLE_PROCESSES,
    *_MANY_TENSORS,
    *_SMALL_MODELS,
    *_PEAKS,
    *_VALUES,
    *_CACHE,
    *_CONFIRMATION,
    *_WORST,
    *_PEERS,
)
