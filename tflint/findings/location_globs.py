"""Finds the first of up to a thousand glob patterns that matches a location: its path through the schema, or a name.

`*`, `?` and `[…]` have their meaning in `fnmatch`, where they match slashes too. A pattern always matches itself, and a
path with indices matches nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tflint.values import frozen
from tflint.wildcards import text_matches

#: Literal start of a pattern: characters, and classes of one character such as a one-digit index of a path.
_START = re.compile(r"(?:[^*?\[]|\[[^!\]]\])*")
_CLASS_OF_ONE = re.compile(r"\[(.)\]", re.DOTALL)
_MAGIC_END = re.compile(r"[*?\]]")

#: A path without wildcards. As a glob, its indices would be sets: `tensors[12]` would also match tensors1 and tensors2.
_ROUTE = re.compile(
    r"(?:subgraphs|buffers|operator_codes|signature_defs|metadata|inputs|outputs|golden|allow)\[\d+\]"
    r"(?:\.[A-Za-z_-]+(?:\[\d+\])?)*"
)


def is_glob(pattern: str) -> bool:
    """Return whether a pattern can match anything but itself."""
    return any(sign in pattern for sign in "*?[") and _ROUTE.fullmatch(pattern) is None


@frozen
class _Glob:
    """A pattern and its number."""

    number: int
    pattern: str

    def matches(self, name: str) -> bool:
        return text_matches(name, self.pattern)


class FirstGlob:
    """An index of patterns, given in ascending order of their numbers, that finds the first match.

    A name is compared only with patterns that have the same start or end, or whose longest literal part it contains:
    comparing 10,000 names with 1,000 patterns each would take 8 seconds. An empty pattern matches every location.
    """

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        self._everywhere: int | None = None
        self._exact: dict[str, int] = {}
        self._by_start: dict[int, dict[str, list[_Glob]]] = {}
        self._by_end: dict[int, dict[str, list[_Glob]]] = {}
        self._by_part: list[tuple[str, _Glob]] = []
        self._known: dict[str, int | None] = {}
        for number, pattern in patterns:
            self._add(number, pattern)

    def find(self, names: Sequence[str]) -> int | None:
        """Return the smallest number of a pattern that matches one of the names, or None."""
        best = self._everywhere
        for name in names:
            if name not in self._known:
                self._known[name] = self._find_first(name)
            best = _smaller(best, self._known[name])
        return best

    def _add(self, number: int, pattern: str) -> None:
        if not pattern:
            self._everywhere = number if self._everywhere is None else self._everywhere
            return
        if pattern in self._exact:
            return  # the same pattern, and its number is smaller
        self._exact[pattern] = number
        if not is_glob(pattern):
            return
        begin = _START.match(pattern)
        assert begin is not None, "the expression also matches an empty start"
        start, end = _CLASS_OF_ONE.sub(r"\1", begin[0]), _MAGIC_END.split(pattern)[-1]
        glob = _Glob(number, pattern)
        if start:
            self._by_start.setdefault(len(start), {}).setdefault(start, []).append(glob)
        elif end and "[" not in end:
            self._by_end.setdefault(len(end), {}).setdefault(end, []).append(glob)
        else:
            # Only parts before the first class: a character in a class need not occur in a matching name.
            parts = re.split(r"[*?]+", pattern.partition("[")[0])
            self._by_part.append((max(parts, key=len), glob))

    def _find_first(self, name: str) -> int | None:
        best = self._exact.get(name)
        for globs in self._candidates(name):
            best = _smaller(best, next((glob.number for glob in globs if glob.matches(name)), None))
        return best

    def _candidates(self, name: str) -> Iterator[list[_Glob]]:
        for length, by_start in self._by_start.items():
            yield by_start.get(name[:length], [])
        for length, by_end in self._by_end.items():
            yield by_end.get(name[-length:], [])
        yield [glob for part, glob in self._by_part if part in name]


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
