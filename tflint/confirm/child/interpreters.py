"""Runtimes behind one interface: load a model, set inputs, invoke, read tensors.

A runtime is imported by the first call that needs it. Its errors are passed on unchanged.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: The kernels that a model can run on: the runtime's default (with delegates), the built-in optimized kernels without
#: delegates, and the reference kernels.
KERNELS = ("default", "builtin", "reference")
#: Names of the op resolvers for `KERNELS`.
_RESOLVERS = {"default": "AUTO", "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "reference": "BUILTIN_REF"}
#: Arena of a TFLM interpreter in bytes: more than any microcontroller has.
TFLM_ARENA_BYTES = 64 << 20


class Tensor:
    """An input or output: index of the tensor, shape, dtype, and first scale and zero point (None: not quantized)."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.index = int(details["index"])
        self.shape = tuple(int(size) for size in details["shape"])
        self.dtype = np.dtype(details["dtype"])
        scale, zero_point = details.get("quantization", (0.0, 0))
        self.is_quantized = scale > 0
        self.scale, self.zero_point = float(scale), int(zero_point)


class Litert:
    """An interpreter of LiteRT, TensorFlow or tflite-runtime: their Python packages have the same interface."""

    def __init__(self, module: Any, content: bytes, kernels: str, *, keeps_tensors: bool) -> None:
        options: dict[str, Any] = {}
        resolvers = getattr(module, "OpResolverType", None)
        if resolvers is not None:
            options["experimental_op_resolver_type"] = getattr(resolvers, _RESOLVERS[kernels])
        if keeps_tensors:
            options["experimental_preserve_all_tensors"] = True
        self._interpreter = module.Interpreter(model_content=content, num_threads=1, **options)

    def allocate(self, shapes: dict[int, Sequence[int]]) -> None:
        """Resize inputs (by position), then allocate all tensors."""
        details = self._interpreter.get_input_details()
        for position, shape in shapes.items():
            self._interpreter.resize_tensor_input(details[position]["index"], list(shape))
        self._interpreter.allocate_tensors()

    def inputs(self) -> list[Tensor]:
        """Return the inputs in order."""
        return [Tensor(details) for details in self._interpreter.get_input_details()]

    def outputs(self) -> list[Tensor]:
        """Return the outputs in order."""
        return [Tensor(details) for details in self._interpreter.get_output_details()]

    def invoke(self, arrays: Sequence[Array]) -> None:
        """Set the inputs and run the model."""
        for tensor, array in zip(self.inputs(), arrays, strict=True):
            self._interpreter.set_tensor(tensor.index, array)
        self._interpreter.invoke()

    def read_output(self, tensor: Tensor) -> Array:
        """Return a copy of an output; empty if it has no elements, for which the runtime raises an exception."""
        try:
            array: Array = self._interpreter.get_tensor(tensor.index)
        except ValueError:
            return np.zeros(0, dtype=tensor.dtype)
        return array

    def view(self, index: int) -> Array:
        """Return a tensor's memory without copying it. The view must be gone before the next call of `invoke`.

        Raises `ValueError` if the tensor has no memory, such as one that refers to a resource variable.
        """
        array: Array | None = self._interpreter.tensor(index)()
        if array is None:
            raise ValueError(f"tensor {index} has no memory")
        return array

    def reset(self) -> None:
        """Set all variable tensors to their initial values."""
        with contextlib.suppress(AttributeError):
            self._interpreter.reset_all_variables()


class Tflm:
    """An interpreter of LiteRT for Microcontrollers. It cannot resize inputs or show inner tensors."""

    def __init__(self, module: Any, content: bytes, kernels: str, *, keeps_tensors: bool) -> None:
        del kernels, keeps_tensors  # TFLM has one set of kernels and shares the memory of inner tensors
        self._interpreter = module.Interpreter.from_bytes(content, arena_size=TFLM_ARENA_BYTES)

    def allocate(self, shapes: dict[int, Sequence[int]]) -> None:
        """Do nothing: TFLM allocates while it loads."""

    def _tensors(self, details: Any) -> list[Tensor]:
        found: list[Tensor] = []
        while True:
            try:
                entry = details(len(found))
            except (IndexError, RuntimeError, ValueError):
                return found
            parameters = entry.get("quantization_parameters", {})
            scales, zero_points = list(parameters.get("scales", ())), list(parameters.get("zero_points", ()))
            quantization = (scales[0], zero_points[0]) if scales and zero_points else (0.0, 0)
            found.append(Tensor({**entry, "index": len(found), "quantization": quantization}))

    def inputs(self) -> list[Tensor]:
        """Return the inputs in order."""
        return self._tensors(self._interpreter.get_input_details)

    def outputs(self) -> list[Tensor]:
        """Return the outputs in order."""
        return self._tensors(self._interpreter.get_output_details)

    def invoke(self, arrays: Sequence[Array]) -> None:
        """Set the inputs and run the model."""
        for position, array in enumerate(arrays):
            self._interpreter.set_input(array, position)
        self._interpreter.invoke()

    def read_output(self, tensor: Tensor) -> Array:
        """Return a copy of an output."""
        array: Array = self._interpreter.get_output(tensor.index)
        return array

    def reset(self) -> None:
        """Set the model's state to its initial values."""
        self._interpreter.reset()

    def print_allocations(self) -> None:
        """Let TFLM print the sizes of its allocations to standard error."""
        self._interpreter.print_allocations()


class Runtime:
    """A runtime that this process has imported."""

    def __init__(self, module: str) -> None:
        self.module = importlib.import_module(module)
        self.is_tflm = module.startswith("tflite_micro")

    def load(self, content: bytes, kernels: str, *, keeps_tensors: bool) -> Litert | Tflm:
        """Load a model; the runtime raises an exception if it refuses the model."""
        kind = Tflm if self.is_tflm else Litert
        return kind(self.module, content, kernels, keeps_tensors=keeps_tensors)
