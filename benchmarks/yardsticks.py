"""In-process baselines for comparison: a walk with the `tflite` package, LiteRT's load, and numpy over the bytes."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import numpy as np


def walk(path: Path) -> int:
    """Read every table as a linter does, with the accessors of the `tflite` package. Return the number of values read.

    Reads names, shapes, types, buffers and quantization of tensors; inputs, outputs, opcodes and options of operators;
    and the sizes of buffers, but not their contents.
    """
    import tflite

    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    values: list[Any] = [model.Version(), model.Description()]
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        values += code.BuiltinCode(), code.DeprecatedBuiltinCode(), code.CustomCode(), code.Version()
    for index in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(index)
        values += subgraph.Name(), subgraph.InputsAsNumpy(), subgraph.OutputsAsNumpy()
        for number in range(subgraph.TensorsLength()):
            values += _tensor(subgraph.Tensors(number))
        for number in range(subgraph.OperatorsLength()):
            values += _operator(subgraph.Operators(number))
    values += [model.Buffers(index).DataLength() for index in range(model.BuffersLength())]
    return len(values)


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
    """Return the class of a type of operator options, and those of its accessors that take no arguments."""
    import tflite

    names = {value: name for name, value in vars(tflite.BuiltinOptions).items() if isinstance(value, int)}
    member: type[Any] = getattr(tflite, names[number])
    methods = [method for name, method in inspect.getmembers(member, inspect.isfunction) if name[0].isupper()]
    return member, [method for method in methods if len(inspect.signature(method).parameters) == 1]


def load_litert(path: Path) -> Any:
    """Construct LiteRT's interpreter without allocating tensors."""
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=str(path))


def allocate_litert(path: Path) -> Any:
    """Construct LiteRT's interpreter, apply delegates and allocate tensors."""
    interpreter = load_litert(path)
    interpreter.allocate_tensors()
    return interpreter


def range_of_bytes(path: Path) -> tuple[int, int]:
    """Return the smallest and the largest byte (as int8) of a file. numpy makes one pass over the file for each."""
    content = np.memmap(path, dtype=np.int8, mode="r")
    return int(content.min()), int(content.max())


def structural_bytes(path: Path) -> int:
    """Return the size of a model without the contents of its buffers."""
    import tflite

    content = np.memmap(path, dtype=np.uint8, mode="r")
    model = tflite.Model.GetRootAs(content, 0)
    buffer_bytes = sum(model.Buffers(index).DataLength() for index in range(model.BuffersLength()))
    return len(content) - int(buffer_bytes)
