"""The oldest releases that run a model, by the versions of its built-in operators and the table of what was when."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from tflint.resources import table
from tflint.summary.summary_values import OperatorCount, RuntimeRequirement
from tflint.targets.version import Version, first_tflite, parse_version


def find_requirements(operators: Sequence[OperatorCount]) -> tuple[RuntimeRequirement, ...]:
    """What the built-in operators need of TensorFlow Lite and of LiteRT; nothing where there are none."""
    used = sorted({(entry.opcode, entry.version) for entry in operators if entry.custom is None})
    return (_tflite(used), _litert(used)) if used else ()


def _tflite(used: Iterable[tuple[str, int]]) -> RuntimeRequirement:
    """By the table of the first release with each operator version."""
    first = {pair: first_tflite(*pair) for pair in used}
    unknown = [pair for pair, version in first.items() if version is None]
    if unknown:
        return RuntimeRequirement("tflite", None, tuple(unknown))
    known = {pair: version for pair, version in first.items() if version is not None}
    newest = max(known.values())
    is_oldest = newest.equals(_oldest_tflite())
    needing = tuple(pair for pair, version in known.items() if version.equals(newest) and not is_oldest)
    return RuntimeRequirement("tflite", _short(newest), needing, is_oldest)


@functools.cache
def _oldest_tflite() -> Version:
    """The first release of the table, which is the first that had TensorFlow Lite."""
    releases = {release for by_version in table("op_versions")["tflite"].values() for release in by_version.values()}
    return min(version for release in releases if (version := parse_version("tflite", release)))


def _litert(used: Iterable[tuple[str, int]]) -> RuntimeRequirement:
    """By the newest version that each release registers; the table begins with a release that is not the first."""
    releases: list[str] = table("op_versions")["litert_releases"]
    first = {pair: _first_litert(*pair) for pair in used}
    unknown = [pair for pair, release in first.items() if release is None]
    if unknown:
        return RuntimeRequirement("litert", None, tuple(unknown))
    last = max(releases.index(release) for release in first.values() if release is not None)
    needing = tuple(pair for pair, release in first.items() if release == releases[last])
    return RuntimeRequirement("litert", releases[last], needing if last else (), is_oldest=last == 0)


def _first_litert(opcode: str, version: int) -> str | None:
    """The first release that registers an operator version; None where the newest one does not."""
    data = table("op_versions")
    registered = data["registered"].get(opcode)
    if opcode in data["not_registered"] or registered is None or not registered[0] <= version <= registered[1]:
        return None
    by_release: dict[str, int] = data["litert"].get(opcode, {})
    return next((release for release in data["litert_releases"] if by_release.get(release, 0) >= version), None)


def _short(version: Version) -> str:
    """A version without the zeros that say nothing: 1.14, 2.3, but 1.13.1."""
    numbers = list(version.numbers)
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers.pop()
    return ".".join(map(str, numbers))
