"""A portrait as JSON (`schemas/show.schema.json`): types and operators under the names of the schema."""

from __future__ import annotations

import dataclasses
from typing import Any

from tflint._version import __version__
from tflint.portrait.values import Portrait
from tflint.report.jsonreport import TOOL, dumps, json_value

SCHEMA_VERSION = 1


def render(portrait: Portrait) -> str:
    """The JSON text, ended by a newline."""
    return dumps(to_data(portrait))


def to_data(portrait: Portrait) -> dict[str, Any]:
    """The portrait as plain data: its fields by name, lists for tuples, text for numbers that are not finite."""
    data: dict[str, Any] = json_value(dataclasses.asdict(portrait))
    sizes = portrait.sizes
    data["sizes"]["by_dtype"] = dict(sizes.by_dtype)
    data["sizes"]["external"] = [{"name": name, "bytes": n_bytes} for name, n_bytes in sizes.external]
    for need, plain in zip(portrait.needs, data["needs"], strict=True):
        plain["operators"] = [{"opcode": opcode, "version": version} for opcode, version in need.operators]
    return {"schema_version": SCHEMA_VERSION, "tool": {"name": TOOL, "version": __version__}, **data}
