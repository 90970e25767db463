"""Decompression bombs (zips and PNGs of zeros), and the peak memory of a process that reads them."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_BLOCK = 1 << 22


def deflated_zeros(n_bytes: int, before: bytes = b"") -> bytes:
    """Deflate `before` and then zeros, quickly: a block of zeros that ends in a full flush can be repeated."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = compress.compress(before) + compress.flush(zlib.Z_FULL_FLUSH)
    block = compress.compress(bytes(_BLOCK)) + compress.flush(zlib.Z_FULL_FLUSH)
    return head + block * (n_bytes // _BLOCK) + compress.compress(bytes(n_bytes % _BLOCK)) + compress.flush()


def npy_header(shape: Sequence[int], descr: str = "<f4", *, fortran: bool = False) -> bytes:
    """Return the header of a .npy file, valid or not."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": fortran, "shape": tuple(shape)})
    return file.getvalue()


def zip_of(name: str, packed: bytes, size: int, *, crc: int = 0, n_entries: int = 1) -> bytes:
    """Return a zip with one deflated member, which `n_entries` directory entries share."""
    label = name.encode()
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 45, 0, 8, 0, 0, crc, len(packed), 0, len(label), 0) + label
    wide = struct.pack("<2HQ", 1, 8, size)  # zip64: sizes of more than 4 GiB
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 45, 45, 0, 8, 0, 0, crc, len(packed), 2**32 - 1, len(label), len(wide), 0, 0, 0, 0, 0
    )
    directory = (entry + label + wide) * n_entries
    begin = len(local) + len(packed)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n_entries, n_entries, len(directory), begin, 0)
    return local + packed + directory + end


def npz_bomb(shape: Sequence[int], *, name: str = "input", n_entries: int = 1) -> bytes:
    """Return a complete .npz of a float32 array of zeros, with its checksum."""
    header = npy_header(shape)
    n_bytes = 4 * int(np.prod(shape, dtype=object))
    crc = _crc_of_zeros(zlib.crc32(header), n_bytes)
    return zip_of(f"{name}.npy", deflated_zeros(n_bytes, header), len(header) + n_bytes, crc=crc, n_entries=n_entries)


def _crc_of_zeros(crc: int, n_bytes: int) -> int:
    """Return the checksum after more zeros; not computed for long runs, because tflint must refuse them before."""
    return zlib.crc32(bytes(n_bytes), crc) if n_bytes < 2**29 else 0


def png_bomb(height: int, width: int, *, mode: int = 2) -> bytes:
    """Return a complete black PNG; mode 2 is RGB, 0 is gray."""
    n_bytes = height * (1 + width * {0: 1, 2: 3}[mode])
    adler = (n_bytes % 65521) << 16 | 1
    packed = b"\x78\xda" + deflated_zeros(n_bytes) + struct.pack(">I", adler)
    head = struct.pack(">2I5B", width, height, 8, mode, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


# VmHWM and not ru_maxrss, which a process inherits from the one that started it.
_PROGRAM = """
import pathlib, sys
from tflint.cli.main import run
code = run(sys.argv[1:])
print("\\n".join(l for l in pathlib.Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM")))
sys.exit(code)
"""


def run_measured(arguments: Sequence[str], folder: Path) -> tuple[int, str, float]:
    """Run tflint in a separate process; return exit code, output and peak resident memory in MB (Linux)."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert found, done.stderr
    return done.returncode, done.stdout + done.stderr, int(found[1]) / 1000
