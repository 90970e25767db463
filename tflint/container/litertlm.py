"""Lists the sections of a `.litertlm` bundle, named by their items: what each is, and what is wrong with it.

Layout: google-ai-edge/LiteRT-LM@2f4884ba, schema/core/litertlm_header_schema.fbs and litertlm_read.cc.
"""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterator, Sequence

from tflint.container import container_contents as c
from tflint.container.container_contents import Budget, Member
from tflint.container.member_names import labels, plain
from tflint.errors import TflintError
from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.forest_reader import read_forest
from tflint.flatbuffer.node import Node
from tflint.schema import litertlm_schema
from tflint.source import Source, reader
from tflint.source.file_kind import MODEL, is_model
from tflint.values import frozen, replace

#: The major version that this layout is of; another one need not keep it.
MAJOR_VERSION = 1
#: The header is read whole. LiteRT-LM reads no more than 16 KiB of a file for it.
MAX_HEADER_BYTES = 1024 * 1024
#: Magic, three version numbers, padding, and the offset of the header's end.
_FIXED = struct.Struct("<8s3I4xQ")
HEADER_BEGIN = _FIXED.size
#: Suffixes of labels by data type: what the sections' content is kept under elsewhere.
_SUFFIXES = {
    "TFLiteModel": ".tflite",
    "TFLiteWeights": ".weights",
    "SP_Tokenizer": ".spiece",
    "HF_Tokenizer_Zlib": ".json.zlib",
    "LlmMetadataProto": ".pb",
    "ExecutorMetadataProto": ".pb",
}
#: Sections that LiteRT-LM tells apart by their model type, too.
_KEYED = ("TFLiteModel", "TFLiteWeights")
#: Sections that an editor of the file has put out of use.
_DEPRECATED = "Deprecated"


class LitertlmError(TflintError):
    """The header breaks the format or a budget: why, and the byte where it shows."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@frozen
class _Section:
    """A section as the header has it; `model_type` is the item of that key, empty where there is none."""

    data_type: str
    model_type: str
    begin: int
    end: int

    @property
    def size(self) -> int:
        """Its size in bytes; 0 where it ends before it begins."""
        return max(0, self.end - self.begin)

    @property
    def where(self) -> str:
        """Where the header says that it lies, in words."""
        return f"it should lie in bytes {self.begin:,} to {self.end:,}"

    @property
    def key(self) -> tuple[str, str]:
        """What LiteRT-LM finds it by: of several sections with one key it keeps the last."""
        return (self.data_type, self.model_type.lower())

    @property
    def name(self) -> str:
        """What it holds: its model type, else its data type."""
        return plain(self.model_type or self.data_type).lower() + _SUFFIXES.get(self.data_type, ".bin")


def litertlm_members(source: Source, depth: int, budget: Budget) -> list[Member]:
    """The sections; `LitertlmError` or `FlatbufferError` where the header cannot be read."""
    header_end, sections = _read_header(source, depth, budget)
    counts = Counter(section.key for section in sections)
    problems = _problems(sections, header_end, source.size)
    members = []
    for index, (section, label) in enumerate(zip(sections, labels(section.name for section in sections), strict=True)):
        problem, detail = problems.get(index, (None, None))
        member = Member(
            index,
            section.name,
            label,
            section.size,
            section.size,
            offset=section.begin if problem is None else None,
            kind=_kind(source, section, is_read=problem is None),
            data_type=section.data_type,
            problem=problem,
            detail=detail,
            is_duplicate=section.data_type in _KEYED and counts[section.key] > 1,
        )
        members.append(_with_digest(source, budget.admit(member)))
    return members


def _with_digest(source: Source, member: Member) -> Member:
    """The member with the SHA-256 of its bytes if it is a small model; large ones are not read."""
    if not member.is_checked or member.offset is None or member.size > c.CHECKSUM_BYTES:
        return member
    content = source.read([(member.offset, member.offset + member.size)])[0]
    return replace(member, digest=hashlib.sha256(content).digest())


def _read_header(source: Source, depth: int, budget: Budget) -> tuple[int, list[_Section]]:
    """Where the header ends, and the sections that it names."""
    read = reader(source)
    if source.size < _FIXED.size:
        raise LitertlmError(f"it has {source.size} bytes, fewer than its header's fixed part", source.size)
    _, major, minor, patch, end = _FIXED.unpack(read(0, _FIXED.size))
    if major != MAJOR_VERSION:
        raise LitertlmError(f"its format is version {major}.{minor}.{patch}; version {MAJOR_VERSION} is known", 8)
    if not _FIXED.size < end <= source.size:
        raise LitertlmError(f"its header should end at byte {end:,} of {source.size:,}", _FIXED.size - 8)
    if end > MAX_HEADER_BYTES:
        raise LitertlmError(f"its header of {end:,} bytes is larger than {MAX_HEADER_BYTES:,}", _FIXED.size - 8)
    refusal = budget.directory_refusal(end) if depth > 1 else None
    if refusal is not None:
        raise LitertlmError(refusal, _FIXED.size - 8)
    schema = litertlm_schema()
    root = read_forest(Window.of_bytes(read(_FIXED.size, end)), schema, schema.root).root
    node = root.at("section_metadata.objects")
    if not budget.take_members(0 if node is None else len(node)):
        reason = f"it and the containers around it have more than {c.MAX_MEMBERS:,} members"
        raise LitertlmError(reason, _FIXED.size)
    return end, list(_sections(node)) if node is not None else []


def _sections(node: Node) -> Iterator[_Section]:
    types = litertlm_schema().enum("AnySectionDataType")
    model_types = _items(node, "model_type")
    columns = (node.scalar(name).tolist() for name in ("data_type", "begin_offset", "end_offset"))
    for row, (data_type, begin, end) in enumerate(zip(*columns, strict=True)):
        yield _Section(types.label(data_type), model_types.get(row, ""), begin, end)


def _items(node: Node, key: str) -> dict[int, str]:
    """The text values of one key, by section; keys are compared without regard to case, as LiteRT-LM does."""
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


def _problems(sections: Sequence[_Section], header_end: int, n_bytes: int) -> dict[int, tuple[str, str]]:
    """What is wrong with where sections lie: the problem and the same in words, by the section's index."""
    found: dict[int, tuple[str, str]] = {}
    last, reach = -1, header_end
    for index, section in sorted(enumerate(sections), key=lambda item: item[1].begin):
        if section.begin > section.end:
            found[index] = (c.BROKEN_OFFSETS, f"{section.where}, which end before they begin")
        elif section.end > n_bytes:
            found[index] = (c.BROKEN_OFFSETS, f"{section.where}, but the file ends at {n_bytes:,}")
        elif section.size:
            for number in (last, index) if section.begin < reach else ():
                if number >= 0:  # else it is the header
                    detail = f"{sections[number].where}, which are also the header's or another section's"
                    found[number] = (c.OVERLAP, detail)
            last, reach = (index, section.end) if section.end > reach else (last, reach)
    return found


def _kind(source: Source, section: _Section, *, is_read: bool) -> str:
    """A model by its data type, or, in a section of another use, by its first bytes; no one reads a deprecated one."""
    if section.data_type == "TFLiteModel":
        return MODEL
    if section.data_type == _DEPRECATED or not is_read or section.size < 8:
        return c.OTHER
    return MODEL if is_model(source.read([(section.begin, section.begin + 8)])[0]) else c.OTHER
