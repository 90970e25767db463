"""Which buffers hold the same bytes: by length, then by a few bytes, and only where these agree by a hash of all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import References, state_of
from tflint.facts.facts import Facts
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.combined_keys import distinct, sums_within
from tflint.facts.weights.weight_scan import CHUNK_BYTES
from tflint.flatbuffer.byte_window import Window

Ints = NDArray[Any]

#: Bytes that are compared at the beginning, in the middle and at the end.
_SAMPLE_BYTES = 8
#: A buffer of this size is read page by page, with its neighbours: the samples have touched most of its pages.
_SMALL_BYTES = 16 * 1024
#: Buffers whose pages are held together: the small ones may be as many as fill a large file.
_BLOCK = 256


def buffer_identity(facts: Facts) -> References:
    """The first buffer of the model with the same content."""
    places = buffer_places(facts)
    models = facts.table("buffer").model
    rows = np.flatnonzero(places.sizes)
    sizes = places.sizes[rows]
    firsts, kinds = distinct(np.stack([models[rows], sizes, places.starts[rows]]))
    once = rows[firsts]  # of buffers that share their bytes, the first one
    same, is_known = _same(facts.tables.window, models[once], places.sizes[once], places.starts[once])
    leaders = np.full(int(same.max(initial=-1)) + 1, len(models))
    np.minimum.at(leaders, same, once)
    identity = np.full(len(models), -1)
    identity[rows] = leaders[same][kinds]
    is_unknown = places.is_outside.copy()
    is_unknown[rows] = ~is_known[kinds]
    return References(np.where(is_unknown, -1, identity), state_of(facts.numbers("buffer", "n_bytes") == 0, is_unknown))


def _same(window: Window, models: Ints, sizes: Ints, starts: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """A number for each stretch of bytes, the same for the same content within a model; and whether it is known."""
    _, lengths = distinct(np.stack([models, sizes]))
    alike = np.flatnonzero(np.bincount(lengths)[lengths] > 1)
    same = np.arange(len(models))
    is_known = np.ones(len(models), dtype=np.bool_)
    if not len(alike):
        return same, is_known
    samples = _samples(window, starts[alike], sizes[alike])
    firsts, groups = distinct(np.concatenate([lengths[alike][None], samples]))
    same[alike] = alike[firsts][groups]
    doubtful = alike[(np.bincount(groups)[groups] > 1) & (sizes[alike] > 2 * _SAMPLE_BYTES)]
    doubtful = doubtful[np.argsort(models[doubtful], kind="stable")]
    allowed = (window.ends - window.starts)[models[doubtful]]
    is_known[doubtful] = sums_within(sizes[doubtful], models[doubtful]) <= allowed
    same[doubtful] = np.where(is_known[doubtful], same[doubtful], doubtful)
    seen: dict[tuple[int, bytes], int] = {}
    apart = window
    scratch = np.empty(0 if window.is_in_memory else CHUNK_BYTES, dtype=np.uint8)
    for number, row in enumerate(doubtful[is_known[doubtful]].tolist()):
        apart = window.with_own_cache() if number % _BLOCK == 0 else apart
        start = int(starts[row])
        key = (int(same[row]), _digest(apart, start, start + int(sizes[row]), scratch))
        same[row] = seen.setdefault(key, row)
    return same, is_known


def _samples(window: Window, starts: Ints, sizes: Ints) -> Ints:
    """Three numbers for each stretch, from its beginning, middle and end; where it is short these overlap."""
    blocks = (slice(at, at + _BLOCK) for at in range(0, len(starts), _BLOCK))
    parts = [_samples_of(window.with_own_cache(), starts[block], sizes[block]) for block in blocks]
    return np.concatenate(parts, axis=1)


def _samples_of(window: Window, starts: Ints, sizes: Ints) -> Ints:
    within = np.arange(_SAMPLE_BYTES)
    last = sizes[:, None] - 1
    places = (within + np.zeros_like(last), sizes[:, None] // 2 + within, last - within)
    taken = [window.take(starts[:, None] + np.clip(place, 0, last), "ubyte") for place in places]
    return np.stack([np.ascontiguousarray(sample).view("<i8")[:, 0] for sample in taken])


def _digest(window: Window, begin: int, end: int, scratch: NDArray[np.uint8]) -> bytes:
    digest = hashlib.sha256()
    for part in _parts(window, begin, end, scratch):
        digest.update(part)
    return digest.digest()


def _parts(window: Window, begin: int, end: int, scratch: NDArray[np.uint8]) -> Iterator[bytes | memoryview]:
    if end - begin <= _SMALL_BYTES:
        yield window.span(begin, end)
        return
    for start in range(begin, end, CHUNK_BYTES):
        yield window.read_once(start, min(start + CHUNK_BYTES, end), scratch).data
