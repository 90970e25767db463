"""The offsets of the data of buffers, which are in the flatbuffer or after it in the same file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts.facts import Facts
from tflint.values import frozen

Ints = NDArray[Any]


@frozen(eq=False)
class BufferPlaces:
    """The places of the data of all buffers, one array element per buffer.

    `starts` are the offsets of the first bytes in the window. `sizes` are in bytes. `is_outside` is true if offset and
    size of a buffer exceed the file. The size is 0 if the buffer has no data or `is_outside` is true.
    """

    starts: Ints
    sizes: Ints
    is_outside: NDArray[np.bool_]


def buffer_places(facts: Facts) -> BufferPlaces:
    """Return the offset and size of the data of all buffers."""
    return facts.memoize("places of buffers", lambda: _places(facts))


def _places(facts: Facts) -> BufferPlaces:
    inline = facts.tables.node("buffers", "Buffer").vector("data")
    # A hostile file may contain any unsigned 64-bit offset and size. As floats, their sum cannot wrap around.
    offset = facts.numbers("buffer", "offset").astype(np.float64)
    size = facts.numbers("buffer", "size").astype(np.float64)
    window = facts.tables.window
    models = facts.table("buffer").model
    begins, file_sizes = window.starts[models], (window.ends - window.starts)[models]
    is_appended = offset > 1
    is_inside = is_appended & (offset + size <= file_sizes)
    starts = np.where(is_inside, begins + np.where(is_inside, offset, 0).astype(np.int64), inline.starts)
    sizes = np.where(is_inside, np.where(is_inside, size, 0).astype(np.int64), inline.lengths)
    is_outside = is_appended & ~is_inside
    return BufferPlaces(starts, np.where(is_outside, 0, sizes), is_outside)
