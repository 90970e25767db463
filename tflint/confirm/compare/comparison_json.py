"""Renders a comparison as JSON (`schemas/comparison.schema.json`)."""

from __future__ import annotations

from typing import Any

from tflint._version import __version__
from tflint.confirm.compare.comparison import Comparison
from tflint.report.json_report import TOOL, dumps, to_json_value

SCHEMA_VERSION = 1


def render(comparison: Comparison) -> str:
    """Return the JSON text, with a final newline."""
    return dumps(to_data(comparison))


def to_data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain data: objects as dicts of fields, tuples as lists."""
    head = {"schema_version": SCHEMA_VERSION, "tool": {"name": TOOL, "version": __version__}}
    fields: dict[str, Any] = _to_plain(comparison)
    return head | fields


def _to_plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_to_plain(element) for element in value]
    names: tuple[str, ...] = getattr(type(value), "__slots__", ())
    return {name: _to_plain(getattr(value, name)) for name in names} if names else to_json_value(value)
