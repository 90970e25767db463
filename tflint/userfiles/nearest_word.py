"""Suggests the allowed word that is most similar to a misspelled one; `difflib` is imported only for errors."""

from __future__ import annotations

from collections.abc import Iterable

MAX_WORD = 60
"""Most characters of a word to compare, because the time grows with the square of its length."""


def nearest(word: object, allowed: Iterable[object]) -> str:
    """Return the hint "did you mean '…'?" with the allowed word most similar to `word`; empty if none is similar."""
    if not isinstance(word, str) or len(word) > MAX_WORD:
        return ""
    import difflib

    texts = {value.lower(): value for value in allowed if isinstance(value, str)}
    matches = difflib.get_close_matches(word.lower(), texts, n=1)
    return f"did you mean '{texts[matches[0]]}'?" if matches else ""
