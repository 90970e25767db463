"""Detects the kind of a file from its content: a model, or another kind of file that has the name of a model.

Input: a source. Its first bytes are read; if it is not a model, its last bytes are read too. Knows magic numbers and
zip directories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tflint.source.byte_source import Source, reader
from tflint.values import frozen

if TYPE_CHECKING:  # few files are zips
    from tflint.source.zip_directory import Directory, Read, ZipEntry

MODEL = "model"
GIT_LFS_POINTER = "git-lfs-pointer"
EMPTY = "empty"
CONTAINER = "container"
UNREADABLE = "unreadable"
UNREADABLE_FOLDER = "unreadable-folder"
OUTSIDE_LINK = "outside-link"
NOT_REACHED = "not-reached"
MALFORMED = "malformed"
TRUNCATED = "truncated"

#: Suffixes of single models and of containers.
MODEL_SUFFIXES = frozenset({".tflite", ".lite", ".tfl"})
CONTAINER_SUFFIXES = frozenset({".task", ".litertlm"})

HEAD_BYTES = 1024
#: Maximum size of a zip's end record: 22 bytes, and a comment of less than 64 KiB.
ZIP_TAIL_BYTES = 22 + 65_535
#: The Git LFS specification requires pointer files to be smaller than this.
LFS_POINTER_MAX_BYTES = 1024

#: First bytes of a `.litertlm` bundle.
LITERTLM = b"LITERTLM"
_BUNDLE = "a MediaPipe .task bundle (a zip archive)"

_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, LITERTLM, CONTAINER, "a LiteRT-LM bundle"),
    (0, b"\x1f\x8b", "gzip", "gzip-compressed data"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5", "an HDF5 file (a Keras .h5 model)"),
    (0, b"GGUF", "gguf", "a GGUF model"),
    (0, b"\xfd7zXZ\x00", "xz", "xz-compressed data"),
    (0, b"BZh", "bzip2", "bzip2-compressed data"),
    (0, b"\x28\xb5\x2f\xfd", "zstd", "zstd-compressed data"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "a 7-Zip archive"),
    (0, b"\x7fELF", "elf", "an ELF program or library"),
    (0, b"\x89PNG", "png", "a PNG image"),
    (0, b"\xff\xd8\xff", "jpeg", "a JPEG image"),
    (0, b"%PDF", "pdf", "a PDF document"),
    (4, b"ET12", "executorch", "an ExecuTorch program"),
    (257, b"ustar", "tar", "a tar archive"),
)
_HTML = rb"(?is)(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype html|html|head|body)"
_ONNX_PRODUCER = rb"\x08[\x02-\x14]\x12[\x01-\x40][\x20-\x7e]{2}"


@frozen
class FileKind:
    """Kind of a file, with a description for messages.

    For a Git LFS pointer, `lfs_oid` and `lfs_size` are the SHA-256 and the size in bytes of the file it refers to.
    """

    kind: str
    detail: str = ""
    lfs_oid: str | None = None
    lfs_size: int | None = None


def detect_kind(source: Source, name: str = "") -> FileKind:
    """Return the kind of a file. Only the kind `model` can be read as a model; only `container` can have members.

    `name` is the file's name, or empty if it has none. A zip without models is a container only if its name has the
    suffix of a container. A file whose name has the suffix of a model is never a container.
    """
    kind = _detect_kind(source, suffix_of(name))
    if kind.kind == CONTAINER and suffix_of(name) in MODEL_SUFFIXES:
        return FileKind("bundle", kind.detail)
    return kind


def _detect_kind(source: Source, suffix: str) -> FileKind:
    if source.size == 0:
        return FileKind(EMPTY, "an empty file")
    head = source.read([(0, min(HEAD_BYTES, source.size))])[0]
    if is_model(head):
        return FileKind(MODEL)
    return (
        _lfs_pointer_kind(head, source.size)
        or _binary_kind(head)
        or _zip_kind(source, head, suffix)
        or _text_kind(head)
        or _unidentified_kind(head)
    )


def is_model(head: bytes) -> bool:
    """Return whether a file has the identifier of a model, from its first bytes (8 are enough)."""
    return head[4:8] == b"TFL3"


def suffix_of(name: str) -> str:
    """Return the suffix of a file name in lower case, or an empty string if it has none."""
    stem, dot, suffix = name.rsplit("/", 1)[-1].rpartition(".")
    return dot + suffix.lower() if stem else ""


def _lfs_pointer_kind(head: bytes, size: int) -> FileKind | None:
    if not head.startswith(b"version https://git-lfs.github.com/spec/") or size >= LFS_POINTER_MAX_BYTES:
        return None
    oid = re.search(rb"^oid sha256:([0-9a-f]{64})\s*$", head, re.MULTILINE)
    length = re.search(rb"^size (\d{1,18})\s*$", head, re.MULTILINE)
    return FileKind(
        GIT_LFS_POINTER,
        "a Git LFS pointer",
        oid[1].decode() if oid else None,
        int(length[1]) if length else None,
    )


def _binary_kind(head: bytes) -> FileKind | None:
    for offset, magic, kind, detail in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return FileKind(kind, detail)
    if head[4:7] == b"TFL" and head[7:8].isdigit():
        return FileKind("older-schema", f"a model in the older schema {head[4:8].decode()}")
    if head.startswith(b"\x08\x01\x12"):
        return FileKind("savedmodel", "a TensorFlow SavedModel (saved_model.pb)")
    if re.match(_ONNX_PRODUCER, head):
        return FileKind("onnx", "an ONNX model")
    if head[0] == 0x80 and 2 <= head[1:2][0] <= 5 if len(head) > 1 else False:
        return FileKind("pickle", "a Python pickle")
    return None


def _zip_kind(source: Source, head: bytes, suffix: str) -> FileKind | None:
    """Return the kind of a zip file, or None if the file is not a zip.

    A zip is detected by its end record, because some zips have other bytes before the first member.
    """
    from tflint.source.zip_directory import ZipError, read_directory

    read = reader(source)
    try:
        directory = read_directory(read, source.size)
    except ZipError:
        tail = read(max(0, source.size - ZIP_TAIL_BYTES), source.size)
        return _broken_zip_kind("a zip archive with an invalid directory", head + tail, suffix)
    if directory is None:
        is_truncated = head.startswith(b"PK\x03\x04")
        return _broken_zip_kind("a truncated zip archive", head, suffix) if is_truncated else None
    names = {entry.name for entry in directory.entries}
    if suffix in CONTAINER_SUFFIXES or any(map(is_bundled_name, names)) or _contains_model(read, directory):
        return FileKind(CONTAINER, _BUNDLE if suffix == ".task" else "a zip archive that contains models")
    if _contains(names, "saved_model.pb"):
        return FileKind("zip", "a zip archive with a TensorFlow SavedModel")
    if _contains(names, "config.json") and any(name.endswith(".weights.h5") for name in names):
        return FileKind("zip", "a Keras .keras file (a zip archive)")
    return FileKind("zip", "a zip archive")


def is_bundled_name(name: str) -> bool:
    """Return whether a member's name has the suffix of a model or of a container."""
    return suffix_of(name) in MODEL_SUFFIXES | CONTAINER_SUFFIXES


def _broken_zip_kind(detail: str, sample: bytes, suffix: str) -> FileKind:
    """Return the kind of an unreadable zip.

    It is a container if its suffix, or a member name that occurs in the bytes `sample`, suggests so.
    """
    is_bundle = suffix in CONTAINER_SUFFIXES or b".tflite" in sample or b".task" in sample
    return FileKind(CONTAINER, _BUNDLE) if is_bundle else FileKind("zip", detail)


def _contains(names: Iterable[str], base_name: str) -> bool:
    return any(name.rsplit("/", 1)[-1] == base_name for name in names)


def _contains_model(read: Read, directory: Directory) -> bool:
    """Return whether a member begins like a model. In bundles of language models, member names have no suffix."""
    return any(is_model(_first_bytes(read, entry, directory.begin)) for entry in directory.entries)


def _first_bytes(read: Read, entry: ZipEntry, limit: int) -> bytes:
    from tflint.source.zip_directory import ZipError, data_span, first_bytes

    try:
        begin, end = data_span(read, entry, limit)
        return first_bytes(read, entry, begin, end)
    except ZipError:
        return b""


def _text_kind(head: bytes) -> FileKind | None:
    if re.match(_HTML, head):
        return FileKind("html", "an HTML page (often left by a failed download)")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < HEAD_BYTES - 3:
            return None
        text = head[: error.start].decode("utf-8")
    if any(ord(character) < 32 and character not in "\t\n\r\f" for character in text):
        return None
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        return FileKind("json", "JSON text")
    if stripped.startswith("<"):
        return FileKind("xml", "XML text")
    if re.fullmatch(r"\.{0,2}[\w./-]*/[\w./-]+", stripped) and len(head) < 512:
        return FileKind("symlink-text", f"a symbolic link stored as text (to {stripped})")
    return FileKind("text", "plain text")


def _unidentified_kind(head: bytes) -> FileKind:
    if len(head) < 8:
        return FileKind(TRUNCATED, f"a fragment of {len(head)} bytes")
    return FileKind("no-identifier", f"not a TFLite model: bytes 4 to 7 are {head[4:8]!r}, not b'TFL3'")
