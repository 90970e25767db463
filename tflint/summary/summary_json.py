"""A portrait as JSON (`schemas/show.schema.json`): types and operators under the names of the schema."""

from __future__ import annotations

from typing import Any

from tflint._version import __version__
from tflint.report.json_report import TOOL, dumps, to_json_value
from tflint.summary.summary_values import Summary

SCHEMA_VERSION = 1


def render(portrait: Summary) -> str:
    """The JSON text, ended by a newline."""
    return dumps(to_data(portrait))


def to_data(portrait: Summary) -> dict[str, Any]:
    """The portrait as plain data: its fields by name, lists for tuples, text for numbers that are not finite."""
    data: dict[str, Any] = _as_data(portrait)
    sizes = portrait.sizes
    data["sizes"]["by_dtype"] = dict(sizes.by_dtype)
    data["sizes"]["external"] = [{"name": name, "bytes": n_bytes} for name, n_bytes in sizes.external]
    for need, plain in zip(portrait.needs, data["needs"], strict=True):
        plain["operators"] = [{"opcode": opcode, "version": version} for opcode, version in need.operators]
    return {"schema_version": SCHEMA_VERSION, "tool": {"name": TOOL, "version": __version__}, **data}


def _as_data(value: object) -> Any:
    """A value as plain data: one of this package's is its fields by name."""
    if isinstance(value, tuple):
        return [_as_data(element) for element in value]
    names: tuple[str, ...] = getattr(type(value), "__slots__", ())
    return {name: _as_data(getattr(value, name)) for name in names} if names else to_json_value(value)
