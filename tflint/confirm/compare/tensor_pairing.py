"""Pairs the operators and tensors of a model with those of its reference.

Operators are paired by the names of their outputs, then by the tensors that they read, then by aligning the sequences
of opcodes. Conversions (QUANTIZE, DEQUANTIZE) are skipped: a tensor and its conversions have the same reference.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.compare.compared_graph import CONVERSIONS, ComparedGraph, GraphOperator, GraphTensor
from tflint.facts.facts import Facts
from tflint.facts.pair.pair_matching import InterfaceTensor, match_tensors, signature_names
from tflint.facts.run.main_subgraph import main_subgraph
from tflint.findings.fingerprint import is_generated
from tflint.values import frozen

Array = NDArray[Any]

#: How a pair was found.
BY_NAME, BY_GRAPH = "name", "graph"
#: Maximum number of cells of the table with which two sequences of operators are aligned.
MAX_CELLS = 4_000_000
#: Number of elements of constants that decide between several candidates.
_MAX_SAMPLED = 4_096


@frozen
class PairedOperator:
    """An operator of the model, the operator of the reference, and how they were paired."""

    model: int
    reference: int
    how: str


@frozen(eq=False)
class Pairing:
    """Pairs of operators and tensors.

    `activations` maps tensors of the model that are not constants to tensors of the reference, `constants` does the
    same for constants. `inputs` and `outputs` have the pairs of positions (model, reference).
    """

    operators: tuple[PairedOperator, ...]
    activations: dict[int, int]
    constants: dict[int, int]
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]

    @property
    def is_empty(self) -> bool:
        """Whether the models share nothing that can be compared."""
        return not self.operators and not self.constants


def pair_graphs(reference: ComparedGraph, model: ComparedGraph) -> Pairing:
    """Return the pairs of a model and its reference."""
    return _Pairer(reference, model).pair()


class _Pairer:
    def __init__(self, reference: ComparedGraph, model: ComparedGraph) -> None:
        self._reference, self._model = reference, model
        self._operators: dict[int, tuple[int, str]] = {}
        self._used: set[int] = set()
        self._origins: dict[int, int] = {}  # origins of the model's tensors to origins of the reference's

    def pair(self) -> Pairing:
        inputs, outputs = (tuple(_match_interface(self._reference, self._model, side)) for side in ("input", "output"))
        for position, other in inputs:
            tensor, partner = self._model.inputs[position], self._reference.inputs[other]
            if tensor >= 0 and partner >= 0:
                self._origins[tensor] = partner
        self._pair_by_name()
        self._pair_by_dataflow()
        self._pair_by_sequence()
        self._pair_by_dataflow()
        return Pairing(
            tuple(PairedOperator(number, *self._operators[number]) for number in sorted(self._operators)),
            dict(self._activations()),
            dict(self._constants()),
            inputs,
            outputs,
        )

    # -- operators -----------------------------------------------------------------------------------------------------

    def _pair_by_name(self) -> None:
        names, partners = _operator_names(self._model), _operator_names(self._reference)
        for name, number in names.items():
            if name in partners:
                self._add(number, partners[name], BY_NAME)

    def _pair_by_dataflow(self) -> None:
        """Pair operators that read the same tensors, in execution order."""
        for operator in self._model.operators:
            if operator.number in self._operators or operator.opcode in CONVERSIONS:
                continue
            candidates = self._candidates(operator)
            if len(candidates) > 1:
                candidates = self._prefer_similar(operator, candidates)
            if candidates:
                self._add(operator.number, candidates[0], BY_GRAPH)

    def _candidates(self, operator: GraphOperator) -> list[int]:
        """Return the operators of the reference with the opcode, the paired inputs and the shape of an operator."""
        wanted = [self._origins.get(self._model.origin(one)) for one in _data_inputs(self._model, operator)]
        if not wanted or None in wanted:
            return []
        first = wanted[0]
        assert first is not None
        found = []
        for number in sorted(_readers(self._reference, first)):
            other = self._reference.operators[number]
            tensors = [self._reference.origin(one) for one in _data_inputs(self._reference, other)]
            if tensors == wanted and number not in self._used and self._fit(operator, other):
                found.append(number)
        return found

    def _prefer_similar(self, operator: GraphOperator, candidates: Sequence[int]) -> list[int]:
        """Return the candidates, that with the most similar constants first."""
        own = _sample_constants(self._model, operator)
        if own is None:
            return list(candidates)
        return sorted(candidates, key=lambda number: _distance(own, self._sample(number)))

    def _sample(self, number: int) -> Array | None:
        return _sample_constants(self._reference, self._reference.operators[number])

    def _pair_by_sequence(self) -> None:
        """Align the operators between those that are already paired."""
        ours = [one for one in self._model.operators if one.opcode not in CONVERSIONS]
        theirs = [one for one in self._reference.operators if one.opcode not in CONVERSIONS]
        places = {one.number: place for place, one in enumerate(theirs)}
        begin, other_begin = 0, 0
        for place, other_place in [*self._anchors(ours, places), (len(ours), len(theirs))]:
            gap, other_gap = ours[begin:place], theirs[other_begin:other_place]
            gap = [one for one in gap if one.number not in self._operators]
            other_gap = [one for one in other_gap if one.number not in self._used]
            if len(gap) * len(other_gap) <= MAX_CELLS:
                for one, other in _align(gap, other_gap, self._fit):
                    self._add(one.number, other.number, BY_GRAPH)
            begin, other_begin = place + 1, other_place + 1

    def _anchors(self, ours: Sequence[GraphOperator], places: dict[int, int]) -> list[tuple[int, int]]:
        """Return the places of paired operators, without those that are out of order."""
        known = [
            (place, places[self._operators[one.number][0]])
            for place, one in enumerate(ours)
            if one.number in self._operators
        ]
        return _longest_increasing(known)

    def _fit(self, one: GraphOperator, other: GraphOperator) -> bool:
        if one.opcode != other.opcode or len(one.outputs) != len(other.outputs):
            return False
        return all(
            _core_shape(self._model, tensor) == _core_shape(self._reference, partner)
            for tensor, partner in zip(one.outputs, other.outputs, strict=True)
        )

    def _add(self, number: int, partner: int, how: str) -> None:
        """Pair two operators and their outputs."""
        if number in self._operators or partner in self._used:
            return
        one, other = self._model.operators[number], self._reference.operators[partner]
        pairs = list(zip(one.outputs, other.outputs, strict=False))
        if not pairs or any(
            _core_shape(self._model, tensor) != _core_shape(self._reference, other) for tensor, other in pairs
        ):
            return
        self._operators[number] = partner, how
        self._used.add(partner)
        for tensor, other_tensor in pairs:
            if tensor >= 0 and other_tensor >= 0:
                self._origins.setdefault(tensor, other_tensor)

    # -- tensors -------------------------------------------------------------------------------------------------------

    def _activations(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of computed tensors and inputs, with the conversions of the model's tensors."""
        for tensor in self._model.tensors:
            origin = self._model.origin(tensor.index)
            partner = self._origins.get(origin)
            if partner is not None and not self._model.is_constant(tensor.index):
                yield tensor.index, partner if origin == tensor.index else self._pair_conversion(tensor, partner)

    def _pair_conversion(self, tensor: GraphTensor, partner: int) -> int:
        """Return the reference of a conversion: the same conversion, if the reference has it, else its source."""
        others = [self._reference.tensors[one] for one in _conversions(self._reference, partner) if one != partner]
        for other in others:
            if (other.dtype, other.scales, other.zero_points) == (tensor.dtype, tensor.scales, tensor.zero_points):
                return other.index
        return next((other.index for other in others if other.name == tensor.name != ""), partner)

    def _constants(self) -> Iterator[tuple[int, int]]:
        for number, (partner, _) in sorted(self._operators.items()):
            one, other = self._model.operators[number], self._reference.operators[partner]
            yield from self._operand_pairs(one, other)

    def _operand_pairs(self, one: GraphOperator, other: GraphOperator) -> Iterator[tuple[int, int]]:
        ours, theirs = _constant_inputs(self._model, one), _constant_inputs(self._reference, other)
        for position, tensor in ours.items():
            partner = theirs.get(position)
            if partner is None and len(ours) == len(theirs) == 1:
                (partner,) = theirs.values()
            if partner is None:
                continue
            tensors = self._model.tensors[tensor], self._reference.tensors[partner]
            if all(found.is_real for found in tensors) and tensors[0].size == tensors[1].size:
                yield tensor, partner


# -- interface ---------------------------------------------------------------------------------------------------------


def _match_interface(reference: ComparedGraph, model: ComparedGraph, side: str) -> Iterator[tuple[int, int]]:
    """Yield the pairs of positions of inputs (or outputs)."""
    for entry in match_tensors(_interface_tensors(model, side), _interface_tensors(reference, side)):
        if entry.new is not None and entry.old is not None:
            yield entry.new.position, entry.old.position


def _interface_tensors(graph: ComparedGraph, side: str) -> list[InterfaceTensor]:
    tensors = graph.inputs if side == "input" else graph.outputs
    names = _signature_names(graph.facts, side)
    counts = Counter(tensors)
    found = []
    for position, tensor in enumerate(tensors):
        stored = graph.tensors[tensor].name if tensor >= 0 else ""
        own = tuple((0, name) for name in names.get(tensor, ())) if counts[tensor] == 1 else ()
        name = "" if is_generated(stored) else stored
        found.append(InterfaceTensor(position, position, tensor, name, stored, own))
    return found


def input_names(graph: ComparedGraph, position: int) -> list[str]:
    """Return the names of an input: those in the signature, then that of its tensor."""
    (entry,) = (one for one in _interface_tensors(graph, "input") if one.position == position)
    return [name for _, name in entry.names] + ([entry.label] if entry.label else [])


def _signature_names(facts: Facts, side: str) -> dict[int, list[str]]:
    """Return the names that the first signature of the main subgraph gives its tensors."""
    main = main_subgraph(facts, 0)
    rows: list[int] = np.flatnonzero(facts.rows("signature", "subgraph") == main).tolist()
    tensors = np.flatnonzero(facts.rows("tensor", "subgraph") == main)
    if not rows or not len(tensors):
        return {}
    first = int(tensors[0])
    names: dict[int, list[str]] = {}
    for name, row in signature_names(facts, rows[0], side).items():
        names.setdefault(row - first, []).append(name)
    return names


# -- parts of graphs ---------------------------------------------------------------------------------------------------


def _operator_names(graph: ComparedGraph) -> dict[str, int]:
    """Return the operators by unique names of their first outputs and of the conversions of these."""
    pairs = []
    for operator in graph.operators:
        if operator.opcode in CONVERSIONS or not operator.outputs or operator.outputs[0] < 0:
            continue
        names = {graph.tensors[tensor].name for tensor in _conversions(graph, operator.outputs[0])}
        pairs += [(name, operator.number) for name in names if not is_generated(name)]
    counts = Counter(name for name, _ in pairs)
    return {name: number for name, number in pairs if counts[name] == 1}


def _conversions(graph: ComparedGraph, tensor: int) -> Iterator[int]:
    """Yield a tensor and its conversions."""
    waiting, seen = [tensor], {tensor}
    while waiting:
        one = waiting.pop()
        yield one
        for number in graph.consumers.get(one, ()):
            operator = graph.operators[number]
            if operator.opcode in CONVERSIONS and operator.outputs and operator.outputs[0] not in seen:
                seen.add(operator.outputs[0])
                waiting.append(operator.outputs[0])


def _readers(graph: ComparedGraph, tensor: int) -> set[int]:
    """Return the operators that read a tensor or a conversion of it."""
    return {
        number
        for one in _conversions(graph, tensor)
        for number in graph.consumers.get(one, ())
        if graph.operators[number].opcode not in CONVERSIONS
    }


def _data_inputs(graph: ComparedGraph, operator: GraphOperator) -> list[int]:
    return [tensor for tensor in operator.inputs if tensor >= 0 and not graph.is_constant(tensor)]


def _constant_inputs(graph: ComparedGraph, operator: GraphOperator) -> dict[int, int]:
    """Return the constants that an operator reads, by position, without conversions."""
    return {
        position: graph.origin(tensor)
        for position, tensor in enumerate(operator.inputs)
        if tensor >= 0 and graph.is_constant(tensor)
    }


def _core_shape(graph: ComparedGraph, tensor: int) -> tuple[int, ...]:
    """Return the shape of a tensor without dimensions of size 1, which converters add and remove."""
    return tuple(size for size in graph.tensors[tensor].shape if size != 1) if tensor >= 0 else ()


def _sample_constants(graph: ComparedGraph, operator: GraphOperator) -> Array | None:
    """Return some real values of the first constant of an operator."""
    for tensor in _constant_inputs(graph, operator).values():
        values = graph.read_real(tensor) if graph.tensors[tensor].is_real else None
        if values is not None:
            flat = values.reshape(-1)
            sampled: Array = flat[:: max(flat.size // _MAX_SAMPLED, 1)]
            return sampled
    return None


def _distance(one: Array, other: Array | None) -> float:
    if other is None or one.shape != other.shape:
        return float("inf")
    return float(np.abs(one - other).sum())


# -- sequences ---------------------------------------------------------------------------------------------------------


def _longest_increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of a sequence of pairs in which the second numbers increase."""
    tails: list[int] = []
    ends: list[int] = []
    previous = [-1] * len(pairs)
    for number, (_, value) in enumerate(pairs):
        place = bisect.bisect_left(tails, value)
        if place == len(tails):
            tails.append(value)
            ends.append(number)
        else:
            tails[place], ends[place] = value, number
        previous[number] = ends[place - 1] if place else -1
    found = []
    number = ends[-1] if ends else -1
    while number >= 0:
        found.append(pairs[number])
        number = previous[number]
    return found[::-1]


def _align(
    ours: Sequence[GraphOperator], theirs: Sequence[GraphOperator], fit: Any
) -> list[tuple[GraphOperator, GraphOperator]]:
    """Return the longest common subsequence of two sequences of operators."""
    if not ours or not theirs:
        return []
    fits = np.array([[fit(one, other) for other in theirs] for one in ours], dtype=np.bool_)
    best = np.zeros((len(ours) + 1, len(theirs) + 1), dtype=np.int32)
    for i in range(len(ours) - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(len(theirs) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if fits[i, j] else max(below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(ours) and j < len(theirs):
        if fits[i, j] and best[i, j] == best[i + 1, j + 1] + 1:
            pairs.append((ours[i], theirs[j]))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs
