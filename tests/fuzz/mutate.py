"""Format-aware mutations of a model: of its bytes at known offsets, and of its fields by the writer.

Takes bytes and a random generator, returns mutated bytes; the same seed gives the same bytes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

from tests.fuzz.edits import edited_fields
from tests.fuzz.places import Places, Scalar, places_of
from tflint.writer.scalar_types import FORMATS

#: Numbers at which code goes wrong: around zero, around powers of two, the largest of a width.
EDGES = (0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 127, 128, 255, 256, 2**15 - 1, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31,
         2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)  # fmt: skip
FLOAT_EDGES = (0.0, -0.0, 1.0, -1.0, 1 / 127.5, 1 / 255, 1e-45, 1e-38, 1e-12, 3.4e38, 65504.0,
               float("inf"), float("-inf"), float("nan"))  # fmt: skip

#: Of so many mutations one edits fields: it costs ten times the others, and gives a valid file.
FIELDS_ONE_IN = 4

Mutation = Callable[[bytearray, Places, random.Random], None]


def mutated(content: bytes, generator: random.Random, donors: Sequence[bytes], max_size: int) -> bytes:
    """Return the bytes with one to six mutations; `donors` are other models whose parts may be copied."""
    if generator.randrange(FIELDS_ONE_IN) == 0:
        changed = edited_fields(content, generator, donors)
        if changed is not None and len(changed) <= max_size:
            return changed
    places = places_of(content)
    if places is None:
        return _without_places(bytearray(content), generator, donors)[:max_size]
    result = bytearray(content)
    for _ in range(generator.choice((1, 1, 1, 2, 3, 6))):
        generator.choice(MUTATIONS)(result, places, generator)
    if generator.randrange(40) == 0:
        return _without_places(result, generator, donors)[:max_size]
    return bytes(result[:max_size])


def any_bytes(content: bytes, generator: random.Random, donors: Sequence[bytes], max_size: int) -> bytes:
    """Return the bytes with one to four mutations that know no format."""
    result = content
    for _ in range(generator.choice((1, 1, 2, 4))):
        changed = bytearray(result)
        if changed and generator.randrange(2) == 0:
            changed[generator.randrange(len(changed))] = generator.randrange(256)
            result = bytes(changed)
        else:
            result = _without_places(changed, generator, donors)
    return result[:max_size]


def readable(content: bytes, generator: random.Random, donors: Sequence[bytes], max_size: int) -> bytes:
    """Return the bytes mutated so that a readable file usually stays readable; mutate other bytes like `mutated`."""
    places = places_of(content)
    if places is None or generator.randrange(10) == 0:
        return mutated(content, generator, donors, max_size)
    if generator.randrange(3) == 0:
        return with_other_values(content, places, generator)
    changed = edited_fields(content, generator, donors)
    return changed if changed is not None and len(changed) <= max_size else content


def with_other_values(content: bytes, places: Places, generator: random.Random) -> bytes:
    """Return a readable file with one to four changed numbers; all references stay the same."""
    result = bytearray(content)
    for _ in range(generator.choice((1, 1, 2, 4))):
        generator.choice((_set_scalar, _set_scalar, _copy_scalar))(result, places, generator)
    return bytes(result)


def number(scalar: Scalar, generator: random.Random) -> int | float:
    """Return a number for a scalar: a value of its enumeration or just beyond it, a small number, or an edge case."""
    if scalar.type in ("float", "double"):
        return generator.choice(FLOAT_EDGES) if generator.random() < 0.7 else generator.uniform(-300, 300)
    if scalar.n_values and generator.random() < 0.8:
        return generator.randrange(scalar.n_values + 1)
    if generator.random() < 0.6:
        return generator.randrange(-2, 12)
    return generator.choice(EDGES) + generator.choice((-1, 0, 0, 1))


# -- mutations of the bytes of a readable file -------------------------------------------------------------------------


def _set_scalar(content: bytearray, places: Places, generator: random.Random) -> None:
    if places.scalars:
        scalar = generator.choice(places.scalars)
        _write_number(content, scalar, number(scalar, generator))


def _copy_scalar(content: bytearray, places: Places, generator: random.Random) -> None:
    if places.scalars:
        target, source = generator.choice(places.scalars), generator.choice(places.scalars)
        if source.offset + target.width <= len(content):
            content[target.offset : target.offset + target.width] = content[
                source.offset : source.offset + target.width
            ]


def _set_length(content: bytearray, places: Places, generator: random.Random) -> None:
    if places.lengths:
        at = generator.choice(places.lengths)
        (length,) = struct.unpack_from("<I", content, at)
        left = (len(content) - at - 4) // generator.choice((1, 2, 4, 8))
        new = generator.choice((0, length - 1, length + 1, length // 2, length * 2, left, left + 1, *EDGES[-5:]))
        _write(content, at, new, 4)


def _set_slot(content: bytearray, places: Places, generator: random.Random) -> None:
    at = generator.choice(places.slots)
    (old,) = struct.unpack_from("<H", content, at) if at + 2 <= len(content) else (0,)
    other = generator.choice(places.slots)
    (borrowed,) = struct.unpack_from("<H", content, other) if other + 2 <= len(content) else (0,)
    _write(content, at, generator.choice((0, 4, old + 4, old - 4, old + 1, borrowed, borrowed, 0xFFFF)), 2)


def _set_vtable(content: bytearray, places: Places, generator: random.Random) -> None:
    at, other = generator.choice(places.tables), generator.choice(places.tables)
    if at + 4 <= len(content) and other + 4 <= len(content):
        (back,) = struct.unpack_from("<i", content, other)
        _write(content, at, generator.choice((at - (other - back), at - (other - back), at, -4, 0, 2**31)), 4)


def _set_offset(content: bytearray, places: Places, generator: random.Random) -> None:
    """Point a reference at a part of another kind, at a shared part, or outside of the file."""
    at = generator.choice(places.offsets)
    ahead = [part for part in generator.sample(places.tables + places.lengths,
             k=min(8, len(places.tables) + len(places.lengths))) if part > at]  # fmt: skip
    distances = [part - at for part in ahead] or [4]
    _write(content, at, generator.choice((*distances, *distances, 0, 1, 4, len(content) - at, 2**31 - 1, 2**32 - 4)), 4)


def _set_any_byte(content: bytearray, places: Places, generator: random.Random) -> None:
    if content:
        content[generator.randrange(len(content))] = generator.randrange(256)


MUTATIONS: tuple[Mutation, ...] = (
    _set_scalar, _set_scalar, _set_scalar, _copy_scalar, _set_length, _set_slot, _set_vtable, _set_offset,
    _set_any_byte,
)  # fmt: skip


# -- mutations of any bytes --------------------------------------------------------------------------------------------


def _without_places(content: bytearray, generator: random.Random, donors: Sequence[bytes]) -> bytes:
    """Cut, insert, repeat or splice without knowledge of the content."""
    at = generator.randrange(len(content) + 1)
    match generator.randrange(6):
        case 0:
            return bytes(content[:at])
        case 1:
            return bytes(content[:at]) + generator.randbytes(generator.choice((1, 2, 4, 16))) + bytes(content[at:])
        case 2:
            return bytes(content[:at] + content[at + generator.choice((1, 4, 16, 64)) :])
        case 3 if donors:
            donor = generator.choice(donors)
            cut = at & ~3
            return bytes(content[:cut]) + donor[cut:]
        case 4:
            _write(content, at & ~3, generator.choice(EDGES), 4)
        case _:
            _write(content, at, generator.choice(EDGES), generator.choice((1, 2, 4)))
    return bytes(content)


def _write(content: bytearray, at: int, value: int, width: int) -> None:
    if 0 <= at <= len(content) - width:
        content[at : at + width] = (value % 256**width).to_bytes(width, "little")


def _write_number(content: bytearray, scalar: Scalar, value: int | float) -> None:
    if isinstance(value, float):
        struct.pack_into(f"<{FORMATS[scalar.type]}", content, scalar.offset, value)
    else:
        _write(content, scalar.offset, value, scalar.width)
