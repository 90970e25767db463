"""A model's data outside of the graph: decoded metadata, associated files, trailing data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from tflint.values import frozen

#: A decoded table of the metadata: values by field name of metadata_schema.fbs. In the dict of a union's member, the
#: key `type` is the member's name and the key `type_` is the member's own field `type`, as in `tflint.writer`.
JsonTable: TypeAlias = dict[str, Any]

#: Labels and vocabularies larger than this are not read.
MAX_LIST_BYTES = 1024 * 1024
_LISTS = frozenset({"TENSOR_AXIS_LABELS", "TENSOR_VALUE_LABELS", "VOCABULARY"})


@frozen
class AssociatedFile:
    """A file that the metadata names, that the zip after the model contains, or both.

    `owner` is the part of the metadata that names the file, and `type` its type there; both are None if no part names
    it. `packed_size` is the file's unpacked size in bytes, or None if it is not in the zip.
    """

    name: str
    type: str | None
    owner: str | None
    packed_size: int | None

    @property
    def is_list(self) -> bool:
        """Whether the file is a text file with one label or word per line."""
        return self.type in _LISTS or self.name.endswith(".txt")


class ModelExtras:
    """Data of one model outside of the graph.

    `tail` describes the data after the flatbuffer: none, padding, zip, broken-zip, buffers or unknown. `packed` maps
    the names of the zip's members to their unpacked sizes in bytes. `soc` is the chip that LiteRT's accelerator
    compiler targeted.
    """

    def __init__(self) -> None:
        self.tail = "none"
        self.tail_error: str | None = None
        self.metadata: JsonTable | None = None
        self.metadata_error: str | None = None
        self.min_runtime_version: str | None = None
        self.soc: str | None = None
        self.packed: dict[str, int] = {}

    def text(self, name: str) -> str | None:
        """Return a string field of the metadata's root table, such as `author`; None if it is missing or empty."""
        return (self.metadata or {}).get(name) or None

    def associated_files(self) -> Iterator[AssociatedFile]:
        """Yield the files named in the metadata, then other files in the zip."""
        entries = set()
        for owner, entry in _declared_files(self.metadata or {}, "model"):
            name = str(entry.get("name", ""))
            entries.add(name)
            yield AssociatedFile(name, str(entry.get("type", "UNKNOWN")), owner, self.packed.get(name))
        for name, size in self.packed.items():
            if name not in entries:
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
