"""Fills checked templates with values. Formats numbers, lists and absent values for messages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tflint.columns.column_types import STRING
from tflint.language.expression import Part

#: Maximum number of elements that a message shows of a list.
MAX_LIST_ELEMENTS = 8


def show(value: Any, format_: str) -> str:
    """Format a value for a message: a number, bool, string, None (absent), or a list of these.

    A list with one number and a format is shown as this number: `{mean:.6g}` is one number or one per channel.
    """
    if isinstance(value, list | tuple):
        if format_ and len(value) == 1:
            return show(value[0], format_)
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
    return "".join(part.text if part.expression is None else _show_part(part, next(remaining)) for part in parts)


def _show_part(part: Part, value: Any) -> str:
    """Format the value of a part. An empty list of names is "none"; an empty list of numbers can be a shape: "[]"."""
    is_text = part.expression is not None and part.expression.type.kind == STRING
    return show(None if is_text and value in ([], ()) else value, part.format)
