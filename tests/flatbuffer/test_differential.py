"""Test every field of every model against the generated classes of two packages, in raw and in model tables."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.helpers.corpus import CORPUS, N_SHARDS, needs_corpus, shard
from tests.helpers.metadata_goldens import from_golden
from tests.helpers.models.named import NAMED, NOT_RUNNABLE, RUNNABLE
from tflint.columns.column import ABSENT, Column, Lists, References, Scalars, Strings, Texts, text_of
from tflint.flatbuffer.node import Node
from tflint.flatbuffer.schema_layout import Field
from tflint.model.batch_reader import open_model, read_one
from tflint.model.metadata_reader import JsonTable
from tflint.model.model_columns import OptionsColumn, options_columns, raw_tables
from tflint.model.tables import Tables
from tflint.schema import Schema, metadata_schema, tflite_schema
from tflint.source import BytesSource
from tflint.writer import pack, unpack
from tflint.writer.unpack import unpack_with_end

ORACLES = ("tflite", "ai_edge_litert.schema_py_generated")

#: The longer vectors are compared as arrays, the shorter ones all at once as lists: a numpy call costs more than both.
SHORT = 64


def read(content: bytes) -> Tables:
    tables = read_one(open_model(BytesSource(content)))
    assert tables.is_readable, tables.files
    return tables


def camel(name: str) -> str:
    """The name of a field's accessor."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals NaN."""
    if left == right:
        return True
    return bool(np.array_equal(np.asarray(left), np.asarray(right), equal_nan=np.asarray(left).dtype.kind == "f"))


# --- the raw tables ---------------------------------------------------------------------------------------------------


class Walk:
    """Compares a node with the generated objects that stand at the same place, one for each row, and all below it."""

    def __init__(self, oracle: Any, window: Any) -> None:
        self.oracle = oracle
        self.window = window
        self.schema: Schema = tflite_schema()
        self.n_fields = 0
        self.n_values = 0

    def node(self, node: Node, objects: list[Any]) -> None:
        assert node.positions.tolist() == [item._tab.Pos for item in objects], node.path
        cls = getattr(self.oracle, node.layout.name)
        for declared in node.layout.fields:
            accessor = getattr(cls, camel(declared.name), None)
            if accessor is None:
                continue  # a field that the package does not know
            self.n_fields += 1
            self.n_values += len(objects)
            where = f"{node.path}.{declared.name}"
            if declared.is_union:
                self.union(node, declared, objects, cls, where)
            elif declared.is_vector:
                self.vector(node, declared, objects, cls, where)
            elif declared.type == "string":
                self.texts(node, declared.name, [accessor(item) for item in objects], where)
            elif self.schema.is_table(declared.type):
                self.link(node, declared.name, [accessor(item) for item in objects], where)
            else:
                assert same(self.scalars(node, declared.name, cls), [accessor(item) for item in objects]), where

    @staticmethod
    def scalars(node: Node, name: str, cls: type) -> list[Any]:
        values = node.scalar(name)
        if name == "builtin_code" and cls.__module__.startswith("tflite."):
            # The accessor of `tflite` was made by hand: below the placeholder it gives the deprecated code.
            values = np.where(values < 127, node.scalar("deprecated_builtin_code"), values)
        return values.tolist()

    def link(self, node: Node, name: str, found: list[Any], where: str) -> None:
        links = node.link(name)
        assert (links >= 0).tolist() == [item is not None for item in found], where
        child = node.children.get(name)
        if child is None:
            return
        objects: list[Any] = [None] * len(child)
        for row, item in zip(links.tolist(), found, strict=True):
            if item is not None:
                assert child.positions[row] == item._tab.Pos, where
                objects[row] = item
        self.node(child, objects)

    def union(self, node: Node, declared: Field, objects: list[Any], cls: type, where: str) -> None:
        type_of, value_of = getattr(cls, f"{camel(declared.name)}Type"), getattr(cls, camel(declared.name))
        types = [type_of(item) for item in objects]
        stored = node.union_types.get(declared.name, np.zeros(len(node), np.uint8))
        assert stored.tolist() == types, where
        values = [value_of(item) for item in objects]
        for number, member in enumerate(self.schema.unions[declared.type][1:], start=1):
            member_cls = getattr(self.oracle, member, None)
            if member_cls is None:
                continue
            found: list[Any] = [None] * len(objects)
            for row, (kind, value) in enumerate(zip(types, values, strict=True)):
                if kind == number and value is not None:
                    found[row] = member_cls()
                    found[row].Init(value.Bytes, value.Pos)
            self.link(node, f"{declared.name}.{member}", found, where)

    def texts(self, node: Node, name: str, expected: list[bytes | None], where: str) -> None:
        vector = node.vector(name)
        assert vector.present.tolist() == [item is not None for item in expected], where
        spans = zip(vector.starts.tolist(), vector.lengths.tolist(), strict=True)
        assert [self.window.span(s, s + n) for s, n in spans] == [item or b"" for item in expected], where

    def vector(self, node: Node, declared: Field, objects: list[Any], cls: type, where: str) -> None:
        name = camel(declared.name)
        vector = node.vector(declared.name)
        lengths = [getattr(cls, f"{name}Length")(item) for item in objects]
        assert vector.lengths.tolist() == lengths, where
        is_none = getattr(cls, f"{name}IsNone")
        assert vector.present.tolist() == [not is_none(item) for item in objects], where
        if declared.element == "string":
            raise AssertionError(f"{where}: the TFLite schema has no vectors of strings")
        if self.schema.is_table(declared.element):
            accessor = getattr(cls, name)
            found = [accessor(item, k) for item, n in zip(objects, lengths, strict=True) for k in range(n)]
            if found:
                self.node(node.children[declared.name], found)
            return
        as_numpy = getattr(cls, f"{name}AsNumpy")
        self.n_values += sum(lengths)
        short = [row for row, n in enumerate(lengths) if 0 < n <= SHORT]
        ours = self.window.take(vector.flat_offsets(np.array(short, dtype=np.intp)), vector.scalar)
        theirs = [as_numpy(objects[row]) for row in short]
        if short:
            joined = np.concatenate(theirs)
            assert ours.dtype.newbyteorder("=") == joined.dtype.newbyteorder("=") or joined.dtype == np.bool_, where
            assert np.array_equal(ours, joined, equal_nan=joined.dtype.kind == "f"), where
        for row in (row for row, n in enumerate(lengths) if n > SHORT):
            expected = as_numpy(objects[row]).view(np.uint8)
            start = int(vector.starts[row])
            found = np.frombuffer(self.window.span(start, start + len(expected)), np.uint8)
            assert np.array_equal(found, expected), f"{where} of row {row}"


def compare_raw(content: bytes, oracle: Any) -> Walk:
    tables = read(content)
    walk = Walk(oracle, tables.window)
    walk.node(tables.root, [oracle.Model.GetRootAs(content, 0)])
    return walk


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("name", sorted(RUNNABLE | NOT_RUNNABLE))
def test_raw_tables_of_named_models(name: str, oracle: str) -> None:
    assert compare_raw(NAMED[name](), pytest.importorskip(oracle)).n_fields > 40


@needs_corpus
@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_raw_tables_of_the_corpus(number: int, oracle: str) -> None:
    walks = []
    for path in shard(number):
        try:
            walks.append(compare_raw(path.read_bytes(), pytest.importorskip(oracle)))
        except Exception as error:
            error.add_note(f"in {path}")
            raise
    n_fields, n_values = sum(walk.n_fields for walk in walks), sum(walk.n_values for walk in walks)
    print(f"{len(walks)} files, {n_fields:,} fields, {n_values:,} values are equal")


# --- the model's tables -----------------------------------------------------------------------------------------------


class Expected:
    """What each cell of the model's tables should be, by the generated classes, one row after the other."""

    def __init__(self, content: bytes, oracle: Any) -> None:
        self.oracle = oracle
        self.root = oracle.Model.GetRootAs(content, 0)
        self.codes = self.many(self.root, "OperatorCodes")
        self.subgraphs = self.many(self.root, "Subgraphs")
        self.buffers = self.many(self.root, "Buffers")
        self.signatures = self.many(self.root, "SignatureDefs")
        self.entries = self.many(self.root, "Metadata")
        self.tensors = [(g, t) for g, graph in enumerate(self.subgraphs) for t in self.many(graph, "Tensors")]
        self.operators = [(g, o) for g, graph in enumerate(self.subgraphs) for o in self.many(graph, "Operators")]
        self.enums = {name: tflite_schema().enum(name) for name in ("TensorType", "BuiltinOperator")}

    @staticmethod
    def many(item: Any, name: str) -> list[Any]:
        accessor = getattr(item, name)
        return [accessor(k) for k in range(getattr(item, f"{name}Length")())]

    @staticmethod
    def numbers(item: Any, name: str) -> list[Any] | None:
        if item is None or getattr(item, f"{name}IsNone")():
            return None
        values: list[Any] = [] if not getattr(item, f"{name}Length")() else getattr(item, f"{name}AsNumpy")().tolist()
        return values

    @staticmethod
    def text(value: bytes | None) -> str | None:
        return None if value is None else value.decode("utf-8", "backslashreplace")

    def first_tensor(self, graph: int) -> int:
        return sum(subgraph.TensorsLength() for subgraph in self.subgraphs[:graph])

    def tensor_row(self, graph: int, index: int) -> int | None:
        inside = 0 <= graph < len(self.subgraphs) and 0 <= index < self.subgraphs[graph].TensorsLength()
        return self.first_tensor(graph) + index if inside else None

    def row_in(self, items: list[Any], index: int) -> int | None:
        return index if 0 <= index < len(items) else None

    def table(self, name: str) -> dict[str, list[Any]]:
        rows = list(getattr(self, f"{name}_rows")())
        return {column: [row[column] for row in rows] for column in (rows[0] if rows else ())}

    def model_rows(self) -> Iterator[dict[str, Any]]:
        yield {
            "version": self.root.Version(),
            "description": self.text(self.root.Description()),
            "subgraphs": list(range(len(self.subgraphs))),
            "operator_codes": list(range(len(self.codes))),
            "buffers": list(range(len(self.buffers))),
            "metadata": list(range(len(self.entries))),
            "signatures": list(range(len(self.signatures))),
        }

    def subgraph_rows(self) -> Iterator[dict[str, Any]]:
        n_operators = 0
        for g, graph in enumerate(self.subgraphs):
            operators = range(n_operators, n_operators + graph.OperatorsLength())
            n_operators += len(operators)
            rows = {
                name: [r for i in self.numbers(graph, name) or [] if (r := self.tensor_row(g, i)) is not None]
                for name in ("Inputs", "Outputs")
            }
            yield {
                "index": g,
                "name": self.text(graph.Name()) or None,
                "tensors": [self.first_tensor(g) + k for k in range(graph.TensorsLength())],
                "operators": list(operators),
                "inputs": rows["Inputs"],
                "outputs": rows["Outputs"],
                "debug_metadata_index": graph.DebugMetadataIndex(),
            }

    def tensor_rows(self) -> Iterator[dict[str, Any]]:
        for row, (g, tensor) in enumerate(self.tensors):
            quantization, sparsity = tensor.Quantization(), tensor.Sparsity()
            yield {
                "subgraph": g,
                "index": row - self.first_tensor(g),
                "name": self.text(tensor.Name()) or None,
                "dtype": self.enums["TensorType"].label(tensor.Type()),
                "shape": self.numbers(tensor, "Shape") or [],
                "shape_signature": self.numbers(tensor, "ShapeSignature"),
                "has_rank": tensor.HasRank(),
                "is_variable": tensor.IsVariable(),
                "buffer": self.row_in(self.buffers, tensor.Buffer()),
                "buffer_index": tensor.Buffer(),
                "external_buffer": tensor.ExternalBuffer(),
                "scale": self.numbers(quantization, "Scale") or None,
                "zero_point": self.numbers(quantization, "ZeroPoint") or None,
                "quantized_dimension": None if quantization is None else quantization.QuantizedDimension(),
                "quantization.min": self.numbers(quantization, "Min") or None,
                "quantization.max": self.numbers(quantization, "Max") or None,
                **self.details(g, quantization),
                "sparsity.traversal_order": self.numbers(sparsity, "TraversalOrder"),
                "sparsity.block_map": self.numbers(sparsity, "BlockMap"),
            }

    def details(self, graph: int, quantization: Any) -> dict[str, Any]:
        names = ["NONE", "CustomQuantization", "BlockwiseQuantization", "MultiAxisQuantization"]
        kind = names[quantization.DetailsType() if quantization is not None else 0]
        members: dict[str, Any] = dict.fromkeys(names[1:])
        if kind != "NONE" and (value := quantization.Details()) is not None:
            members[kind] = getattr(self.oracle, kind)()
            members[kind].Init(value.Bytes, value.Pos)
        blocks = members["BlockwiseQuantization"] or members["MultiAxisQuantization"]
        return {
            "quantization.details": None if kind == "NONE" else kind,
            "quantization.custom": self.numbers(members["CustomQuantization"], "Custom"),
            "quantization.block_size": None if blocks is None else blocks.BlockSize(),
            "quantization.block_shape": self.numbers(members["BlockwiseQuantization"], "BlockShape"),
            "quantization.scales": None if blocks is None else self.tensor_row(graph, blocks.Scales()),
            "quantization.zero_points": None if blocks is None else self.tensor_row(graph, blocks.ZeroPoints()),
            "quantization.dimensions": self.numbers(members["MultiAxisQuantization"], "QuantizedDimensions"),
        }

    def operator_code_rows(self) -> Iterator[dict[str, Any]]:
        for index, code in enumerate(self.codes):
            yield {
                "index": index,
                "opcode": self.opcode(code),
                "builtin_code": code.BuiltinCode(),
                "deprecated_builtin_code": code.DeprecatedBuiltinCode(),
                "custom_code": self.text(code.CustomCode()),
                "version": code.Version(),
            }

    def opcode(self, code: Any) -> str:
        return self.enums["BuiltinOperator"].label(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))

    def operator_rows(self) -> Iterator[dict[str, Any]]:
        firsts = [sum(graph.OperatorsLength() for graph in self.subgraphs[:g]) for g in range(len(self.subgraphs))]
        for row, (g, operator) in enumerate(self.operators):
            index = operator.OpcodeIndex()
            code = self.codes[index] if index < len(self.codes) else None
            operands = {
                name: [r for i in self.numbers(operator, camel(name)) or [] if (r := self.tensor_row(g, i)) is not None]
                for name in ("inputs", "outputs", "intermediates")
            }
            yield {
                "subgraph": g,
                "index": row - firsts[g],
                "operator_code": index if code else None,
                "opcode_index": index,
                "opcode": self.opcode(code) if code else None,
                "version": code.Version() if code else None,
                "custom_code": self.text(code.CustomCode()) if code and self.opcode(code) == "CUSTOM" else None,
                **operands,
                "mutating_variable_inputs": self.numbers(operator, "MutatingVariableInputs"),
                "custom_options": self.numbers(operator, "CustomOptions"),
                "custom_options_format": tflite_schema()
                .enum("CustomOptionsFormat")
                .label(operator.CustomOptionsFormat()),
                "large_custom_options_offset": operator.LargeCustomOptionsOffset(),
                "large_custom_options_size": operator.LargeCustomOptionsSize(),
                "debug_metadata_index": operator.DebugMetadataIndex(),
                **self.options(operator),
            }

    def options(self, operator: Any) -> dict[str, Any]:
        kind, options = None, None
        for field in ("BuiltinOptions", "BuiltinOptions2"):
            number, value = getattr(operator, f"{field}Type")(), getattr(operator, field)()
            if number:
                kind = tflite_schema().enum(field).label(number)
                options = None
                if value is not None:
                    options = getattr(self.oracle, kind)()
                    options.Init(value.Bytes, value.Pos)
        return {"options_type": kind} | {
            name: self.option(column, options)
            for name, column in options_columns().items()
            if hasattr(getattr(self.oracle, column.tables[0]), camel(column.field.name))
        }

    def option(self, column: OptionsColumn, options: Any) -> Any:
        if options is None or type(options).__name__ not in column.tables:
            return None
        if column.field.is_vector:
            values = self.numbers(options, camel(column.field.name))
            return [self.label(column, value) for value in values] if column.enum and values is not None else values
        value = getattr(options, camel(column.field.name))()
        return self.text(value) if column.field.type == "string" else self.label(column, value)

    def label(self, column: OptionsColumn, value: Any) -> Any:
        return tflite_schema().enum(column.enum).label(value) if column.enum else value

    def operand_rows(self) -> Iterator[dict[str, Any]]:
        for row, (g, operator) in enumerate(self.operators):
            for direction in ("input", "output", "intermediate"):
                for position, index in enumerate(self.numbers(operator, f"{camel(direction)}s") or []):
                    yield {
                        "operator": row,
                        "direction": direction,
                        "position": position,
                        "tensor": self.tensor_row(g, index),
                        "tensor_index": index,
                    }

    def border_rows(self, name: str) -> Iterator[dict[str, Any]]:
        for g, graph in enumerate(self.subgraphs):
            for position, index in enumerate(self.numbers(graph, name) or []):
                row = self.tensor_row(g, index)
                yield {"subgraph": g, "position": position, "tensor": row, "tensor_index": index}

    def input_rows(self) -> Iterator[dict[str, Any]]:
        return self.border_rows("Inputs")

    def output_rows(self) -> Iterator[dict[str, Any]]:
        return self.border_rows("Outputs")

    def buffer_rows(self) -> Iterator[dict[str, Any]]:
        for index, buffer in enumerate(self.buffers):
            yield {"index": index, "offset": buffer.Offset(), "size": buffer.Size()}

    def signature_rows(self) -> Iterator[dict[str, Any]]:
        first = 0
        for index, signature in enumerate(self.signatures):
            n_tensors = signature.InputsLength() + signature.OutputsLength()
            yield {
                "index": index,
                "key": self.text(signature.SignatureKey()),
                "subgraph": self.row_in(self.subgraphs, signature.SubgraphIndex()),
                "subgraph_index": signature.SubgraphIndex(),
                "tensors": list(range(first, first + n_tensors)),
            }
            first += n_tensors

    def signature_tensor_rows(self) -> Iterator[dict[str, Any]]:
        for row, signature in enumerate(self.signatures):
            for direction in ("input", "output"):
                for position, item in enumerate(self.many(signature, f"{camel(direction)}s")):
                    yield {
                        "signature": row,
                        "direction": direction,
                        "position": position,
                        "name": self.text(item.Name()),
                        "tensor_index": item.TensorIndex(),
                        "tensor": self.tensor_row(signature.SubgraphIndex(), item.TensorIndex()),
                    }

    def metadata_rows(self) -> Iterator[dict[str, Any]]:
        for index, entry in enumerate(self.entries):
            buffer = self.row_in(self.buffers, entry.Buffer())
            yield {
                "index": index,
                "name": self.text(entry.Name()),
                "buffer": buffer,
                "buffer_index": entry.Buffer(),
            }

    def sparse(self) -> list[tuple[int, Any]]:
        """Rows of sparse tensors with their stored dimensions."""
        return [
            (row, dimension)
            for row, (_, tensor) in enumerate(self.tensors)
            if (sparsity := tensor.Sparsity()) is not None
            for dimension in self.many(sparsity, "DimMetadata")
        ]

    def dimension_rows(self) -> Iterator[dict[str, Any]]:
        for row, dimension in self.sparse():
            yield {
                "tensor": row,
                "format": tflite_schema().enum("DimensionType").label(dimension.Format()),
                "dense_size": dimension.DenseSize(),
            }

    def variant_tensor_rows(self) -> Iterator[dict[str, Any]]:
        for row, (_, tensor) in enumerate(self.tensors):
            for index, variant in enumerate(self.many(tensor, "VariantTensors")):
                yield {
                    "tensor": row,
                    "index": index,
                    "shape": self.numbers(variant, "Shape") or [],
                    "dtype": self.enums["TensorType"].label(variant.Type()),
                    "has_rank": variant.HasRank(),
                }

    def external_buffer_rows(self) -> Iterator[dict[str, Any]]:
        for item in self.many(self.root, "ExternalBuffers"):
            row = {name: getattr(item, camel(name))() for name in ("id", "group", "offset", "length")}
            yield {**row, "packing": self.text(item.Packing())}

    def external_buffer_group_rows(self) -> Iterator[dict[str, Any]]:
        for index, item in enumerate(self.many(self.root, "ExternalBufferGroups")):
            yield {"index": index, "name": self.text(item.Name())}


#: What does not come from a table of the schema, or is checked in a test of its own.
NOT_COMPARED = {
    "model": {
        "size", "structure_end", "tail_bytes", "tail", "tail_error", "newer_schema", "min_runtime_version",
        "metadata_error", "metadata_name", "metadata_description", "metadata_version", "metadata_author",
        "metadata_license", "associated_files", "soc",
    },
    "tensor": {"sparsity.dimensions", "variant_tensors"},
    "operator": {"operands", "options.new_height", "options.new_width"},
    "buffer": {"data", "data_offset"},
    "dimension": {"index"},
    "input": {name for name in raw_tables()["input"].columns if name.startswith("metadata.")},
    "output": {name for name in raw_tables()["output"].columns if name.startswith("metadata.")},
}  # fmt: skip


def cells(column: Column) -> list[Any]:
    """The values of a column, None where a row has none."""
    n = len(column)
    state = np.zeros(n, np.uint8) if column.state is None else column.state
    if isinstance(column, Texts):
        return [text_of(column, row) for row in range(n)]
    values: list[Any]
    if isinstance(column, Strings):
        values = [column.labels[code] if column.labels else None for code in column.codes.tolist()]
    elif isinstance(column, References):
        values = [row if row >= 0 else None for row in column.rows.tolist()]
    elif isinstance(column, Lists):
        flat, lengths = column.flatten(np.arange(n))
        items = flat.tolist() if column.labels is None else [column.labels[code] for code in flat.tolist()]
        ends = np.cumsum(lengths).tolist()
        values = [items[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
    else:
        assert isinstance(column, Scalars)
        values = column.values.tolist()
    return [None if state[row] == ABSENT else value for row, value in enumerate(values)]


def compare_tables(content: bytes, oracle: Any) -> int:
    """Compare all tables; how many cells were compared."""
    tables = read(content)
    expected = Expected(content, oracle)
    n_cells = 0
    for name, declared in raw_tables().items():
        if name in ("file", "member", "associated_file"):
            continue
        rows = expected.table(name)
        table = tables.table(name)
        assert len(table) == len(next(iter(rows.values()), [])), name
        compared = set(declared.columns) - NOT_COMPARED.get(name, set())
        assert not rows or set(rows) == compared, name
        for column, values in rows.items():
            found = cells(table.column(column))
            assert found == values or same_cells(found, values), f"{name}.{column}"
            n_cells += len(values)
    compare_owned(tables)
    compare_rest(tables, content)
    return n_cells


def same_cells(found: list[Any], expected: list[Any]) -> bool:
    return all(
        (left is None) == (right is None) and (left is None or same(left, right))
        for left, right in zip(found, expected, strict=True)
    )


def compare_owned(tables: Tables) -> None:
    """The lists of rows that a row owns agree with the references back."""
    for table, column, child, back in (
        ("tensor", "sparsity.dimensions", "dimension", "tensor"),
        ("tensor", "variant_tensors", "variant_tensor", "tensor"),
        ("operator", "operands", "operand", "operator"),
    ):
        owned = cells(tables.column(table, column))
        owners = cells(tables.column(child, back))
        assert [row for rows in owned for row in rows] == list(range(len(owners))), column
        assert [owner for owner, rows in enumerate(owned) for _ in rows] == owners, column


def compare_rest(tables: Tables, content: bytes) -> None:
    model, buffers = tables.table("model"), tables.table("buffer")
    end = cells(model.column("structure_end"))[0]
    assert (unpack_with_end(content)[1] <= end) or tables.column("model", "newer_schema"), "structure_end"
    assert cells(model.column("size")) == [len(content)]
    assert cells(model.column("tail_bytes")) == [len(content) - end]
    data = buffers.column("data")
    assert isinstance(data, Lists)
    assert (data.starts + data.lengths <= len(content)).all()


@pytest.mark.parametrize("name", sorted(RUNNABLE | NOT_RUNNABLE))
def test_tables_of_named_models(name: str) -> None:
    assert compare_tables(NAMED[name](), pytest.importorskip(ORACLES[1])) > 100


@needs_corpus
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_tables_of_the_corpus(number: int) -> None:
    n_cells = 0
    for path in shard(number):
        try:
            n_cells += compare_tables(path.read_bytes(), pytest.importorskip(ORACLES[1]))
        except Exception as error:
            error.add_note(f"in {path}")
            raise
    print(f"{n_cells:,} cells are equal")


# --- decoded metadata -------------------------------------------------------------------------------------------------


def with_metadata(metadata: bytes) -> bytes:
    """A model that carries the metadata."""
    model = unpack(RUNNABLE["add_float32"]())
    model["buffers"].append({"data": metadata})
    model["metadata"] = [{"name": "TFLITE_METADATA", "buffer": len(model["buffers"]) - 1}]
    return pack(model)


def without_defaults(value: Any) -> Any:
    """Scalars that equal their default may be stored or not."""
    if isinstance(value, list):
        return [without_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: without_defaults(item) for name, item in value.items() if item not in (0, 0.0, "UNKNOWN", "DEFAULT")}


def decoded(content: bytes) -> JsonTable:
    (extra,) = read(content).extras
    assert extra.metadata is not None, extra.metadata_error
    return extra.metadata


GOLDENS = sorted((CORPUS / "metadata_goldens").glob("*.json")) if CORPUS.is_dir() else []


@needs_corpus
def test_metadata_goldens_decode_to_themselves() -> None:
    assert len(GOLDENS) == 48
    for path in GOLDENS:
        golden = from_golden(json.loads(path.read_text(encoding="utf-8")))
        found = decoded(with_metadata(pack(golden, metadata_schema())))
        assert rounded(without_defaults(found)) == rounded(without_defaults(golden)), path.name


def rounded(value: Any) -> Any:
    """Numbers as float32, which is how the file holds them."""
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    return float(np.float32(value)) if isinstance(value, float) else value


@needs_corpus
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_metadata_of_the_corpus_equals_what_flatbuffers_unpacks(number: int) -> None:
    for path in shard(number):
        content = path.read_bytes()
        tables = read(content)
        (extra,) = tables.extras
        model = unpack(content)
        entries = [entry for entry in model.get("metadata", []) if entry.get("name") == "TFLITE_METADATA"]
        if not entries:
            assert extra.metadata is None, path
            assert extra.metadata_error is None, path
            continue
        data = model["buffers"][entries[0]["buffer"]]["data"]
        assert extra.metadata_error is None, path
        assert extra.metadata == unpack(data, metadata_schema()), path


def test_metadata_of_named_models() -> None:
    metadata = decoded(NAMED["labels_float32"]())
    data = unpack(NAMED["labels_float32"]())["buffers"][-1]["data"]
    assert metadata == unpack(data, metadata_schema())


@needs_corpus
@pytest.mark.parametrize("number", range(N_SHARDS))
def test_associated_files_of_the_corpus_are_those_of_the_zip(number: int) -> None:
    for path in shard(number):
        tables = read(path.read_bytes())
        table = tables.table("associated_file")
        names, sizes = cells(table.column("name")), cells(table.column("packed_size"))
        packed = {name: size for name, size in zip(names, sizes, strict=True) if size is not None}
        expected = {}
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                expected = {member.filename: member.file_size for member in archive.infolist()}
        assert packed == expected, path
        assert cells(tables.column("model", "tail"))[0] in ("none", "padding", "zip", "buffers", "unknown"), path
