"""Opens .npy and .npz files: dtypes and shapes from their headers first, then values in runs.

This module must not unpickle anything. It must compare the sizes in a header with the file and the limits before it
uses them. The format is documented in `numpy.lib.format`.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tflint.errors import UserError
from tflint.preprocessing.observe.array_chunks import Numbers, make_reader
from tflint.source import FileSource, SourceError, reader
from tflint.source.zip_directory import (
    DEFLATED,
    STORED,
    Read,
    ZipEntry,
    ZipError,
    data_span,
    read_directory,
    unpack_pieces,
)
from tflint.values import frozen

#: Most unpacked bytes of the arrays in a file: 7,000 float32 images of 224 × 224 × 3. Deflate compresses zeros by a
#: factor of 1,000, so without a limit tflint would read 6 GB from a file of 6 MB.
MAX_FILE_BYTES = 4 << 30
#: Maximum number of arrays of an .npz file: a contract has at most 1,000 inputs.
MAX_ARRAYS = 1_000
#: Maximum number of bytes of a header. The limit of numpy is 10,000 characters after the first 12 bytes.
MAX_HEADER_BYTES = 16 * 1024
#: Maximum number of axes of an array, as in numpy 2.
MAX_RANK = 64
#: Maximum number of bytes that a shape may declare. A larger number is not printed: it may have 10,000 digits.
MAX_DECLARED_BYTES = 1 << 63
_PIECE_BYTES = 1 << 18

_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_NO_PICKLE = "tflint does not unpickle; numpy.save(…, allow_pickle=False) writes arrays of numbers"

Pieces = Callable[[], Iterator[bytes]]


@frozen
class _Header:
    """A .npy header: dtype, shape, memory order, and the number of bytes of the header itself."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    is_fortran: bool
    n_bytes: int


@contextmanager
def open_arrays(file: Path) -> Iterator[Sequence[tuple[str, Numbers]]]:
    """Open the arrays of a file, with their names in an .npz file. The name of the array in a .npy file is empty.

    While the file is open, each array can be read once, in any order. Raises `UserError` if the file is invalid or
    exceeds a limit.
    """
    with _plain_errors(str(file)), FileSource(file) as source:
        read = reader(source)
        begin = read(0, min(source.size, len(_MAGIC)))
        if begin.startswith(_ZIP_MAGIC):
            yield _zip_arrays(read, source.size, str(file))
        elif begin.startswith(_MAGIC):
            yield [("", _open_array(_read_stored(read, 0, source.size), source.size, str(file)))]
        else:
            raise UserError(f"'{file}' is not a .npy or .npz file", hint=_NO_PICKLE)


@contextmanager
def _plain_errors(what: str) -> Iterator[None]:
    """Turn the errors of files and zips into `UserError`."""
    try:
        yield
    except SourceError as error:
        raise UserError(f"'{what}' cannot be read: {error.reason}") from error
    except ZipError as error:
        raise UserError(f"'{what}' is not a readable .npz file: {error.reason}") from error


def _read_stored(read: Read, begin: int, end: int) -> Pieces:
    def pieces() -> Iterator[bytes]:
        for at in range(begin, end, _PIECE_BYTES):
            yield read(at, min(at + _PIECE_BYTES, end))

    return pieces


def _open_array(pieces: Pieces, size: int, what: str) -> Numbers:
    """Return the array in `size` bytes, after validating its header."""
    if size > MAX_FILE_BYTES:
        raise _too_large(what, size)
    header = _parse_header(bytes(make_reader(pieces())(min(size, MAX_HEADER_BYTES))), what)
    _require_plain(header.dtype, what)
    n_declared, n_present = math.prod(header.shape) * header.dtype.itemsize, size - header.n_bytes
    if len(header.shape) > MAX_RANK or any(n < 0 for n in header.shape) or n_declared > MAX_DECLARED_BYTES:
        raise UserError(f"'{what}' is not a readable array: its header declares an impossible shape")
    if n_declared > n_present:
        raise UserError(
            f"'{what}' is truncated: its header declares {n_declared:,} bytes of values, but the file has {n_present:,}"
        )
    values = make_reader(_skip_header(pieces, header.n_bytes, what))
    return Numbers(what, header.dtype, header.shape, header.is_fortran, values)


def _skip_header(pieces: Pieces, n_header: int, what: str) -> Iterator[memoryview]:
    """Yield the bytes after the header. Reading starts on first use, because an .npz may have many arrays."""
    with _plain_errors(what):
        for piece in pieces():
            yield memoryview(piece)[n_header:]
            n_header = max(n_header - len(piece), 0)


def _too_large(what: str, size: int) -> UserError:
    return UserError(
        f"'{what}' holds {size:,} bytes of arrays, more than the {MAX_FILE_BYTES:,} that tflint reads from a file",
        hint="save them in several files, in one folder",
    )


def _parse_header(begin: bytes, what: str) -> _Header:
    file = io.BytesIO(begin)
    try:
        version = np.lib.format.read_magic(file)
        if version == (3, 0):
            raise UserError(f"'{what}' has a structured dtype", hint="save an array per field")
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
        shape, is_fortran, dtype = read(file)
    except UserError:
        raise
    except Exception as error:  # numpy tokenizes and evaluates the header, which can raise almost anything
        raise UserError(f"'{what}' is not a readable array: its header is invalid ({type(error).__name__})") from error
    return _Header(dtype, shape, is_fortran, file.tell())


def _require_plain(dtype: np.dtype[Any], what: str) -> None:
    if dtype.fields is not None or dtype.subdtype is not None:
        fields = f" with the fields {', '.join(map(repr, dtype.names))}" if dtype.names else ""
        raise UserError(f"'{what}' has a structured dtype{fields}", hint="save an array per field")
    if dtype.hasobject:
        raise UserError(f"'{what}' holds Python objects", hint=_NO_PICKLE)


# -- .npz --------------------------------------------------------------------------------------------------------------


def _zip_arrays(read: Read, size: int, file: str) -> list[tuple[str, Numbers]]:
    """Return the arrays of a zip. Sizes are summed before unpacking, because members may share compressed bytes."""
    directory = read_directory(read, size)
    if directory is None:
        raise ZipError("it has no directory of members")
    if len(directory.entries) > MAX_ARRAYS:
        raise UserError(
            f"'{file}' has {len(directory.entries):,} arrays, more than the {MAX_ARRAYS:,} that tflint reads"
        )
    n_bytes = sum(entry.size for entry in directory.entries)
    if n_bytes > MAX_FILE_BYTES:
        raise _too_large(file, n_bytes)
    return [_open_member(read, entry, directory.begin, file) for entry in directory.entries]


def _open_member(read: Read, entry: ZipEntry, limit: int, file: str) -> tuple[str, Numbers]:
    name = entry.name.removesuffix(".npy")
    what = f"{file}, array {name}"
    if entry.is_encrypted or entry.method not in (STORED, DEFLATED):
        raise UserError(
            f"'{what}' is encrypted or uses an unsupported compression",
            hint="numpy.savez and savez_compressed write arrays",
        )
    begin, end = data_span(read, entry, limit)
    if entry.method == STORED and end - begin != entry.size:
        raise ZipError(f"'{entry.name}' is stored, and its two sizes differ", begin)

    def pieces() -> Iterator[bytes]:
        is_deflated = entry.method == DEFLATED
        stored = _read_stored(read, begin, end)
        yield from _verify_checksum(unpack_pieces(read, begin, end, entry.size) if is_deflated else stored(), entry)

    return name, _open_array(pieces, entry.size, what)


def _verify_checksum(pieces: Iterator[bytes], entry: ZipEntry) -> Iterator[bytes]:
    """Yield the pieces of a member; the last one only if the checksum is correct."""
    checksum = 0
    n_left = entry.size
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
        n_left -= len(piece)
        if not n_left and piece and checksum != entry.crc:
            raise ZipError(f"the checksum of '{entry.name}' is wrong")
        yield piece
