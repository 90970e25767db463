"""The error for a name that an ecosystem's table does not have."""

from __future__ import annotations

from collections.abc import Iterable

from tflint.errors import UserError
from tflint.userfiles.nearest_word import nearest


def unknown_name(name: str, ecosystem: str, known: Iterable[str], instead: str) -> UserError:
    """It says the nearest known name, or what would do `instead`."""
    hint = nearest(name, known) or instead
    return UserError(f"'{name[:80]}' is not known here as a name of {ecosystem}, and is no file", hint=hint)
