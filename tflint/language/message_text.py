"""Fills checked templates with values: how numbers, lists and what is absent are written in a message."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tflint.language.expression import Part

#: A list in a message shows this many elements.
MAX_SHOWN = 8


def show(value: Any, format_: str) -> str:
    """A value in a message: a number, a bool, a string, None (absent), or a list of these."""
    if isinstance(value, list | tuple):
        shown = [show(element, format_) for element in value[:MAX_SHOWN]]
        return "[" + ", ".join([*shown, "…"] if len(value) > MAX_SHOWN else shown) + "]"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return _number(float(value), format_)


def _number(number: float, format_: str) -> str:
    if not math.isfinite(number):
        return str(number)
    if format_.endswith("d"):
        return format(round(number), format_)
    if not format_:
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else format(number, ".6g")
    return format(number, format_)


def fill(parts: Sequence[Part], values: Sequence[Any]) -> str:
    """The text of a template with the values of its expressions in order."""
    waiting = iter(values)
    return "".join(part.text if part.expression is None else show(next(waiting), part.format) for part in parts)
