"""Files named `.tflite` that are not complete models, as found in real repositories."""

from __future__ import annotations

import hashlib
import struct
import zlib

from tests.helpers.models.plain import with_zip
from tests.helpers.models.weighted import conv_float32, conv_int8
from tflint.writer import edit_model


def git_lfs_pointer() -> bytes:
    """Return the pointer that a checkout without Git LFS contains instead of the model."""
    model = conv_int8()
    digest = hashlib.sha256(model).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(model)}\n".encode()


def html_page() -> bytes:
    """Return the page that a download gives if the URL is gone or needs a login."""
    return (
        b"<!DOCTYPE html>\n<html>\n<head><title>404 Not Found</title></head>\n"
        b"<body><h1>Not Found</h1><p>The model you asked for is not here.</p></body>\n</html>\n"
    )


def zip_archive() -> bytes:
    """Return a model in a zip archive."""
    return with_zip(b"", {"model/README.txt": "The model is kept elsewhere.\n"})


def gzip_data() -> bytes:
    """Return a gzip-compressed model, as one stored block so that the bytes do not depend on zlib."""
    model = conv_int8()
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    block = struct.pack("<BHH", 1, len(model), len(model) ^ 0xFFFF) + model
    return header + block + struct.pack("<II", zlib.crc32(model), len(model))


def truncated() -> bytes:
    """Return the first two thirds of a model, like an interrupted download."""
    model = conv_int8()
    return model[: len(model) * 2 // 3]


def empty_file() -> bytes:
    """Return no bytes."""
    return b""


def older_schema() -> bytes:
    """Return a model of schema version 2, which no runtime supports."""
    return edit_model(conv_float32(), {"version": 2})


def no_identifier() -> bytes:
    """Return a model whose file identifier is zero."""
    model = conv_float32()
    return model[:4] + bytes(4) + model[8:]
