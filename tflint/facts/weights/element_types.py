"""Element types: how elements are stored, and keys that sort like the elements and that numpy compares quickly.

The keys of most types are the elements themselves. Only 16-bit floats have different keys, because numpy compares
16-bit floats forty times slower than integers. Their keys are integers made of their bits: read as sign and magnitude,
the bits already have the order of the values.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.values import frozen

Array = NDArray[Any]


@frozen
class ElementType:
    """An element type with `bits` bits.

    `stored` is the numpy dtype of an unpacked element. `low` and `high` are the smallest and the largest integer of the
    type (0 for floats). `exponent` is the mask of the exponent bits of a float (0 for integers).
    """

    name: str
    bits: int
    stored: np.dtype[Any]
    low: int = 0
    high: int = 0
    exponent: int = 0

    @property
    def is_float(self) -> bool:
        """Whether elements are floats."""
        return self.exponent != 0

    @property
    def has_keys(self) -> bool:
        """Whether the keys differ from the elements."""
        return self.is_float and self.bits == 16

    def elements(self, raw: NDArray[np.uint8]) -> Array:
        """Return the elements stored in `raw`. Packed elements are unpacked, including the padding of the last byte."""
        if self.bits < 8:
            return _unpack(raw, self.bits, is_signed=self.low < 0)
        return raw.view(self.stored)

    def keys(self, elements: Array, out: Array) -> Array:
        """Write the keys of 16-bit floats to `out` and return them. They have the order of the elements.

        The keys of infinities and NaN are below and above those of all finite values.
        """
        return _flip(elements, out)

    def values(self, keys: Array) -> NDArray[np.float64]:
        """Return the values of the elements that have the given keys."""
        if not self.has_keys:
            return keys.astype(np.float64)
        bits = _flip(keys, np.empty_like(keys))
        if self.name == "FLOAT16":
            return bits.view("<f2").astype(np.float64)
        return (bits.view("<u2").astype("<u4") << 16).view("<f4").astype(np.float64)

    def is_finite(self, keys: Array) -> NDArray[np.bool_]:
        """Return whether each key is that of a finite value."""
        if self.has_keys:
            return (keys < self.exponent) & (keys >= -self.exponent)
        finite: NDArray[np.bool_] = np.isfinite(keys)
        return finite

    def sentinels(self) -> tuple[Any, Any]:
        """Return two keys of a float type: one below and one above the keys of all finite values."""
        return (-(2**15), 2**15 - 1) if self.has_keys else (-np.inf, np.inf)

    def magnitudes(self, elements: Array, out: Array) -> Array:
        """Write the bits of floats without the sign bit to `out`. Return `out` as unsigned integers.

        `out` has the dtype of `elements`.
        """
        unsigned = f"<u{self.bits // 8}"
        mask = np.dtype(unsigned).type((1 << (self.bits - 1)) - 1)
        magnitudes: Array = np.bitwise_and(elements.view(unsigned), mask, out=out.view(unsigned))
        return magnitudes


def _unpack(raw: NDArray[np.uint8], bits: int, *, is_signed: bool) -> Array:
    """Unpack elements of 4 or 2 bits to bytes, lowest bits first, as the converter and the kernels pack them."""
    wide: Array
    if bits == 4:
        wide = raw.astype("<u2")
        wide |= wide << 4
        wide &= 0x0F0F
    else:
        wide = raw.astype("<u4")
        wide |= wide << 12
        wide &= 0x000F000F
        wide |= wide << 6
        wide &= 0x03030303
    if not is_signed:
        return wide.view(np.uint8)
    spread = wide.view(np.int8)
    sign = np.int8(1 << (bits - 1))
    spread ^= sign
    spread -= sign
    return spread


def _flip(bits: Array, out: Array) -> Array:
    # Converts 16-bit sign-and-magnitude numbers to one's complement, in which they sort as signed integers, and back.
    np.right_shift(bits, 15, out=out)
    np.bitwise_and(out, 0x7FFF, out=out)
    return np.bitwise_xor(out, bits, out=out)


@functools.cache
def element_types() -> dict[str, ElementType]:
    """Return the types whose values tflint reads, by their names in schema.fbs."""
    types = [ElementType(name, *_integer_fields(low, high)) for name, (low, high) in INTEGER_RANGES.items()]
    types += [
        ElementType("FLOAT16", 16, np.dtype("<i2"), exponent=0x7C00),
        ElementType("BFLOAT16", 16, np.dtype("<i2"), exponent=0x7F80),
        ElementType("FLOAT32", 32, np.dtype("<f4"), exponent=0x7F80_0000),
        ElementType("FLOAT64", 64, np.dtype("<f8"), exponent=0x7FF0_0000_0000_0000),
    ]
    return {type_.name: type_ for type_ in types}


def _integer_fields(low: int, high: int) -> tuple[int, np.dtype[Any], int, int]:
    bits = (high - low).bit_length()
    return bits, np.dtype(f"<{'i' if low < 0 else 'u'}{max(bits, 8) // 8}"), low, high
