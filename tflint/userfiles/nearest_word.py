"""Suggests the allowed word that is most similar to a misspelled word. `difflib` is imported only if it is needed."""

from __future__ import annotations

from collections.abc import Iterable

MAX_WORD = 60
"""Maximum length of a word to compare. The time grows with the square of the length."""


def nearest(word: object, allowed: Iterable[object]) -> str:
    """Return the hint "did you mean '…'?" with the most similar allowed word, or an empty string if none is similar."""
    if not isinstance(word, str) or len(word) > MAX_WORD:
        return ""
    import difflib

    texts = {value.lower(): value for value in allowed if isinstance(value, str)}
    matches = difflib.get_close_matches(word.lower(), texts, n=1)
    return f"did you mean '{texts[matches[0]]}'?" if matches else ""
