"""A fluent builder of TFLite models: tensors and operators by name, written by `tflint.writer.pack`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tflint.schema import tflite_schema
from tflint.writer import pack, pack_numbers

#: `deprecated_builtin_code` is a signed byte: codes above are written as this placeholder there.
_PLACEHOLDER_CODE = 127


class ModelBuilder:
    """Builds one model. Every method except `build` and `to_dict` returns the builder.

    Buffer 0 is the empty sentinel; every constant gets its own buffer. Tensors, operators, inputs and outputs are
    added to the most recent subgraph.
    """

    def __init__(self, name: str = "main", *, description: str = "made for the tests of tflint") -> None:
        self._model: dict[str, Any] = {
            "version": 3,
            "operator_codes": [],
            "subgraphs": [],
            "description": description,
            "buffers": [{}],
        }
        self._indices: list[dict[str, int]] = []
        self.subgraph(name)

    def subgraph(self, name: str) -> ModelBuilder:
        """Start a subgraph. The first one always exists; this method only renames it while it is empty."""
        subgraphs = self._model["subgraphs"]
        if subgraphs and not subgraphs[-1]["tensors"]:
            subgraphs[-1]["name"] = name
            return self
        subgraphs.append({"tensors": [], "inputs": [], "outputs": [], "operators": [], "name": name})
        self._indices.append({})
        return self

    def tensor(
        self,
        name: str,
        dtype: str,
        shape: Sequence[int],
        *,
        data: bytes | Sequence[Any] | None = None,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
        **fields: Any,
    ) -> ModelBuilder:
        """Add a tensor; `data` makes it a constant (numbers are packed by `dtype`).

        `scale` and `zero_point` are one number, or one per channel of `axis` (a single zero point applies to all
        channels); `fields` are further fields of the schema's Tensor.
        """
        tensor: dict[str, Any] = {"shape": list(shape), "type": dtype, "buffer": 0, "name": name}
        if data is not None:
            tensor["buffer"] = self._buffer(data if isinstance(data, bytes) else pack_numbers(dtype, data))
        if scale is not None:
            tensor["quantization"] = _quantization(scale, zero_point, axis)
        self._indices[-1][name] = len(self._tensors)
        self._tensors.append(tensor | fields)
        return self

    def operator(
        self,
        opcode: str,
        inputs: Sequence[str | None],
        outputs: Sequence[str],
        options: Mapping[str, Any] | None = None,
        *,
        version: int = 1,
        **fields: Any,
    ) -> ModelBuilder:
        """Add a built-in operator; None in `inputs` omits an optional input.

        `options` are the fields of the operator's options table; `fields` are further fields of the schema's Operator.
        """
        code = tflite_schema().enum("BuiltinOperator").values[opcode]
        deprecated = min(code, _PLACEHOLDER_CODE)
        entry = {"deprecated_builtin_code": deprecated, "version": version, "builtin_code": opcode}
        member = tflite_schema().op_options.get(opcode)
        if member is not None:
            union = "builtin_options" if member in tflite_schema().unions["BuiltinOptions"] else "builtin_options_2"
            fields = {union: {"type": member, **(options or {})}} | fields
        return self._operator(entry, inputs, outputs, fields)

    def custom(
        self, code: str, inputs: Sequence[str | None], outputs: Sequence[str], custom_options: bytes = b""
    ) -> ModelBuilder:
        """Add a custom operator."""
        number = tflite_schema().enum("BuiltinOperator").values["CUSTOM"]
        entry = {"deprecated_builtin_code": number, "custom_code": code, "version": 1, "builtin_code": "CUSTOM"}
        return self._operator(entry, inputs, outputs, {"custom_options": custom_options})

    def inputs(self, *names: str) -> ModelBuilder:
        """Set the inputs of the subgraph."""
        self._model["subgraphs"][-1]["inputs"] = self._rows(names)
        return self

    def outputs(self, *names: str) -> ModelBuilder:
        """Set the outputs of the subgraph."""
        self._model["subgraphs"][-1]["outputs"] = self._rows(names)
        return self

    def signature(self, key: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> ModelBuilder:
        """Add a signature of the subgraph: argument names to tensor names."""
        signature = {
            "inputs": self._tensor_maps(inputs),
            "outputs": self._tensor_maps(outputs),
            "signature_key": key,
            "subgraph_index": len(self._model["subgraphs"]) - 1,
        }
        self._model.setdefault("signature_defs", []).append(signature)
        return self

    def metadata(self, name: str, data: bytes) -> ModelBuilder:
        """Add a metadata entry and its buffer."""
        self._model.setdefault("metadata", []).append({"name": name, "buffer": self._buffer(data)})
        return self

    def set(self, **fields: Any) -> ModelBuilder:
        """Set fields of the schema's Model."""
        self._model.update(fields)
        return self

    def to_dict(self) -> dict[str, Any]:
        """Return the model as `tflint.writer.pack` takes it. Not a copy."""
        return self._model

    def build(self) -> bytes:
        """Return the model's bytes."""
        return pack(self._model)

    @property
    def _tensors(self) -> list[dict[str, Any]]:
        tensors: list[dict[str, Any]] = self._model["subgraphs"][-1]["tensors"]
        return tensors

    def _rows(self, names: Sequence[str | None]) -> list[int]:
        return [-1 if name is None else self._indices[-1][name] for name in names]

    def _tensor_maps(self, tensors: Mapping[str, str]) -> list[dict[str, Any]]:
        return [{"name": name, "tensor_index": self._rows([tensor])[0]} for name, tensor in tensors.items()]

    def _buffer(self, data: bytes) -> int:
        self._model["buffers"].append({"data": data})
        return len(self._model["buffers"]) - 1

    def _operator(
        self, entry: dict[str, Any], inputs: Sequence[str | None], outputs: Sequence[str], fields: dict[str, Any]
    ) -> ModelBuilder:
        codes = self._model["operator_codes"]
        if entry not in codes:
            codes.append(entry)
        operands = {"inputs": self._rows(inputs), "outputs": self._rows(outputs)}
        operator = {"opcode_index": codes.index(entry), **operands, **fields}
        self._model["subgraphs"][-1]["operators"].append(operator)
        return self


def _quantization(scale: float | Sequence[float], zero_point: int | Sequence[int], axis: int) -> dict[str, Any]:
    scales = [float(scale)] if isinstance(scale, int | float) else list(scale)
    zero_points = [zero_point] * len(scales) if isinstance(zero_point, int) else list(zero_point)
    return {"scale": scales, "zero_point": zero_points, "quantized_dimension": axis}
