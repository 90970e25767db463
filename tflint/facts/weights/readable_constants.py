"""Which tensors are constants that can be read, where their elements lie, and to which channels these belong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts import facts as limits
from tflint.facts.facts import Facts, taken
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.combined_keys import distinct, sums_within
from tflint.facts.weights.constant_pieces import LONG_RUN, Layout
from tflint.facts.weights.element_types import element_types
from tflint.values import frozen

Ints = NDArray[Any]
Truths = NDArray[np.bool_]

#: A model may have so many bytes of constants looked at beyond its own size: small buffers that tensors of several
#: shapes share are looked at for each. It bounds what a file can cost whose buffers overlap.
_ALLOWANCE_BYTES = 1 << 20


@frozen(eq=False)
class Constants:
    """What can be read: one entry for all tensors that see the same bytes in the same way, ascending by place.

    `starts`: offset in the window; `n_bytes`; `types`: index into the names of `element_types`; `outer`, `channels`,
    `inner`: the element [o, c, i] is of channel c; `zeros`: the stored integer that means zero; `is_symmetric`:
    whether both extremes are as far from it; `has_one_zero`: it is the same in all channels. `of_tensor`: for each
    tensor its entry, -1 for none; `is_absent`: tensors that are no constants or whose type is no number.
    """

    starts: Ints
    n_bytes: Ints
    types: Ints
    outer: Ints
    channels: Ints
    inner: Ints
    zeros: Ints
    is_symmetric: Truths
    has_one_zero: Truths
    of_tensor: Ints
    is_absent: Truths

    def __len__(self) -> int:
        return len(self.starts)

    def layout(self, constant: int) -> Layout:
        """How the elements of one belong to channels."""
        return Layout(int(self.outer[constant]), int(self.channels[constant]), int(self.inner[constant]))

    @property
    def firsts(self) -> Ints:
        """Where the channels of each begin, when those of all are laid end to end."""
        firsts: Ints = np.cumsum(self.channels) - self.channels
        return firsts


def constants_of(facts: Facts) -> Constants:
    """The constants of a batch."""
    return facts.once("constants", lambda: _constants(facts))


def _constants(facts: Facts) -> Constants:
    names = list(element_types())
    types = facts.by_label("tensor", "dtype", {name: number for number, name in enumerate(names)}, -1)
    no_number = facts.is_one_of("tensor", "dtype", _NO_NUMBERS)
    is_absent = ~facts.numbers("tensor", "is_constant") | no_number
    buffers = facts.rows("tensor", "buffer")
    places = buffer_places(facts)
    starts, n_bytes = taken(places.starts, buffers, 0), taken(places.sizes, buffers, 0)
    needed = facts.column("tensor", "n_bytes")
    fits = (facts.numbers("tensor", "n_bytes") == n_bytes) & (n_bytes > 0) & _is_present(needed.state, len(types))
    is_external = facts.numbers("tensor", "external_buffer") > 0
    is_sparse = facts.lists("tensor", "sparsity.traversal_order").lengths > 0
    rows = np.flatnonzero(~is_absent & (types >= 0) & fits & ~is_external & ~is_sparse)
    axes, is_known = _channel_axes(facts, rows)
    rows, axes = rows[is_known], axes[is_known]
    outer, channels, inner = _layouts(facts, rows, axes)
    zeros, is_uniform = _zero_points(facts, rows)
    low = np.array([type_.low for type_ in element_types().values()])[types[rows]]
    is_symmetric = (zeros == 0) & (low < 0)
    columns = np.stack(
        [starts[rows], n_bytes[rows], types[rows], outer, channels, inner, zeros, is_symmetric, is_uniform]
    )
    chosen, entries = distinct(columns)
    kept = _within_budget(facts, columns[:, chosen], facts.table("tensor").model[rows[chosen]])
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    of_tensor = np.full(len(types), -1)
    of_tensor[rows] = numbers[entries]
    first, n_bytes, kinds, outer, channels, inner, zeros, symmetric, uniform = columns[:, chosen[kept]]
    return Constants(
        first, n_bytes, kinds, outer, channels, inner, zeros, symmetric > 0, uniform > 0, of_tensor, is_absent
    )


_NO_NUMBERS = {"BOOL", "STRING", "RESOURCE", "VARIANT", "COMPLEX64", "COMPLEX128"}


def _is_present(state: Ints | None, n: int) -> Truths:
    return np.ones(n, dtype=np.bool_) if state is None else state == 0


def _channel_axes(facts: Facts, rows: Ints) -> tuple[Ints, Truths]:
    """The axis of each tensor's channels, -1 for a single one; and whether it is one that the shape has.

    Channels are those of the scales where there are several; of weights without scales those of their operator.
    """
    n_scales = facts.lists("tensor", "scale").lengths[rows]
    shapes = facts.lists("tensor", "shape")
    ranks = shapes.lengths[rows]
    axes = np.where(n_scales > 1, facts.numbers("tensor", "quantized_dimension")[rows].astype(np.int64), -1)
    is_known = (n_scales <= 1) | (axes >= 0) & (axes < ranks)
    plain = np.where(n_scales == 0, _operator_axes(facts)[rows], -1)
    axes = np.where((plain >= 0) & (plain < ranks), plain, np.where(is_known, axes, -1))
    several = np.flatnonzero(is_known & (n_scales > 1))
    sizes = shapes.take(shapes.starts[rows[several]] + axes[several] * shapes.stride)
    is_known[several] &= sizes == n_scales[several]
    return axes, is_known


def _operator_axes(facts: Facts) -> Ints:
    """The channel axis of the first operator whose weights each tensor is, -1 for none."""
    weights, axes = facts.rows("operator", "weights"), facts.numbers("operator", "channel_axis")
    result = np.full(facts.n("tensor"), -1)
    operators = np.flatnonzero((weights >= 0) & (axes >= 0))[::-1]
    result[weights[operators]] = axes[operators]
    return result


def _layouts(facts: Facts, rows: Ints, axes: Ints) -> tuple[Ints, Ints, Ints]:
    """Elements before, along and behind the axis of shapes that are known to fit their data (so nothing overflows)."""
    dimensions, ranks = facts.lists("tensor", "shape").flatten(rows)
    sizes = dimensions.astype(np.int64)
    places = np.arange(len(sizes)) - np.repeat(np.cumsum(ranks) - ranks, ranks)
    side = np.sign(places - np.repeat(axes, ranks))
    products = [np.ones(len(rows), dtype=np.int64) for _ in range(3)]
    some = np.flatnonzero(ranks)
    if len(some):
        begins = (np.cumsum(ranks) - ranks)[some]
        for product, of_side in zip(products, (-1, 0, 1), strict=True):
            product[some] = np.multiply.reduceat(np.where(side == of_side, sizes, 1), begins)
    outer, channels, inner = products
    return outer, channels, inner


def _zero_points(facts: Facts, rows: Ints) -> tuple[Ints, Truths]:
    """The zero point of each tensor, 0 where it has none; and whether all its zero points are equal."""
    lists = facts.lists("tensor", "zero_point")
    points, lengths = lists.flatten(rows)
    zeros, last = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    some = np.flatnonzero(lengths)
    if len(some):
        begins = (np.cumsum(lengths) - lengths)[some]
        zeros[some], last[some] = np.minimum.reduceat(points, begins), np.maximum.reduceat(points, begins)
    return zeros, zeros == last


def _within_budget(facts: Facts, columns: Ints, models: Ints) -> Truths:
    """Which constants are read: of each model the first ones, up to its own size and to a number of channels."""
    _, n_bytes, _, outer, channels, inner, *_ = columns
    window = facts.tables.window
    allowed = (window.ends - window.starts)[models] + _ALLOWANCE_BYTES
    groups = np.where((channels > 1) & (outer > 1) & (inner < LONG_RUN), channels * inner, channels)
    is_small_enough: Truths = (
        (sums_within(n_bytes, models) <= allowed)
        & (sums_within(channels, models) <= limits.MAX_ELEMENTS)
        & (groups <= limits.MAX_ELEMENTS)
    )
    return is_small_enough
