"""Versions of runtimes, typed by their line: LiteRT's (1.x, 2.x) and TensorFlow's (…, 2.21) do not compare.

And which release of TensorFlow Lite came with which version of an operator.
"""

from __future__ import annotations

import functools
import re

from tflint.resources import table
from tflint.values import frozen

#: Versions are kept so far: what files say of themselves has no end.
MAX_KNOWN = 4096


class VersionLineError(TypeError):
    """Two versions of different lines were compared."""


@frozen
class Version:
    """A version of a line: `litert` or `tflite` (which counts as TensorFlow does)."""

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
        """Whether both are the same release; 2.1 is 2.1.0."""
        return self._key(other) == other._key(self)

    def _key(self, other: Version) -> tuple[int, ...]:
        if self.line != other.line:
            raise VersionLineError(f"{self.line} {self} and {other.line} {other} count in different lines")
        return self.numbers + (0,) * (4 - len(self.numbers))


@functools.lru_cache(maxsize=MAX_KNOWN)
def parse_version(line: str, text: str) -> Version | None:
    """The version a text names, release numbers only (`2.0.2a1` is 2.0.2); None where it names none."""
    match = re.match(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})(?!\d)", text)
    return Version(line, tuple(int(part) for part in match[1].split("."))) if match else None


@functools.lru_cache(maxsize=MAX_KNOWN)
def first_tflite(opcode: str, version: int) -> Version | None:
    """The release of TensorFlow that first had a version of a built-in operator; None where the table knows none."""
    release = table("op_versions")["tflite"].get(opcode, {}).get(str(version))
    return parse_version("tflite", release) if release else None
