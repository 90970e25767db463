"""Facts about sparse tensors: whether their sparsity parameters are valid.

The checks are those of LiteRT's verifier (tflite/core/tools/verifier.cc), which applications rarely run. In addition,
this module checks the vector lengths that LiteRT's kernels rely on without checking them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Strings, strings_of
from tflint.facts.facts import Facts, require_budget
from tflint.flatbuffer.node import Node
from tflint.values import frozen

Ints = NDArray[Any]

_INDEX_VECTORS = ("Int32Vector", "Uint16Vector", "Uint8Vector")


@frozen
class _Dimension:
    """A stored dimension.

    If it is dense, `size` is its size. Otherwise `segments` are the starts of its slices, and `indices` are the indices
    in all slices; each is None if the file does not have it.
    """

    is_dense: bool
    size: int
    segments: Ints | None
    indices: Ints | None


def sparsity_error(facts: Facts) -> Strings:
    """Return the first error in the sparsity parameters of each tensor, absent if there is none."""
    orders = facts.lists("tensor", "sparsity.traversal_order")
    links = facts.tables.node("subgraphs.tensors", "Tensor").link("sparsity")
    errors: list[str | None] = [None] * len(orders)
    for row in np.flatnonzero(links >= 0).tolist():
        errors[row] = _Sparsity(facts, row, orders).find_error()
    return strings_of(errors)


class _Sparsity:
    """The sparsity parameters of one tensor."""

    def __init__(self, facts: Facts, tensor: int, orders: Lists) -> None:
        self.facts = facts
        self.tensor = tensor
        self.order = orders.row(tensor)
        self.shape = facts.lists("tensor", "shape").row(tensor)
        self.blocks = facts.lists("tensor", "sparsity.block_map").row(tensor)
        self.rows = facts.lists("tensor", "sparsity.dimensions").row(tensor)

    def find_error(self) -> str | None:
        """Return the first error, or None."""
        error = self._check_structure()
        if error:
            return error
        error, n_stored = self._check_dimensions()
        return error or self._check_values(n_stored)

    def _check_structure(self) -> str | None:
        rank, n = len(self.shape), len(self.order)
        if n != len(self.rows):
            return f"traversal_order has length {n}, but dim_metadata has length {len(self.rows)}"
        if n < rank:
            return f"traversal_order has length {n}, but the tensor has rank {rank}"
        if sorted(self.order) != list(range(n)):
            return f"traversal_order {self.order} is not a permutation"
        if n - rank != len(self.blocks):
            return f"block_map has length {len(self.blocks)}, but traversal_order needs length {n - rank}"
        if any(not 0 <= axis < rank for axis in self.blocks):
            return f"block_map {self.blocks} contains a dimension that the tensor does not have"
        return None

    def _check_dimensions(self) -> tuple[str | None, int]:
        """Return the first error in the stored dimensions (None: no error) and the number of values they describe.

        Stored dimensions are nested: each element of a dimension is a slice of the next one.
        """
        n_slices = 1
        sizes = self._block_counts()
        for position, axis in enumerate(self.order):
            dimension = self._read_dimension(self.rows[position])
            if dimension.is_dense:
                if axis < len(sizes) and sizes[axis] != dimension.size:
                    return f"stored dimension {position} has size {dimension.size}, but the shape has {sizes[axis]}", 0
                n_slices *= max(dimension.size, 0)
                continue
            error = _check_csr(dimension, position, n_slices, sizes[axis] if axis < len(sizes) else None)
            if error:
                return error, 0
            assert dimension.indices is not None  # `_check_csr` reports missing indices
            n_slices = len(dimension.indices)
        return None, n_slices

    def _check_values(self, n_stored: int) -> str | None:
        """Return an error if the tensor has less data than kernels read, otherwise None.

        Kernels do not check the size of the data.
        """
        bits = self.facts.numbers("tensor", "bits")[self.tensor]
        stored = int(self.facts.numbers("tensor", "stored_bytes")[self.tensor])
        needed = -(-n_stored * int(bits) // 8)
        if bits > 0 and self.facts.numbers("tensor", "is_constant")[self.tensor] and stored < needed:
            return f"the tensor's data has {stored} bytes, but the stored dimensions need {needed} bytes"
        return None

    def _block_counts(self) -> list[int]:
        """Return the size of each dimension of the shape. The size of a blocked dimension is its number of blocks."""
        sizes = list(self.shape)
        for number, axis in enumerate(self.blocks):
            position = self.order.index(len(self.shape) + number)
            block = self._read_dimension(self.rows[position])
            if block.is_dense and block.size > 0:
                sizes[axis] //= block.size
        return sizes

    def _read_dimension(self, row: int) -> _Dimension:
        node = self.facts.tables.node("subgraphs.tensors.sparsity.dim_metadata", "DimensionMetadata")
        is_dense = int(node.scalar("format")[row]) == 0
        size = int(node.scalar("dense_size")[row])
        return _Dimension(
            is_dense, size, _read_vector(node, row, "array_segments"), _read_vector(node, row, "array_indices")
        )


def _read_vector(node: Node, row: int, field: str) -> Ints | None:
    """Return the segments or indices of a dimension, or None if the file does not have them."""
    for member in _INDEX_VECTORS:
        child = node.children.get(f"{field}.{member}")
        link = int(node.link(f"{field}.{member}")[row]) if child is not None else -1
        if child is not None and link >= 0:
            values = child.vector("values")
            require_budget(int(values.lengths[link]), "indices of sparse tensors")
            return node.window.take(values.flat_offsets(np.array([link])), values.scalar).astype(np.int64)
    return None


def _check_csr(dimension: _Dimension, position: int, n_slices: int, size: int | None) -> str | None:
    segments, indices = dimension.segments, dimension.indices
    name = f"stored dimension {position}"
    if segments is None or indices is None:
        return f"{name} is sparse but has no segments or no indices"
    if len(segments) != n_slices + 1:
        return f"{name} has {len(segments)} segments, but needs {n_slices + 1}"
    if int(segments[0]) != 0 or (np.diff(segments) < 0).any():
        return f"the segments of {name} do not start at 0 or are not ascending"
    if int(segments[-1]) != len(indices):
        return f"the segments of {name} end at {int(segments[-1])}, but it has {len(indices)} indices"
    if size is not None and ((indices < 0) | (indices >= size)).any():
        return f"an index of {name} is out of range for its size {size}"
    return None
