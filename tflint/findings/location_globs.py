"""Globs of places: which of a thousand patterns is the first that matches a route or a name.

`*`, `?` and `[…]` mean what they mean in `fnmatch`, slashes included; a pattern always matches itself, and a route with
indices nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from tflint.values import frozen
from tflint.wildcards import text_matches

#: What a place must begin with: literal characters and classes of one character, such as the index of a route.
_START = re.compile(r"(?:[^*?\[]|\[[^!\]]\])*")
_CLASS_OF_ONE = re.compile(r"\[(.)\]", re.DOTALL)
_MAGIC_END = re.compile(r"[*?\]]")

#: A route without wildcards. As a glob its indices would be sets: `tensors[12]` would mean tensors1 and tensors2, too.
_ROUTE = re.compile(
    r"(?:subgraphs|buffers|operator_codes|signature_defs|metadata|inputs|outputs|golden|allow)\[\d+\]"
    r"(?:\.[A-Za-z_-]+(?:\[\d+\])?)*"
)


def is_glob(pattern: str) -> bool:
    """Whether a pattern means more than itself."""
    return any(sign in pattern for sign in "*?[") and _ROUTE.fullmatch(pattern) is None


@frozen
class _Glob:
    """A pattern with its number."""

    number: int
    pattern: str

    def matches(self, place: str) -> bool:
        return text_matches(place, self.pattern)


class FirstGlob:
    """Numbered patterns, in ascending order, of which the one with the smallest number that matches is looked for.

    A place is compared only with patterns that begin or end as it does, or whose longest literal piece it contains:
    comparing 10,000 places with 1,000 patterns each takes 8 seconds. An empty pattern matches any place.
    """

    def __init__(self, patterns: Iterable[tuple[int, str]]) -> None:
        self._everywhere: int | None = None
        self._exact: dict[str, int] = {}
        self._by_start: dict[int, dict[str, list[_Glob]]] = {}
        self._by_end: dict[int, dict[str, list[_Glob]]] = {}
        self._by_piece: list[tuple[str, _Glob]] = []
        self._known: dict[str, int | None] = {}
        for number, pattern in patterns:
            self._add(number, pattern)

    def of(self, places: Sequence[str]) -> int | None:
        """The smallest number of a pattern that matches one of the places; None if none does."""
        best = self._everywhere
        for place in places:
            if place not in self._known:
                self._known[place] = self._first(place)
            best = _smaller(best, self._known[place])
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
        assert begin is not None, "every pattern has a start, if an empty one"
        start, end = _CLASS_OF_ONE.sub(r"\1", begin[0]), _MAGIC_END.split(pattern)[-1]
        glob = _Glob(number, pattern)
        if start:
            self._by_start.setdefault(len(start), {}).setdefault(start, []).append(glob)
        elif end and "[" not in end:
            self._by_end.setdefault(len(end), {}).setdefault(end, []).append(glob)
        else:
            # Pieces before the first class only: a character inside of a class need not occur in a place.
            pieces = re.split(r"[*?]+", pattern.partition("[")[0])
            self._by_piece.append((max(pieces, key=len), glob))

    def _first(self, place: str) -> int | None:
        best = self._exact.get(place)
        for globs in self._candidates(place):
            best = _smaller(best, next((glob.number for glob in globs if glob.matches(place)), None))
        return best

    def _candidates(self, place: str) -> Iterator[list[_Glob]]:
        for length, by_start in self._by_start.items():
            yield by_start.get(place[:length], [])
        for length, by_end in self._by_end.items():
            yield by_end.get(place[-length:], [])
        yield [glob for piece, glob in self._by_piece if piece in place]


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
