"""Builds the tables of the graph: subgraphs, operators with options, operands, operator codes."""

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
    lists_by_owner,
    rows_of,
    state_of,
    strings_of,
    text_of,
)
from tflint.columns.table import Table
from tflint.flatbuffer.node import Node, Vector
from tflint.model import node_columns
from tflint.model.model_columns import options_column, options_fields
from tflint.model.node_columns import Builders
from tflint.model.tables import Tables, table_of_node

Ints = NDArray[Any]


def subgraph(tables: Tables) -> Table:
    """Build the table of subgraphs."""
    node = tables.node("subgraphs", "SubGraph")
    tensors, operators = node.vector("tensors").lengths, node.vector("operators").lengths
    builders: Builders = {
        "index": lambda: Scalars(node.ordinals),
        "name": lambda: node_columns.name_text(node, "name"),
        "tensors": lambda: lists_by_counts(np.arange(int(tensors.sum())), tensors),
        "operators": lambda: lists_by_counts(np.arange(int(operators.sum())), operators),
        "inputs": lambda: _interface_tensors(tables, "input"),
        "outputs": lambda: _interface_tensors(tables, "output"),
        "debug_metadata_index": lambda: Scalars(node.scalar("debug_metadata_index")),
    }
    return table_of_node(tables, "subgraph", node, builders)


def _interface_tensors(tables: Tables, name: str) -> Lists:
    table = tables.table(name)
    subgraphs, tensors = rows_of(table.column("subgraph")), rows_of(table.column("tensor"))
    return lists_by_owner(np.where(tensors >= 0, subgraphs, -1), tensors, len(tables.table("subgraph")))


def operator(tables: Tables) -> Table:
    """Build the table of operators; `options.*` are the fields of the options table of each operator."""
    node = tables.node("subgraphs.operators", "Operator")
    schema = tables.schema
    codes = tables.model_rows("operator_codes", node.scalar("opcode_index"), node.roots)

    def by_code(name: str) -> Column:
        column = tables.table("operator_code").column(name)
        absent = state_of(codes < 0)
        if isinstance(column, Strings):
            return Strings(node_columns.follow_link(np.asarray(column.codes), codes), column.labels, absent)
        assert isinstance(column, Scalars)
        return Scalars(node_columns.follow_link(column.values, codes), absent)

    builders: Builders = {
        "subgraph": lambda: References(node.parents),
        "index": lambda: Scalars(node.ordinals),
        "operator_code": lambda: References(codes),
        "opcode_index": lambda: Scalars(node.scalar("opcode_index")),
        "opcode": lambda: by_code("opcode"),
        "version": lambda: by_code("version"),
        "custom_code": lambda: _custom_code(tables, codes),
        "inputs": lambda: _operand_lists(tables, "input", len(node)),
        "outputs": lambda: _operand_lists(tables, "output", len(node)),
        "intermediates": lambda: _operand_lists(tables, "intermediate", len(node)),
        "operands": lambda: lists_by_owner(
            rows_of(tables.column("operand", "operator")), np.arange(len(tables.table("operand"))), len(node)
        ),
        "mutating_variable_inputs": lambda: node_columns.vector(node, "mutating_variable_inputs"),
        "options_type": lambda: _options_type(tables, node),
        "custom_options": lambda: node_columns.vector(node, "custom_options"),
        "custom_options_format": lambda: node_columns.enum_strings(
            node.scalar("custom_options_format"), schema.enum("CustomOptionsFormat")
        ),
        "large_custom_options_offset": lambda: Scalars(node.scalar("large_custom_options_offset")),
        "large_custom_options_size": lambda: Scalars(node.scalar("large_custom_options_size")),
        "debug_metadata_index": lambda: Scalars(node.scalar("debug_metadata_index")),
    }
    return table_of_node(
        tables, "operator", node, _BuildersWithOptions(builders, functools.partial(_options_column, tables, node))
    )


class _BuildersWithOptions(dict[str, Callable[[], Column]]):
    """Column builders of operators. Builders of `options.*` columns are created on demand: of 150, rules read few."""

    def __init__(self, builders: Builders, options_column: Callable[[str], Column]) -> None:
        super().__init__(builders)
        self._options_column = options_column

    def __missing__(self, name: str) -> Callable[[], Column]:
        if name not in options_fields():
            raise KeyError(name)
        return functools.partial(self._options_column, name)


def _custom_code(tables: Tables, codes: Ints) -> Column:
    column = tables.column("operator_code", "custom_code")
    names = [text_of(column, row) for row in range(len(tables.table("operator_code")))]
    opcodes = tables.column("operator_code", "opcode")
    custom = [text_of(opcodes, row) == "CUSTOM" for row in range(len(names))]
    distinct = strings_of(name if is_custom else None for name, is_custom in zip(names, custom, strict=True))
    absent = codes < 0
    if distinct.state is not None:
        absent = absent | (node_columns.follow_link(distinct.state, np.asarray(codes)) != 0)
    return Strings(node_columns.follow_link(np.asarray(distinct.codes), np.asarray(codes)), distinct.labels or [""],
                   state_of(absent))  # fmt: skip


def _options_type(tables: Tables, node: Node) -> Column:
    first, second = tables.schema.enum("BuiltinOptions"), tables.schema.enum("BuiltinOptions2")
    codes = np.zeros(len(node), dtype=np.int64)  # a type is one byte; add 256 to types of the second union
    for field, shift in (("builtin_options", 0), ("builtin_options_2", 256)):
        types = node.union_types.get(field)
        if types is not None:
            codes = np.where(types > 0, types.astype(np.int64) + shift, codes)
    numbers, inverse = np.unique(codes, return_inverse=True)
    distinct = strings_of(first.label(code) if code < 256 else second.label(code - 256) for code in numbers.tolist())
    return Strings(np.asarray(distinct.codes)[inverse], distinct.labels, state_of(codes == 0))


def _options_column(tables: Tables, node: Node, name: str) -> Column:
    option = options_column(name)
    declared = option.field
    n = len(node)
    scalar = tables.schema.scalar(declared.element) if declared.element != "string" else "ubyte"
    members = [f"{union}.{table}" for union in ("builtin_options", "builtin_options_2") for table in option.tables]
    members = [member for member in members if member in node.children]
    values: Ints = np.zeros(n if members else 1, dtype=np.float64 if scalar == "float" else np.int64)
    starts, lengths = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    absent = np.ones(len(values), dtype=np.bool_)
    for member in members:
        child, links = node.children[member], node.link(member)
        rows = np.flatnonzero(links >= 0)
        if declared.is_vector or declared.type == "string":
            spans = child.vector(declared.name)
            starts[rows], lengths[rows] = spans.starts[links[rows]], spans.lengths[links[rows]]
            absent[rows] = ~spans.present[links[rows]]
        else:
            values[rows] = child.scalar(declared.name)[links[rows]]
            absent[rows] = False
    if not members:  # the usual case: broadcast one value to all rows
        starts, lengths, values, absent = (np.broadcast_to(array, n) for array in (starts, lengths, values, absent))
    return _option_values(tables, name, starts, lengths, values, absent, scalar)


def _option_values(
    tables: Tables, name: str, starts: Ints, lengths: Ints, values: Ints, absent: NDArray[np.bool_], scalar: str
) -> Column:
    option = options_column(name)
    state = state_of(absent)
    enum = tables.schema.enum(option.enum) if option.enum else None
    if option.field.type == "string":
        return Texts(starts, lengths, node_columns.decoder(tables.window), state)
    if option.field.is_vector:
        spans = Vector(starts, lengths, ~absent, scalar)
        return (
            node_columns.enum_lists(tables.window, spans, enum)
            if enum
            else node_columns.lists_in_file(tables.window, spans)
        )
    if enum:
        return node_columns.enum_strings(values, enum, state)
    return Scalars(values.astype(np.bool_) if option.field.type == "bool" else values, state)


def operand(tables: Tables) -> Table:
    """Build the table of operands: inputs, then outputs, then intermediates of each operator."""
    node = tables.node("subgraphs.operators", "Operator")
    directions = ("inputs", "outputs", "intermediates")
    spans = [node.vector(name) for name in directions]
    total = sum(int(span.lengths.sum()) for span in spans)
    operators, positions = np.empty(total, np.int32), np.empty(total, np.int32)
    codes, indexes = np.empty(total, np.int8), np.empty(total, np.int64)
    begins = np.cumsum(sum(span.lengths for span in spans)) - sum(span.lengths for span in spans)
    for code, span in enumerate(spans):
        owners = np.repeat(np.arange(len(node), dtype=np.int32), span.lengths)
        before = np.cumsum(span.lengths) - span.lengths
        ordinals = np.arange(len(owners)) - np.repeat(before, span.lengths)
        at = np.repeat(begins, span.lengths) + ordinals
        operators[at], positions[at], codes[at] = owners, ordinals, code
        indexes[at] = tables.window.take(span.flat_offsets(), "int")
        begins = begins + span.lengths
    builders: Builders = {
        "operator": lambda: References(operators),
        "direction": lambda: Strings(codes, ["input", "output", "intermediate"]),
        "position": lambda: Scalars(positions),
        "tensor": lambda: References(tables.tensor_rows(indexes, node.parents[operators])),
        "tensor_index": lambda: Scalars(indexes),
    }
    table = tables.table("operator")
    return Table("operand", node.roots[operators], builders, table.byte_offset[operators])


def _operand_lists(tables: Tables, direction: str, n_operators: int) -> Lists:
    operand = tables.table("operand")
    codes = operand.column("direction")
    assert isinstance(codes, Strings)
    is_direction = codes.codes == codes.labels.index(direction)
    tensors = rows_of(operand.column("tensor"))
    owners = np.where(is_direction & (tensors >= 0), rows_of(operand.column("operator")), -1)
    return lists_by_owner(owners, tensors, n_operators)


def operator_code(tables: Tables) -> Table:
    """Build the table of operator codes."""
    node = tables.node("operator_codes", "OperatorCode")

    def opcode() -> Column:
        numbers = np.maximum(node.scalar("builtin_code"), node.scalar("deprecated_builtin_code"))
        return node_columns.enum_strings(numbers, tables.schema.enum("BuiltinOperator"))

    builders: Builders = {
        "index": lambda: Scalars(node.ordinals),
        "opcode": opcode,
        "builtin_code": lambda: Scalars(node.scalar("builtin_code")),
        "deprecated_builtin_code": lambda: Scalars(node.scalar("deprecated_builtin_code")),
        "custom_code": lambda: node_columns.text(node, "custom_code"),
        "version": lambda: Scalars(node.scalar("version")),
    }
    return table_of_node(tables, "operator_code", node, builders)
