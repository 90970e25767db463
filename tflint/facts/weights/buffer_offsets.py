"""Where the data of buffers lies: within the flatbuffer, or behind it in the same file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts.facts import Facts
from tflint.values import frozen

Ints = NDArray[Any]


@frozen(eq=False)
class Places:
    """For each buffer the offset of its first byte in the window and its size in bytes, 0 where it has no data.

    `is_outside`: it says that its data lies where its file has no bytes; its size is 0 here.
    """

    starts: Ints
    sizes: Ints
    is_outside: NDArray[np.bool_]


def buffer_places(facts: Facts) -> Places:
    """Where the data of every buffer lies."""
    return facts.once("places of buffers", lambda: _places(facts))


def _places(facts: Facts) -> Places:
    inline = facts.tables.node("buffers", "Buffer").vector("data")
    # Offsets and sizes are unsigned 64-bit numbers that a file may set to anything: as floats they cannot wrap around.
    offset = facts.numbers("buffer", "offset").astype(np.float64)
    size = facts.numbers("buffer", "size").astype(np.float64)
    window = facts.tables.window
    models = facts.table("buffer").model
    begins, file_sizes = window.starts[models], (window.ends - window.starts)[models]
    is_elsewhere = offset > 1
    is_inside = is_elsewhere & (offset + size <= file_sizes)
    starts = np.where(is_inside, begins + np.where(is_inside, offset, 0).astype(np.int64), inline.starts)
    sizes = np.where(is_inside, np.where(is_inside, size, 0).astype(np.int64), inline.lengths)
    is_outside = is_elsewhere & ~is_inside
    return Places(starts, np.where(is_outside, 0, sizes), is_outside)
