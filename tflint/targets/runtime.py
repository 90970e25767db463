"""Runtimes as values: releases, operator versions and custom operators, read from `rules/tables/runtimes/NAME.json`.

To add a runtime, add a file to that folder. This module must not know models, contracts or configurations.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from tflint.resources import runtime_file_names, runtime_table
from tflint.targets.version import Version, parse_version
from tflint.values import frozen

#: The runtime of the default target.
DEFAULT = "litert"
#: The runtime whose releases the metadata field `min_runtime_version` names, and the version line of its releases.
TFLITE = "tflite"
TENSORFLOW = "tensorflow"
#: Largest number of operator versions in the cache. Model files can contain any number of them.
MAX_CACHED = 4096


@frozen
class Release:
    """A release of a runtime's package, with the date (YYYY-MM-DD) of its first upload."""

    version: Version
    date: str


@frozen
class Runtime:
    """A program that runs models.

    `version_line` is None if the releases of the runtime have no version numbers. `releases` are sorted, the oldest
    one first. tflint knows the operator support of the releases from `facts_from` to `facts_to`, and claims nothing
    about other releases. `custom_operators` maps each custom operator that the runtime registers to the first release
    that registers it (empty: all releases do). `delegate_operators` does the same for the custom operators that only
    the default delegates run, if all tensors of the operator are float32.
    """

    name: str
    label: str
    version_line: str | None
    releases: tuple[Release, ...]
    facts_from: Version | None
    facts_to: Version | None
    custom_operators: Mapping[str, str]
    delegate_operators: Mapping[str, str]
    _data: Mapping[str, Any]

    @property
    def newest(self) -> Version | None:
        """The newest release with known operator support, or None if the runtime has no versions."""
        return self.facts_to

    def has_facts(self, version: Version | None) -> bool:
        """Return whether the operator support of a release is known. Always true if the runtime has no versions."""
        if self.facts_from is None or self.facts_to is None:
            return True
        return version is not None and self.facts_from <= version <= self.facts_to

    def missing_facts(self, version: Version | None) -> str:
        """Return why the operator support of a release is not known; empty if it is known."""
        if self.has_facts(version):
            return ""
        if version is not None and self.is_later_than_facts(version):
            return f"facts end at {self.name} {self.facts_to}"
        return f"facts begin at {self.name} {self.facts_from}"

    def operator_versions(self, version: Version | None) -> dict[str, int] | None:
        """Return the newest version of each built-in operator that a release supports (0: the release has no kernel).

        Returns None if operator support is not known for the release, or if the runtime does not compare operator
        versions.
        """
        by_operator = self._data["operator_versions"]
        if by_operator is None or version is None or not self.has_facts(version):
            return None
        found = dict.fromkeys(self._data["not_registered"], 0)
        has = functools.cache(lambda first: self._version(first) <= version)  # operators share few releases
        for opcode, first_releases in by_operator.items():
            numbers = [int(number) for number, first in first_releases.items() if has(first)]
            found[opcode] = max(numbers, default=0)
        return found

    def first_version(self, opcode: str, number: int) -> Version | None:
        """Return the release that introduced a version of a built-in operator, according to the runtime's source code.

        Returns None if the data file does not list the operator version. The release may never have been published: see
        `first_release`.
        """
        if opcode in self._data["not_registered"] or number < self._data["oldest_operator_versions"].get(opcode, 1):
            return None
        first_releases = (self._data["operator_versions"] or {}).get(opcode, {})
        later = [self._version(first) for newest, first in first_releases.items() if int(newest) >= number]
        return min(later, default=None)

    def first_release(self, opcode: str, number: int) -> Version | None:
        """Return the oldest published release with a version of a built-in operator, or None if there is none yet."""
        first = self.first_version(opcode, number)
        published = (release.version for release in self.releases)
        return None if first is None else next((version for version in published if version >= first), None)

    def known_custom_operators(self, version: Version | None) -> list[str] | None:
        """Return the custom operators that a release registers itself, or None if they are not known."""
        return self._names_of(self.custom_operators, version)

    def known_delegate_operators(self, version: Version | None) -> list[str] | None:
        """Return the custom operators that the default delegates of a release run, or None if they are not known."""
        return self._names_of(self.delegate_operators, version)

    def _names_of(self, first_releases: Mapping[str, str], version: Version | None) -> list[str] | None:
        if not self.has_facts(version):
            return None
        return [
            name
            for name, first in first_releases.items()
            if not first or version is None or self._version(first) <= version
        ]

    def has_exact_activations(self, version: Version | None) -> bool:
        """Return whether a release refuses 8-bit LOGISTIC and TANH whose output quantization is not the exact one.

        Only releases for which this was measured count.
        """
        return version is not None and str(version) in self._data["exact_activations"]

    def patch_releases(self, version: Version) -> list[Version]:
        """Return the releases whose version numbers begin with those of `version`, the oldest one first."""
        n = len(version.numbers)
        return [release.version for release in self.releases if release.version.numbers[:n] == version.numbers]

    def is_later_than_facts(self, version: Version) -> bool:
        """Return whether a version is later than the releases with known operator support. It may exist by now."""
        return self.facts_to is not None and version > self.facts_to

    def _version(self, text: str) -> Version:
        version = parse_version(self.version_line or self.name, text)
        assert version is not None, f"'{text}' in the data of {self.name}"
        return version


def runtime_names() -> list[str]:
    """Return the names of all runtimes, sorted."""
    return runtime_file_names()


@functools.cache
def load_runtime(name: str) -> Runtime:
    """Return the runtime with a name, which must be one of `runtime_names()`."""
    data = runtime_table(name)
    line = data["version_line"]
    return Runtime(
        name=data["name"],
        label=data["label"],
        version_line=line,
        releases=tuple([Release(_parse(line, text), date) for text, date in data["releases"].items()]),
        facts_from=_parse(line, data["facts_from"]) if data["facts_from"] else None,
        facts_to=_parse(line, data["facts_to"]) if data["facts_to"] else None,
        custom_operators=data["custom_operators"],
        delegate_operators=data["delegate_operators"],
        _data=data,
    )


@functools.lru_cache(maxsize=MAX_CACHED)
def first_tensorflow_version(opcode: str, number: int) -> Version | None:
    """Return the TensorFlow release that introduced a version of a built-in operator, or None if it is not listed."""
    return load_runtime(TFLITE).first_version(opcode, number)


def _parse(line: str, text: str) -> Version:
    version = parse_version(line, text)
    assert version is not None, f"'{text}' is not a version"
    return version


def runtimes_by_age() -> list[Runtime]:
    """Return all runtimes by the date of their oldest release. Runtimes without releases are last."""
    runtimes = [load_runtime(name) for name in runtime_names()]
    return sorted(runtimes, key=lambda runtime: (runtime.releases[0].date if runtime.releases else "9", runtime.name))
