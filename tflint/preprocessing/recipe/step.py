"""A step of client code, and the notation of its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.preprocessing.recipe.recipe import Values
from tflint.values import frozen


@frozen
class Step:
    """One step: a description, the contract keys that specify it, lines of numpy code, and the helpers they call.

    `note` says whether the model agrees with the step, or what the contract does not specify.
    """

    words: str
    keys: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    note: str = ""


def format_numbers(values: Values | Sequence[float]) -> str:
    """Return numbers for display with 9 significant digits; a single one has no brackets."""
    texts = [f"{value:.9g}" for value in values]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def format_list(values: Sequence[float]) -> str:
    """Return numbers as a Python list."""
    return f"[{', '.join(repr(value) for value in values)}]"


def format_array(values: Values | Sequence[float]) -> str:
    """Return numbers as numpy code without loss of precision."""
    texts = [repr(float(value)) for value in values]
    return texts[0] if len(texts) == 1 else f"np.array([{', '.join(texts)}])"


def format_signed(number: int, minus: str = "-") -> str:
    """Return an integer as an addend such as "+ 3"; `minus` is the sign of negative numbers."""
    return f"{'+' if number >= 0 else minus} {abs(number)}"
