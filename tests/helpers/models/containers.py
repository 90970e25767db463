"""Containers of models: `.task` bundles, as zips of which any byte can be wrong, and `.litertlm` bundles."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.models.weighted import conv_float32, conv_int8
from tflint.schema import litertlm_schema
from tflint.writer import pack

#: LiteRT-LM begins each section at a multiple of this.
BLOCK_BYTES = 16 * 1024

STORED, DEFLATED = 0, 8
_FULL = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """A member as a zip has it; whatever is None follows from `data`, which is packed already.

    `at` is the offset of another member's local header, to be named instead of writing one.
    """

    name: str
    data: bytes = b""
    method: int = STORED
    size: int | None = None
    packed_size: int | None = None
    crc: int | None = None
    flags: int = 0
    header_name: str | None = None
    header_method: int | None = None
    at: int | None = None


def stored(name: str, data: bytes, **fields: Any) -> Entry:
    """A member as it is."""
    return Entry(name, data, **fields)


def deflated(name: str, data: bytes, **fields: Any) -> Entry:
    """A compressed member, in blocks that leave the data as it is: no version of zlib changes the bytes."""
    blocks = [data[k : k + 65_535] for k in range(0, len(data), 65_535)] or [b""]
    packed = b"".join(
        struct.pack("<BHH", k == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for k, block in enumerate(blocks)
    )
    return Entry(name, packed, **{"method": DEFLATED, "size": len(data), "crc": zlib.crc32(data)} | fields)


def squeezed(name: str, data: bytes, **fields: Any) -> Entry:
    """A member that zlib has made as small as it can."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(data) + deflate.flush()
    return Entry(name, packed, **{"method": DEFLATED, "size": len(data), "crc": zlib.crc32(data)} | fields)


def zip_bytes(
    entries: Sequence[Entry],
    *,
    prefix: bytes = b"",
    counts_prefix: bool = False,
    zip64: bool = False,
    comment: bytes = b"",
) -> bytes:
    """A zip; `prefix` comes before it, and offsets count from its start or from that of the prefix."""
    writer = _Writer(len(prefix) if counts_prefix else 0, zip64)
    for entry in entries:
        writer.add(entry)
    return prefix + writer.finished(comment)


@dataclass
class _Writer:
    base: int
    zip64: bool
    out: bytearray = field(default_factory=bytearray)
    directory: bytearray = field(default_factory=bytearray)
    n_entries: int = 0

    def add(self, entry: Entry) -> None:
        offset = self.base + len(self.out) if entry.at is None else entry.at
        packed = len(entry.data) if entry.packed_size is None else entry.packed_size
        size = packed if entry.size is None else entry.size
        crc = zlib.crc32(entry.data) if entry.crc is None else entry.crc
        if entry.at is None:
            self._header(entry, crc, packed, size)
        name = entry.name.encode()
        flags = entry.flags | (0 if name.isascii() else 1 << 11)
        extra = struct.pack("<2H3Q", 1, 24, size, packed, offset) if self.zip64 else b""
        numbers = (_FULL, _FULL) if self.zip64 else (packed, size)
        self.directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, flags, entry.method, 0, 33, crc, *numbers,
            len(name), len(extra), 0, 0, 0, 0, _FULL if self.zip64 else offset,
        )  # fmt: skip
        self.directory += name + extra
        self.n_entries += 1

    def _header(self, entry: Entry, crc: int, packed: int, size: int) -> None:
        name = (entry.name if entry.header_name is None else entry.header_name).encode()
        flags = entry.flags | (0 if name.isascii() else 1 << 11)
        method = entry.method if entry.header_method is None else entry.header_method
        numbers = (min(number, _FULL) for number in (packed, size))
        self.out += struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, flags, method, 0, 33, crc, *numbers, len(name), 0)
        self.out += name + entry.data

    def finished(self, comment: bytes) -> bytes:
        begin = len(self.out)
        self.out += self.directory
        n_bytes, offset, count = len(self.directory), self.base + begin, self.n_entries
        if self.zip64:
            end = self.base + len(self.out)
            self.out += struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, n_bytes, offset)
            self.out += struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
            n_bytes, offset, count = _FULL, _FULL, 0xFFFF
        self.out += struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, n_bytes, offset, len(comment))
        return bytes(self.out) + comment


def task(files: Mapping[str, bytes]) -> bytes:
    """A `.task` bundle as its tools write it: every member stored."""
    return zip_bytes([stored(name, data) for name, data in files.items()])


@dataclass(frozen=True)
class Section:
    """A section of a `.litertlm` bundle; its items are texts or numbers by key."""

    data: bytes
    data_type: str = "TFLiteModel"
    items: Mapping[str, str | int] = field(default_factory=dict)
    begin: int | None = None
    end: int | None = None


def litertlm(sections: Sequence[Section], *, major: int = 1, header_end: int | None = None, block: int = 64) -> bytes:
    """A `.litertlm` bundle: fixed part, header, and the sections at multiples of `block` bytes.

    LiteRT-LM's own blocks of 16 KiB would make small bundles large.
    """
    header = _header(sections, [(0, 0)] * len(sections))
    begins, at = [], -(-(32 + len(header)) // block) * block
    for section in sections:
        begins.append(at)
        at = -(-(at + len(section.data)) // block) * block
    spans = [(begin, begin + len(section.data)) for begin, section in zip(begins, sections, strict=True)]
    header = _header(sections, spans)
    end = 32 + len(header) if header_end is None else header_end
    out = bytearray(struct.pack("<8s3I4xQ", b"LITERTLM", major, 5, 0, end) + header)
    for begin, section in zip(begins, sections, strict=True):
        out += bytes(begin - len(out)) + section.data
    return bytes(out)


def _header(sections: Sequence[Section], spans: Sequence[tuple[int, int]]) -> bytes:
    """The header's flatbuffer; as long whatever the offsets are."""
    objects = [
        {
            "items": [{"key": key, "value": _value(value)} for key, value in section.items.items()],
            "begin_offset": begin if section.begin is None else section.begin,
            "end_offset": end if section.end is None else section.end,
            "data_type": section.data_type,
        }
        for section, (begin, end) in zip(sections, spans, strict=True)
    ]
    system = {
        "entries": [{"key": "author", "value": _value("the tflint authors")}, {"key": "year", "value": _value(1)}]
    }
    root = {"system_metadata": system, "section_metadata": {"objects": objects}}
    return pack(root, litertlm_schema(), force_defaults=True)


def _value(value: str | int) -> dict[str, Any]:
    return {"type": "StringValue" if isinstance(value, str) else "UInt32", "value": value}


# --- the named ones ---------------------------------------------------------------------------------------------------


def bundle_task() -> bytes:
    """Two models and a file of labels, as MediaPipe's tools bundle them."""
    return task({"detector.tflite": conv_int8(), "classifier.tflite": conv_float32(), "labels.txt": b"a\nb\n"})


def bundle_nested() -> bytes:
    """A bundle within a bundle, with bytes before the first member as some have them."""
    inner = task({"embedder.tflite": conv_int8()})
    return zip_bytes([stored("inner.task", inner), stored("gestures.tflite", conv_float32())], prefix=b"\0\0")


def bundle_litertlm() -> bytes:
    """A language model's bundle: two models, known by their type, and a tokenizer."""
    return litertlm(
        [
            Section(conv_int8(), items={"model_type": "tf_lite_prefill_decode", "layers": 2}),
            Section(conv_float32(), items={"model_type": "tf_lite_embedder"}),
            Section(b"\x0a\x05<unk>", "SP_Tokenizer"),
        ]
    )


def bundle_compressed() -> bytes:
    """A bundle whose members are compressed, as a zip program makes them."""
    return zip_bytes([deflated("detector.tflite", conv_int8()), stored("labels.txt", b"a\nb\n")])


def bundle_escaping() -> bytes:
    """Members that an unpacker could be led to write elsewhere."""
    names = ("../model.tflite", "/etc/model.tflite", "C:model.tflite", "a\\b.tflite", "model.tflite")
    return zip_bytes([stored(name, conv_float32()) for name in names])


def bundle_overlapping() -> bytes:
    """Members that share their bytes: each could unpack to all of them."""
    first = stored("model.tflite", conv_float32())
    return zip_bytes(
        [first, stored("model.tflite", b"", packed_size=len(first.data), crc=0, at=0), stored("a.txt", b"a")]
    )


def bundle_bomb() -> bytes:
    """A member that should unpack to a thousand times its size."""
    bomb = deflated("model.tflite", bytes(1000), size=10**9)
    return zip_bytes([bomb, stored("other.tflite", conv_float32())])


def bundle_encrypted() -> bytes:
    """A model that needs a password, and one compressed by a method that few readers have."""
    locked = stored("locked.tflite", conv_float32(), flags=1)
    return zip_bytes([locked, stored("packed.tflite", conv_float32(), method=93), stored("open.tflite", conv_int8())])


def bundle_deep() -> bytes:
    """Bundles within bundles, one more than are opened."""
    content = task({"model.tflite": conv_float32()})
    for depth in range(4, 0, -1):
        content = task({f"level{depth}.task": content})
    return content


def bundle_same_names() -> bytes:
    """Two members of one name: which of them a reader takes is its own affair."""
    return zip_bytes([stored("model.tflite", conv_int8()), stored("model.tflite", conv_float32())])


def bundle_wrong_checksum() -> bytes:
    """A model that was changed in its place, and its checksum was not."""
    return zip_bytes([stored("model.tflite", conv_int8(), crc=1)])


def bundle_without_models() -> bytes:
    """A language model's bundle of which only the tokenizer is there."""
    return litertlm([Section(b"\x0a\x05<unk>", "SP_Tokenizer")])


def bundle_broken_header() -> bytes:
    """A bundle whose header should end beyond the file."""
    return litertlm([Section(conv_int8(), items={"model_type": "tf_lite_embedder"})], header_end=1 << 40)
