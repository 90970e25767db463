"""Finds, per runtime, the oldest release with a kernel for every version of a built-in operator in a model."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.summary.summary_values import OperatorCount, RuntimeRequirement
from tflint.targets.runtime import Runtime, runtimes_by_age
from tflint.targets.version import Version


def find_requirements(operators: Sequence[OperatorCount]) -> tuple[RuntimeRequirement, ...]:
    """Return the oldest release per runtime, or an empty tuple if the model has no built-in operators.

    A runtime without versions has no entry.
    """
    used = sorted({(entry.opcode, entry.version) for entry in operators if entry.custom is None})
    return tuple(_requirement(runtime, used) for runtime in runtimes_by_age() if runtime.facts_from) if used else ()


def _requirement(runtime: Runtime, used: Sequence[tuple[str, int]]) -> RuntimeRequirement:
    first = {pair: runtime.first_release(*pair) for pair in used}
    missing = [pair for pair, version in first.items() if version is None]
    if missing:
        return RuntimeRequirement(runtime.name, None, tuple(missing))
    known = {pair: version for pair, version in first.items() if version is not None}
    newest = max(known.values())
    is_oldest = runtime.facts_from is not None and newest.equals(runtime.facts_from)
    needing = tuple(pair for pair, version in known.items() if version.equals(newest) and not is_oldest)
    return RuntimeRequirement(runtime.name, _shorten(newest), needing, is_oldest)


def _shorten(version: Version) -> str:
    """Return a version without the patch number if this is 0: 1.14, 2.3, but 1.13.1."""
    numbers = list(version.numbers)
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers.pop()
    return ".".join(map(str, numbers))
