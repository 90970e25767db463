"""Finds why a tensor has a coarse scale: it shares the scale with larger tensors, or with a constant for padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tflint.confirm.compare.compared_graph import ComparedGraph
from tflint.values import frozen

#: Operators that join several tensors, which then have the same scale.
_JOINING = ("CONCATENATION", "PACK")
#: Operators that pad with a constant.
_PADDING = ("PADV2",)
#: Maximum number of tensors of the same scale that are searched.
_MAX_TENSORS = 64
#: A constant for padding is extreme from this absolute value on.
_EXTREME = 1e4


@frozen
class SharedRange:
    """A joining operator, and the other tensors that it joins."""

    opcode: str
    operator: int
    others: tuple[int, ...]


def find_shared_range(model: ComparedGraph, tensor: int) -> SharedRange | None:
    """Return the joining operator that a tensor reaches without a change of its scale."""
    for one in _same_scale(model, tensor, backward=False):
        for number in model.consumers.get(one, ()):
            operator = model.operators[number]
            if operator.opcode in _JOINING:
                others = tuple(other for other in operator.inputs if other >= 0 and other != one)
                if others:
                    return SharedRange(operator.opcode, number, others)
    return None


def find_padding(model: ComparedGraph, tensor: int) -> tuple[str, float] | None:
    """Return the opcode and the extreme constant of a padding operator whose scale a tensor has."""
    for one in _same_scale(model, tensor, backward=True):
        neighbors = [*model.consumers.get(one, ()), *([model.producers[one]] if one in model.producers else [])]
        for number in neighbors:
            operator = model.operators[number]
            if operator.opcode not in _PADDING or len(operator.inputs) < 3 or operator.inputs[2] < 0:
                continue
            values = model.read_real(model.origin(operator.inputs[2]))
            if values is not None and values.size and float(np.abs(values).max()) >= _EXTREME:
                return operator.opcode, float(values.reshape(-1)[0])
    return None


def _same_scale(model: ComparedGraph, tensor: int, *, backward: bool) -> Iterator[int]:
    """Yield a tensor and the tensors of the same scale that are computed from it; with `backward` also its sources."""
    step = model.tensors[tensor].step
    waiting, seen = [tensor], {tensor}
    while waiting and len(seen) < _MAX_TENSORS:
        one = waiting.pop(0)
        yield one
        found = [output for number in model.consumers.get(one, ()) for output in model.operators[number].outputs]
        producer = model.producer(one)
        if backward and producer is not None:
            found += [source for source in producer.inputs if source >= 0 and not model.is_constant(source)]
        for other in found:
            if other >= 0 and other not in seen and step is not None and model.tensors[other].step == step:
                seen.add(other)
                waiting.append(other)
