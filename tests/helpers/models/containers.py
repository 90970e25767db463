"""Containers of models: `.task` bundles, as zips in which any byte can be set, and `.litertlm` bundles."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.models.plain import language_model, signature_float32
from tests.helpers.models.weighted import conv_float32, conv_int8
from tflint.schema import litertlm_schema
from tflint.writer import pack

#: LiteRT-LM begins each section at a multiple of this.
BLOCK_BYTES = 16 * 1024

STORED, DEFLATED = 0, 8
_FULL = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """A zip member. Fields that are None are derived from `data`, which is already packed.

    `at` is the offset of another member's local header; if set, no header is written.
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
    """Return an uncompressed member."""
    return Entry(name, data, **fields)


def deflated(name: str, data: bytes, **fields: Any) -> Entry:
    """Return a deflated member made of stored blocks, so that the bytes do not depend on zlib."""
    blocks = [data[k : k + 65_535] for k in range(0, len(data), 65_535)] or [b""]
    packed = b"".join(
        struct.pack("<BHH", k == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for k, block in enumerate(blocks)
    )
    return Entry(name, packed, **{"method": DEFLATED, "size": len(data), "crc": zlib.crc32(data)} | fields)


def squeezed(name: str, data: bytes, **fields: Any) -> Entry:
    """Return a member that zlib has compressed as far as it can."""
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
    """Return a zip after `prefix`; offsets count from the end of the prefix, or with `counts_prefix` from the start."""
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
    """Return a `.task` bundle as MediaPipe's tools write it: every member is stored."""
    return zip_bytes([stored(name, data) for name, data in files.items()])


@dataclass(frozen=True)
class Section:
    """A section of a `.litertlm` bundle; its items are strings or numbers by key."""

    data: bytes
    data_type: str = "TFLiteModel"
    items: Mapping[str, str | int] = field(default_factory=dict)
    begin: int | None = None
    end: int | None = None


def litertlm(sections: Sequence[Section], *, major: int = 1, header_end: int | None = None, block: int = 64) -> bytes:
    """Return a `.litertlm` bundle: fixed part, header, and sections at multiples of `block` bytes.

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
    """Return the header's flatbuffer; its length does not depend on the offsets."""
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
    """Return two models and a label file, bundled as by MediaPipe's tools."""
    return task({"detector.tflite": conv_int8(), "classifier.tflite": conv_float32(), "labels.txt": b"a\nb\n"})


def bundle_nested() -> bytes:
    """Return a bundle in a bundle, with bytes before the first member."""
    inner = task({"embedder.tflite": conv_int8()})
    return zip_bytes([stored("inner.task", inner), stored("gestures.tflite", conv_float32())], prefix=b"\0\0")


def bundle_litertlm() -> bytes:
    """Return a language model's bundle: two models, recognized by their type, and a tokenizer."""
    return litertlm(
        [
            Section(language_model(), items={"model_type": "tf_lite_prefill_decode", "layers": 2}),
            Section(conv_float32(), items={"model_type": "tf_lite_embedder"}),
            Section(b"\x0a\x05<unk>", "SP_Tokenizer"),
        ]
    )


def bundle_llm() -> bytes:
    """Return a language model's bundle as MediaPipe's tools write it."""
    return _llm_task(language_model())


def bundle_llm_one_signature() -> bytes:
    """Return a language model's bundle whose model has only the signature serving_default."""
    return _llm_task(signature_float32())


def _llm_task(model: bytes) -> bytes:
    tokenizer, settings = b"\x0a\x05<unk>", b"\x0a\x03<s>"
    return task({"TF_LITE_PREFILL_DECODE": model, "TOKENIZER_MODEL": tokenizer, "METADATA": settings})


def bundle_compressed() -> bytes:
    """Return a bundle with compressed members, as zip programs make it."""
    return zip_bytes([deflated("detector.tflite", conv_int8()), stored("labels.txt", b"a\nb\n")])


def bundle_escaping() -> bytes:
    """Return members with paths that lead out of the folder of an unpacker."""
    names = ("../model.tflite", "/etc/model.tflite", "C:model.tflite", "a\\b.tflite", "model.tflite")
    return zip_bytes([stored(name, conv_float32()) for name in names])


def bundle_overlapping() -> bytes:
    """Return members that share their bytes, so that each could unpack to all of them."""
    first = stored("model.tflite", conv_float32())
    return zip_bytes(
        [first, stored("model.tflite", b"", packed_size=len(first.data), crc=0, at=0), stored("a.txt", b"a")]
    )


def bundle_bomb() -> bytes:
    """Return a member that declares a thousand times its packed size."""
    bomb = deflated("model.tflite", bytes(1000), size=10**9)
    return zip_bytes([bomb, stored("other.tflite", conv_float32())])


def bundle_encrypted() -> bytes:
    """Return an encrypted model, and one with a rare compression method."""
    locked = stored("locked.tflite", conv_float32(), flags=1)
    return zip_bytes([locked, stored("packed.tflite", conv_float32(), method=93), stored("open.tflite", conv_int8())])


def bundle_deep() -> bytes:
    """Return bundles nested one level deeper than tflint opens."""
    content = task({"model.tflite": conv_float32()})
    for depth in range(4, 0, -1):
        content = task({f"level{depth}.task": content})
    return content


def bundle_same_names() -> bytes:
    """Return two members with the same name; readers differ in which one they use."""
    return zip_bytes([stored("model.tflite", conv_int8()), stored("model.tflite", conv_float32())])


def bundle_wrong_checksum() -> bytes:
    """Return a model that was changed without its checksum."""
    return zip_bytes([stored("model.tflite", conv_int8(), crc=1)])


def bundle_without_models() -> bytes:
    """Return a language model's bundle with only the tokenizer."""
    return litertlm([Section(b"\x0a\x05<unk>", "SP_Tokenizer")])


def bundle_broken_header() -> bytes:
    """Return a bundle whose header would end beyond the end of the file."""
    return litertlm([Section(conv_int8(), items={"model_type": "tf_lite_embedder"})], header_end=1 << 40)
