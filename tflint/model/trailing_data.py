"""Detects what follows a model's flatbuffer in its file: nothing, padding, a zip, declared buffers, or unknown data."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from tflint.flatbuffer.byte_window import Window
from tflint.model.model_extras import ModelExtras
from tflint.model.tables import Tables
from tflint.source.file_kind import ZIP_TAIL_BYTES

#: Maximum number of bytes after a flatbuffer that are examined to distinguish padding from other data.
MAX_TAIL_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


def read_tails(tables: Tables, extras: Sequence[ModelExtras]) -> None:
    """Set the description of the data after the flatbuffer in the extras of each model."""
    declaring = functools.cache(lambda: _models_with_declared_buffers(tables))
    for model, extra in enumerate(extras):
        _read_tail(tables, model, extra, declaring)


def _read_tail(tables: Tables, model: int, extra: ModelExtras, declaring: Callable[[], set[int]]) -> None:
    begin, end = int(tables.forest.ends[model]), int(tables.window.ends[model])
    if begin >= end:
        return
    first = tables.window.read(begin, min(begin + 64, end))
    last = tables.window.read(max(begin, end - ZIP_TAIL_BYTES), end)
    if b"PK\x05\x06" in last or first.lstrip(b"\0").startswith(b"PK\x03\x04"):
        _read_zip(tables, model, extra)
    elif model in declaring():
        extra.tail = "buffers"
    else:
        extra.tail = "padding" if _is_zero(tables.window, begin, end) else "unknown"


def _models_with_declared_buffers(tables: Tables) -> set[int]:
    """Return the models that declare an offset of a buffer or options after the flatbuffer, as files over 2 GB do."""
    buffers = tables.node("buffers", "Buffer")
    operators = tables.node("subgraphs.operators", "Operator")
    fields = ((buffers, "offset"), (operators, "large_custom_options_offset"))
    return {model for node, name in fields for model in node.roots[node.scalar(name) > 1].tolist()}


def _is_zero(window: Window, begin: int, end: int) -> bool:
    end = min(end, begin + MAX_TAIL_BYTES)
    scratch = np.empty(0 if window.is_in_memory else min(_CHUNK_BYTES, end - begin), dtype=np.uint8)
    parts = ((at, min(at + _CHUNK_BYTES, end)) for at in range(begin, end, _CHUNK_BYTES))
    return not any(window.read_once(*part, scratch).any() for part in parts)


def _read_zip(tables: Tables, model: int, extra: ModelExtras) -> None:
    from tflint.source.zip_directory import ZipError, read_directory  # few models have a zip

    try:
        directory = read_directory(*_file_reader(tables, model))
    except ZipError as error:
        extra.tail, extra.tail_error = "broken-zip", error.reason
        return
    if directory is None:
        extra.tail, extra.tail_error = "broken-zip", "the file has no end-of-central-directory record: it is truncated"
        return
    extra.tail = "zip"
    for entry in directory.entries:
        if entry.name and not entry.name.endswith("/"):
            extra.packed[entry.name] = entry.size


def read_packed_file(tables: Tables, model: int, name: str, limit: int) -> bytes | None:
    """Return the bytes of a file in the zip after a model.

    Returns None if the file is missing, has more than `limit` bytes, or cannot be unpacked.
    """
    from tflint.source.zip_directory import ZipError, read_content, read_directory

    try:
        read, size, begin = _file_reader(tables, model)
        directory = read_directory(read, size, begin)
        entries = [entry for entry in directory.entries if entry.name == name] if directory is not None else []
        if directory is None or not entries or entries[-1].size > limit or entries[-1].packed_size > 2 * limit:
            return None  # only a malicious packed size is twice the limit
        content = read_content(read, entries[-1], directory.begin)
    except ZipError:
        return None
    import zlib  # few models have data after their flatbuffer

    return content if zlib.crc32(content) == entries[-1].crc else None


def _file_reader(tables: Tables, model: int) -> tuple[Callable[[int, int], bytes], int, int]:
    """Return a function that reads a byte range of the model's file, the file's size, and the flatbuffer's end."""
    start, end = int(tables.window.starts[model]), int(tables.window.ends[model])

    def read(first: int, last: int) -> bytes:
        # Do not cache the pages: a file in the zip can be large, and its bytes are needed only once.
        return tables.window.read(start + first, min(start + last, end))

    return read, end - start, int(tables.forest.ends[model]) - start
