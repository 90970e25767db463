"""Facts of sparse tensors: whether the description of what is stored makes sense.

The checks are those of LiteRT's own verifier (tflite/core/tools/verifier.cc), which applications rarely run, and the
lengths that its kernels rely on without looking.
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
    """A stored dimension: its size where it is dense, else where each slice begins and which indices it holds."""

    is_dense: bool
    size: int
    segments: Ints | None
    indices: Ints | None


def sparsity_error(facts: Facts) -> Strings:
    """What is wrong with the sparsity of a tensor; absent where nothing is, or where it is dense."""
    orders = facts.lists("tensor", "sparsity.traversal_order")
    links = facts.tables.node("subgraphs.tensors", "Tensor").link("sparsity")
    problems: list[str | None] = [None] * len(orders)
    for row in np.flatnonzero(links >= 0).tolist():
        problems[row] = _Sparsity(facts, row, orders).problem()
    return strings_of(problems)


class _Sparsity:
    """The sparsity of one tensor, read when asked for."""

    def __init__(self, facts: Facts, tensor: int, orders: Lists) -> None:
        self.facts = facts
        self.tensor = tensor
        self.order = orders.row(tensor)
        self.shape = facts.lists("tensor", "shape").row(tensor)
        self.blocks = facts.lists("tensor", "sparsity.block_map").row(tensor)
        self.rows = facts.lists("tensor", "sparsity.dimensions").row(tensor)

    def problem(self) -> str | None:
        """The first thing that is wrong; None where nothing is."""
        problem = self._frame()
        if problem:
            return problem
        problem, n_stored = self._dimensions()
        return problem or self._values(n_stored)

    def _frame(self) -> str | None:
        rank, n = len(self.shape), len(self.order)
        if n != len(self.rows):
            return f"{n} dimensions are traversed, {len(self.rows)} are described"
        if n < rank:
            return f"{n} dimensions are traversed, the tensor has {rank}"
        if sorted(self.order) != list(range(n)):
            return f"the order of traversal {self.order} is no permutation"
        if n - rank != len(self.blocks):
            return f"{n - rank} block dimensions are traversed, {len(self.blocks)} are mapped"
        if any(not 0 <= axis < rank for axis in self.blocks):
            return f"the block map {self.blocks} names a dimension that is not there"
        return None

    def _dimensions(self) -> tuple[str | None, int]:
        """What is wrong with the stored dimensions, and how many values they hold: slices of one lie in the next."""
        n_slices = 1
        sizes = self._sizes()
        for position, axis in enumerate(self.order):
            found = self._dimension(self.rows[position])
            if found.is_dense:
                if axis < len(sizes) and sizes[axis] != found.size:
                    return f"stored dimension {position} has size {found.size}, the shape says {sizes[axis]}", 0
                n_slices *= max(found.size, 0)
                continue
            problem = _csr_problem(found, position, n_slices, sizes[axis] if axis < len(sizes) else None)
            if problem:
                return problem, 0
            assert found.indices is not None  # else there was a problem
            n_slices = len(found.indices)
        return None, n_slices

    def _values(self, n_stored: int) -> str | None:
        """Kernels read as many values as the dimensions say, however many there are."""
        bits = self.facts.numbers("tensor", "bits")[self.tensor]
        stored = int(self.facts.numbers("tensor", "stored_bytes")[self.tensor])
        needed = -(-n_stored * int(bits) // 8)
        if bits > 0 and self.facts.numbers("tensor", "is_constant")[self.tensor] and stored < needed:
            return f"{stored} bytes of values are stored, {needed} are needed"
        return None

    def _sizes(self) -> list[int]:
        """The size of each dimension of the shape, in blocks where it is blocked."""
        sizes = list(self.shape)
        for number, axis in enumerate(self.blocks):
            position = self.order.index(len(self.shape) + number)
            block = self._dimension(self.rows[position])
            if block.is_dense and block.size > 0:
                sizes[axis] //= block.size
        return sizes

    def _dimension(self, row: int) -> _Dimension:
        node = self.facts.tables.node("subgraphs.tensors.sparsity.dim_metadata", "DimensionMetadata")
        is_dense = int(node.scalar("format")[row]) == 0
        size = int(node.scalar("dense_size")[row])
        return _Dimension(is_dense, size, _vector(node, row, "array_segments"), _vector(node, row, "array_indices"))


def _vector(node: Node, row: int, field: str) -> Ints | None:
    """The numbers of a vector of segments or indices; None where the file has none."""
    for member in _INDEX_VECTORS:
        child = node.children.get(f"{field}.{member}")
        link = int(node.link(f"{field}.{member}")[row]) if child is not None else -1
        if child is not None and link >= 0:
            values = child.vector("values")
            require_budget(int(values.lengths[link]), "indices of sparse tensors")
            return node.window.take(values.flat_offsets(np.array([link])), values.scalar).astype(np.int64)
    return None


def _csr_problem(dimension: _Dimension, position: int, n_slices: int, size: int | None) -> str | None:
    segments, indices = dimension.segments, dimension.indices
    where = f"stored dimension {position}"
    if segments is None or indices is None:
        return f"{where} is sparse and has no segments or no indices"
    if len(segments) != n_slices + 1:
        return f"{where} has {len(segments)} segments, {n_slices + 1} are needed"
    if int(segments[0]) != 0 or (np.diff(segments) < 0).any():
        return f"the segments of {where} do not begin at 0 and grow"
    if int(segments[-1]) != len(indices):
        return f"the segments of {where} end at {int(segments[-1])}, there are {len(indices)} indices"
    if size is not None and ((indices < 0) | (indices >= size)).any():
        return f"an index of {where} is not below its size {size}"
    return None
