"""Names the allowed word that is most like a misspelt one; by itself, since only errors should pay for it."""

from __future__ import annotations

from collections.abc import Iterable

MAX_WORD = 60
"""Most characters of a word that is compared: nobody misspells a longer one, and comparing takes time."""


def nearest(word: object, allowed: Iterable[object]) -> str:
    """The hint that names the allowed word most like `word`; empty if none is."""
    if not isinstance(word, str) or len(word) > MAX_WORD:
        return ""
    import difflib

    texts = {value.lower(): value for value in allowed if isinstance(value, str)}
    found = difflib.get_close_matches(word.lower(), texts, n=1)
    return f"did you mean '{texts[found[0]]}'?" if found else ""
