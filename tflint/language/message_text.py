"""Fills checked templates with values. Formats numbers, lists and absent values for messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tflint.language.expression import Part

#: Maximum number of elements that a message shows of a list.
MAX_LIST_ELEMENTS = 8


def show(value: Any, format_: str) -> str:
    """Format a value for a message: a number, bool, string, None (absent), or a list of these."""
    if isinstance(value, list | tuple):
        elements = [show(element, format_) for element in value[:MAX_LIST_ELEMENTS]]
        return "[" + ", ".join([*elements, "…"] if len(value) > MAX_LIST_ELEMENTS else elements) + "]"
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
    """Return the text of a template with the values of its expressions, in order."""
    remaining = iter(values)
    return "".join(part.text if part.expression is None else show(next(remaining), part.format) for part in parts)
