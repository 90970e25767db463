"""The main subgraph of a model as a graph of tensors and operators, with the real values of its constants."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.facts.run.main_subgraph import main_subgraph
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.element_types import element_types
from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.values import frozen

Array = NDArray[Any]

#: Operators that change only how values are stored.
CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
#: Types of tensors with numbers that can be compared.
FLOATS = ("FLOAT16", "BFLOAT16", "FLOAT32", "FLOAT64")
#: Largest constant that is read.
MAX_CONSTANT_BYTES = 128 << 20


@frozen
class GraphTensor:
    """A tensor. `axis` is the axis of its scales.

    `is_plain` is whether its bytes are in the file and not sparse. `buffer` is the row of its buffer.
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    is_constant: bool
    is_plain: bool
    buffer: int

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def is_quantized(self) -> bool:
        """Whether the integers of the tensor represent real numbers."""
        return self.dtype in INTEGER_RANGES and bool(self.scales) and all(0 < scale < math.inf for scale in self.scales)

    @property
    def is_real(self) -> bool:
        """Whether the values are real numbers, quantized or not."""
        return self.dtype in FLOATS or self.is_quantized

    @property
    def step(self) -> float | None:
        """The quantization step, None if the tensor has not exactly one."""
        return self.scales[0] if self.is_quantized and len(self.scales) == 1 else None

    @property
    def limits(self) -> tuple[float, float] | None:
        """The smallest and largest real value, None if the tensor has not exactly one scale."""
        if self.step is None:
            return None
        low, high = INTEGER_RANGES[self.dtype]
        zero = self.zero_points[0] if self.zero_points else 0
        return (low - zero) * self.step, (high - zero) * self.step


@frozen
class GraphOperator:
    """An operator. `weights`, `bias` and `channel_axis` are -1 if it has none."""

    number: int
    opcode: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    weights: int
    bias: int
    channel_axis: int


class ComparedGraph:
    """The main subgraph of a model. `producers` and `consumers` map tensors to numbers of operators."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        main = main_subgraph(facts, 0)
        owners = facts.rows("tensor", "subgraph")
        rows = np.flatnonzero(owners == main)
        self._first = int(rows[0]) if len(rows) else 0
        self.tensors = tuple(_read_tensors(facts, rows))
        self.operators = tuple(_read_operators(facts, main, self._first))
        self.inputs = tuple(self._interface("input", main))
        self.outputs = tuple(self._interface("output", main))
        self.producers = {tensor: one.number for one in self.operators for tensor in one.outputs}
        self.consumers: dict[int, list[int]] = {}
        for one in self.operators:
            for tensor in one.inputs:
                self.consumers.setdefault(tensor, []).append(one.number)

    def _interface(self, side: str, main: int) -> Iterator[int]:
        tensors = self.facts.rows(side, "tensor")
        for row in np.flatnonzero(self.facts.rows(side, "subgraph") == main):
            yield int(tensors[row]) - self._first

    @property
    def has_state(self) -> bool:
        """Whether the model may keep values between invocations."""
        variables = self.facts.numbers("tensor", "is_variable")
        return bool(variables.any()) or any(one.opcode == "VAR_HANDLE" for one in self.operators)

    def producer(self, tensor: int) -> GraphOperator | None:
        """Return the operator that computes a tensor."""
        number = self.producers.get(tensor)
        return None if number is None else self.operators[number]

    def origin(self, tensor: int) -> int:
        """Return the tensor whose values a tensor stores in a different type: the first of a chain of conversions."""
        seen: set[int] = set()
        while tensor not in seen:
            seen.add(tensor)
            operator = self.producer(tensor)
            if operator is None or operator.opcode not in CONVERSIONS or not operator.inputs or operator.inputs[0] < 0:
                break
            tensor = operator.inputs[0]
        return tensor

    def is_constant(self, tensor: int) -> bool:
        """Return whether a tensor is a constant, or a converted constant."""
        return tensor >= 0 and self.tensors[self.origin(tensor)].is_constant

    def read_raw(self, tensor: int) -> Array | None:
        """Return the stored numbers of a constant, None if they cannot be read."""
        found = self.tensors[tensor]
        kind = element_types().get(found.dtype)
        if kind is None or not found.is_constant or not found.is_plain or found.buffer < 0:
            return None
        places = buffer_places(self.facts)
        start, n_bytes = int(places.starts[found.buffer]), int(places.sizes[found.buffer])
        if n_bytes * 8 < found.size * kind.bits or n_bytes > MAX_CONSTANT_BYTES or not found.size:
            return None
        window = self.facts.tables.window
        raw = window.read_once(start, start + n_bytes, np.empty(n_bytes, dtype=np.uint8))
        n_used = -(-found.size * kind.bits // 8)
        content = np.frombuffer(bytes(raw[:n_used].data), dtype=np.uint8)
        if found.dtype == "FLOAT16":
            return content.view("<f2").reshape(found.shape)
        if found.dtype == "BFLOAT16":
            return (content.view("<u2").astype("<u4") << 16).view("<f4").reshape(found.shape)
        if kind.bits < 8:  # the elements of whole words are unpacked
            content = np.concatenate([content, np.zeros(-len(content) % 8, dtype=np.uint8)])
        return kind.elements(content)[: found.size].reshape(found.shape)

    def read_real(self, tensor: int, scales: Sequence[float] | None = None) -> Array | None:
        """Return the real values of a constant, None if they are unknown. `scales` replaces the stored scales."""
        found = self.tensors[tensor]
        raw = self.read_raw(tensor)
        if raw is None:
            return None
        if found.dtype in FLOATS:
            return raw.astype(np.float64)
        used = found.scales if scales is None else tuple(scales)
        if not used:
            return None
        return dequantize(raw, used, found.zero_points, found.axis)


def dequantize(raw: Array, scales: Sequence[float], zero_points: Sequence[int], axis: int) -> Array | None:
    """Return the real values of stored integers, None if the number of scales does not fit the shape."""
    zeros = np.array(zero_points or (0,), dtype=np.float64)
    factors = np.array(scales, dtype=np.float64)
    if len(factors) > 1 or len(zeros) > 1:
        if not 0 <= axis < raw.ndim or any(len(one) not in (1, raw.shape[axis]) for one in (factors, zeros)):
            return None
        shape = [-1 if number == axis else 1 for number in range(raw.ndim)]
        factors, zeros = factors.reshape(shape), zeros.reshape(shape)
    if factors.size == 1 and zeros.size == 1:
        factors, zeros = factors.reshape(()), zeros.reshape(())
    values: Array = (raw.astype(np.float64) - zeros) * factors
    return values


def _read_tensors(facts: Facts, rows: Array) -> Iterator[GraphTensor]:
    names, dtypes = facts.column("tensor", "name"), facts.column("tensor", "dtype")
    shapes, scales, zeros = (facts.lists("tensor", name) for name in ("shape", "scale", "zero_point"))
    axes, constants = facts.numbers("tensor", "quantized_dimension"), facts.numbers("tensor", "is_constant")
    external = facts.numbers("tensor", "external_buffer") > 0
    sparse = facts.lists("tensor", "sparsity.traversal_order").lengths > 0
    buffers = facts.rows("tensor", "buffer")
    for index, row in enumerate(rows.tolist()):
        yield GraphTensor(
            index,
            text_of(names, row) or "",
            text_of(dtypes, row) or "",
            tuple(int(size) for size in shapes.row(row)),
            tuple(float(scale) for scale in scales.row(row)),
            tuple(int(zero) for zero in zeros.row(row)),
            int(axes[row]),
            bool(constants[row]),
            not external[row] and not sparse[row],
            int(buffers[row]),
        )


def _read_operators(facts: Facts, main: int, first: int) -> Iterator[GraphOperator]:
    opcodes = facts.column("operator", "opcode")
    inputs, outputs = facts.lists("operator", "inputs"), facts.lists("operator", "outputs")
    weights, biases = facts.rows("operator", "weights"), facts.rows("operator", "bias")
    axes = facts.numbers("operator", "channel_axis")

    def index(row: int) -> int:
        return row - first if row >= 0 else -1

    for number, row in enumerate(np.flatnonzero(facts.rows("operator", "subgraph") == main).tolist()):
        yield GraphOperator(
            number,
            text_of(opcodes, row) or "",
            tuple(index(int(tensor)) for tensor in inputs.row(row)),
            tuple(index(int(tensor)) for tensor in outputs.row(row)),
            index(int(weights[row])),
            index(int(biases[row])),
            int(axes[row]),
        )
