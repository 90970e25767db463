"""Finds why a user's data does not satisfy a schema: picks the mistake to report and the place where it stands.

`mistakes` finds the mistakes, `wording` puts one of them in words; imported only for data that is not valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.errors import Place, UserError
from tflint.userfiles.error_wording import Complaint, Document, complaint, dotted
from tflint.userfiles.schema_mistakes import Mistake, first_mistakes, most_telling
from tflint.userfiles.toml_positions import Path, Span, locate
from tflint.userfiles.userfile import error_at


def diagnose(
    data: object, schema: Mapping[str, Any], path: str, text: str | None, what: str, prefix: Path
) -> UserError:
    """The error that `explain.check` raises, for the same arguments and data that is not valid."""
    try:
        found = first_mistakes(data, schema)
        if not found:  # the verdict reached Python's limit of nested calls, `mistakes` with its flatter calls did not
            raise RecursionError
        spans = {} if text is None else _spans_of(found, text, prefix)
        # `min` takes the first of equals: of mistakes at one place the one that the schema names first.
        first = min(found, key=lambda mistake: _rank(mistake, spans, prefix))
        words = complaint(most_telling(first), Document(data, what, schema))
    except RecursionError:
        return UserError(f"the {what} is nested too deeply to be checked", place=Place(path))
    if text is None:
        at = f" (at {dotted(words.path)})" if words.path else ""
        return UserError(words.message + at, place=Place(path), hint=words.hint)
    return _placed(words, path, text, prefix)


def position(spans: Mapping[Path, Span], path: Path) -> Span | None:
    """The span of `path`, else of the nearest table or array around it that has one."""
    while path and path not in spans:
        path = path[:-1]
    return spans.get(path)


def _spans_of(found: list[Mistake], text: str, prefix: Path) -> dict[Path, Span]:
    paths = {prefix + mistake.path for mistake in found}
    return locate(text, _with_parents(paths)) if len(paths) > 1 else {}  # one place needs no order


def _with_parents(paths: set[Path]) -> set[Path]:
    return {path[:end] for path in paths for end in range(1, len(path) + 1)}


def _rank(mistake: Mistake, spans: Mapping[Path, Span], prefix: Path) -> tuple[int, int, int]:
    """First in the file is first; at one place an unknown key goes first: a mistyped key explains a missing one."""
    span = position(spans, prefix + mistake.path)
    line, column = (span.line, span.column) if span else (0, 0)
    return line, column, _RANKS.get(mistake.keyword, 2)


_RANKS = {"additionalProperties": 0, "required": 1, "anyOf": 3, "oneOf": 3}


def _placed(found: Complaint, path: str, text: str, prefix: Path) -> UserError:
    full = prefix + found.path
    spans = locate(text, _with_parents({full}))
    span = position(spans, full)
    if span is None:
        return UserError(found.message, place=Place(path), hint=found.hint)
    if found.is_about_key or full not in spans:
        where = (span.line, span.column, span.length)
    else:
        where = (span.value_line, span.value_column, span.value_length)
    return error_at(found.message, path, text, where[0], where[1], width=where[2], hint=found.hint)
