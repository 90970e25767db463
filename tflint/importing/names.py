"""The error for a name that an ecosystem's table does not have."""

from __future__ import annotations

from collections.abc import Iterable

from tflint.documents.nearest import nearest
from tflint.errors import UserError


def unknown_name(name: str, ecosystem: str, known: Iterable[str], instead: str) -> UserError:
    """It says the nearest known name; `instead` is the file that would do."""
    hint = nearest(name, known) or f"give the path of {instead}"
    return UserError(f"'{name[:80]}' is neither a file nor a name of {ecosystem}'s that is known here", hint=hint)
