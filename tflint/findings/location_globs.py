"""Finds the first of up to 1,000 glob patterns that matches a location, by its path through the schema or by a name.

`*`, `?` and `[…]` have the same meaning as in `fnmatch`, so they match slashes too. Every pattern matches the text of
the pattern itself. A pattern that is a path with indices, such as `tensors[12]`, matches no other text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tflint.values import frozen
from tflint.wildcards import has_wildcard, text_matches

#: Literal start of a pattern: literal characters, and classes with one character, such as `[3]`.
_START = r"(?:[^*?\[]|\[[^!\]]\])*"
_CLASS_OF_ONE = r"(?s)\[(.)\]"
_MAGIC_END = r"[*?\]]"

#: A path with indices and without wildcards. As a glob, `tensors[12]` would match tensors1 and tensors2.
_ROUTE = (
    r"(?:subgraphs|buffers|operator_codes|signature_defs|metadata|inputs|outputs|golden|allow)\[\d+\]"
    r"(?:\.[A-Za-z_-]+(?:\[\d+\])?)*"
)


def is_glob(pattern: str) -> bool:
    """Return whether a pattern can match any text other than the pattern itself."""
    return has_wildcard(pattern) and re.fullmatch(_ROUTE, pattern) is None


@frozen
class _Glob:
    """A pattern and its number."""

    number: int
    pattern: str

    def matches(self, name: str) -> bool:
        return text_matches(name, self.pattern)


class FirstGlob:
    """An index of numbered patterns that finds the matching pattern with the smallest number.

    The patterns are given in ascending order of their numbers. An empty pattern matches every location. To compare
    10,000 names with each of 1,000 patterns would take 8 seconds, so a name is compared only with patterns that have
    the same start, the same end, or a longest literal part that the name contains.
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
        """Return the smallest number of a pattern that matches one of the names, or None if no pattern matches."""
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
            return  # the same pattern was already added, with a smaller number
        self._exact[pattern] = number
        if not is_glob(pattern):
            return
        begin = re.match(_START, pattern)
        assert begin is not None, "the expression also matches an empty start"
        start, end = re.sub(_CLASS_OF_ONE, r"\1", begin[0]), re.split(_MAGIC_END, pattern)[-1]
        glob = _Glob(number, pattern)
        if start:
            self._by_start.setdefault(len(start), {}).setdefault(start, []).append(glob)
        elif end and "[" not in end:
            self._by_end.setdefault(len(end), {}).setdefault(end, []).append(glob)
        else:
            # Literal parts after the first `[` are ignored: a matching name need not contain the characters of a class.
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
