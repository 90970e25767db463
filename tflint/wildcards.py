"""Wildcards as in `fnmatch`: `*` matches any characters, `?` one character, `[a-z]` one of a set.

`fnmatch` is not safe for untrusted patterns: its time grows with the square of the number of open brackets, and it
takes ten seconds to compile 1 MB of `*a*a`. Here, a pattern is parsed once, and a match takes at most (pattern length ×
text length) steps.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable

#: Number of cached patterns, more than a configuration has. With a smaller cache, each pattern would be parsed again
#: for every file.
_MAX_CACHED = 16_384


@functools.lru_cache(maxsize=_MAX_CACHED)
def matcher(pattern: str, *, has_sets: bool) -> Callable[[str], bool]:
    """Return a function that matches texts with a pattern. If sets are not allowed, brackets are literal."""
    if "?" in pattern or (has_sets and "[" in pattern):
        closed = _escape_open_brackets(pattern) if has_sets else pattern.replace("[", "[[]")
        # Each piece between stars becomes an atomic group: the expression never backtracks to an earlier star.
        return functools.partial(_is_match, re.compile(fnmatch.translate(closed)))
    pieces = re.split(r"\*+", pattern)
    return functools.partial(_has_pieces, pieces) if len(pieces) > 1 else pattern.__eq__


def text_matches(text: str, pattern: str) -> bool:
    """Return whether a text matches a pattern, which may contain sets. Matching is case-sensitive."""
    return matcher(pattern, has_sets=True)(text)


def has_wildcard(text: str) -> bool:
    """Return whether a text has a character with a special meaning in patterns."""
    return any(sign in text for sign in "*?[")


def _is_match(expression: re.Pattern[str], text: str) -> bool:
    return expression.match(text) is not None


def _has_pieces(pieces: list[str], text: str) -> bool:
    """Return whether a text consists of the pieces in order, with any text in between."""
    first, *middle, last = pieces
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:  # the earliest match leaves the most text for the other pieces
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _escape_open_brackets(pattern: str) -> str:
    """Escape brackets that are never closed: `fnmatch` would search to the end of the pattern for each."""
    at = pattern.find("[")
    while at >= 0:
        start = at + 1 + pattern.startswith("!", at + 1)
        end = pattern.find("]", start + pattern.startswith("]", start))
        if end < 0:  # later brackets are not closed either
            return pattern[:at] + pattern[at:].replace("[", "[[]")
        at = pattern.find("[", end + 1)
    return pattern
