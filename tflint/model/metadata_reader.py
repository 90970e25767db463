"""Reads a model's data outside of the graph: decodes the metadata buffer, and reads other named buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint.columns.column import rows_of, text_of
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import read_forest
from tflint.flatbuffer.node import Node
from tflint.model.model_extras import JsonTable, ModelExtras
from tflint.model.tables import Tables
from tflint.model.trailing_data import read_tails
from tflint.schema import metadata_schema

#: Real metadata has tens of tables; metadata with more than this is not decoded.
MAX_METADATA_TABLES = 20_000
#: LiteRtStamp holds the chip's manufacturer, then its model, in this many bytes each (litert/core/build_stamp.h).
STAMP_BYTES = 124


def read_extras(tables: Tables) -> list[ModelExtras]:
    """Return the metadata, associated files and other named buffers of each model of the batch."""
    extras = [ModelExtras() for _ in range(tables.n_models)]
    entries = tables.table("metadata")
    names, buffers = entries.column("name"), rows_of(entries.column("buffer"))
    visited = set()
    for row in range(len(entries)):
        model, name = int(entries.model[row]), text_of(names, row)
        if (model, name) in visited:  # runtimes read only the first entry with this name
            continue
        visited.add((model, name))
        if name == "TFLITE_METADATA":
            _decode_metadata(tables, int(buffers[row]), extras[model])
        elif name == "min_runtime_version":
            extras[model].min_runtime_version = _buffer_text(tables, int(buffers[row]))
        elif name == "LiteRtStamp":
            texts = [_buffer_text(tables, int(buffers[row]), k * STAMP_BYTES, STAMP_BYTES) for k in (0, 1)]
            extras[model].soc = " ".join(text for text in texts if text) or None
    read_tails(tables, extras)
    return extras


def _buffer_span(tables: Tables, buffer: int) -> tuple[int, int]:
    """Return begin and end of a buffer's inline data in the window; the range is empty if the buffer has none."""
    if buffer < 0:
        return 0, 0
    vector = tables.node("buffers", "Buffer").vector("data")
    return int(vector.starts[buffer]), int(vector.starts[buffer] + vector.lengths[buffer])


def _buffer_text(tables: Tables, buffer: int, offset: int = 0, length: int = 64) -> str | None:
    """Return the text in a buffer from an offset up to a zero byte or a maximum length, or None if it is empty."""
    begin, end = _buffer_span(tables, buffer)
    begin = min(begin + offset, end)
    text = tables.window.span(begin, min(end, begin + length)).split(b"\0")[0].decode("ascii", "backslashreplace")
    return text or None


def _decode_metadata(tables: Tables, buffer: int, extra: ModelExtras) -> None:
    begin, end = _buffer_span(tables, buffer)
    if begin == end:
        extra.metadata_error = "the buffer is empty"
        return
    schema = metadata_schema()
    if tables.window.span(begin + 4, min(begin + 8, end)) != schema.identifier:
        extra.metadata_error = f"the buffer does not have the identifier {schema.identifier.decode()}"
        return
    try:
        root = read_forest(tables.window.subwindow(begin, end), schema, schema.root).root
        extra.metadata = _to_dict(root, 0, _DecodeBudget())
    except FlatbufferError as error:
        extra.metadata_error = f"{error.path}: {error.reason}"


class _DecodeBudget:
    """Limits the number of tables that become Python objects: a small buffer can reference very many tables."""

    def __init__(self) -> None:
        self.schema = metadata_schema()
        self.remaining = MAX_METADATA_TABLES

    def take(self, path: str) -> None:
        self.remaining -= 1
        if self.remaining < 0:
            raise FlatbufferError(f"more than {MAX_METADATA_TABLES:,} tables", path=path)


def _to_dict(node: Node, row: int, budget: _DecodeBudget) -> JsonTable:
    budget.take(node.path)
    table: JsonTable = {}
    for declared in node.layout.fields:
        name = declared.name
        if declared.is_union:
            member = _union_member(node, name, row, budget)
            if member is not None:
                table[name] = member
        elif not node.is_set(name)[row]:
            continue
        elif name in node.links:
            table[name] = _to_dict(node.children[name], int(node.links[name][row]), budget)
        elif name in node.children:
            child = node.children[name]
            begin, end = np.searchsorted(child.parents, [row, row + 1]).tolist()
            table[name] = [_to_dict(child, k, budget) for k in range(begin, end)]
        else:
            table[name] = _value(node, name, row, budget)
    return table


def _union_member(node: Node, name: str, row: int, budget: _DecodeBudget) -> JsonTable | None:
    """Return the member of a union as a dict, or None if the union is not set.

    Some tools store the member's type without a table: the dict then has only the key `type`.
    """
    number = int(node.union_types[name][row]) if name in node.union_types else 0
    if number == 0:
        return None
    label = budget.schema.enum(node.layout.field(name).type).label(number)
    path = f"{name}.{label}"
    link = int(node.link(path)[row])
    member = _to_dict(node.children[path], link, budget) if link >= 0 else {}
    if "type" in member:
        member["type_"] = member.pop("type")
    return {"type": label, **member}


def _value(node: Node, name: str, row: int, budget: _DecodeBudget) -> Any:
    declared = node.layout.field(name)
    window = node.window
    if declared.type == "[string]":
        texts, lengths = node.texts[name], node.vectors[name].lengths
        first = int(lengths[:row].sum())
        spans = range(first, first + int(lengths[row]))
        return [_text(window, int(texts.starts[k]), int(texts.lengths[k])) for k in spans]
    if declared.type == "string":
        vector = node.vector(name)
        return _text(window, int(vector.starts[row]), int(vector.lengths[row]))
    if declared.is_vector:
        return window.take(node.vector(name).flat_offsets(np.array([row])), node.vector(name).scalar).tolist()
    value = node.scalar(name)[row].item()
    return budget.schema.enum(declared.type).label(value) if budget.schema.is_enum(declared.type) else value


def _text(window: Window, start: int, length: int) -> str:
    return window.span(start, start + length).decode("utf-8", "backslashreplace")
