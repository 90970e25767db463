"""What a model carries beside its graph: the decoded metadata buffer (M001), the appended zip, other trailing bytes."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tflint.columns.column import rows_of, text_of
from tflint.flatbuffer.errors import FlatbufferError
from tflint.flatbuffer.node import Node
from tflint.flatbuffer.reader import read_forest
from tflint.flatbuffer.window import Window
from tflint.schema import metadata_schema

if TYPE_CHECKING:
    from tflint.model.tables import Tables

#: Decoded metadata: field names of metadata_schema.fbs to values; a union's member is named under `type`, and a field
#: `type` of the member's own stands under `type_` (the form that `tflint.writer` packs).
JsonTable: TypeAlias = dict[str, Any]

#: Real metadata holds tens of tables; one with more than this is decoded by nobody.
MAX_METADATA_TABLES = 20_000
#: A zip's directory of associated files is small; members beyond this are not listed.
MAX_ZIP_MEMBERS = 10_000
#: How much of the bytes after a model is looked at to tell padding from content.
MAX_TAIL_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AssociatedFile:
    """A file named by the metadata (`owner` says where), packed in the zip (`packed_size` in bytes), or both."""

    name: str
    type: str | None
    owner: str | None
    packed_size: int | None


@dataclass(slots=True)
class ModelExtras:
    """What one model carries beside its graph.

    `tail` is what follows the flatbuffer: none, padding, zip, broken-zip, buffers or unknown.
    """

    tail: str = "none"
    tail_error: str | None = None
    metadata: JsonTable | None = None
    metadata_error: str | None = None
    min_runtime_version: str | None = None
    packed: dict[str, int] = field(default_factory=dict)

    def associated_files(self) -> Iterator[AssociatedFile]:
        """The files that the metadata names, then those in the zip that it does not name."""
        named = set()
        for owner, entry in _declared_files(self.metadata or {}, "model"):
            name = str(entry.get("name", ""))
            named.add(name)
            yield AssociatedFile(name, str(entry.get("type", "UNKNOWN")), owner, self.packed.get(name))
        for name, size in self.packed.items():
            if name not in named:
                yield AssociatedFile(name, None, None, size)


def _declared_files(table: JsonTable, owner: str) -> Iterator[tuple[str, JsonTable]]:
    for entry in table.get("associated_files", []):
        yield owner, entry
    for graph in table.get("subgraph_metadata", []):
        yield from _declared_files(graph, "subgraph")
        for units in ("input_process_units", "output_process_units"):
            yield from _unit_files(graph.get(units, []), "subgraph")
        for direction in ("input", "output"):
            for position, tensor in enumerate(graph.get(f"{direction}_tensor_metadata", [])):
                label = f"{direction} {position} {tensor.get('name', '')}".rstrip()
                yield from _declared_files(tensor, label)
                yield from _unit_files(tensor.get("process_units", []), label)


def _unit_files(units: list[JsonTable], owner: str) -> Iterator[tuple[str, JsonTable]]:
    for unit in units:
        for key in ("vocab_file", "sentencePiece_model"):
            for entry in unit.get("options", {}).get(key, []):
                yield owner, entry


def read_extras(tables: Tables) -> list[ModelExtras]:
    """For each model of the batch what it carries beside its graph."""
    extras = [ModelExtras() for _ in range(tables.n_models)]
    entries = tables.table("metadata")
    names, buffers = entries.column("name"), rows_of(entries.column("buffer"))
    seen = set()
    for row in range(len(entries)):
        model, name = int(entries.model[row]), text_of(names, row)
        if (model, name) in seen:  # of entries with one name runtimes read the first
            continue
        seen.add((model, name))
        if name == "TFLITE_METADATA":
            _decode_metadata(tables, int(buffers[row]), extras[model])
        elif name == "min_runtime_version":
            extras[model].min_runtime_version = _buffer_text(tables, int(buffers[row]))
    for model, extra in enumerate(extras):
        _read_tail(tables, model, extra)
    return extras


def _buffer_span(tables: Tables, buffer: int) -> tuple[int, int]:
    """Where a buffer's inline data lies in the window; an empty span where it has none."""
    if buffer < 0:
        return 0, 0
    vector = tables.node("buffers", "Buffer").vector("data")
    return int(vector.starts[buffer]), int(vector.starts[buffer] + vector.lengths[buffer])


def _buffer_text(tables: Tables, buffer: int) -> str | None:
    begin, end = _buffer_span(tables, buffer)
    text = tables.window.span(begin, min(end, begin + 64)).split(b"\0")[0].decode("ascii", "backslashreplace")
    return text or None


def _decode_metadata(tables: Tables, buffer: int, extra: ModelExtras) -> None:
    begin, end = _buffer_span(tables, buffer)
    if begin == end:
        extra.metadata_error = "the buffer is empty"
        return
    schema = metadata_schema()
    if tables.window.span(begin + 4, min(begin + 8, end)) != schema.identifier:
        extra.metadata_error = f"the buffer has no identifier {schema.identifier.decode()}"
        return
    try:
        root = read_forest(tables.window.part(begin, end), schema, schema.root).root
        extra.metadata = _to_dict(root, 0, _Decoder())
    except FlatbufferError as error:
        extra.metadata_error = f"{error.path}: {error.reason}"


class _Decoder:
    """Counts the tables that become Python objects: a small buffer can name a great many."""

    def __init__(self) -> None:
        self.schema = metadata_schema()
        self.left = MAX_METADATA_TABLES

    def spend(self, path: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise FlatbufferError(f"more than {MAX_METADATA_TABLES:,} tables", path=path)


def _to_dict(node: Node, row: int, decoder: _Decoder) -> JsonTable:
    decoder.spend(node.path)
    table: JsonTable = {}
    for declared in node.layout.fields:
        name = declared.name
        if declared.is_union:
            member = _union_member(node, name, row, decoder)
            if member is not None:
                table[name] = member
        elif not node.is_set(name)[row]:
            continue
        elif name in node.links:
            table[name] = _to_dict(node.children[name], int(node.links[name][row]), decoder)
        elif name in node.children:
            child = node.children[name]
            begin, end = np.searchsorted(child.parents, [row, row + 1]).tolist()
            table[name] = [_to_dict(child, k, decoder) for k in range(begin, end)]
        else:
            table[name] = _value(node, name, row, decoder)
    return table


def _union_member(node: Node, name: str, row: int, decoder: _Decoder) -> JsonTable | None:
    """A union's member; nothing but its `type` where that is stored without a table, as some tools do."""
    number = int(node.union_types[name][row]) if name in node.union_types else 0
    if number == 0:
        return None
    label = decoder.schema.enum(node.layout.field(name).type).label(number)
    path = f"{name}.{label}"
    link = int(node.link(path)[row])
    member = _to_dict(node.children[path], link, decoder) if link >= 0 else {}
    if "type" in member:
        member["type_"] = member.pop("type")
    return {"type": label, **member}


def _value(node: Node, name: str, row: int, decoder: _Decoder) -> Any:
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
    return decoder.schema.enum(declared.type).label(value) if decoder.schema.is_enum(declared.type) else value


def _text(window: Window, start: int, length: int) -> str:
    return window.span(start, start + length).decode("utf-8", "backslashreplace")


# -- what follows the flatbuffer ---------------------------------------------------------------------------------------


def _read_tail(tables: Tables, model: int, extra: ModelExtras) -> None:
    begin, end = int(tables.forest.ends[model]), int(tables.window.ends[model])
    if begin >= end:
        return
    last = tables.window.span(max(begin, end - 22 - 65_535), end)
    if b"PK\x05\x06" in last or tables.window.span(begin, min(begin + 64, end)).lstrip(b"\0").startswith(b"PK\x03\x04"):
        _read_zip(tables, model, extra)
    elif _has_declared_buffers(tables, model):
        extra.tail = "buffers"
    else:
        extra.tail = "padding" if _is_zero(tables.window, begin, end) else "unknown"


def _has_declared_buffers(tables: Tables, model: int) -> bool:
    """Whether the model says of some bytes by offset that they lie outside of the flatbuffer, as files past 2 GB do."""
    buffers = tables.node("buffers", "Buffer")
    operators = tables.node("subgraphs.operators", "Operator")
    return any(
        bool((node.scalar(name)[node.roots == model] > 1).any())
        for node, name in ((buffers, "offset"), (operators, "large_custom_options_offset"))
    )


def _is_zero(window: Window, begin: int, end: int) -> bool:
    end = min(end, begin + MAX_TAIL_BYTES)
    return not any(any(window.span(at, min(at + _CHUNK_BYTES, end))) for at in range(begin, end, _CHUNK_BYTES))


def _read_zip(tables: Tables, model: int, extra: ModelExtras) -> None:
    import zipfile

    extra.tail = "zip"
    stretch = _Stretch(tables.window, int(tables.window.starts[model]), int(tables.window.ends[model]))
    try:
        with zipfile.ZipFile(io.BufferedReader(stretch)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, struct.error, NotImplementedError) as error:
        extra.tail, extra.tail_error = "broken-zip", str(error).lower() or type(error).__name__
        return
    if len(members) > MAX_ZIP_MEMBERS:
        extra.tail_error = f"the zip has {len(members):,} members, of which {MAX_ZIP_MEMBERS:,} were listed"
    for member in members[:MAX_ZIP_MEMBERS]:
        if member.filename and not member.filename.endswith("/"):  # `is_dir` of an empty name is an IndexError
            extra.packed[member.filename] = member.file_size


class _Stretch(io.RawIOBase):
    """A stretch of a window as a seekable binary file, for the standard library's zip reader."""

    def __init__(self, window: Window, begin: int, end: int) -> None:
        self._window, self._begin, self._end, self._at = window, begin, end, begin

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset from the start, the place or the end; ValueError before the start."""
        base = {io.SEEK_SET: self._begin, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        if base + offset < self._begin:
            raise ValueError("negative seek position")
        self._at = base + offset
        return self._at - self._begin

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the place on; returns the number of bytes read."""
        content = self._window.span(self._at, max(self._at, min(self._at + len(buffer), self._end)))
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)
