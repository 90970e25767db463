"""Finds the oldest releases that run a model, from its operator versions and the knowledge table `op_versions`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from tflint.resources import table
from tflint.summary.summary_values import OperatorCount, RuntimeRequirement
from tflint.targets.version import Version, first_tflite, parse_version


def find_requirements(operators: Sequence[OperatorCount]) -> tuple[RuntimeRequirement, ...]:
    """Return the releases of TFLite and LiteRT that the built-in operators require; empty if there are none."""
    used = sorted({(entry.opcode, entry.version) for entry in operators if entry.custom is None})
    return (_require_tflite(used), _require_litert(used)) if used else ()


def _require_tflite(used: Iterable[tuple[str, int]]) -> RuntimeRequirement:
    first = {pair: first_tflite(*pair) for pair in used}
    unknown = [pair for pair, version in first.items() if version is None]
    if unknown:
        return RuntimeRequirement("tflite", None, tuple(unknown))
    known = {pair: version for pair, version in first.items() if version is not None}
    newest = max(known.values())
    is_oldest = newest.equals(_oldest_tflite())
    decisive = tuple(pair for pair, version in known.items() if version.equals(newest) and not is_oldest)
    return RuntimeRequirement("tflite", _format_version(newest), decisive, is_oldest)


@functools.cache
def _oldest_tflite() -> Version:
    """Return the first release in the table, which is the first with TensorFlow Lite."""
    releases = {release for by_version in table("op_versions")["tflite"].values() for release in by_version.values()}
    return min(version for release in releases if (version := parse_version("tflite", release)))


def _require_litert(used: Iterable[tuple[str, int]]) -> RuntimeRequirement:
    # The table lists the newest operator version per release. Its first release is not the first release of LiteRT.
    releases: list[str] = table("op_versions")["litert_releases"]
    first = {pair: _find_first_litert(*pair) for pair in used}
    unknown = [pair for pair, release in first.items() if release is None]
    if unknown:
        return RuntimeRequirement("litert", None, tuple(unknown))
    last = max(releases.index(release) for release in first.values() if release is not None)
    decisive = tuple(pair for pair, release in first.items() if release == releases[last])
    return RuntimeRequirement("litert", releases[last], decisive if last else (), is_oldest=last == 0)


def _find_first_litert(opcode: str, version: int) -> str | None:
    """Return the first release that registers an operator version, or None if the newest one does not."""
    data = table("op_versions")
    registered = data["registered"].get(opcode)
    if opcode in data["not_registered"] or registered is None or not registered[0] <= version <= registered[1]:
        return None
    by_release: dict[str, int] = data["litert"].get(opcode, {})
    return next((release for release in data["litert_releases"] if by_release.get(release, 0) >= version), None)


def _format_version(version: Version) -> str:
    """Return a version without trailing zeros beyond the minor number: 1.14, 2.3, but 1.13.1."""
    numbers = list(version.numbers)
    while len(numbers) > 2 and numbers[-1] == 0:
        numbers.pop()
    return ".".join(map(str, numbers))
