"""Measure rows, and render the outcomes as a table or as data for JSON."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.comparisons import NotAvailableError, Result
from benchmarks.models import Workspace
from benchmarks.rows import Demand, Row
from tflint import __version__

_HEADS = ("row", "what", "measured", "quartiles", "demand", "met", "tflint", "against")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row with its result, or with the reason why there is none."""

    row: Row
    result: Result | None
    reason: str = ""
    runs: int = 0

    @property
    def is_met(self) -> bool | None:
        """Whether the demand is met, or None if the row has no demand or no result."""
        if self.result is None or self.row.demand is None:
            return None
        return self.row.demand.is_met(self.result.value.median)


def measure_row(row: Row, workspace: Workspace, runs: int | None) -> Outcome:
    """Measure a row `runs` times, or as often as the row specifies."""
    n_runs = runs or row.runs
    try:
        return Outcome(row, row.measure(workspace, n_runs), runs=n_runs)
    except NotAvailableError as error:
        return Outcome(row, None, str(error))


def machine() -> str:
    """Describe the machine and the package versions, without host or user names."""
    packages = " ".join(f"{name} {_version(name)}" for name in ("numpy", "tflite", "ai-edge-litert"))
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"tflint {__version__} | {system} | {python} | {packages}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "-"


def render(outcomes: Sequence[Outcome]) -> str:
    """Return the table, followed by the notes of its rows."""
    notes = list(dict.fromkeys(outcome.row.note for outcome in outcomes if outcome.row.note))
    lines = [_HEADS, *(_cells(outcome, notes) for outcome in outcomes)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    ruled = [lines[0], tuple("-" * width for width in widths), *lines[1:]]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in ruled]
    return "\n".join([*table, "", *(f"[{number}] {note}" for number, note in enumerate(notes, 1))]).rstrip()


def _cells(outcome: Outcome, notes: Sequence[str]) -> tuple[str, ...]:
    row, result = outcome.row, outcome.result
    name = f"{row.name} [{notes.index(row.note) + 1}]" if row.note else row.name
    demand = _demand(row.demand, row.unit)
    if result is None:
        return (name, row.what, outcome.reason, "", demand, "", "", row.against)
    met = {True: "yes", False: "NO", None: ""}[outcome.is_met]
    quartiles = f"{_number(result.value.low, row.unit)} - {_number(result.value.high, row.unit)}"
    against = f"{row.against}: {result.yardstick}" if result.yardstick else row.against
    return (name, row.what, _quantity(result.value.median, row.unit), quartiles, demand, met, result.tflint, against)


def _demand(demand: Demand | None, unit: str) -> str:
    if demand is None:
        return ""
    return f"{'<=' if demand.is_upper else '>='} {demand.limit:g} {unit}"


def _quantity(value: float, unit: str) -> str:
    return f"{_number(value, unit)} {unit}"


def _number(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit == "x" else f"{value:,.0f}"


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return all outcomes as plain data."""
    return {"machine": machine(), "rows": [_plain(outcome) for outcome in outcomes]}


def _plain(outcome: Outcome) -> dict[str, Any]:
    row, result = outcome.row, outcome.result
    return {
        "name": row.name,
        "what": row.what,
        "against": row.against,
        "unit": row.unit,
        "note": row.note,
        "runs": outcome.runs,
        "demand": asdict(row.demand) if row.demand else None,
        "is_met": outcome.is_met,
        "reason": outcome.reason,
        "result": asdict(result) if result else None,
    }
