"""Converts lists of numbers or strings to the bytes of a tensor's buffer, by element type. No numpy."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

_FORMATS = {
    "FLOAT16": "e", "FLOAT32": "f", "FLOAT64": "d", "COMPLEX64": "f", "COMPLEX128": "d", "BOOL": "?",
    "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q",
    "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q",
}  # fmt: skip

#: Bits per element of types that share a byte; the first element is in the lowest bits.
_SUB_BYTE_BITS = {"INT4": 4, "UINT4": 4, "INT2": 2}


def pack_numbers(dtype: str, values: Sequence[Any]) -> bytes:
    """Return the buffer bytes of `values` as elements of the TensorType `dtype`, little-endian.

    Values of a complex type are Python complex numbers, or real and imaginary parts in turn. Values of STRING are str
    or bytes. Raises ValueError if a value is out of range or the type is not supported.
    """
    if dtype == "STRING":
        return _pack_strings([v.encode() if isinstance(v, str) else bytes(v) for v in values])
    if dtype in _SUB_BYTE_BITS:
        return _pack_bits(values, _SUB_BYTE_BITS[dtype], signed=dtype.startswith("INT"))
    if dtype == "BFLOAT16":
        return b"".join(_bfloat16(value) for value in values)
    if dtype not in _FORMATS:
        raise ValueError(f"tensors of type {dtype} are not supported")
    flat = [part for v in values for part in ((v.real, v.imag) if isinstance(v, complex) else (v,))]
    try:
        return struct.pack(f"<{len(flat)}{_FORMATS[dtype]}", *flat)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"a value does not fit {dtype}: {error}") from None


def _pack_strings(strings: Sequence[bytes]) -> bytes:
    """Return TFLite's string buffer: the number of strings n, n + 1 offsets from the buffer's start, the text."""
    start = 4 * (len(strings) + 2)
    offsets = [start]
    for text in strings:
        offsets.append(offsets[-1] + len(text))
    return struct.pack(f"<{len(offsets) + 1}i", len(strings), *offsets) + b"".join(strings)


def _pack_bits(values: Sequence[int], bits: int, *, signed: bool) -> bytes:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if any(not low <= value <= high for value in values):
        raise ValueError(f"a value lies outside [{low}, {high}] of a {bits}-bit type")
    per_byte = 8 // bits
    mask = (1 << bits) - 1
    groups = (values[start : start + per_byte] for start in range(0, len(values), per_byte))
    return bytes(sum((value & mask) << bits * i for i, value in enumerate(group)) for group in groups)


def _bfloat16(value: float) -> bytes:
    """Return the upper two bytes of `value` as float32, rounded to nearest even; NaN stays NaN."""
    (word,) = struct.unpack("<I", struct.pack("<f", value))
    if math.isnan(value):
        return struct.pack("<H", word >> 16 | 0x40)
    return struct.pack("<H", (word + 0x7FFF + (word >> 16 & 1)) >> 16)
