"""Test edge cases of the model tables with small models: quantization details, metadata, trailing data."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.helpers.models.builder import ModelBuilder
from tests.helpers.models.plain import add_float32, with_zip
from tflint.columns.column import ABSENT, Lists, Scalars, text_of
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.forest_reader import read_forest
from tflint.model import metadata_reader
from tflint.model.batch_reader import open_model, read_one
from tflint.model.tables import Tables
from tflint.schema import metadata_schema, tflite_schema
from tflint.source import BytesSource
from tflint.writer import edit_model, pack


def tables_of(content: bytes) -> Tables:
    tables = read_one(open_model(BytesSource(content)))
    assert tables.is_readable, tables.files
    return tables


def cell(tables: Tables, column: str, row: int, table: str = "tensor") -> Any:
    """The value of one row as Python has it, None where it is absent."""
    found = tables.column(table, column)
    if found.state is not None and found.state[row] == ABSENT:
        return None
    if isinstance(found, Lists):
        return found.row(row)
    if isinstance(found, Scalars):
        return found.values[row].item()
    if hasattr(found, "rows"):
        return int(found.rows[row])
    return text_of(found, row)


# -- quantization details ----------------------------------------------------------------------------------------------


def with_details(**details: Any) -> Tables:
    """Tensors a (plain), scales and zeros, and b, whose quantization has details."""
    builder = ModelBuilder()
    for name in ("a", "scales", "zeros"):
        builder.tensor(name, "FLOAT32", [4])
    builder.tensor("b", "INT8", [4], quantization={"details": details})
    return tables_of(builder.operator("ADD", ["a", "b"], ["scales"]).inputs("a").outputs("scales").build())


def test_blockwise_quantization():
    tables = with_details(type="BlockwiseQuantization", scales=1, zero_points=2, block_size=32, block_shape=[1, 32])
    assert cell(tables, "quantization.details", 3) == "BlockwiseQuantization"
    assert cell(tables, "quantization.block_size", 3) == 32
    assert cell(tables, "quantization.block_shape", 3) == [1, 32]
    assert cell(tables, "quantization.scales", 3) == 1
    assert cell(tables, "quantization.zero_points", 3) == 2
    assert cell(tables, "quantization.dimensions", 3) is None
    assert cell(tables, "quantization.custom", 3) is None


def test_multi_axis_quantization():
    tables = with_details(
        type="MultiAxisQuantization", scales=2, zero_points=-1, block_size=8, quantized_dimensions=[0, 3]
    )
    assert cell(tables, "quantization.details", 3) == "MultiAxisQuantization"
    assert cell(tables, "quantization.block_size", 3) == 8
    assert cell(tables, "quantization.dimensions", 3) == [0, 3]
    assert cell(tables, "quantization.scales", 3) == 2
    assert cell(tables, "quantization.zero_points", 3) == -1
    assert cell(tables, "quantization.block_shape", 3) is None


def test_custom_quantization():
    tables = with_details(type="CustomQuantization", custom=b"\x01\x02\xff")
    assert cell(tables, "quantization.details", 3) == "CustomQuantization"
    assert cell(tables, "quantization.custom", 3) == [1, 2, 255]
    assert cell(tables, "quantization.block_size", 3) is None


def test_tensors_without_details_have_none_of_their_columns():
    tables = with_details(type="BlockwiseQuantization", scales=99, zero_points=0, block_size=4)
    assert cell(tables, "quantization.scales", 3) == -1  # there is no tensor 99
    for column in ("details", "block_size", "block_shape", "dimensions", "custom"):
        assert cell(tables, f"quantization.{column}", 0) is None, column
    assert cell(tables, "quantization.scales", 0) == -1


def test_options_that_no_operator_can_have_are_no_column():
    with pytest.raises(KeyError, match="no_such"):
        tables_of(add_float32()).column("operator", "options.no_such")


# -- metadata ----------------------------------------------------------------------------------------------------------


def with_metadata(data: bytes | None, name: str = "TFLITE_METADATA") -> Tables:
    builder = ModelBuilder().tensor("x", "FLOAT32", [1]).tensor("y", "FLOAT32", [1])
    builder.operator("ABS", ["x"], ["y"]).inputs("x").outputs("y")
    if data is None:
        return tables_of(builder.set(metadata=[{"name": name, "buffer": 7}]).build())
    return tables_of(builder.metadata(name, data).build())


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, "the buffer is empty"),  # the index of a buffer that is not there
        (b"", "the buffer is empty"),
        (b"\x10\0\0\0M999" + bytes(16), "the buffer does not have the identifier M001"),
        (b"M001", "the buffer does not have the identifier M001"),
    ],
)
def test_metadata_that_cannot_be_decoded_says_why(data, error):
    tables = with_metadata(data)
    assert cell(tables, "metadata_error", 0, "model") == error
    assert cell(tables, "metadata_name", 0, "model") is None


def test_metadata_of_too_many_tables_is_not_decoded(monkeypatch):
    data = pack({"name": "m", "subgraph_metadata": [{"name": str(k)} for k in range(10)]}, metadata_schema())
    assert cell(with_metadata(data), "metadata_error", 0, "model") is None
    monkeypatch.setattr(metadata_reader, "MAX_METADATA_TABLES", 10)
    assert cell(with_metadata(data), "metadata_error", 0, "model") == "subgraph_metadata: more than 10 tables"


def test_names_of_dimensions_are_decoded():
    tensors = [{"dimension_names": ["batch", "height"]}, {"dimension_names": []}, {"dimension_names": ["word"]}]
    data = {"subgraph_metadata": [{"input_tensor_metadata": tensors}]}
    assert with_metadata(pack(data, metadata_schema())).extras[0].metadata == data


def test_vocabularies_of_tokenizers_are_associated_files():
    def tokenizer(kind: str, **files: str) -> dict[str, Any]:
        return {"options": {"type": kind, **{key: [{"name": name}] for key, name in files.items()}}}

    graph = {
        "input_process_units": [tokenizer("BertTokenizerOptions", vocab_file="vocab.txt")],
        "input_tensor_metadata": [{"name": "ids"}],
        "output_tensor_metadata": [
            {"process_units": [tokenizer("SentencePieceTokenizerOptions", sentencePiece_model="words.model")]}
        ],
    }
    tables = with_metadata(pack({"subgraph_metadata": [graph]}, metadata_schema()))
    files = [(file.name, file.owner) for file in tables.extras[0].associated_files()]
    assert files == [("vocab.txt", "subgraph"), ("words.model", "output 0")]


@pytest.mark.parametrize(("data", "version"), [(b"2.13.0\0\0\0", "2.13.0"), (b"", None), (b"\0" * 16, None)])
def test_min_runtime_version_ends_at_its_first_zero(data, version):
    assert cell(with_metadata(data, "min_runtime_version"), "min_runtime_version", 0, "model") == version


def test_a_flatbuffer_that_begins_at_an_odd_byte_is_aligned_from_its_own_start():
    inner = pack({"name": "odd", "subgraph_metadata": [{"name": "graph"}]}, metadata_schema())
    shifted = Window.of_bytes(b"\0" * 3 + inner).subwindow(3, 3 + len(inner))
    root = read_forest(shifted, metadata_schema(), metadata_schema().root).root
    assert len(root.children["subgraph_metadata"]) == 1
    with pytest.raises(FlatbufferError, match="not aligned"):
        read_forest(Window.of_bytes(b"\x02" + inner[1:]), metadata_schema(), metadata_schema().root)


# -- what follows the flatbuffer ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behind", "kind"),
    [(b"", "none"), (b"\0" * 64, "padding"), (b"something else", "unknown"), (b"PK\x03\x04", "broken-zip")],
)
def test_what_follows_the_flatbuffer(behind, kind):
    content = add_float32()
    end = int(tables_of(content).forest.ends[0])
    assert cell(tables_of(content[:end] + behind), "tail", 0, "model") == kind


@pytest.mark.parametrize(
    "edits",
    [
        {"buffers.1": {"offset": 400, "size": 16}},
        {"operators.0.large_custom_options_offset": 400, "operators.0.large_custom_options_size": 16},
    ],
    ids=["buffer", "custom options"],
)
def test_bytes_that_the_model_names_by_offset_are_no_unknown_tail(edits):
    content = edit_model(add_float32(), edits) + b"\x01" * 64
    assert cell(tables_of(content), "tail", 0, "model") == "buffers"


def test_a_zip_of_more_members_than_allowed_is_broken(monkeypatch):
    monkeypatch.setattr("tflint.source.zip_directory.MAX_MEMBERS", 2)
    tables = tables_of(with_zip(add_float32(), {f"{k}.txt": "x" for k in range(3)}))
    assert cell(tables, "tail", 0, "model") == "broken-zip"
    assert cell(tables, "tail_error", 0, "model") == "the zip has more than 2 members"
    assert list(tables.extras[0].packed) == []


def test_a_zip_whose_directory_would_begin_before_the_file_is_broken():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("labels.txt", "cat")
    archive_bytes = bytearray(file.getvalue())
    at = archive_bytes.rindex(b"PK\x05\x06")
    archive_bytes[at + 12 : at + 16] = (1 << 20).to_bytes(4, "little")  # the size of the directory
    tables = tables_of(add_float32() + bytes(archive_bytes))
    assert cell(tables, "tail", 0, "model") == "broken-zip"
    assert cell(tables, "tail_error", 0, "model")


# -- names that a schema does not have ---------------------------------------------------------------------------------


def test_fields_that_a_schema_does_not_have_are_key_errors():
    root = tables_of(add_float32()).root
    with pytest.raises(KeyError, match="no field nonsense"):
        root.scalar("nonsense")
    with pytest.raises(KeyError, match="no field nonsense"):
        tflite_schema().table("Model").field("nonsense")
