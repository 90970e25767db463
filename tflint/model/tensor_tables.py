"""Builds the tables of tensors (with quantization and sparsity), sparse dimensions and variant types."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import (
    Column,
    Lists,
    References,
    Scalars,
    lists_by_owner,
    rows_of,
    state_of,
    strings_of,
)
from tflint.columns.table import Table
from tflint.flatbuffer.node import Node
from tflint.model import node_columns
from tflint.model.node_columns import Builders
from tflint.model.tables import Tables, table_of_node

Ints = NDArray[Any]


def tensor(tables: Tables) -> Table:
    """Build the table of tensors, with quantization parameters as columns."""
    node = tables.node("subgraphs.tensors", "Tensor")
    schema = tables.schema
    quantization = "quantization"
    builders: Builders = {
        "subgraph": lambda: References(node.parents),
        "index": lambda: Scalars(node.ordinals),
        "name": lambda: node_columns.name_text(node, "name"),
        "dtype": lambda: node_columns.enum_strings(node.scalar("type"), schema.enum("TensorType")),
        "shape": lambda: node_columns.never_absent(node_columns.vector(node, "shape")),
        "shape_signature": lambda: node_columns.vector(node, "shape_signature"),
        "has_rank": lambda: Scalars(node.scalar("has_rank")),
        "is_variable": lambda: Scalars(node.scalar("is_variable")),
        "buffer": lambda: References(tables.model_rows("buffers", node.scalar("buffer"), node.roots)),
        "buffer_index": lambda: Scalars(node.scalar("buffer")),
        "external_buffer": lambda: Scalars(node.scalar("external_buffer")),
        "scale": lambda: node_columns.linked_vector(node, quantization, "scale", "float", empty_is_absent=True),
        "zero_point": lambda: node_columns.linked_vector(
            node, quantization, "zero_point", "long", empty_is_absent=True
        ),
        "quantized_dimension": lambda: node_columns.linked_scalar(node, quantization, "quantized_dimension"),
        "quantization.min": lambda: node_columns.linked_vector(
            node, quantization, "min", "float", empty_is_absent=True
        ),
        "quantization.max": lambda: node_columns.linked_vector(
            node, quantization, "max", "float", empty_is_absent=True
        ),
        **_details(tables, node),
        "sparsity.traversal_order": lambda: node_columns.linked_vector(node, "sparsity", "traversal_order", "int"),
        "sparsity.block_map": lambda: node_columns.linked_vector(node, "sparsity", "block_map", "int"),
        "sparsity.dimensions": lambda: _owned_by_tensor(tables, "dimension", len(node)),
        "variant_tensors": lambda: _owned_by_tensor(tables, "variant_tensor", len(node)),
    }
    return table_of_node(tables, "tensor", node, builders)


def _owned_by_tensor(tables: Tables, table: str, n_tensors: int) -> Lists:
    owners = rows_of(tables.table(table).column("tensor"))
    return lists_by_owner(owners, np.arange(len(owners)), n_tensors)


def _details(tables: Tables, node: Node) -> Builders:
    """Return the columns of the quantization details, which are two links below the tensor."""
    quantization = node.children.get("quantization")
    links = node.link("quantization")

    def of(member: str, name: str, fill: int = 0) -> tuple[Ints, NDArray[np.bool_]]:
        member_name = f"details.{member}"
        if quantization is None or member_name not in quantization.children:
            return np.full(len(links), fill), np.ones(len(links), dtype=np.bool_)
        rows = node_columns.follow_link(quantization.link(member_name), links, -1)
        return node_columns.follow_link(quantization.children[member_name].scalar(name), rows, fill), rows < 0

    def kind() -> Column:
        if quantization is None or "details" not in quantization.union_types:
            return strings_of([None] * len(links))
        types = node_columns.follow_link(quantization.union_types["details"], links)
        return node_columns.enum_strings(types, tables.schema.enum("QuantizationDetails"), state_of(types == 0))

    def block_size() -> Column:
        blockwise, no_blockwise = of("BlockwiseQuantization", "block_size")
        multi_axis, no_multi_axis = of("MultiAxisQuantization", "block_size")
        return Scalars(np.where(no_blockwise, multi_axis, blockwise), state_of(no_blockwise & no_multi_axis))

    def tensor(name: str) -> Column:
        blockwise, no_blockwise = of("BlockwiseQuantization", name, -1)
        multi_axis, _ = of("MultiAxisQuantization", name, -1)
        return References(tables.tensor_rows(np.where(no_blockwise, multi_axis, blockwise), node.parents))

    def vector(member: str, name: str, scalar: str) -> Column:
        if quantization is None or f"details.{member}" not in quantization.children:
            return node_columns.linked_vector(node, "none", name, scalar)
        spans = node_columns.linked_spans(quantization, f"details.{member}", name, scalar)
        rows = node.link("quantization")
        joined = type(spans)(
            node_columns.follow_link(spans.starts, rows),
            node_columns.follow_link(spans.lengths, rows),
            node_columns.follow_link(spans.present, rows, False),
            scalar,
        )
        return node_columns.lists_in_file(tables.window, joined)

    return {
        "quantization.details": kind,
        "quantization.custom": lambda: vector("CustomQuantization", "custom", "ubyte"),
        "quantization.block_size": block_size,
        "quantization.block_shape": lambda: vector("BlockwiseQuantization", "block_shape", "int"),
        "quantization.scales": lambda: tensor("scales"),
        "quantization.zero_points": lambda: tensor("zero_points"),
        "quantization.dimensions": lambda: vector("MultiAxisQuantization", "quantized_dimensions", "int"),
    }


def dimension(tables: Tables) -> Table:
    """Build the table of stored dimensions of sparse tensors."""
    node = tables.node("subgraphs.tensors.sparsity.dim_metadata", "DimensionMetadata")
    links = tables.node("subgraphs.tensors", "Tensor").link("sparsity")
    builders: Builders = {
        "tensor": lambda: References(_owner_rows(links, node.parents)),
        "index": lambda: Scalars(node.ordinals),
        "format": lambda: node_columns.enum_strings(node.scalar("format"), tables.schema.enum("DimensionType")),
        "dense_size": lambda: Scalars(node.scalar("dense_size")),
    }
    return table_of_node(tables, "dimension", node, builders)


def variant_tensor(tables: Tables) -> Table:
    """Build the table of types inside VARIANT tensors."""
    node = tables.node("subgraphs.tensors.variant_tensors", "VariantSubType")
    builders: Builders = {
        "tensor": lambda: References(node.parents),
        "index": lambda: Scalars(node.ordinals),
        "shape": lambda: node_columns.never_absent(node_columns.vector(node, "shape")),
        "dtype": lambda: node_columns.enum_strings(node.scalar("type"), tables.schema.enum("TensorType")),
        "has_rank": lambda: Scalars(node.scalar("has_rank")),
    }
    return table_of_node(tables, "variant_tensor", node, builders)


def _owner_rows(links: Ints, children: Ints) -> Ints:
    """Return, for each row in `children`, the first row that links to it; `links` holds the child row of each row."""
    owners = np.full(int(links.max(initial=-1)) + 1, -1, dtype=np.int64)
    rows = np.flatnonzero(links >= 0)[::-1]
    owners[links[rows]] = rows
    return owners[children] if len(children) else np.zeros(0, dtype=np.int64)
