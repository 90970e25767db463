"""Finds buffers with equal content: compares lengths, then a few sample bytes, then a hash of all bytes if needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import References, state_of
from tflint.facts.facts import Facts
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.combined_keys import running_sums, unique_columns
from tflint.facts.weights.weight_scan import CHUNK_BYTES
from tflint.flatbuffer.byte_window import Window

Ints = NDArray[Any]

#: Number of bytes in each of the three samples of a buffer: at its start, in its middle and at its end.
_SAMPLE_BYTES = 8
#: Largest size of a buffer that is read through the page cache. Reading the samples of such a buffer has loaded most of
#: its pages.
_SMALL_BYTES = 16 * 1024
#: Number of buffers that share a page cache. This bounds memory, because a large file may consist of small buffers.
_BLOCK = 256


def buffer_identity(facts: Facts) -> References:
    """Return, for each buffer, the first buffer of the model with the same content."""
    places = buffer_places(facts)
    models = facts.table("buffer").model
    rows = np.flatnonzero(places.sizes)
    sizes = places.sizes[rows]
    firsts, kinds = unique_columns(np.stack([models[rows], sizes, places.starts[rows]]))
    first_rows = rows[firsts]  # buffers with the same offset and size are equal, so only the first one is read
    same, is_known = _content_ids(
        facts.tables.window, models[first_rows], places.sizes[first_rows], places.starts[first_rows]
    )
    leaders = np.full(int(same.max(initial=-1)) + 1, len(models))
    np.minimum.at(leaders, same, first_rows)
    identity = np.full(len(models), -1)
    identity[rows] = leaders[same][kinds]
    is_unknown = places.is_outside.copy()
    is_unknown[rows] = ~is_known[kinds]
    return References(np.where(is_unknown, -1, identity), state_of(facts.numbers("buffer", "n_bytes") == 0, is_unknown))


def _content_ids(window: Window, models: Ints, sizes: Ints, starts: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return a number for each byte range, and whether the number is known.

    Byte ranges of the same model have the same number if their content is equal.
    """
    _, lengths = unique_columns(np.stack([models, sizes]))
    same_length = np.flatnonzero(np.bincount(lengths)[lengths] > 1)
    same = np.arange(len(models))
    is_known = np.ones(len(models), dtype=np.bool_)
    if not len(same_length):
        return same, is_known
    samples = _samples(window, starts[same_length], sizes[same_length])
    firsts, groups = unique_columns(np.concatenate([lengths[same_length][None], samples]))
    same[same_length] = same_length[firsts][groups]
    candidates = same_length[(np.bincount(groups)[groups] > 1) & (sizes[same_length] > 2 * _SAMPLE_BYTES)]
    candidates = candidates[np.argsort(models[candidates], kind="stable")]
    allowed = (window.ends - window.starts)[models[candidates]]
    is_known[candidates] = running_sums(sizes[candidates], models[candidates]) <= allowed
    same[candidates] = np.where(is_known[candidates], same[candidates], candidates)
    by_digest: dict[tuple[int, bytes], int] = {}
    block_window = window
    scratch = np.empty(0 if window.is_in_memory else CHUNK_BYTES, dtype=np.uint8)
    for number, row in enumerate(candidates[is_known[candidates]].tolist()):
        block_window = window.with_own_cache() if number % _BLOCK == 0 else block_window
        start = int(starts[row])
        key = (int(same[row]), _digest(block_window, start, start + int(sizes[row]), scratch))
        same[row] = by_digest.setdefault(key, row)
    return same, is_known


def _samples(window: Window, starts: Ints, sizes: Ints) -> Ints:
    """Return three numbers for each byte range: samples of its start, middle and end. They overlap in short ranges."""
    blocks = (slice(at, at + _BLOCK) for at in range(0, len(starts), _BLOCK))
    parts = [_block_samples(window.with_own_cache(), starts[block], sizes[block]) for block in blocks]
    return np.concatenate(parts, axis=1)


def _block_samples(window: Window, starts: Ints, sizes: Ints) -> Ints:
    within = np.arange(_SAMPLE_BYTES)
    last = sizes[:, None] - 1
    places = (within + np.zeros_like(last), sizes[:, None] // 2 + within, last - within)
    samples = [window.take(starts[:, None] + np.clip(place, 0, last), "ubyte") for place in places]
    return np.stack([np.ascontiguousarray(sample).view("<i8")[:, 0] for sample in samples])


def _digest(window: Window, begin: int, end: int, scratch: NDArray[np.uint8]) -> bytes:
    import hashlib  # loads OpenSSL, and few models have buffers that only a digest can tell apart

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
