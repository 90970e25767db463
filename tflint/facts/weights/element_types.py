"""Types of elements: how they are stored, and numbers of the same order that numpy compares quickly.

The numbers ("keys") are the elements themselves, but for floats of 16 bits: comparing those natively is forty times
slower than comparing integers, and their bits, seen as integers, have nearly the order of the values.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts.quantization.quantization_parameters import INTEGER_RANGES
from tflint.values import frozen

Array = NDArray[Any]


@frozen
class ElementType:
    """A type of elements of `bits` bits; `stored` is the numpy type of one, spread to a byte where several share one.

    `low` and `high` are the smallest and the largest integer, 0 for floats; `exponent` masks the exponent in the bits
    of a float and is 0 for integers.
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
        """Whether keys are others than the elements."""
        return self.is_float and self.bits == 16

    def elements(self, raw: NDArray[np.uint8]) -> Array:
        """The elements that bytes hold, packed ones spread (as many as the bytes have room for)."""
        if self.bits < 8:
            return _spread(raw, self.bits, is_signed=self.low < 0)
        return raw.view(self.stored)

    def keys(self, elements: Array, out: Array) -> Array:
        """Numbers that have the order of the elements, infinities and NaN beyond all others; written to `out`."""
        return _flipped(elements, out)

    def values(self, keys: Array) -> NDArray[np.float64]:
        """The values behind keys."""
        if not self.has_keys:
            return keys.astype(np.float64)
        bits = _flipped(keys, np.empty_like(keys))
        if self.name == "FLOAT16":
            return bits.view("<f2").astype(np.float64)
        return (bits.view("<u2").astype("<u4") << 16).view("<f4").astype(np.float64)

    def is_finite(self, keys: Array) -> NDArray[np.bool_]:
        """Which keys are of finite values."""
        if self.has_keys:
            return (keys < self.exponent) & (keys >= -self.exponent)
        found: NDArray[np.bool_] = np.isfinite(keys)
        return found

    def beyond(self) -> tuple[Any, Any]:
        """A key below and one above all of finite values; only of floats."""
        return (-(2**15), 2**15 - 1) if self.has_keys else (-np.inf, np.inf)

    def magnitudes(self, elements: Array, out: Array) -> Array:
        """The bits of floats without their sign, as unsigned integers; written to `out`, which is like the elements."""
        unsigned = f"<u{self.bits // 8}"
        mask = np.dtype(unsigned).type((1 << (self.bits - 1)) - 1)
        magnitudes: Array = np.bitwise_and(elements.view(unsigned), mask, out=out.view(unsigned))
        return magnitudes


def _spread(raw: NDArray[np.uint8], bits: int, *, is_signed: bool) -> Array:
    """Elements of 4 or 2 bits as bytes, the lowest bits first (the converter's packing, and that of the kernels)."""
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


def _flipped(bits: Array, out: Array) -> Array:
    """Sign and magnitude of 16 bits as integers of the same order, and back: negative ones count downwards."""
    np.right_shift(bits, 15, out=out)
    np.bitwise_and(out, 0x7FFF, out=out)
    return np.bitwise_xor(out, bits, out=out)


@functools.cache
def element_types() -> dict[str, ElementType]:
    """The types whose values are read, by their names in schema.fbs."""
    types = [ElementType(name, *_integer(low, high)) for name, (low, high) in INTEGER_RANGES.items()]
    types += [
        ElementType("FLOAT16", 16, np.dtype("<i2"), exponent=0x7C00),
        ElementType("BFLOAT16", 16, np.dtype("<i2"), exponent=0x7F80),
        ElementType("FLOAT32", 32, np.dtype("<f4"), exponent=0x7F80_0000),
        ElementType("FLOAT64", 64, np.dtype("<f8"), exponent=0x7FF0_0000_0000_0000),
    ]
    return {type_.name: type_ for type_ in types}


def _integer(low: int, high: int) -> tuple[int, np.dtype[Any], int, int]:
    bits = (high - low).bit_length()
    return bits, np.dtype(f"<{'i' if low < 0 else 'u'}{max(bits, 8) // 8}"), low, high
