"""A step of a caller, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.preprocessing.recipe.recipe import Values
from tflint.values import frozen


@frozen
class Step:
    """One thing to do: in words, the contract's keys that say so, lines of numpy, and functions these call.

    `note` is what the model's own numbers, or their absence, add to it.
    """

    words: str
    keys: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    note: str = ""


def listed(values: Values | Sequence[float]) -> str:
    """Numbers for people, one without brackets."""
    shown = [f"{value:.9g}" for value in values]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def several(values: Sequence[float]) -> str:
    """A list of numbers in Python."""
    return f"[{', '.join(repr(value) for value in values)}]"


def array(values: Values | Sequence[float]) -> str:
    """Numbers as numpy reads them back without a loss."""
    shown = [repr(float(value)) for value in values]
    return shown[0] if len(shown) == 1 else f"np.array([{', '.join(shown)}])"


def signed(number: int, minus: str = "-") -> str:
    """An integer that is added, with its sign before it; `minus` is how that is written."""
    return f"{'+' if number >= 0 else minus} {abs(number)}"
