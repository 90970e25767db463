"""Reference values of the model summary: computed with the `tflite` package, tensor by tensor, in plain loops."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import tflite

from tflint.resources import table
from tflint.schema import tflite_schema

BITS = tflite_schema().bits("TensorType")


class Oracle:
    """One model, read by the generated classes of the `tflite` package."""

    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(content, 0)
        self.subgraphs = [self.model.Subgraphs(i) for i in range(self.model.SubgraphsLength())]
        self.codes = [self.model.OperatorCodes(i) for i in range(self.model.OperatorCodesLength())]

    def opcode(self, operator: Any) -> str:
        """Return the schema's name of an operator, or the custom code of a custom operator."""
        code = self.codes[operator.OpcodeIndex()]
        name = tflite.opcode2name(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        return code.CustomCode().decode() if name == "CUSTOM" else name

    def operators(self) -> Counter[tuple[str, int]]:
        """Return how often each operator occurs in each version."""
        return Counter(
            (self.opcode(graph.Operators(k)), self.codes[graph.Operators(k).OpcodeIndex()].Version())
            for graph in self.subgraphs
            for k in range(graph.OperatorsLength())
        )

    def has_data(self, tensor: Any) -> bool:
        """Return whether the file holds the values of a tensor."""
        return tensor.Buffer() != 0 and self.model.Buffers(tensor.Buffer()).DataLength() > 0

    def constant_bytes(self, graphs: list[Any] | None = None) -> int:
        """Return the bytes of the buffers that tensors of `graphs` (default: all) reference, each counted once."""
        named = {
            graph.Tensors(k).Buffer()
            for graph in (self.subgraphs if graphs is None else graphs)
            for k in range(graph.TensorsLength())
            if self.has_data(graph.Tensors(k))
        }
        return sum(self.model.Buffers(buffer).DataLength() for buffer in named)

    def border(self, graph: Any, side: str) -> list[dict[str, Any]]:
        """Return the inputs or outputs of a subgraph."""
        return [self.face(graph, index) for index in indices(getattr(graph, f"{side.title()}sAsNumpy")())]

    def face(self, graph: Any, index: int) -> dict[str, Any]:
        """Return name, type, shape and quantization of a tensor."""
        tensor = graph.Tensors(index)
        own = tensor.Quantization()
        n_scales = own.ScaleLength() if own else 0
        signature = [int(tensor.ShapeSignature(k)) for k in range(tensor.ShapeSignatureLength())]
        return {
            "index": index,
            "name": (tensor.Name() or b"").decode(),
            "dtype": dtype(tensor),
            "shape": shape(tensor),
            "signature": signature if len(signature) == tensor.ShapeLength() and signature else None,
            "scale": float(own.Scale(0)) if n_scales == 1 else None,
            "zero_point": int(own.ZeroPoint(0)) if n_scales == 1 and own.ZeroPointLength() == 1 else None,
        }

    # -- memory --------------------------------------------------------------------------------------------------------

    def memory(self, number: int) -> int:
        """Return the most bytes that are live at once in a subgraph, counted operator by operator."""
        graph = self.subgraphs[number]
        operators = [graph.Operators(k) for k in range(graph.OperatorsLength())]
        life = self._lives(graph, operators)
        shared = self._views(graph, operators, life)
        peak = 0
        for now, operator in enumerate(operators):
            there = {shared[t] for t, (first, last) in life.items() if first <= now <= last}
            total = sum(self._stretch(graph, shared, leader) for leader in there)
            peak = max(peak, total - self._saved(graph, operator, now, life, shared))
        return peak

    def _lives(self, graph: Any, operators: list[Any]) -> dict[int, tuple[int, int]]:
        """Return first and last operator of every activation, which is what depends on an input or a variable."""
        depends = set(map(int, indices(graph.InputsAsNumpy())))
        depends |= {k for k in range(graph.TensorsLength()) if graph.Tensors(k).IsVariable()}
        always = set(depends)
        life: dict[int, tuple[int, int]] = {}
        for now, operator in enumerate(operators):
            read, made = indices(operator.InputsAsNumpy()), indices(operator.OutputsAsNumpy())
            if depends & set(read):
                depends |= set(made)
            for tensor in (*read, *made, *indices(operator.IntermediatesAsNumpy())):
                first, _ = life.get(tensor, (now, now))
                life[tensor] = (first, now)
        end = len(operators) - 1
        for tensor in always:
            last = life.get(tensor, (0, 0))[1]
            life[tensor] = (0, end if graph.Tensors(tensor).IsVariable() else last)
        for tensor in indices(graph.OutputsAsNumpy()):
            if tensor in life:
                life[tensor] = (life[tensor][0], end)
        return {t: span for t, span in life.items() if t in depends and not self.has_data(graph.Tensors(t))}

    def _views(self, graph: Any, operators: list[Any], life: dict[int, tuple[int, int]]) -> dict[int, int]:
        """Map each activation to the one whose memory it shares; the lives of sharing activations are merged."""
        leader = {tensor: tensor for tensor in life}
        made: set[int] = set()
        for operator in operators:
            outputs, inputs = indices(operator.OutputsAsNumpy()), indices(operator.InputsAsNumpy())
            if self.opcode(operator) in table("in_place")["views"] and outputs and inputs:
                source, view = inputs[0], outputs[0]
                if source in leader and view in leader and view not in made:
                    leader[view] = leader[source]
            made |= set(outputs)
        for tensor, first in leader.items():
            spans = [life[t] for t, own in leader.items() if own == first]
            life[tensor] = (min(begin for begin, _ in spans), max(end for _, end in spans))
        return leader

    def _stretch(self, graph: Any, shared: dict[int, int], leader: int) -> int:
        return min(n_bytes(graph.Tensors(t)) for t, own in shared.items() if own == leader)

    def _saved(
        self, graph: Any, operator: Any, now: int, life: dict[int, tuple[int, int]], shared: dict[int, int]
    ) -> int:
        """Return the bytes that an operator saves by working in place."""
        name = self.opcode(operator)
        is_custom = name not in tflite_schema().enum("BuiltinOperator").values
        if not is_custom and name not in table("in_place")["in_place"]:
            return 0
        read = {shared[t] for t in indices(operator.InputsAsNumpy()) if t in shared and life[t][1] == now}
        read |= {shared[t] for t in indices(operator.IntermediatesAsNumpy()) if t in shared and life[t][1] == now}
        made = {shared[t] for t in indices(operator.OutputsAsNumpy()) if t in shared and life[t][0] == now}
        return min(sum(self._stretch(graph, shared, t) for t in side) for side in (read, made))


def dtype(tensor: Any) -> str:
    """Return the name of a tensor's type."""
    return next(name for name, value in vars(tflite.TensorType).items() if value == tensor.Type() and name.isupper())


def shape(tensor: Any) -> list[int]:
    """Return the stored shape."""
    return [int(tensor.Shape(k)) for k in range(tensor.ShapeLength())]


def n_bytes(tensor: Any) -> int:
    """Return the bytes that type and stored shape need, or 0 if unknown."""
    bits, sizes = BITS[dtype(tensor)], shape(tensor)
    if bits is None or any(size < 0 for size in sizes) or (not sizes and not tensor.HasRank()):
        return 0
    return math.ceil(math.prod(sizes) * bits / 8)


def indices(array: Any) -> list[int]:
    """Return the tensor indices of an operator or subgraph without omitted ones."""
    return [] if isinstance(array, int) else [int(k) for k in array if k >= 0]
