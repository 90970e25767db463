"""The values of small constants, such as shapes, axes, divisors and factors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, flat_positions, lists_by_owner, state_of
from tflint.facts.facts import Facts, first_elements, require_budget
from tflint.facts.weights.buffer_offsets import buffer_places

Ints = NDArray[Any]
Truths = NDArray[np.bool_]

#: Constants with more elements are weights rather than parameters of an operator.
MAX_VALUES = 16
#: How the elements of each type are read: the scalar in the window, and the numpy dtype of its bits.
_TYPES = {
    "INT8": ("byte", "i1"),
    "UINT8": ("ubyte", "u1"),
    "INT16": ("short", "<i2"),
    "UINT16": ("ushort", "<u2"),
    "INT32": ("int", "<i4"),
    "UINT32": ("uint", "<u4"),
    "INT64": ("long", "<i8"),
    "FLOAT16": ("ushort", "<f2"),
    "FLOAT32": ("float", "<f4"),
    "FLOAT64": ("double", "<f8"),
}


def values(facts: Facts) -> Lists:
    """Return the real values of each small constant."""
    counts = facts.numbers("tensor", "n_elements")
    is_small = _is_small_constant(facts) & (facts.lists("tensor", "scale").lengths <= 1)
    require_budget(int(counts[is_small].sum()), "values of small constants")
    names = [name for name in _TYPES if name in facts.strings("tensor", "dtype").labels]
    parts = [
        _read(facts, np.flatnonzero(is_small & facts.is_one_of("tensor", "dtype", {name})), name) for name in names
    ]
    parts.append((np.zeros(0, dtype=np.int64), np.zeros(0)))
    owners, found = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    lists = lists_by_owner(owners, found, len(counts))
    return Lists(lists.starts, lists.lengths, lists.take, state=state_of(lists.lengths == 0))


def _is_small_constant(facts: Facts) -> Truths:
    """Return whether each tensor is a dense constant in this file with few elements."""
    column = facts.column("tensor", "n_elements")
    counts = facts.numbers("tensor", "n_elements")
    small = (counts > 0) & (counts <= MAX_VALUES) & facts.numbers("tensor", "is_constant")
    if column.state is not None:
        small &= column.state == 0
    small &= facts.rows("tensor", "buffer") >= 0
    small &= facts.lists("tensor", "sparsity.traversal_order").lengths == 0
    result: Truths = small & (facts.numbers("tensor", "external_buffer") <= 0)
    return result


def _read(facts: Facts, rows: Ints, dtype: str) -> tuple[Ints, NDArray[np.float64]]:
    """Return the row and the value of each element of constants of one type."""
    scalar, bits = _TYPES[dtype]
    width = np.dtype(bits).itemsize
    places, buffers = buffer_places(facts), facts.rows("tensor", "buffer")
    lengths = facts.numbers("tensor", "n_elements").astype(np.int64)
    rows = rows[places.sizes[buffers[rows]] == lengths[rows] * width]
    positions = flat_positions(places.starts[buffers[rows]], lengths[rows], width)
    stored = facts.tables.window.take(positions, scalar).view(bits).astype(np.float64)
    scales = facts.lists("tensor", "scale")
    zeros = first_elements(facts.lists("tensor", "zero_point"), rows, 0.0)
    is_scaled = (scales.lengths[rows] == 1) & (dtype not in ("FLOAT16", "FLOAT32", "FLOAT64"))
    factors = np.where(is_scaled, first_elements(scales, rows, 1.0), 1.0)
    with np.errstate(all="ignore"):  # a hostile file may contain any scale
        real = (stored - np.repeat(np.where(is_scaled, zeros, 0.0), lengths[rows])) * np.repeat(factors, lengths[rows])
    return np.repeat(rows, lengths[rows]), real
