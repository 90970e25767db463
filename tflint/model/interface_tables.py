"""Builds the tables of the interface: inputs, outputs, signature tensors, and associated files."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Column,
    Lists,
    References,
    Scalars,
    Strings,
    Texts,
    lists_by_counts,
    rows_of,
    scalars_of,
    state_of,
    strings_of,
)
from tflint.columns.table import Table
from tflint.model import node_columns
from tflint.model.model_extras import JsonTable
from tflint.model.node_columns import Builders
from tflint.model.tables import Tables

Ints = NDArray[Any]


def inputs(tables: Tables) -> Table:
    """Build the table of inputs of all subgraphs."""
    return _interface(tables, "input")


def outputs(tables: Tables) -> Table:
    """Build the table of outputs of all subgraphs."""
    return _interface(tables, "output")


def _interface(tables: Tables, name: str) -> Table:
    node = tables.node("subgraphs", "SubGraph")
    span = node.vector(f"{name}s")
    owners = np.repeat(np.arange(len(node), dtype=np.int32), span.lengths)
    before = np.cumsum(span.lengths) - span.lengths
    positions = np.arange(len(owners)) - np.repeat(before, span.lengths)
    indexes = tables.window.take(span.flat_offsets(), "int")
    models = node.roots[owners]
    builders: Builders = {
        "subgraph": lambda: References(owners),
        "position": lambda: Scalars(positions),
        "tensor": lambda: References(tables.tensor_rows(indexes, owners)),
        "tensor_index": lambda: Scalars(indexes),
    }
    _add_metadata(
        builders, functools.cache(lambda: _metadata_rows(tables, name, models, node.ordinals[owners], positions))
    )
    return Table(name, models, builders)


def _metadata_rows(tables: Tables, name: str, models: Ints, subgraphs: Ints, positions: Ints) -> list[JsonTable | None]:
    """Return the decoded TensorMetadata of each input or output; None if the metadata has none for that tensor."""
    entries_by_row: list[JsonTable | None] = []
    for model, subgraph, position in zip(models.tolist(), subgraphs.tolist(), positions.tolist(), strict=True):
        metadata = tables.extras[model].metadata or {}
        graphs = metadata.get("subgraph_metadata", [])
        entries = graphs[subgraph].get(f"{name}_tensor_metadata", []) if subgraph < len(graphs) else []
        entries_by_row.append(entries[position] if position < len(entries) else None)
    return entries_by_row


def _add_metadata(builders: Builders, rows: Callable[[], list[JsonTable | None]]) -> None:
    def texts(read: Callable[[JsonTable], str | None]) -> Callable[[], Column]:
        return lambda: strings_of(read(entry) if entry is not None else None for entry in rows())

    def numbers(read: Callable[[JsonTable], list[float] | None]) -> Callable[[], Column]:
        return lambda: _number_lists([read(entry) if entry is not None else None for entry in rows()])

    def names(read: Callable[[JsonTable], list[str]]) -> Callable[[], Column]:
        return lambda: _string_lists([read(entry) if entry is not None else None for entry in rows()])

    builders["metadata.name"] = texts(lambda entry: entry.get("name"))
    builders["metadata.description"] = texts(lambda entry: entry.get("description"))
    builders["metadata.content"] = texts(lambda entry: _content(entry).get("type"))
    builders["metadata.color_space"] = texts(_color_space)
    builders["metadata.sample_rate"] = lambda: scalars_of(_audio_property(entry, "sample_rate") for entry in rows())
    builders["metadata.sound_channels"] = lambda: scalars_of(_audio_property(entry, "channels") for entry in rows())
    builders["metadata.mean"] = numbers(lambda entry: _normalization(entry).get("mean"))
    builders["metadata.std"] = numbers(lambda entry: _normalization(entry).get("std"))
    builders["metadata.stats_min"] = numbers(lambda entry: entry.get("stats", {}).get("min"))
    builders["metadata.stats_max"] = numbers(lambda entry: entry.get("stats", {}).get("max"))
    builders["metadata.process_units"] = names(lambda entry: [unit.get("type", "") for unit in _units(entry)])
    builders["metadata.associated_files"] = names(
        lambda entry: [str(file.get("name", "")) for file in entry.get("associated_files", [])]
    )


def _content(entry: JsonTable) -> JsonTable:
    properties: JsonTable = entry.get("content", {}).get("content_properties", {})
    return properties


def _color_space(entry: JsonTable) -> str | None:
    content = _content(entry)
    return str(content.get("color_space", "UNKNOWN")) if content.get("type") == "ImageProperties" else None


def _audio_property(entry: JsonTable | None, key: str) -> float | None:
    """Return a number of AudioProperties; None if it is missing or 0, the schema's default."""
    content = _content(entry) if entry is not None else {}
    return float(content.get(key, 0)) or None if content.get("type") == "AudioProperties" else None


def _units(entry: JsonTable) -> list[JsonTable]:
    return [unit.get("options", {}) for unit in entry.get("process_units", [])]


def _normalization(entry: JsonTable) -> JsonTable:
    return next((unit for unit in _units(entry) if unit.get("type") == "NormalizationOptions"), {})


def _number_lists(items: list[list[float] | None]) -> Lists:
    values = np.array([value for item in items for value in item or []], dtype=np.float64)
    absent = state_of(np.array([not item for item in items], dtype=np.bool_))
    return lists_by_counts(values, np.array([len(item or []) for item in items], dtype=np.int64), absent)


def _string_lists(items: list[list[str] | None]) -> Lists:
    flat = strings_of(text for item in items for text in item or [])
    absent = state_of(np.array([item is None for item in items], dtype=np.bool_))
    lists = lists_by_counts(np.asarray(flat.codes), np.array([len(item or []) for item in items], dtype=np.int64))
    return Lists(lists.starts, lists.lengths, lists.take, labels=flat.labels, state=absent)


def signature_tensors(tables: Tables) -> Table:
    """Build the table of inputs and outputs of signatures: for each signature, its inputs, then its outputs."""
    signatures = tables.node("signature_defs", "SignatureDef")
    nodes = [tables.node(f"signature_defs.{name}", "TensorMap") for name in ("inputs", "outputs")]
    owners = np.concatenate([node.parents for node in nodes])
    order = np.argsort(owners, kind="stable")
    owners = owners[order]

    def concatenate_in_order(values: list[Ints]) -> Ints:
        return np.concatenate(values)[order]

    indexes = concatenate_in_order([node.scalar("tensor_index") for node in nodes]).astype(np.int64)
    names = [node.vector("name") for node in nodes]
    starts, lengths = (
        concatenate_in_order([span.starts for span in names]),
        concatenate_in_order([span.lengths for span in names]),
    )
    absent = ~concatenate_in_order([span.present for span in names])
    codes = np.repeat(np.arange(2, dtype=np.int8), [len(node) for node in nodes])[order]
    models = signatures.roots[owners]
    builders: Builders = {
        "signature": lambda: References(owners),
        "direction": lambda: Strings(codes, ["input", "output"]),
        "position": lambda: Scalars(concatenate_in_order([node.ordinals for node in nodes])),
        "name": lambda: Texts(starts, lengths, node_columns.decoder(tables.window), state_of(absent)),
        "tensor_index": lambda: Scalars(indexes),
        "tensor": lambda: References(
            tables.tensor_rows(indexes, rows_of(tables.column("signature", "subgraph"))[owners])
        ),
    }
    offsets = concatenate_in_order([node.positions for node in nodes]) - tables.window.starts[models]
    return Table("signature_tensor", models, builders, offsets, concatenate_in_order([node.sizes for node in nodes]))


def associated_files(tables: Tables) -> Table:
    """Build the table of associated files: files named in the metadata, then other files in the zip after the model."""
    rows = [(model, entry) for model, extras in enumerate(tables.extras) for entry in extras.associated_files()]
    models = np.array([model for model, _ in rows], dtype=np.int32)
    entries = [entry for _, entry in rows]
    sizes = [entry.packed_size for entry in entries]
    builders: Builders = {
        "name": lambda: strings_of(entry.name or None for entry in entries),
        "type": lambda: strings_of(entry.type for entry in entries),
        "owner": lambda: strings_of(entry.owner for entry in entries),
        "is_declared": lambda: Scalars(np.array([entry.owner is not None for entry in entries], dtype=np.bool_)),
        "is_packed": lambda: Scalars(np.array([size is not None for size in sizes], dtype=np.bool_)),
        "packed_size": lambda: Scalars(
            np.array([size or 0 for size in sizes], dtype=np.int64),
            state_of(np.array([size is None for size in sizes], dtype=np.bool_)),
        ),
    }
    return Table("associated_file", models, builders)
