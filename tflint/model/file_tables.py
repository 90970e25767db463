"""Builds the tables about things outside of the graph: files, members, models, buffers, signatures, metadata."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Column,
    Lists,
    References,
    Scalars,
    Strings,
    lists_by_counts,
    lists_by_owner,
    rows_of,
    state_of,
    strings_of,
    texts_of,
)
from tflint.columns.table import Table
from tflint.flatbuffer.node import Node
from tflint.model import node_columns
from tflint.model.model_extras import ModelExtras
from tflint.model.node_columns import Builders
from tflint.model.tables import Tables, table_of_node

if TYPE_CHECKING:  # most batches have no container
    from tflint.container import Member

Ints = NDArray[Any]


def file(tables: Tables) -> Table:
    """Build the table of files in the batch, readable or not."""
    files = tables.files
    contents = [f.contents for f in files]
    builders: Builders = {
        "name": lambda: strings_of(f.name or None for f in files),
        "kind": lambda: strings_of(f.kind.kind for f in files),
        "detail": lambda: strings_of(f.kind.detail or None for f in files),
        "size": lambda: _numbers(f.size for f in files),
        "reason": lambda: strings_of(f.reason for f in files),
        "reason_offset": lambda: _numbers(f.reason_offset for f in files),
        "reason_path": lambda: strings_of(f.reason_path for f in files),
        "lfs_oid": lambda: strings_of(f.kind.lfs_oid for f in files),
        "lfs_size": lambda: _numbers(f.kind.lfs_size for f in files),
        "container": lambda: strings_of(c.format if c else None for c in contents),
        "n_members": lambda: _numbers(len(c.members) if c and not c.reason else None for c in contents),
        "n_models": lambda: _numbers(c.n_models if c and not c.reason else None for c in contents),
        "n_unread": lambda: _numbers(c.n_unread if c and not c.reason else None for c in contents),
    }
    offset = np.array([-1 if f.reason_offset is None else f.reason_offset for f in files], dtype=np.int64)
    return Table("file", np.arange(len(files), dtype=np.int32), builders, offset)


def member(tables: Tables) -> Table:
    """Build the table of members of the batch's containers."""
    owners, members = _members(tables)

    def texts(read: Callable[[Member], str | None]) -> Callable[[], Any]:
        return lambda: strings_of(read(m) for m in members)

    builders: Builders = {
        "file": lambda: References(owners),
        "index": lambda: _numbers(m.index for m in members),
        "name": texts(lambda m: m.name),
        "size": lambda: _numbers(m.size for m in members),
        "packed_size": lambda: _numbers(m.packed_size for m in members),
        "offset": lambda: _numbers(m.offset for m in members),
        "kind": texts(lambda m: m.kind),
        "compression": texts(lambda m: m.compression),
        "data_type": texts(lambda m: m.data_type),
        "problem": texts(lambda m: m.problem),
        "detail": texts(lambda m: m.detail),
        "is_checksum_right": lambda: _bools(m.is_checksum_right for m in members),
        "is_duplicate": lambda: _bools(m.is_duplicate for m in members),
    }
    # A member without an offset gets no size: a malicious container may declare a size larger than any file.
    extents = [(-1, 0) if m.offset is None else (m.offset, m.packed_size) for m in members]
    offsets, lengths = (np.array([extent[k] for extent in extents], dtype=np.int64) for k in (0, 1))
    return Table("member", owners, builders, offsets, lengths)


def _members(tables: Tables) -> tuple[NDArray[np.int32], list[Member]]:
    """Return the index of each member's file in the batch, and all members."""
    pairs = [(n, m) for n, f in enumerate(tables.files) if f.contents is not None for m in f.contents.members]
    return np.array([n for n, _ in pairs], dtype=np.int32), [m for _, m in pairs]


def _numbers(values: Iterable[int | None]) -> Scalars:
    return _scalars(values, np.float64)


def _bools(values: Iterable[bool | None]) -> Scalars:
    return _scalars(values, np.bool_)


def _scalars(values: Iterable[float | None], dtype: type[np.generic]) -> Scalars:
    items = list(values)
    numbers = np.array([0 if value is None else value for value in items], dtype=dtype)
    return Scalars(numbers, state_of(np.array([value is None for value in items], dtype=np.bool_)))


def model(tables: Tables) -> Table:
    """Build the table of models."""
    root = tables.root
    ends, starts = tables.window.ends, tables.window.starts
    forest = tables.forest
    extras = functools.partial(_extras_column, tables)
    builders: Builders = {
        "version": lambda: Scalars(root.scalar("version")),
        "description": lambda: node_columns.text(root, "description"),
        "size": lambda: Scalars(ends - starts),
        "structure_end": lambda: Scalars(forest.ends - starts),
        "tail_bytes": lambda: Scalars(ends - forest.ends),
        "newer_schema": lambda: texts_of([forest.newer.get(k, []) for k in range(tables.n_models)]),
        "tail": lambda: extras(lambda e: e.tail),
        "tail_error": lambda: extras(lambda e: e.tail_error),
        "min_runtime_version": lambda: extras(lambda e: e.min_runtime_version),
        "soc": lambda: extras(lambda e: e.soc),
        "metadata_error": lambda: extras(lambda e: e.metadata_error),
        "metadata_name": lambda: extras(lambda e: e.text("name")),
        "metadata_description": lambda: extras(lambda e: e.text("description")),
        "metadata_version": lambda: extras(lambda e: e.text("version")),
        "metadata_author": lambda: extras(lambda e: e.text("author")),
        "metadata_license": lambda: extras(lambda e: e.text("license")),
        "subgraphs": lambda: _children(tables, "subgraphs"),
        "operator_codes": lambda: _children(tables, "operator_codes"),
        "buffers": lambda: _children(tables, "buffers"),
        "metadata": lambda: _children(tables, "metadata"),
        "signatures": lambda: _children(tables, "signature_defs"),
        "associated_files": lambda: _rows_by_model(tables, "associated_file"),
    }
    return table_of_node(tables, "model", root, builders)


def _extras_column(tables: Tables, read: Callable[[ModelExtras], str | None]) -> Strings:
    """Return a string column of the model table, with a value read from each model's extras."""
    return strings_of(read(extra) for extra in tables.extras)


def _children(tables: Tables, path: str) -> Lists:
    counts = tables.root.vector(path).lengths
    return lists_by_counts(np.arange(int(counts.sum())), counts)


def _rows_by_model(tables: Tables, table: str) -> Lists:
    """Return, for each model, the list of its rows in a table."""
    models = tables.table(table).model
    return lists_by_owner(models, np.arange(len(models)), tables.n_models)


def buffer(tables: Tables) -> Table:
    """Build the table of buffers."""
    node = tables.node("buffers", "Buffer")
    builders: Builders = {
        "index": lambda: Scalars(node.ordinals),
        "data": lambda: node_columns.vector(node, "data", empty_is_absent=True),
        "data_offset": lambda: _data_offset(tables, node),
        "offset": lambda: Scalars(node.scalar("offset")),
        "size": lambda: Scalars(node.scalar("size")),
    }
    return table_of_node(tables, "buffer", node, builders)


def _data_offset(tables: Tables, node: Node) -> Column:
    """Return, for each buffer, the offset of its data in the file: inline data or data outside of the flatbuffer."""
    inline = node.vector("data")
    outside = node.scalar("offset")
    starts = np.where(inline.lengths > 0, inline.starts - tables.window.starts[node.roots], outside.astype(np.float64))
    return Scalars(starts, state_of((inline.lengths == 0) & (outside <= 1)))


def signature(tables: Tables) -> Table:
    """Build the table of signatures."""
    node = tables.node("signature_defs", "SignatureDef")
    rows = tables.model_rows("subgraphs", node.scalar("subgraph_index"), node.roots)
    builders: Builders = {
        "index": lambda: Scalars(node.ordinals),
        "key": lambda: node_columns.text(node, "signature_key"),
        "subgraph": lambda: References(rows),
        "subgraph_index": lambda: Scalars(node.scalar("subgraph_index")),
        "tensors": lambda: lists_by_owner(
            rows_of(tables.column("signature_tensor", "signature")),
            np.arange(len(tables.table("signature_tensor"))),
            len(node),
        ),
    }
    return table_of_node(tables, "signature", node, builders)


def metadata(tables: Tables) -> Table:
    """Build the table of metadata entries."""
    node = tables.node("metadata", "Metadata")
    builders: Builders = {
        "index": lambda: Scalars(node.ordinals),
        "name": lambda: node_columns.text(node, "name"),
        "buffer": lambda: References(tables.model_rows("buffers", node.scalar("buffer"), node.roots)),
        "buffer_index": lambda: Scalars(node.scalar("buffer")),
    }
    return table_of_node(tables, "metadata", node, builders)


def external_buffer(tables: Tables) -> Table:
    """Build the table of external buffers."""
    node = tables.node("external_buffers", "ExternalBuffer")
    builders: Builders = {
        name: functools.partial(lambda field: Scalars(node.scalar(field)), name)
        for name in ("id", "group", "offset", "length")
    }
    builders["packing"] = lambda: node_columns.text(node, "packing")
    return table_of_node(tables, "external_buffer", node, builders)


def external_buffer_group(tables: Tables) -> Table:
    """Build the table of external buffer groups, which name separate files with data of the model."""
    node = tables.node("external_buffer_groups", "ExternalBufferGroup")
    builders: Builders = {"index": lambda: Scalars(node.ordinals), "name": lambda: node_columns.text(node, "name")}
    return table_of_node(tables, "external_buffer_group", node, builders)
