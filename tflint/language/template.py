"""Message templates: text with `{expression}` or `{expression:format}` in it, checked as rules are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tflint.columns.types import BOOL, NUMBER, STRING, ColumnType
from tflint.language.check import Expression, check
from tflint.language.scope import Scope
from tflint.language.syntax import ExpressionError, without_strings

#: `[,][.digits]type`: what numbers may be written with. Wider formats would let a message grow without bound.
_FORMAT = re.compile(r",?(d|(\.[0-9]{1,2})?[efg%]?)")
#: A list in a message shows this many elements.
MAX_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template: plain text, or an expression with its format."""

    text: str = ""
    expression: Expression | None = None
    format: str = ""


def compile_template(text: str, scope: Scope) -> tuple[Part, ...]:
    """Check a template; `ExpressionError` with its offset in the whole text where it is wrong. `{{` is a brace."""
    parts: list[Part] = []
    at = 0
    plain = ""
    while at < len(text):
        if text[at : at + 2] in ("{{", "}}"):
            plain, at = plain + text[at], at + 2
        elif text[at] == "}":
            raise ExpressionError("'}' closes nothing", at, 1, "write '}}' for a brace")
        elif text[at] == "{":
            if plain:
                parts.append(Part(plain))
                plain = ""
            part, at = _placeholder(text, at, scope)
            parts.append(part)
        else:
            plain, at = plain + text[at], at + 1
    return tuple([*parts, Part(plain)] if plain else parts)


def _placeholder(text: str, at: int, scope: Scope) -> tuple[Part, int]:
    end = _closing(text, at)
    body = text[at + 1 : end]
    colon = without_strings(body).rfind(":")
    source, format_ = (body[:colon], body[colon + 1 :]) if colon >= 0 else (body, "")
    try:
        expression = check(source, scope)
    except ExpressionError as error:
        raise ExpressionError(error.message, at + 1 + error.offset, error.length, error.hint) from None
    if expression.type.kind not in (NUMBER, BOOL, STRING):
        raise ExpressionError(
            f"a message cannot show a {expression.type}", at + 1, len(source), "show its name or index"
        )
    _check_format(expression.type, format_, at + 2 + colon)
    return Part("", expression, format_), end + 1


def _closing(text: str, at: int) -> int:
    end = without_strings(text[at + 1 :]).find("}")
    if end < 0:
        raise ExpressionError("'{' is never closed", at, 1, "write '{{' for a brace")
    return at + 1 + end


def _check_format(type_: ColumnType, format_: str, offset: int) -> None:
    if not _FORMAT.fullmatch(format_) or (format_ and type_.kind != NUMBER):
        raise ExpressionError(
            f"'{format_}' is no format for a {type_.element()}", offset, len(format_), "such as .6g, .1f or ,d"
        )


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
