"""Checks message templates: text that contains `{expression}` or `{expression:format}`."""

from __future__ import annotations

import re

from tflint.columns.column_types import BOOL, NUMBER, STRING, ColumnType
from tflint.language.expression import Part
from tflint.language.scope import Scope
from tflint.language.syntax import ExpressionError, without_strings
from tflint.language.type_check import check

#: A format is `[,][.digits]type`. A width is not allowed, because a large width would make a message very long.
_FORMAT = re.compile(r",?(d|(\.[0-9]{1,2})?[efg%]?)")

#: Maximum number of expressions per message; the built-in rules have at most 7.
MAX_VALUES = 20


def compile_template(text: str, scope: Scope) -> tuple[Part, ...]:
    """Check a template and return its parts. `{{` and `}}` stand for single braces.

    Raises `ExpressionError` with the offset of the error in the template if the template is invalid.
    """
    parts: list[Part] = []
    at = n_values = 0
    plain = ""
    while at < len(text):
        if text[at : at + 2] in ("{{", "}}"):
            plain, at = plain + text[at], at + 2
        elif text[at] == "}":
            raise ExpressionError("unmatched '}'", at, 1, "write '}}' for a brace")
        elif text[at] == "{":
            n_values += 1
            if n_values > MAX_VALUES:
                raise ExpressionError(f"a message shows at most {MAX_VALUES} values", at, 1)
            if plain:
                parts.append(Part(plain))
                plain = ""
            part, at = _placeholder(text, at, scope)
            parts.append(part)
        else:
            plain, at = plain + text[at], at + 1
    return tuple([*parts, Part(plain)] if plain else parts)


def _placeholder(text: str, at: int, scope: Scope) -> tuple[Part, int]:
    end = _find_closing(text, at)
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


def _find_closing(text: str, at: int) -> int:
    end = without_strings(text[at + 1 :]).find("}")
    if end < 0:
        raise ExpressionError("'{' is never closed", at, 1, "write '{{' for a brace")
    return at + 1 + end


def _check_format(type_: ColumnType, format_: str, offset: int) -> None:
    if not _FORMAT.fullmatch(format_) or (format_ and type_.kind != NUMBER):
        raise ExpressionError(
            f"'{format_}' is not a valid format for a {type_.element()}",
            offset,
            len(format_),
            "use a format such as .6g, .1f or ,d",
        )
