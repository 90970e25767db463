"""Explains why data does not satisfy a schema: selects the mistake to report and its position.

`schema_mistakes` finds the mistakes, and `error_wording` describes the selected one. Imported only for invalid data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.errors import Place, UserError
from tflint.userfiles.error_wording import Document, ErrorText, describe_mistake, format_path
from tflint.userfiles.schema_mistakes import Mistake, first_mistakes, pick_most_specific
from tflint.userfiles.toml_positions import Path, Span, locate
from tflint.userfiles.userfile import error_at


def diagnose(
    data: object, schema: Mapping[str, Any], path: str, text: str | None, what: str, prefix: Path
) -> UserError:
    """Return the error that `schema_errors.check` raises for invalid data. Takes the same arguments as `check`."""
    try:
        mistakes = first_mistakes(data, schema)
        if not mistakes:  # only `is_valid` reached the recursion limit: finding mistakes takes fewer nested calls
            raise RecursionError
        spans = {} if text is None else _spans_of(mistakes, text, prefix)
        # For mistakes with the same rank, `min` returns the first in the order of the schema.
        first = min(mistakes, key=lambda mistake: _rank(mistake, spans, prefix))
        error = describe_mistake(pick_most_specific(first), Document(data, what, schema))
    except RecursionError:
        return UserError(f"the {what} is nested too deeply to be checked", place=Place(path))
    if text is None:
        at = f" (at {format_path(error.path)})" if error.path else ""
        return UserError(error.message + at, place=Place(path), hint=error.hint)
    return _locate_error(error, path, text, prefix)


def position(spans: Mapping[Path, Span], path: Path) -> Span | None:
    """Return the span of `path`, or of the nearest enclosing table or array that has one."""
    while path and path not in spans:
        path = path[:-1]
    return spans.get(path)


def _spans_of(mistakes: list[Mistake], text: str, prefix: Path) -> dict[Path, Span]:
    paths = {prefix + mistake.path for mistake in mistakes}
    return locate(text, _with_parents(paths)) if len(paths) > 1 else {}  # only several paths must be ranked


def _with_parents(paths: set[Path]) -> set[Path]:
    return {path[:end] for path in paths for end in range(1, len(path) + 1)}


def _rank(mistake: Mistake, spans: Mapping[Path, Span], prefix: Path) -> tuple[int, int, int]:
    """Return a key that sorts mistakes by position in the file, then unknown keys before missing ones.

    A misspelled key causes both an unknown key and a missing one.
    """
    span = position(spans, prefix + mistake.path)
    line, column = (span.line, span.column) if span else (0, 0)
    return line, column, _RANKS.get(mistake.keyword, 2)


_RANKS = {"additionalProperties": 0, "required": 1, "anyOf": 3, "oneOf": 3}


def _locate_error(error: ErrorText, path: str, text: str, prefix: Path) -> UserError:
    full = prefix + error.path
    spans = locate(text, _with_parents({full}))
    span = position(spans, full)
    if span is None:
        return UserError(error.message, place=Place(path), hint=error.hint)
    if error.is_about_key or full not in spans:
        line, column, width = span.line, span.column, span.length
    else:
        line, column, width = span.value_line, span.value_column, span.value_length
    return error_at(error.message, path, text, line, column, width=width, hint=error.hint)
