"""Versions with their version line. LiteRT (1.x, 2.x) and TensorFlow (…, 2.21) are different lines.

Versions of different lines cannot be compared.
"""

from __future__ import annotations

import functools
import re

from tflint.values import frozen

#: Largest number of versions in the cache. Model files can contain any number of version texts.
MAX_CACHED = 4096


class VersionLineError(TypeError):
    """Two versions of different lines were compared."""


@frozen
class Version:
    """A version of a version line, such as `litert` or `tensorflow`.

    A comparison with a version of a different line raises `VersionLineError`.
    """

    line: str
    numbers: tuple[int, ...]

    def __lt__(self, other: Version) -> bool:
        return self._key(other) < other._key(self)

    def __le__(self, other: Version) -> bool:
        return self._key(other) <= other._key(self)

    def __gt__(self, other: Version) -> bool:
        return other < self

    def __ge__(self, other: Version) -> bool:
        return other <= self

    def __str__(self) -> str:
        return ".".join(str(number) for number in self.numbers)

    def equals(self, other: Version) -> bool:
        """Return whether both versions are the same release. 2.1 equals 2.1.0."""
        return self._key(other) == other._key(self)

    def _key(self, other: Version) -> tuple[int, ...]:
        if self.line != other.line:
            raise VersionLineError(f"{self.line} {self} and {other.line} {other} belong to different version lines")
        return self.numbers + (0,) * (4 - len(self.numbers))


@functools.lru_cache(maxsize=MAX_CACHED)
def parse_version(line: str, text: str) -> Version | None:
    """Return the version at the start of a text, or None if there is none. A suffix is left out: `2.0.2a1` is 2.0.2."""
    match = re.match(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})(?!\d)", text)
    return Version(line, tuple(int(part) for part in match[1].split("."))) if match else None
