"""Finds the constants whose values can be read, the offsets of their data, and the channels of their elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.facts import facts as limits
from tflint.facts.facts import Facts, values_at
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.combined_keys import running_sums, unique_columns
from tflint.facts.weights.constant_pieces import LONG_RUN, Layout
from tflint.facts.weights.element_types import element_types
from tflint.values import frozen

Ints = NDArray[Any]
Truths = NDArray[np.bool_]

#: tflint reads at most this many bytes of constants per model in addition to the size of the model file. The allowance
#: is needed because a small buffer that tensors of several shapes share is read once per shape. The budget bounds the
#: cost of a hostile file with overlapping buffers.
_ALLOWANCE_BYTES = 1 << 20


@frozen(eq=False)
class Constants:
    """The readable constants, sorted by offset. Tensors that interpret the same bytes in the same way share a constant.

    `starts` are offsets in the window, and `types` are indices into `element_types`. Element [o, c, i] of shape
    [outer, channels, inner] is in channel c. `zeros` are the stored integers that represent zero. `has_one_zero` is
    true if all channels have the same zero point. `is_symmetric` is true if −qmax is a limit as well as qmin.

    The other two arrays have one element per tensor. `of_tensor` is the index of the tensor's constant (-1: none).
    `is_absent` is true if the tensor is not a constant of a numeric type.
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
        """Return the layout of a constant's channels."""
        return Layout(int(self.outer[constant]), int(self.channels[constant]), int(self.inner[constant]))

    @property
    def firsts(self) -> Ints:
        """Index of each constant's first channel in the concatenated channels of all constants."""
        firsts: Ints = np.cumsum(self.channels) - self.channels
        return firsts


def constants_of(facts: Facts) -> Constants:
    """Return the readable constants of a batch."""
    return facts.memoize("constants", lambda: _constants(facts))


def _constants(facts: Facts) -> Constants:
    names = list(element_types())
    types = facts.by_label("tensor", "dtype", {name: number for number, name in enumerate(names)}, -1)
    is_absent = ~facts.numbers("tensor", "is_constant") | facts.is_one_of("tensor", "dtype", _NOT_NUMERIC)
    buffers = facts.rows("tensor", "buffer")
    places = buffer_places(facts)
    starts, n_bytes = values_at(places.starts, buffers, 0), values_at(places.sizes, buffers, 0)
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
    chosen, entries = unique_columns(columns)
    kept = _within_budget(facts, columns[:, chosen], facts.table("tensor").model[rows[chosen]])
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    of_tensor = np.full(len(types), -1)
    of_tensor[rows] = numbers[entries]
    first, n_bytes, kinds, outer, channels, inner, zeros, symmetric, uniform = columns[:, chosen[kept]]
    return Constants(
        first, n_bytes, kinds, outer, channels, inner, zeros, symmetric > 0, uniform > 0, of_tensor, is_absent
    )


_NOT_NUMERIC = {"BOOL", "STRING", "RESOURCE", "VARIANT", "COMPLEX64", "COMPLEX128"}


def _is_present(state: Ints | None, n: int) -> Truths:
    return np.ones(n, dtype=np.bool_) if state is None else state == 0


def _channel_axes(facts: Facts, rows: Ints) -> tuple[Ints, Truths]:
    """Return the channel axis of each tensor (-1: a single channel), and whether the shape fits the tensor's scales.

    If a tensor has several scales, its channel axis is the axis of the scales. For weights without scales, it is the
    channel axis of their operator.
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
    """Return, for each tensor, the channel axis of the first operator that uses it as weights (-1: no operator)."""
    weights, axes = facts.rows("operator", "weights"), facts.numbers("operator", "channel_axis")
    result = np.full(facts.n("tensor"), -1)
    operators = np.flatnonzero((weights >= 0) & (axes >= 0))[::-1]
    result[weights[operators]] = axes[operators]
    return result


def _layouts(facts: Facts, rows: Ints, axes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return three products of dimensions for each tensor: those before, along and after the channel axis.

    The products cannot overflow, because the caller checked that the shapes match the size of the data.
    """
    dimensions, ranks = facts.lists("tensor", "shape").flatten(rows)
    sizes = dimensions.astype(np.int64)
    places = np.arange(len(sizes)) - np.repeat(np.cumsum(ranks) - ranks, ranks)
    side = np.sign(places - np.repeat(axes, ranks))
    products = [np.ones(len(rows), dtype=np.int64) for _ in range(3)]
    non_scalar = np.flatnonzero(ranks)  # `reduceat` cannot handle empty lists
    if len(non_scalar):
        begins = (np.cumsum(ranks) - ranks)[non_scalar]
        for product, of_side in zip(products, (-1, 0, 1), strict=True):
            product[non_scalar] = np.multiply.reduceat(np.where(side == of_side, sizes, 1), begins)
    outer, channels, inner = products
    return outer, channels, inner


def _zero_points(facts: Facts, rows: Ints) -> tuple[Ints, Truths]:
    """Return the smallest zero point of each tensor (0 if it has none), and whether all its zero points are equal."""
    lists = facts.lists("tensor", "zero_point")
    points, lengths = lists.flatten(rows)
    zeros, last = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    filled = np.flatnonzero(lengths)
    if len(filled):
        begins = (np.cumsum(lengths) - lengths)[filled]
        zeros[filled], last[filled] = np.minimum.reduceat(points, begins), np.maximum.reduceat(points, begins)
    return zeros, zeros == last


def _within_budget(facts: Facts, columns: Ints, models: Ints) -> Truths:
    """Return whether each constant is read.

    The first constants of each model are read, as many as the budgets of bytes and channels allow.
    """
    _, n_bytes, _, outer, channels, inner, *_ = columns
    window = facts.tables.window
    allowed = (window.ends - window.starts)[models] + _ALLOWANCE_BYTES
    groups = np.where((channels > 1) & (outer > 1) & (inner < LONG_RUN), channels * inner, channels)
    is_small_enough: Truths = (
        (running_sums(n_bytes, models) <= allowed)
        & (running_sums(channels, models) <= limits.MAX_ELEMENTS)
        & (groups <= limits.MAX_ELEMENTS)
    )
    return is_small_enough
