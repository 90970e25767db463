"""Facts about sizes: ranks, numbers of elements, bytes needed and bytes stored."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars, state_of
from tflint.facts.facts import Facts, values_at
from tflint.schema import tflite_schema


@functools.cache
def element_bits() -> dict[str, int | None]:
    """Return the bits per element by type name, or None for a type without a fixed width."""
    return tflite_schema().bits("TensorType")


def n_operators(facts: Facts) -> Scalars:
    """Return the number of operators of each model."""
    return _count_per_model(facts, "operator")


def n_tensors(facts: Facts) -> Scalars:
    """Return the number of tensors of each model."""
    return _count_per_model(facts, "tensor")


def _count_per_model(facts: Facts, table: str) -> Scalars:
    return Scalars(np.bincount(facts.table(table).model, minlength=facts.n("model")))


def buffer_bytes(facts: Facts) -> Scalars:
    """Return the size in bytes of each buffer's data, which is stored in the flatbuffer or after it."""
    inline = facts.lists("buffer", "data").lengths
    by_offset = facts.numbers("buffer", "offset") > 1  # offsets 0 and 1 mean "not after the flatbuffer"
    return Scalars(np.where(by_offset, facts.numbers("buffer", "size").astype(np.float64), inline))


def constant_bytes(facts: Facts) -> Scalars:
    """Return the size of the data in all buffers of each model, in bytes."""
    models = facts.table("buffer").model
    return Scalars(np.bincount(models, weights=facts.numbers("buffer", "n_bytes"), minlength=facts.n("model")))


def is_constant(facts: Facts) -> Scalars:
    """Return whether the file or an external buffer contains the values of each tensor. Buffer 0 means "no values"."""
    inline = values_at(facts.numbers("buffer", "n_bytes"), facts.rows("tensor", "buffer"), 0) > 0
    has_buffer = inline & (facts.numbers("tensor", "buffer_index") != 0)
    return Scalars(has_buffer | (facts.numbers("tensor", "external_buffer") > 0))


def stored_bytes(facts: Facts) -> Scalars:
    """Return the size of each constant's data in the file, in bytes."""
    external = facts.numbers("tensor", "external_buffer") > 0
    stored = values_at(facts.numbers("buffer", "n_bytes"), facts.rows("tensor", "buffer"), 0)
    return Scalars(stored, state_of(~facts.numbers("tensor", "is_constant"), external))


def rank(facts: Facts) -> Scalars:
    """Return the number of dimensions of each stored shape."""
    lengths = facts.lists("tensor", "shape").lengths
    return Scalars(lengths, state_of(np.zeros(len(lengths), np.bool_), (lengths == 0) & ~_has_rank(facts)))


def _has_rank(facts: Facts) -> NDArray[np.bool_]:
    ranks: NDArray[np.bool_] = facts.numbers("tensor", "has_rank") | facts.numbers("tensor", "is_constant")
    return ranks


def n_elements(facts: Facts) -> Scalars:
    """Return the number of elements of each stored shape. It is a float, so that a hostile shape cannot wrap around."""
    shapes = facts.lists("tensor", "shape")
    values, lengths = shapes.flatten(np.arange(len(shapes)))
    sizes = values.astype(np.float64)
    product, negative = np.ones(len(lengths)), np.zeros(len(lengths), dtype=np.bool_)
    rows = np.flatnonzero(lengths)  # `reduceat` cannot handle empty lists
    if len(rows):
        starts = (np.cumsum(lengths) - lengths)[rows]
        product[rows] = np.multiply.reduceat(sizes, starts)
        negative[rows] = np.minimum.reduceat(sizes, starts) < 0
    return Scalars(product, state_of(np.zeros(len(lengths), np.bool_), negative))


def _element_widths(facts: Facts) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return three arrays: the bits per element of each tensor, whether its type has no fixed width or is unknown."""
    known = {name: bits if bits is not None else -1 for name, bits in element_bits().items()}
    bits = facts.by_label("tensor", "dtype", known, -2)
    return bits, bits == -1, bits == -2


def bits(facts: Facts) -> Scalars:
    """Return the bits per element of each tensor."""
    values, no_width, unknown = _element_widths(facts)
    return Scalars(values, state_of(no_width, unknown))


def n_bytes(facts: Facts) -> Scalars:
    """Return the number of bytes that each tensor's shape and type need. Elements of 2 and 4 bits are packed."""
    elements = facts.column("tensor", "n_elements")
    assert isinstance(elements, Scalars)
    width, no_width, unknown = _element_widths(facts)
    negative: Any = elements.state == 2 if elements.state is not None else np.zeros(len(width), np.bool_)
    return Scalars(np.ceil(elements.values * np.maximum(width, 0) / 8), state_of(no_width, unknown | negative))
