"""What tflint is measured against inside one process: a walk with the `tflite` package, and LiteRT's load."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import numpy as np


def walk(path: Path) -> int:
    """Read what a linter reads of every table with the `tflite` package's accessors; gives the number of values read.

    Names, shapes, types, buffers and quantization of tensors; inputs, outputs, opcodes and options of operators; the
    size of every buffer, but none of its content.
    """
    import tflite

    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    read: list[Any] = [model.Version(), model.Description()]
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        read += code.BuiltinCode(), code.DeprecatedBuiltinCode(), code.CustomCode(), code.Version()
    for index in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(index)
        read += subgraph.Name(), subgraph.InputsAsNumpy(), subgraph.OutputsAsNumpy()
        for number in range(subgraph.TensorsLength()):
            read += _tensor(subgraph.Tensors(number))
        for number in range(subgraph.OperatorsLength()):
            read += _operator(subgraph.Operators(number))
    read += [model.Buffers(index).DataLength() for index in range(model.BuffersLength())]
    return len(read)


def _tensor(tensor: Any) -> list[Any]:
    read = [tensor.Name(), tensor.ShapeAsNumpy(), tensor.Type(), tensor.Buffer(), tensor.IsVariable()]
    quantization = tensor.Quantization()
    if quantization is not None:
        read += quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy(), quantization.QuantizedDimension()
    return read


def _operator(operator: Any) -> list[Any]:
    read = [operator.OpcodeIndex(), operator.InputsAsNumpy(), operator.OutputsAsNumpy()]
    table = operator.BuiltinOptions()
    if table is not None:
        member, accessors = _options(operator.BuiltinOptionsType())
        options = member()
        options.Init(table.Bytes, table.Pos)
        read += [accessor(options) for accessor in accessors]
    return read


@functools.cache
def _options(number: int) -> tuple[type[Any], list[Any]]:
    """The class of a member of the union of options, and its accessors without arguments."""
    import tflite

    names = {value: name for name, value in vars(tflite.BuiltinOptions).items() if isinstance(value, int)}
    member: type[Any] = getattr(tflite, names[number])
    methods = [method for name, method in inspect.getmembers(member, inspect.isfunction) if name[0].isupper()]
    return member, [method for method in methods if len(inspect.signature(method).parameters) == 1]


def load_litert(path: Path) -> Any:
    """LiteRT's load: an interpreter constructed over the file. Its tensors are not allocated."""
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=str(path))


def allocate_litert(path: Path) -> Any:
    """LiteRT's load and what comes before a model runs: delegates take their part, memory is planned."""
    interpreter = load_litert(path)
    interpreter.allocate_tensors()
    return interpreter


def range_of_bytes(path: Path) -> tuple[int, int]:
    """The smallest and the largest of a file's bytes, as numpy finds them in a mapped file: one pass for each."""
    content = np.memmap(path, dtype=np.int8, mode="r")
    return int(content.min()), int(content.max())


def structural_bytes(path: Path) -> int:
    """The size of a model without the content of its buffers."""
    import tflite

    content = np.memmap(path, dtype=np.uint8, mode="r")
    model = tflite.Model.GetRootAs(content, 0)
    held = sum(model.Buffers(index).DataLength() for index in range(model.BuffersLength()))
    return len(content) - int(held)
