"""The error for a name that is not in the table of an ecosystem."""

from __future__ import annotations

from collections.abc import Iterable

from tflint.errors import UserError
from tflint.userfiles.nearest_word import nearest


def unknown_name(name: str, ecosystem: str, known: Iterable[str], instead: str) -> UserError:
    """Return the error for a name. Its hint is the most similar known name, or `instead` if none is similar."""
    hint = nearest(name, known) or instead
    return UserError(f"'{name[:80]}' is neither a file nor a known {ecosystem} name", hint=hint)
