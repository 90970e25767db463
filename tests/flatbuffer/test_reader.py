"""Test the flatbuffer reader, its sources and its tables: budgets, broken invariants and bytes read."""

from __future__ import annotations

import dataclasses
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flatbuffers import Builder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.corpus import model_paths, needs_corpus
from tests.helpers.facts import state_of, values_of
from tests.helpers.models import large
from tests.helpers.models.plain import with_zip
from tests.helpers.paths import ROOT
from tests.helpers.reading import (
    VALID,
    CountingSource,
    quickly,
    read_whatever,
    tables_over,
    touch,
    weight_spans,
)
from tflint.flatbuffer import byte_window as windows
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import MAX_DEPTH, Forest, read_forest
from tflint.flatbuffer.node import Node
from tflint.flatbuffer.read_budgets import MAX_TABLES
from tflint.flatbuffer.schema_layout import Field, TableLayout
from tflint.model.batch_reader import open_model, read_batches
from tflint.model.model_columns import raw_tables
from tflint.model.tables import Tables
from tflint.schema import metadata_schema, tflite_schema
from tflint.source import BytesSource, FileSource
from tflint.writer import pack, unpack


def forest_of(content: bytes) -> Forest:
    return read_forest(Window.of_bytes(content), tflite_schema(), "Model")


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["dense", "compact"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The pages of windows over sources: a buffer of the source's size, or one of what was read."""
    monkeypatch.setattr(windows, "MAX_DENSE_BYTES", 0 if request.param == "compact" else 1 << 30)
    return str(request.param)


def assert_reads_no_weights(content: bytes) -> None:
    source = CountingSource(content)
    tables = tables_over(Window.of_source(source))
    touch(tables, content=False)
    for begin, end in weight_spans(tables):
        assert not source.asked[begin:end].any(), (begin, end)
    assert source.asked.any()


@pytest.mark.parametrize("name", sorted(VALID))
def test_structural_columns_read_no_weight_byte(name: str, kind: str) -> None:
    assert_reads_no_weights(VALID[name]())


@needs_corpus
def test_structural_columns_of_real_models_read_no_weight_byte(kind: str) -> None:
    for path in model_paths()[::60]:
        assert_reads_no_weights(path.read_bytes())


def assert_same_columns(left: Tables, right: Tables) -> None:
    for name, declared in raw_tables().items():
        assert left.table(name).byte_offset.tolist() == right.table(name).byte_offset.tolist(), name
        for column in declared.columns:
            ours, theirs = left.column(name, column), right.column(name, column)
            assert repr(values_of(ours, slice(None))) == repr(values_of(theirs, slice(None))), (name, column)
            assert state_of(ours, slice(None)) == state_of(theirs, slice(None)), (name, column)


@pytest.mark.parametrize("name", sorted(VALID))
def test_a_window_over_a_source_gives_what_one_over_bytes_gives(name: str, kind: str) -> None:
    content = VALID[name]()
    in_memory = tables_over(Window.of_bytes(content))
    assert_same_columns(in_memory, tables_over(Window.of_source(CountingSource(content))))
    assert_same_columns(in_memory, tables_over(Window.of_source(BytesSource(content))))


@needs_corpus
def test_a_window_over_a_real_file_gives_what_one_over_bytes_gives(kind: str) -> None:
    for path in model_paths()[::60]:
        with FileSource(path) as source:
            assert_same_columns(tables_over(Window.of_bytes(path.read_bytes())), tables_over(Window.of_source(source)))


@pytest.mark.parametrize("shift", range(1, 8))
def test_bytes_need_not_be_aligned_in_memory(shift: int) -> None:
    content = VALID["conv_int8"]()
    shifted = memoryview(bytes(shift) + content)[shift:]
    assert_same_columns(tables_over(Window.of_bytes(content)), tables_over(Window.of_bytes(shifted)))


def test_offsets_of_rows_are_those_of_the_file() -> None:
    content = VALID["conv_int8"]()
    table = tables_over(Window.of_bytes(content)).table("operator")
    offset = int(table.byte_offset[0])
    (back,) = struct.unpack_from("<i", content, offset)
    assert struct.unpack_from("<HH", content, offset - back)[1] == table.byte_length[0]


# --- budgets ----------------------------------------------------------------------------------------------------------


def refused(content: bytes) -> FlatbufferError:
    with pytest.raises(FlatbufferError) as caught:
        touch(tables_over(Window.of_bytes(content)))
    return caught.value


@pytest.mark.security
def test_shared_reference_bomb() -> None:
    error = quickly(2, refused, large.shared_reference_bomb())
    assert error.path == "subgraphs.tensors"
    assert "with repetitions, shared vectors have 900,000,000 elements" in error.reason


@pytest.mark.security
def test_shared_vector_bomb() -> None:
    error = quickly(2, refused, large.shared_vector_bomb())
    assert error.path == "subgraphs.operators.inputs"
    assert "with repetitions, shared vectors have 400,000,000 elements" in error.reason


def test_a_vector_in_a_shared_table_counts_as_often_as_the_table_is_used() -> None:
    quantization = {"scale": [1.0] * 20_000}
    tensor = {"quantization": quantization}
    content = pack({"subgraphs": [{"tensors": [dict(tensor) for _ in range(20_000)]}]}, share=True)
    assert len(content) < 1_000_000
    error = quickly(2, refused, content)
    assert error.path == "subgraphs.tensors.quantization.scale"
    assert "400,000,000 elements" in error.reason


def test_a_shared_table_that_is_used_sparingly_is_read_once() -> None:
    quantization = {"scale": [0.5] * 10, "zero_point": [0] * 10}
    content = pack({"subgraphs": [{"tensors": [{"quantization": quantization} for _ in range(100)]}]}, share=True)
    tables = tables_over(Window.of_bytes(content))
    assert len(tables.node("subgraphs.tensors.quantization", "QuantizationParameters")) == 1
    assert values_of(tables.column("tensor", "scale"), slice(None)) == [[0.5] * 10] * 100


def test_as_many_tables_as_the_verifier_counts() -> None:
    """The C++ verifier counts a shared table at each visit: half a million tensors, each with its quantization."""
    builder = Builder(1 << 24)
    n = MAX_TABLES // 2
    quantization = _table(builder, "QuantizationParameters", {})
    tensor = _table(builder, "Tensor", {"quantization": quantization})
    subgraph = _table(builder, "SubGraph", {"tensors": _references(builder, [tensor] * n)})
    content = _finished(builder, "Model", {"subgraphs": _references(builder, [subgraph])})
    error = quickly(5, refused, content)
    assert "tables, more than the 1,000,000" in error.reason
    assert error.path == "subgraphs.tensors.quantization"


def test_a_vector_of_too_many_tables_is_refused_before_it_is_followed() -> None:
    builder = Builder(1 << 24)
    buffer = _table(builder, "Buffer", {})
    content = _finished(builder, "Model", {"buffers": _references(builder, [buffer] * (MAX_TABLES + 1))})
    error = quickly(2, refused, content)
    assert error.path == "buffers"
    assert f"{MAX_TABLES + 2:,} tables" in error.reason


def _table(builder: Any, name: str, offsets: dict[str, int], layouts: Any = None) -> int:
    layout = (layouts or tflite_schema()).table(name)
    builder.StartObject(layout.n_slots)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(layout.field(field).slot, offset, 0)
    return int(builder.EndObject())


def _references(builder: Any, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _finished(builder: Any, name: str, offsets: dict[str, int], layouts: Any = None) -> bytes:
    builder.Finish(_table(builder, name, offsets, layouts), file_identifier=b"TFL3")
    return bytes(builder.Output())


@dataclasses.dataclass
class Fake:
    """A schema of its own: a table that holds one of its kind, or some, and strings."""

    unions: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def table(self, name: str) -> TableLayout:
        fields = (Field("child", "Nest", 0), Field("children", "[Nest]", 1), Field("names", "[string]", 2))
        return TableLayout(name, fields, 3)

    def is_table(self, type_name: str) -> bool:
        return type_name == "Nest"

    def scalar(self, type_name: str) -> str:
        return type_name


def nested(depth: int, *, in_vectors: bool = False, empty_end: bool = False) -> bytes:
    """So many tables, each inside the one before."""
    builder = Builder(1024)
    offsets = {"children": _references(builder, [])} if empty_end else {}
    offset = _table(builder, "Nest", offsets, Fake())
    for _ in range(depth - 2):
        child = {"children": _references(builder, [offset])} if in_vectors else {"child": offset}
        offset = _table(builder, "Nest", child, Fake())
    return _finished(builder, "Nest", {"child": offset}, Fake())


@pytest.mark.parametrize("in_vectors", [False, True])
def test_tables_nest_as_deep_as_the_verifier_lets_them(in_vectors: bool) -> None:
    read_forest(Window.of_bytes(nested(MAX_DEPTH, in_vectors=in_vectors)), Fake(), "Nest")
    with pytest.raises(FlatbufferError, match="nested deeper than 64"):
        read_forest(Window.of_bytes(nested(MAX_DEPTH + 1, in_vectors=in_vectors)), Fake(), "Nest")


def test_an_empty_vector_of_tables_is_no_nesting() -> None:
    read_forest(Window.of_bytes(nested(MAX_DEPTH, empty_end=True)), Fake(), "Nest")


def test_a_table_that_holds_itself_ends() -> None:
    builder = Builder(64)
    content = bytearray(_finished(builder, "Nest", {"child": _table(builder, "Nest", {}, Fake())}, Fake()))
    root = read_forest(Window.of_bytes(content), Fake(), "Nest").root
    own = int(root.positions[0]) + int(root.field_offsets[0, 0])
    struct.pack_into("<I", content, own, 0)
    with pytest.raises(FlatbufferError, match="an offset is zero or negative"):
        read_forest(Window.of_bytes(content), Fake(), "Nest")


def test_a_long_string_that_is_named_often_counts_as_often() -> None:
    builder = Builder(1 << 20)
    text = builder.CreateString("x" * 100_000)
    content = _finished(builder, "Nest", {"names": _references(builder, [text] * 50_000)}, Fake())
    with pytest.raises(FlatbufferError, match="5,000,000,000 elements"):
        read_forest(Window.of_bytes(content), Fake(), "Nest")


def test_strings_of_a_vector() -> None:
    builder = Builder(64)
    texts = [builder.CreateString(text) for text in ("one", "", "drei")]
    content = _finished(builder, "Nest", {"names": _references(builder, texts)}, Fake())
    window = Window.of_bytes(content)
    found = read_forest(window, Fake(), "Nest").root.texts["names"]
    spans = zip(found.starts.tolist(), found.lengths.tolist(), strict=True)
    assert [window.span(start, start + n) for start, n in spans] == [b"one", b"", b"drei"]


# --- broken invariants, one by one ------------------------------------------------------------------------------------


def conv() -> tuple[bytearray, Node]:
    content = bytearray(VALID["conv_int8"]())
    return content, forest_of(bytes(content)).root


def child(root: Node, path: str) -> Node:
    node = root.at(path)
    assert node is not None
    return node


def error_of(content: bytes | bytearray) -> FlatbufferError:
    with pytest.raises(FlatbufferError) as caught:
        forest_of(bytes(content))
    return caught.value


def put(content: bytearray, code: str, offset: int, value: int) -> bytearray:
    struct.pack_into(f"<{code}", content, offset, value)
    return content


def field_at(node: Node, name: str, row: int = 0) -> int:
    """The byte where a field of a row is stored."""
    slot = node.layout.field(name).slot
    assert node.field_offsets[row, slot]
    return int(node.positions[row]) + int(node.field_offsets[row, slot])


def vtable_at(content: bytes | bytearray, node: Node, row: int = 0) -> int:
    position = int(node.positions[row])
    return position - int(struct.unpack_from("<i", content, position)[0])


@pytest.mark.parametrize("size", range(1, 8))
def test_file_too_short_for_a_root(size: int) -> None:
    assert error_of(VALID["conv_int8"]()[:size]).is_truncation


@pytest.mark.parametrize("value", [0, 0x80000000, 0xFFFFFFFF])
def test_impossible_root_offset(value: int) -> None:
    error = error_of(put(conv()[0], "I", 0, value))
    assert (error.reason, error.offset) == ("the root offset is zero or negative", 0)


def test_root_offset_past_the_end() -> None:
    content, _ = conv()
    error = error_of(put(content, "I", 0, len(content)))
    assert error.is_truncation
    assert error.path == "root table"


def test_misaligned_root_offset() -> None:
    content, root = conv()
    assert "not aligned" in error_of(put(content, "I", 0, int(root.positions[0]) + 2)).reason


@pytest.mark.parametrize("vtable", [-4, -(2**20), 2**20])
def test_vtable_out_of_range(vtable: int) -> None:
    content, root = conv()
    tensor = int(child(root, "subgraphs.tensors").positions[2])
    error = error_of(put(content, "i", tensor, tensor - vtable))
    assert error.is_truncation
    assert error.offset == tensor
    assert error.path == "subgraphs.tensors"


def test_misaligned_vtable() -> None:
    content, root = conv()
    assert error_of(put(content, "i", int(root.positions[0]), 1)).reason == "the vtable is not aligned"


@pytest.mark.parametrize("size", [0, 2, 3, 7])
def test_vtable_of_an_impossible_size(size: int) -> None:
    content, root = conv()
    error = error_of(put(content, "H", vtable_at(content, root), size))
    assert error.reason == "the vtable's size is below 4 or odd"


def test_vtable_that_ends_past_the_end() -> None:
    content, root = conv()
    assert error_of(put(content, "H", vtable_at(content, root), 0xFFFE)).is_truncation


def test_table_that_ends_past_the_end() -> None:
    content, root = conv()
    error = error_of(put(content, "H", vtable_at(content, root) + 2, 0xFFFF))
    assert error.reason == "the table reaches past the end of the file"


def test_zero_offset() -> None:
    content, root = conv()
    at = field_at(child(root, "subgraphs"), "tensors")
    error = error_of(put(content, "I", at, 0))
    assert (error.reason, error.offset, error.path) == ("an offset is zero or negative", at, "subgraphs.tensors")


def test_negative_offset() -> None:
    content, root = conv()
    assert error_of(put(content, "i", field_at(root, "subgraphs"), -4)).reason == "an offset is zero or negative"


def test_zero_offset_in_a_vector() -> None:
    content, root = conv()
    at = int(root.vector("buffers").starts[0])
    error = error_of(put(content, "I", at, 0))
    assert (error.reason, error.offset, error.path) == ("an offset is zero or negative", at, "buffers")


def test_misaligned_offset() -> None:
    content, root = conv()
    at = field_at(child(root, "subgraphs"), "inputs")
    (distance,) = struct.unpack_from("<I", content, at)
    assert "not aligned" in error_of(put(content, "I", at, distance + 1)).reason


def test_offset_past_the_end() -> None:
    content, root = conv()
    error = error_of(put(content, "I", field_at(child(root, "subgraphs"), "inputs"), len(content)))
    assert error.is_truncation


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x20000000])
def test_impossibly_long_vector(length: int) -> None:
    content, root = conv()
    at = int(child(root, "subgraphs").vector("inputs").starts[0]) - 4
    error = error_of(put(content, "I", at, length))
    assert error.is_truncation
    assert error.offset == at
    assert error.path == "subgraphs.inputs"


def test_vector_past_the_end() -> None:
    content, root = conv()
    at = int(child(root, "subgraphs").vector("inputs").starts[0]) - 4
    error = error_of(put(content, "I", at, len(content) // 4))
    assert error.reason == "a vector reaches past the end of the file"


def test_unterminated_string() -> None:
    content, root = conv()
    names = child(root, "subgraphs.tensors").vector("name")
    at = int(names.starts[1] + names.lengths[1])
    error = error_of(put(content, "B", at, 33))
    assert error.reason == "a string does not end with a zero byte"
    assert (error.offset, error.path) == (at, "subgraphs.tensors.name")


def test_string_that_ends_with_the_file() -> None:
    content = pack({"description": "end"})
    start = int(forest_of(content).root.vector("description").starts[0])
    assert "end of the file" in error_of(content[: start + 3]).reason
    assert forest_of(content[: start + 4]).ends.tolist() == [start + 4]


def test_field_outside_of_the_file() -> None:
    content, root = conv()
    tensors = child(root, "subgraphs.tensors")
    slot = vtable_at(content, tensors) + 4 + 2 * tensors.layout.field("buffer").slot
    error = error_of(put(content, "H", slot, 0xFFFC))
    assert error.is_truncation
    assert error.path == "subgraphs.tensors.buffer"
    assert error.offset == int(tensors.positions[0]) + 0xFFFC


def test_misaligned_field() -> None:
    content, root = conv()
    tensors = child(root, "subgraphs.tensors")
    slot = vtable_at(content, tensors) + 4 + 2 * tensors.layout.field("buffer").slot
    error = error_of(put(content, "H", slot, 5))
    assert error.reason == "a field is not aligned"
    assert not error.is_truncation


def test_unknown_union_member_is_remembered_as_of_a_newer_schema() -> None:
    content, root = conv()
    operators = child(root, "subgraphs.operators")
    declared = operators.layout.field("builtin_options")
    slot = vtable_at(content, operators) + 4 + 2 * declared.type_slot
    (offset,) = struct.unpack_from("<H", content, slot)
    put(content, "B", int(operators.positions[0]) + offset, 200)
    tables = tables_over(Window.of_bytes(bytes(content)))
    notes = values_of(tables.column("model", "newer_schema"), slice(None))
    assert notes == [["BuiltinOptions has an unknown member 200"]]
    assert values_of(tables.column("operator", "options_type"), slice(None)) == ["200"]
    assert touch(tables)


def test_unknown_members_of_the_two_unions_are_not_mistaken_for_known_ones() -> None:
    model = unpack(VALID["add_float32"]())
    (operator,) = model["subgraphs"][0]["operators"]
    for union, number in (("builtin_options", 130), ("builtin_options", 255), ("builtin_options_2", 255)):
        operator.pop("builtin_options", None)
        operator[union] = {"type": number}
        tables = tables_over(Window.of_bytes(pack(model)))
        assert values_of(tables.column("operator", "options_type"), slice(None)) == [str(number)]


def test_longer_vtable_is_remembered_as_of_a_newer_schema() -> None:
    builder = Builder(256)
    layout = tflite_schema().table("Model")
    builder.StartObject(layout.n_slots + 2)
    builder.PrependUint32Slot(0, 3, 0)
    builder.PrependUint32Slot(layout.n_slots + 1, 7, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"TFL3")
    tables = tables_over(Window.of_bytes(bytes(builder.Output())))
    assert values_of(tables.column("model", "newer_schema"), slice(None)) == [["Model has unknown fields"]]
    assert values_of(tables.column("model", "version"), slice(None)) == [3]


def test_number_without_a_name_stays_a_number() -> None:
    options = {"type": "StablehloDotGeneralOptions", "precision_config": [0, 77, 2**32 - 1]}
    model = unpack(VALID["add_float32"]())
    model["subgraphs"][0]["tensors"][0]["type"] = 99
    operator = model["subgraphs"][0]["operators"][0]
    del operator["builtin_options"]
    operator["builtin_options_2"] = options
    model["operator_codes"][0] |= {"builtin_code": 5000, "deprecated_builtin_code": 127}
    tables = tables_over(Window.of_bytes(pack(model)))
    assert values_of(tables.column("tensor", "dtype"), slice(0, 2)) == ["99", "FLOAT32"]
    assert values_of(tables.column("operator", "opcode"), slice(None)) == ["5000"]
    found = values_of(tables.column("operator", "options.precision_config"), slice(None))
    assert found == [["DEFAULT", "77", "4294967295"]]


def test_metadata_cannot_reach_outside_of_its_buffer() -> None:
    """The vtable of the buffer itself would fit the metadata, but lies before it."""
    model = unpack(VALID["add_float32"]())
    model["buffers"].append({"data": pack({"name": "x"}, metadata_schema())})
    model["metadata"] = [{"name": "TFLITE_METADATA", "buffer": len(model["buffers"]) - 1}]
    content = bytearray(pack(model))
    buffers = child(forest_of(bytes(content)).root, "buffers")
    begin = int(buffers.vector("data").starts[-1])
    metadata = begin + int(struct.unpack_from("<I", content, begin)[0])
    vtable = vtable_at(content, buffers, -1)
    own = metadata - int(struct.unpack_from("<i", content, metadata)[0])
    assert content[vtable : vtable + 6] == content[own : own + 6]
    assert vtable < begin
    put(content, "i", metadata, metadata - vtable)
    (extra,) = tables_over(Window.of_bytes(bytes(content))).extras
    assert extra.metadata is None
    assert extra.metadata_error == "root table: the vtable reaches past the end of the file"


def test_the_first_of_two_metadata_entries_is_read() -> None:
    model = unpack(VALID["add_float32"]())
    for text in ("first", "second"):
        model["buffers"].append({"data": pack({"name": text}, metadata_schema())})
        entry = {"name": "TFLITE_METADATA", "buffer": len(model["buffers"]) - 1}
        model.setdefault("metadata", []).append(entry)
    tables = tables_over(Window.of_bytes(pack(model)))
    assert values_of(tables.column("model", "metadata_name"), slice(None)) == ["first"]


def test_a_bounding_box_has_a_type_and_is_one() -> None:
    box = {"type": "BoundingBoxProperties", "type_": "CENTER"}
    tensor = {"content": {"content_properties": box}}
    metadata = {"subgraph_metadata": [{"output_tensor_metadata": [tensor]}]}
    model = unpack(VALID["add_float32"]())
    model["buffers"].append({"data": pack(metadata, metadata_schema())})
    model["metadata"] = [{"name": "TFLITE_METADATA", "buffer": len(model["buffers"]) - 1}]
    tables = tables_over(Window.of_bytes(pack(model)))
    assert tables.extras[0].metadata == metadata
    assert values_of(tables.column("output", "metadata.content"), slice(None)) == ["BoundingBoxProperties"]


# --- large files ------------------------------------------------------------------------------------------------------

#: Runs in a process of its own, so that its peak is its own: reads a file's structure and says what that cost.
MEASURE = """
import json, sys
from pathlib import Path
from tests.helpers.reading import CONTENT, touch
from tflint.model.batch_reader import open_model, read_one
from tflint.source import FileSource

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))

def peak_anonymous():
    # Not getrusage: its ru_maxrss begins at what the parent process had when it started this one.
    return status("VmHWM") - status("RssFile")

before = peak_anonymous()
with FileSource(sys.argv[1]) as source:
    tables = read_one(open_model(source))
    assert tables.is_readable, tables.files
    touch(tables, content=False)
    figures = {
        "growth_kib": peak_anonymous() - before,
        "structural_kib": tables.window.n_bytes_in_memory // 1024,
        "offsets": [int(x) for x in tables.column("buffer", "offset").values],
        "structure_end": int(tables.column("model", "structure_end").values[0]),
    }
print(json.dumps(figures))
"""

on_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through /proc")


def measured(path: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", MEASURE, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    figures: dict[str, Any] = json.loads(run.stdout)
    print(f"{path.name}: {figures['growth_kib']:,} KiB for {figures['structural_kib']:,} KiB read")
    return figures


@pytest.mark.slow
@on_linux
def test_memory_of_a_sparse_file_of_2_gb(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    size = large.write_sparse_2gb(path)
    assert size > 2**31
    figures = measured(path)
    assert figures["offsets"] == [0, (1 << 31) + (1 << 20), (1 << 31) + (1 << 20) + 64]
    assert figures["structure_end"] < 10_000
    assert figures["growth_kib"] < 40 * 1024


@pytest.mark.slow
@on_linux
def test_memory_of_many_tensors(tmp_path: Path) -> None:
    path = tmp_path / "many.tflite"
    path.write_bytes(large.many_tensors(20_000, 6_000))
    figures = measured(path)
    assert figures["growth_kib"] < 40 * 1024 + 3 * figures["structural_kib"]


@pytest.mark.slow
@on_linux
def test_memory_of_half_a_gigabyte_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "weights.tflite"
    large.write_big_weights(path, 512 * 1024 * 1024)
    figures = measured(path)
    assert figures["structural_kib"] < 200
    assert figures["growth_kib"] < 40 * 1024


# --- any bytes at all -------------------------------------------------------------------------------------------------

HEAD = b"\x1c\0\0\0TFL3"
EDGES = [
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFF0,
    0xFFFFFFFC,
    0xFFFFFFFF,
]
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(RELAXED, max_examples=100)
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda content: HEAD + content))
def test_any_bytes_give_tables(content: bytes) -> None:
    read_whatever(content)


@st.composite
def mutated_models(draw: st.DrawFn) -> bytes:
    content = bytearray(VALID[draw(st.sampled_from(sorted(VALID)))]())
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(["flip", "u32", "u16", "truncate", "insert", "delete", "relocate"])):
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "u32" if len(content) >= 8:
                struct.pack_into("<I", content, min(place, len(content) - 4) & ~3, draw(st.sampled_from(EDGES)))
            case "u16" if len(content) >= 8:
                value = draw(st.sampled_from(EDGES)) & 0xFFFF
                struct.pack_into("<H", content, min(place, len(content) - 2) & ~1, value)
            case "truncate":
                del content[place:]
            case "insert":
                content[place:place] = draw(st.binary(min_size=1, max_size=8))
            case "delete":
                del content[place : place + draw(st.integers(1, 8))]
            case "relocate" if len(content) >= 16:
                step = draw(st.integers(-64, 64)) * 4
                at = min(place, len(content) - 4) & ~3
                (value,) = struct.unpack_from("<I", content, at)
                struct.pack_into("<I", content, at, (value + step) & 0xFFFFFFFF)
    return bytes(content)


@settings(RELAXED, max_examples=150)
@given(mutated_models())
def test_mutated_models_give_tables(content: bytes) -> None:
    read_whatever(content)


@settings(RELAXED, max_examples=40)
@given(st.lists(mutated_models(), min_size=2, max_size=6))
def test_mutated_models_in_a_batch_give_tables(contents: list[bytes]) -> None:
    numbers = []
    for batch, tables in read_batches([open_model(BytesSource(content)) for content in contents]):
        numbers += batch
        touch(tables)
    assert sorted(numbers) == list(range(len(contents)))


@settings(RELAXED, max_examples=100)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_tail_is_a_tail(tail: bytes, cut: int) -> None:
    zipped = with_zip(VALID["add_int8"](), {"labels.txt": "a\nb\n"})
    read_whatever(VALID["add_int8"]() + tail)
    read_whatever(zipped[: len(zipped) - cut] + tail)


@settings(RELAXED, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(EDGES) | st.integers(0, 64)), min_size=1, max_size=4))
def test_mutated_zips_give_tables(changes: list[tuple[int, int]]) -> None:
    content = bytearray(VALID["labels_float32"]())
    begin = int(forest_of(bytes(content)).ends[0])
    for place, value in changes:
        content[begin + place % (len(content) - begin)] = value & 0xFF
    read_whatever(bytes(content))


def test_zip_member_without_a_name() -> None:
    zipped = with_zip(VALID["add_int8"](), {"": "x", "folder/": "", "labels.txt": "a"})
    tables = read_whatever(zipped)
    assert values_of(tables.column("associated_file", "name"), slice(None)) == ["labels.txt"]


@settings(RELAXED, max_examples=100)
@given(st.data())
def test_mutated_metadata_gives_tables(data: st.DataObject) -> None:
    content = bytearray(VALID["labels_float32"]())
    buffers = forest_of(bytes(content)).root.children["buffers"].vector("data")
    begin, n = int(buffers.starts[-1]), int(buffers.lengths[-1])
    for _ in range(data.draw(st.integers(1, 4))):
        place = begin + data.draw(st.integers(0, n // 4 - 1)) * 4
        struct.pack_into("<I", content, place, data.draw(st.sampled_from(EDGES) | st.integers(0, 64)))
    read_whatever(bytes(content))
