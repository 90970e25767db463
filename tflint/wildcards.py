"""Wildcards in one text: `*` is any characters, `?` one, `[a-z]` one of a set, as in `fnmatch`.

`fnmatch` alone is not safe on patterns of strangers: its time is quadratic in the number of open brackets, and it
compiles 1 MB of `*a*a` for ten seconds. Here a pattern is read once, and a comparison takes at most as many steps as
the pattern has characters times the text's.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable

#: More patterns than a configuration has: a smaller cache would read each again for every file.
_MAX_CACHED = 16_384


@functools.lru_cache(maxsize=_MAX_CACHED)
def matcher(pattern: str, *, has_sets: bool) -> Callable[[str], bool]:
    """Return a function that matches texts. Without sets, brackets are literal."""
    if "?" in pattern or (has_sets and "[" in pattern):
        closed = _closed(pattern) if has_sets else pattern.replace("[", "[[]")
        # Each piece between stars becomes an atomic group: the expression never returns to an earlier star.
        return functools.partial(_is_match, re.compile(fnmatch.translate(closed)))
    pieces = re.split(r"\*+", pattern)
    return functools.partial(_has_pieces, pieces) if len(pieces) > 1 else pattern.__eq__


def text_matches(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern with sets, upper and lower case told apart."""
    return matcher(pattern, has_sets=True)(text)


def _is_match(expression: re.Pattern[str], text: str) -> bool:
    return expression.match(text) is not None


def _has_pieces(pieces: list[str], text: str) -> bool:
    """Whether a text is the pieces in this order with anything in between; the first fit of each leaves most room."""
    first, *middle, last = pieces
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _closed(pattern: str) -> str:
    """The pattern with brackets that nothing closes written as sets of one: `fnmatch` searches to the end for each."""
    at = pattern.find("[")
    while at >= 0:
        start = at + 1 + pattern.startswith("!", at + 1)
        end = pattern.find("]", start + pattern.startswith("]", start))
        if end < 0:  # nor is any bracket after this one closed
            return pattern[:at] + pattern[at:].replace("[", "[[]")
        at = pattern.find("[", end + 1)
    return pattern
