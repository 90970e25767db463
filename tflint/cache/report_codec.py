"""Converts the reports of files to JSON and back. A stored report is used only if it has exactly the expected shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from tflint.findings import (
    ByteSpan,
    ContainerOverview,
    FileReport,
    Finding,
    Location,
    MemberOrigin,
    NotChecked,
    Overview,
    Related,
    TextSpan,
)


class ShapeError(ValueError):
    """A value cannot be stored, or a stored value does not have the expected shape."""


#: Returns a value of a field from its JSON. Raises `ShapeError` if the JSON has a different shape.
_Decode: TypeAlias = Callable[[Any], Any]


def dump_reports(reports: Sequence[FileReport]) -> str:
    """Return reports as JSON in ASCII on one line. Raises `ShapeError` if a report cannot be stored."""
    return _ENCODER.encode(reports)


def load_reports(text: str | bytes) -> list[FileReport]:
    """Return reports from JSON. Raises `ShapeError` if it does not have the expected shape."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ShapeError(str(error)) from error
    reports: list[FileReport] = _tuple_of(_object(FileReport))(data)
    return list(reports)


def _list_fields(value: Any) -> list[Any]:
    """Return the fields of a value that JSON does not know, in order. JSON encodes tuples as lists."""
    if type(value) not in _FIELDS:
        raise ShapeError(f"a value of type {type(value).__name__}")
    if type(value) is Finding:
        for item in value.evidence.values():
            _require_plain(item)
    return [getattr(value, name) for name in type(value).__match_args__]


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_list_fields)


def _require_plain(value: Any) -> None:
    """Raise `ShapeError` for evidence that JSON would change: a tuple would become a list when it is loaded."""
    if isinstance(value, list):
        for item in value:
            _require_plain(item)
    elif value is not None and not isinstance(value, str | int | float):
        raise ShapeError(f"evidence of type {type(value).__name__}")


def _exactly(kind: type) -> _Decode:
    def decode(value: Any) -> Any:
        if type(value) is not kind:
            raise ShapeError(f"{type(value).__name__} instead of {kind.__name__}")
        return value

    return decode


def _or_none(decode: _Decode) -> _Decode:
    return lambda value: None if value is None else decode(value)


def _tuple_of(decode: _Decode) -> _Decode:
    def decode_all(value: Any) -> Any:
        if type(value) is not list:
            raise ShapeError(f"{type(value).__name__} instead of a list")
        return tuple([decode(item) for item in value])

    return decode_all


def _object(cls: type) -> _Decode:
    def decode(value: Any) -> Any:
        fields = _FIELDS[cls]
        if type(value) is not list or len(value) != len(fields):
            raise ShapeError(f"not the fields of {cls.__name__}")
        return cls(*[field(item) for field, item in zip(fields, value, strict=True)])

    return decode


def _evidence(value: Any) -> Any:
    if type(value) is not dict:
        raise ShapeError(f"{type(value).__name__} instead of a mapping")
    return value


def _never(value: Any) -> Any:
    """Decode a field that is empty in stored reports, because it is set after a report is stored."""
    if value is not None and value != []:
        raise ShapeError("a field that is set later")
    return None if value is None else ()


def _default(expected: str) -> _Decode:
    """Decode a field that has its default in stored reports, because it is set after a report is stored."""

    def decode(value: Any) -> Any:
        if value != expected:
            raise ShapeError("a field that is set later")
        return value

    return decode


_TEXT, _NUMBER, _FLAG = _exactly(str), _exactly(int), _exactly(bool)
_TEXTS, _TEXT_OR_NONE, _NUMBER_OR_NONE = _tuple_of(_TEXT), _or_none(_TEXT), _or_none(_NUMBER)
#: The fields of each class in order. A test compares their number with that of the classes.
_FIELDS: dict[type, tuple[_Decode, ...]] = {
    ByteSpan: (_NUMBER, _NUMBER),
    TextSpan: (_NUMBER, _NUMBER, _NUMBER, _NUMBER),
    Location: (_TEXT, _TEXT, _TEXTS, _or_none(_object(ByteSpan)), _or_none(_object(TextSpan))),
    Related: (_object(Location), _TEXT),
    NotChecked: (_TEXT, _NUMBER, _TEXT),
    Overview: (_TEXT, _NUMBER, _NUMBER, _NUMBER, _TEXTS),
    ContainerOverview: (_TEXT, _NUMBER, _NUMBER, _NUMBER),
    MemberOrigin: (_TEXT, _TEXT, _NUMBER_OR_NONE),
    Finding: (
        _TEXT,  # rule
        _TEXT,  # name
        _TEXT,  # severity
        _TEXT,  # severity_before
        _TEXT,  # confidence
        _TEXT,  # message
        _object(Location),
        _TEXT,  # fix
        _TEXTS,  # identity
        _TEXT_OR_NONE,  # target
        _tuple_of(_object(Related)),
        _evidence,
        _TEXTS,  # refused_by
        _TEXTS,  # runs_on
        _never,  # verdict
        _never,  # probe
        _never,  # suppressed
        _FLAG,  # is_newer
        _NUMBER,  # n_more
    ),
    FileReport: (
        _TEXT,  # path
        _TEXT,  # kind
        _TEXT,  # status
        _tuple_of(_object(Finding)),
        _tuple_of(_object(NotChecked)),
        _or_none(_object(Overview)),
        _TEXT_OR_NONE,  # sha256
        _TEXT_OR_NONE,  # predicted
        _or_none(_object(ContainerOverview)),
        _or_none(_object(MemberOrigin)),
        _TEXT_OR_NONE,  # contract
        _TEXT_OR_NONE,  # contract_gap
        _TEXT_OR_NONE,  # compared_with
        _never,  # runs
        _NUMBER,  # rules_in_scope
        _NUMBER,  # n_muted
        _never,  # configuration
        _default("error"),  # fail_on
    ),
}
