"""Files that are called `.tflite` and are no model, or no whole one: what a linter meets in real repositories."""

from __future__ import annotations

import hashlib
import struct
import zlib

from tests.helpers.models.plain import with_zip
from tests.helpers.models.weighted import conv_float32, conv_int8
from tflint.writer import edited


def git_lfs_pointer() -> bytes:
    """What a checkout without Git LFS leaves in the file's place."""
    model = conv_int8()
    digest = hashlib.sha256(model).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(model)}\n".encode()


def html_page() -> bytes:
    """What a download gives when the address is gone or needs a login."""
    return (
        b"<!DOCTYPE html>\n<html>\n<head><title>404 Not Found</title></head>\n"
        b"<body><h1>Not Found</h1><p>The model you asked for is not here.</p></body>\n</html>\n"
    )


def zip_archive() -> bytes:
    """An archive that was not unpacked."""
    return with_zip(b"", {"model/README.txt": "The model is kept elsewhere.\n"})


def gzip_data() -> bytes:
    """A model that was not decompressed; one stored block, so that no version of zlib changes the bytes."""
    model = conv_int8()
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    block = struct.pack("<BHH", 1, len(model), len(model) ^ 0xFFFF) + model
    return header + block + struct.pack("<II", zlib.crc32(model), len(model))


def truncated() -> bytes:
    """The first two thirds of a model: a download that broke off."""
    model = conv_int8()
    return model[: len(model) * 2 // 3]


def empty_file() -> bytes:
    """No bytes at all."""
    return b""


def older_schema() -> bytes:
    """A model of schema version 2, which no runtime takes."""
    return edited(conv_float32(), {"version": 2})


def no_identifier() -> bytes:
    """A model whose file identifier is zero."""
    model = conv_float32()
    return model[:4] + bytes(4) + model[8:]
