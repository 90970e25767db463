"""Renders a summary as JSON (`schemas/show.schema.json`). Types and operators have their names in the TFLite schema."""

from __future__ import annotations

from typing import Any

from tflint._version import __version__
from tflint.report.json_report import TOOL, dumps, to_json_value
from tflint.summary.summary_values import Summary

SCHEMA_VERSION = 1


def render(summary: Summary) -> str:
    """Return the JSON text, with a final newline."""
    return render_data(to_data(summary))


def render_data(data: dict[str, Any] | list[dict[str, Any]]) -> str:
    """Return the JSON text of the plain data of one summary or of several, with a final newline."""
    return dumps(data)


def to_data(summary: Summary) -> dict[str, Any]:
    """Return the summary as plain data: objects as dicts of fields, tuples as lists, NaN and infinity as strings."""
    data: dict[str, Any] = _to_plain(summary)
    sizes = summary.sizes
    data["sizes"]["by_dtype"] = dict(sizes.by_dtype)
    data["sizes"]["external"] = [{"name": name, "bytes": n_bytes} for name, n_bytes in sizes.external]
    for need, plain in zip(summary.needs, data["needs"], strict=True):
        plain["operators"] = [{"opcode": opcode, "version": version} for opcode, version in need.operators]
    return {"schema_version": SCHEMA_VERSION, "tool": {"name": TOOL, "version": __version__}, **data}


def _to_plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_to_plain(element) for element in value]
    names: tuple[str, ...] = getattr(type(value), "__slots__", ())
    return {name: _to_plain(getattr(value, name)) for name in names} if names else to_json_value(value)
