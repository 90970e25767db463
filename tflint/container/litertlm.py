"""Lists the sections of a `.litertlm` bundle as members, with their kinds and problems.

Layout: google-ai-edge/LiteRT-LM@2f4884ba, schema/core/litertlm_header_schema.fbs and litertlm_read.cc.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator, Sequence

from tflint.container import container_contents as c
from tflint.container.container_contents import Budget, Member
from tflint.container.member_names import to_path_segment, unique_labels
from tflint.errors import TflintError
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.forest_reader import read_forest
from tflint.flatbuffer.node import Node
from tflint.schema import litertlm_schema
from tflint.source import Source, reader
from tflint.source.file_kind import MODEL, is_model
from tflint.values import frozen, replace

#: The only supported major version of the format: other versions may have a different layout.
MAJOR_VERSION = 1
#: Maximum size of the header, which is read whole. LiteRT-LM itself reads at most 16 KiB for the header.
MAX_HEADER_BYTES = 1024 * 1024
#: Magic, three version numbers, padding, end offset of the header.
_FIXED = struct.Struct("<8s3I4xQ")
HEADER_BEGIN = _FIXED.size
#: Suffix of a member's label by data type: the suffix that such files have outside of bundles.
_SUFFIXES = {
    "TFLiteModel": ".tflite",
    "TFLiteWeights": ".weights",
    "SP_Tokenizer": ".spiece",
    "HF_Tokenizer_Zlib": ".json.zlib",
    "LlmMetadataProto": ".pb",
    "ExecutorMetadataProto": ".pb",
}
#: Data types of which a bundle may contain several sections, distinguished by their model type.
_KEYED = ("TFLiteModel", "TFLiteWeights")
#: Data type of sections that a bundle editor marked as deleted.
_DEPRECATED = "Deprecated"


class LitertlmError(TflintError):
    """The header is invalid or exceeds a budget. `offset` is the byte at which the error was found."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@frozen
class _Section:
    """A section as listed in the header. `model_type` is the value of the header item of that name; empty if absent."""

    data_type: str
    model_type: str
    begin: int
    end: int

    @property
    def size(self) -> int:
        """Size of the section in bytes; 0 if the section ends before it begins."""
        return max(0, self.end - self.begin)

    @property
    def extent_text(self) -> str:
        """The section's byte range as text."""
        return f"the section is at bytes {self.begin:,} to {self.end:,}"

    @property
    def key(self) -> tuple[str, str]:
        """Key by which LiteRT-LM finds the section. Of several sections with the same key, LiteRT-LM uses the last."""
        return (self.data_type, self.model_type.lower())

    @property
    def name(self) -> str:
        """File name built from the model type, or from the data type if the section has no model type."""
        return to_path_segment(self.model_type or self.data_type).lower() + _SUFFIXES.get(self.data_type, ".bin")


def litertlm_members(source: Source, depth: int, budget: Budget) -> list[Member]:
    """List the sections as members. Raises `LitertlmError` or `FlatbufferError` if the header cannot be read."""
    header_end, sections = _read_header(source, depth, budget)
    counts = Counter(section.key for section in sections)
    problems = _find_problems(sections, header_end, source.size)
    members = []
    for index, (section, label) in enumerate(
        zip(sections, unique_labels(section.name for section in sections), strict=True)
    ):
        problem, detail = problems.get(index, (None, None))
        member = Member(
            index,
            section.name,
            label,
            section.size,
            section.size,
            offset=section.begin if problem is None else None,
            kind=_detect_kind(source, section, is_read=problem is None),
            data_type=section.data_type,
            problem=problem,
            detail=detail,
            is_duplicate=section.data_type in _KEYED and counts[section.key] > 1,
        )
        members.append(_add_digest(source, budget.admit(member)))
    return members


def _add_digest(source: Source, member: Member) -> Member:
    """Return the member; if it is a small model, add its SHA-256."""
    if not member.is_checked or member.offset is None or member.size > c.CHECKSUM_BYTES:
        return member
    content = source.read([(member.offset, member.offset + member.size)])[0]
    return replace(member, digest=hashlib.sha256(content).digest())


def _read_header(source: Source, depth: int, budget: Budget) -> tuple[int, list[_Section]]:
    """Return the end offset of the header, and the sections listed in it."""
    read = reader(source)
    if source.size < _FIXED.size:
        raise LitertlmError(f"the file has {source.size} bytes, fewer than the fixed part of the header", source.size)
    _, major, minor, patch, end = _FIXED.unpack(read(0, _FIXED.size))
    if major != MAJOR_VERSION:
        raise LitertlmError(
            f"the format version is {major}.{minor}.{patch}; tflint supports only version {MAJOR_VERSION}", 8
        )
    if not _FIXED.size < end <= source.size:
        raise LitertlmError(f"the header ends at byte {end:,}, but the file has {source.size:,} bytes", _FIXED.size - 8)
    if end > MAX_HEADER_BYTES:
        raise LitertlmError(f"the header has {end:,} bytes, more than {MAX_HEADER_BYTES:,}", _FIXED.size - 8)
    refusal = budget.directory_refusal(end) if depth > 1 else None
    if refusal is not None:
        raise LitertlmError(refusal, _FIXED.size - 8)
    schema = litertlm_schema()
    root = read_forest(Window.of_bytes(read(_FIXED.size, end)), schema, schema.root).root
    node = root.at("section_metadata.objects")
    if not budget.take_members(0 if node is None else len(node)):
        reason = f"the bundle and the containers around it have more than {c.MAX_MEMBERS:,} members"
        raise LitertlmError(reason, _FIXED.size)
    return end, list(_read_sections(node)) if node is not None else []


def _read_sections(node: Node) -> Iterator[_Section]:
    types = litertlm_schema().enum("AnySectionDataType")
    model_types = _item_values(node, "model_type")
    columns = (node.scalar(name).tolist() for name in ("data_type", "begin_offset", "end_offset"))
    for row, (data_type, begin, end) in enumerate(zip(*columns, strict=True)):
        yield _Section(types.label(data_type), model_types.get(row, ""), begin, end)


def _item_values(node: Node, key: str) -> dict[int, str]:
    """Return the string values of one item key by section index. As in LiteRT-LM, item keys are case-insensitive."""
    pairs = node.children.get("items")
    values = pairs.children.get("value.StringValue") if pairs is not None else None
    if pairs is None or values is None:
        return {}
    links = pairs.link("value.StringValue").tolist()
    return {
        section: _text(values, "value", links[row])
        for row, section in enumerate(pairs.parents.tolist())
        if links[row] >= 0 and _text(pairs, "key", row).lower() == key
    }


def _text(node: Node, field: str, row: int) -> str:
    vector = node.vector(field)
    start = int(vector.starts[row])
    return node.window.span(start, start + int(vector.lengths[row])).decode("utf-8", "replace")


def _find_problems(sections: Sequence[_Section], header_end: int, n_bytes: int) -> dict[int, tuple[str, str]]:
    """Return the problem and its detail for each section, by index, with an invalid or overlapping byte range."""
    problems: dict[int, tuple[str, str]] = {}
    last, reach = -1, header_end
    for index, section in sorted(enumerate(sections), key=lambda item: item[1].begin):
        if section.begin > section.end:
            problems[index] = (c.BROKEN_OFFSETS, f"{section.extent_text}, but it ends before it begins")
        elif section.end > n_bytes:
            problems[index] = (c.BROKEN_OFFSETS, f"{section.extent_text}, but the file ends at {n_bytes:,}")
        elif section.size:
            for number in (last, index) if section.begin < reach else ():
                if number >= 0:  # a negative number stands for the header
                    detail = f"{sections[number].extent_text}, which overlaps the header or another section"
                    problems[number] = (c.OVERLAP, detail)
            last, reach = (index, section.end) if section.end > reach else (last, reach)
    return problems


def _detect_kind(source: Source, section: _Section, *, is_read: bool) -> str:
    """Return the kind of a section: by its declared data type, or by its first bytes if that does not determine it."""
    if section.data_type == "TFLiteModel":
        return MODEL
    if section.data_type == _DEPRECATED or not is_read or section.size < 8:
        return c.OTHER
    return MODEL if is_model(source.read([(section.begin, section.begin + 8)])[0]) else c.OTHER
