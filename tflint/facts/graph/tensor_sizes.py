"""Facts of size: ranks, elements, bytes needed and bytes stored."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars, state_of
from tflint.facts.facts import Facts, taken
from tflint.schema import tflite_schema


@functools.cache
def element_bits() -> dict[str, int | None]:
    """Bits an element of each type; None where the width is not fixed."""
    return tflite_schema().bits("TensorType")


def n_operators(facts: Facts) -> Scalars:
    """Operators of each model."""
    return _per_model(facts, "operator")


def n_tensors(facts: Facts) -> Scalars:
    """Tensors of each model."""
    return _per_model(facts, "tensor")


def _per_model(facts: Facts, table: str) -> Scalars:
    return Scalars(np.bincount(facts.table(table).model, minlength=facts.n("model")))


def buffer_bytes(facts: Facts) -> Scalars:
    """Bytes of a buffer, stored in the flatbuffer or by offset (offsets 0 and 1 mean none)."""
    inline = facts.lists("buffer", "data").lengths
    by_offset = facts.numbers("buffer", "offset") > 1
    return Scalars(np.where(by_offset, facts.numbers("buffer", "size").astype(np.float64), inline))


def constant_bytes(facts: Facts) -> Scalars:
    """Bytes of data in the buffers of each model."""
    models = facts.table("buffer").model
    return Scalars(np.bincount(models, weights=facts.numbers("buffer", "n_bytes"), minlength=facts.n("model")))


def is_constant(facts: Facts) -> Scalars:
    """Whether the file (or an external buffer of it) holds a tensor's values; buffer 0 means none."""
    inline = taken(facts.numbers("buffer", "n_bytes"), facts.rows("tensor", "buffer"), 0) > 0
    has_buffer = inline & (facts.numbers("tensor", "buffer_index") != 0)
    return Scalars(has_buffer | (facts.numbers("tensor", "external_buffer") > 0))


def stored_bytes(facts: Facts) -> Scalars:
    """Bytes of data that the file holds for a tensor."""
    external = facts.numbers("tensor", "external_buffer") > 0
    stored = taken(facts.numbers("buffer", "n_bytes"), facts.rows("tensor", "buffer"), 0)
    return Scalars(stored, state_of(~facts.numbers("tensor", "is_constant"), external))


def rank(facts: Facts) -> Scalars:
    """Number of dimensions of the stored shape."""
    lengths = facts.lists("tensor", "shape").lengths
    return Scalars(lengths, state_of(np.zeros(len(lengths), np.bool_), (lengths == 0) & ~_has_rank(facts)))


def _has_rank(facts: Facts) -> NDArray[np.bool_]:
    ranks: NDArray[np.bool_] = facts.numbers("tensor", "has_rank") | facts.numbers("tensor", "is_constant")
    return ranks


def n_elements(facts: Facts) -> Scalars:
    """Product of the stored shape, as a float: a hostile shape must not wrap around."""
    shapes = facts.lists("tensor", "shape")
    values, lengths = shapes.flatten(np.arange(len(shapes)))
    sizes = values.astype(np.float64)
    product, negative = np.ones(len(lengths)), np.zeros(len(lengths), dtype=np.bool_)
    some = np.flatnonzero(lengths)
    if len(some):
        starts = (np.cumsum(lengths) - lengths)[some]
        product[some] = np.multiply.reduceat(sizes, starts)
        negative[some] = np.minimum.reduceat(sizes, starts) < 0
    return Scalars(product, state_of(np.zeros(len(lengths), np.bool_), negative))


def _bits(facts: Facts) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Bits an element, and which rows have no fixed width or an unknown type."""
    known = {name: bits if bits is not None else -1 for name, bits in element_bits().items()}
    bits = facts.by_label("tensor", "dtype", known, -2)
    return bits, bits == -1, bits == -2


def bits(facts: Facts) -> Scalars:
    """Bits an element."""
    values, loose, unknown = _bits(facts)
    return Scalars(values, state_of(loose, unknown))


def n_bytes(facts: Facts) -> Scalars:
    """Bytes that shape and type need; elements of 2 and 4 bits are packed."""
    elements = facts.column("tensor", "n_elements")
    assert isinstance(elements, Scalars)
    width, loose, unknown = _bits(facts)
    negative: Any = elements.state == 2 if elements.state is not None else np.zeros(len(width), np.bool_)
    return Scalars(np.ceil(elements.values * np.maximum(width, 0) / 8), state_of(loose, unknown | negative))
