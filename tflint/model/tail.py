"""Says what follows a model's flatbuffer in its file: nothing, padding, a zip and its members, named data, or else."""

from __future__ import annotations

import io
import struct
from typing import Any

from tflint.flatbuffer.window import Window
from tflint.model.extras import ModelExtras
from tflint.model.tables import Tables

#: A zip's directory of associated files is small; members beyond this are not listed.
MAX_ZIP_MEMBERS = 10_000
#: How much of the bytes after a model is looked at to tell padding from content.
MAX_TAIL_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


def read_tail(tables: Tables, model: int, extra: ModelExtras) -> None:
    """Add to a model's extras what follows its flatbuffer."""
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


def packed_content(tables: Tables, model: int, name: str, limit: int) -> bytes | None:
    """A file from the zip after a model; None where it is not there, longer than the limit or cannot be unpacked."""
    import zipfile
    import zlib

    stretch = _Stretch(tables.window, int(tables.window.starts[model]), int(tables.window.ends[model]))
    try:
        with zipfile.ZipFile(io.BufferedReader(stretch)) as archive, archive.open(name) as member:
            content = member.read(limit + 1)  # no more is unpacked than is read
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, OSError, ValueError, EOFError, struct.error):
        return None
    return content if len(content) <= limit else None


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
