"""Finds why a user's data does not satisfy a schema: picks the mistake to tell of and the place where it stands.

`jsonschema` finds the mistakes, `wording` puts one of them in words; imported only for data that is not valid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tflint.documents.reading import error_at
from tflint.documents.toml_spans import Path, Span, locate
from tflint.documents.wording import Complaint, Document, Mistake, complaint, dotted
from tflint.errors import Place, UserError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


def diagnose(
    data: object, schema: Mapping[str, Any], path: str, text: str | None, what: str, prefix: Path
) -> UserError | None:
    """The error that `explain.check` raises (same arguments); None where jsonschema finds the data valid."""
    spans = {} if text is None else locate(text)
    try:
        mistake = _telling_mistake(data, schema, spans, prefix)
        found = None if mistake is None else complaint(mistake, Document(data, what))
    except RecursionError:
        return UserError(f"the {what} is nested too deeply to be checked", place=Place(path))
    except ValueError:  # jsonschema writes the value into its message: Python limits an integer's digits
        return UserError(f"the {what} has a number with too many digits", place=Place(path))
    if found is None:
        return None
    if text is None:
        at = f" (at {dotted(found.path)})" if found.path else ""
        return UserError(found.message + at, place=Place(path), hint=found.hint)
    return _placed(found, path, text, spans, prefix)


def position(spans: Mapping[Path, Span], path: Path) -> Span | None:
    """The span of `path`, else of the nearest table or array around it that has one."""
    while path and path not in spans:
        path = path[:-1]
    return spans.get(path)


def _telling_mistake(
    data: object, schema: Mapping[str, Any], spans: Mapping[Path, Span], prefix: Path
) -> Mistake | None:
    """The first mistake in the file; at one place an unknown key goes first: a mistyped key explains a missing one."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    def rank(error: ValidationError) -> tuple[int, int, int]:
        span = position(spans, prefix + tuple(error.absolute_path))
        line, column = (span.line, span.column) if span else (0, 0)
        return line, column, _RANKS.get(str(error.validator), 2)

    errors = sorted(Draft202012Validator(_with_places(schema)).iter_errors(data), key=rank)
    best: ValidationError | None = best_match(errors[:1])  # of one error the most telling one of its alternatives
    return None if best is None else _mistake(best)


_RANKS = {"additionalProperties": 0, "required": 1, "anyOf": 3, "oneOf": 3}


def _with_places(schema: Any) -> Any:
    """The schema with `not: {}` for a key's schema `false`, of which jsonschema reports no place (4.26)."""
    if isinstance(schema, list):
        return [_with_places(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties", "$defs"):
            copy[key] = {name: {"not": {}} if inner is False else _with_places(inner) for name, inner in value.items()}
        else:
            copy[key] = value if key in _NO_SCHEMAS else _with_places(value)
    return copy


_NO_SCHEMAS = {"const", "enum", "default", "examples"}


def _mistake(error: ValidationError) -> Mistake:
    return Mistake(
        path=tuple(error.absolute_path),
        value=error.instance,
        keyword=str(error.validator or ""),
        wanted=error.validator_value,
        schema=error.schema if isinstance(error.schema, Mapping) else {},
        alternatives=tuple(_mistake(inner) for inner in error.context or ()),
    )


def _placed(found: Complaint, path: str, text: str, spans: Mapping[Path, Span], prefix: Path) -> UserError:
    full = prefix + found.path
    span = position(spans, full)
    if span is None:
        return UserError(found.message, place=Place(path), hint=found.hint)
    if found.is_about_key or full not in spans:
        where = (span.line, span.column, span.length)
    else:
        where = (span.value_line, span.value_column, span.value_length)
    return error_at(found.message, path, text, where[0], where[1], width=where[2], hint=found.hint)
