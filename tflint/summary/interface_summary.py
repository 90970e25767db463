"""The inputs and outputs of a subgraph: types, shapes, quantization, what the metadata says of them, conversions."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import quantized_behind
from tflint.normalization.range_fit import LIMITS, fits, real_range, unseen_part
from tflint.summary.cell_values import find_rows, read_list, read_number, read_optional_number, read_string
from tflint.summary.image_layout import guess_layout
from tflint.summary.output_kind import find_meaning
from tflint.summary.summary_values import (
    Arithmetic,
    Conversion,
    Input,
    InterfaceMetadata,
    InterfaceTensor,
    Output,
    Quantization,
)

#: Ranges that mean something by themselves, whatever the tensor holds.
_NOMINAL = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-128.0, 127.0))
#: Operators that change the representation of a value and not the value.
_CONVERTERS = ("QUANTIZE", "DEQUANTIZE", "CAST")


def read_inputs(facts: Facts, subgraph: int) -> tuple[Input, ...]:
    """The inputs of a subgraph (a row of its table)."""
    return tuple(_input(facts, row) for row in find_rows(facts, "input", "subgraph", subgraph))


def read_outputs(facts: Facts, subgraph: int) -> tuple[Output, ...]:
    """The outputs of a subgraph (a row of its table)."""
    found = []
    for row in find_rows(facts, "output", "subgraph", subgraph):
        tensor = int(facts.rows("output", "tensor")[row])
        face = read_tensor(facts, tensor) if tensor >= 0 else None
        meaning = find_meaning(facts, tensor) if tensor >= 0 else None
        found.append(
            Output(read_number(facts, "output", "position", row), face, _metadata(facts, "output", row), meaning)
        )
    return tuple(found)


def _input(facts: Facts, row: int) -> Input:
    position, metadata = read_number(facts, "input", "position", row), _metadata(facts, "input", row)
    tensor = int(facts.rows("input", "tensor")[row])
    if tensor < 0:
        return Input(position, None, metadata, None, None, None, (), None, None)
    face = read_tensor(facts, tensor)
    layout, channels = guess_layout(face, metadata)
    calibrated, dtype = _calibrated(facts, tensor, face)
    own = face.quantization if face.dtype in LIMITS else calibrated
    if own is None or own.scale is None or own.zero_point is None:
        return Input(position, face, metadata, layout, channels, calibrated, (), None, _arithmetic(facts, row))
    fitting = fits(dtype, own.scale, own.zero_point) if layout else ()
    nominal = _nominal(dtype, own)
    return Input(position, face, metadata, layout, channels, calibrated, fitting, nominal, _arithmetic(facts, row))


def _arithmetic(facts: Facts, row: int) -> Arithmetic | None:
    """What the graph does first to an input."""
    scale, offset = (read_list(facts, "input", f"graph_{name}", row) for name in ("scale", "offset"))
    if not scale or not offset:
        return None
    return Arithmetic(tuple(scale), tuple(offset), read_string(facts, "input", "graph_expects", row))


def _nominal(dtype: str, own: Quantization) -> tuple[float, float] | None:
    """The round range that a tensor's fits wholly; None where it fits none, or more than one."""
    assert own.scale is not None and own.zero_point is not None
    found = [ends for ends in _NOMINAL if unseen_part(*ends, dtype, own.scale, own.zero_point) == 0]
    return found[0] if len(found) == 1 else None


def _calibrated(facts: Facts, tensor: int, face: InterfaceTensor) -> tuple[Quantization | None, str]:
    """What the QUANTIZE that a float input goes into, and nothing else does, makes of it: it clips to that range."""
    if face.dtype != "FLOAT32":
        return None, face.dtype
    output = quantized_behind(facts, tensor)
    if output < 0:
        return None, face.dtype
    made = read_tensor(facts, output)
    return made.quantization, made.dtype


def read_tensor(facts: Facts, row: int) -> InterfaceTensor:
    """A tensor as callers meet it."""
    shape = tuple(map(int, read_list(facts, "tensor", "shape", row) or ()))
    signature = read_list(facts, "tensor", "shape_signature", row)
    fits_shape = signature is not None and len(signature) == len(shape)
    return InterfaceTensor(
        read_number(facts, "tensor", "index", row),
        read_string(facts, "tensor", "name", row) or "",
        read_string(facts, "tensor", "dtype", row) or "",
        shape,
        tuple(map(int, signature)) if signature is not None and fits_shape else None,
        read_optional_number(facts, "tensor", "rank", row) is not None,
        _quantization(facts, row),
    )


def _quantization(facts: Facts, row: int) -> Quantization | None:
    if not facts.numbers("tensor", "is_quantized")[row]:
        return None
    n_scales = int(facts.lists("tensor", "scale").lengths[row])
    details = read_string(facts, "tensor", "quantization.details", row)
    axis = read_optional_number(facts, "tensor", "quantized_dimension", row) if n_scales > 1 else None
    if n_scales != 1:
        return Quantization(n_scales, None, None, axis, None, None, details)
    scale = float(facts.numbers("tensor", "per_tensor_scale")[row])
    zero_point = read_optional_number(facts, "tensor", "per_tensor_zero_point", row)
    dtype = read_string(facts, "tensor", "dtype", row) or ""
    low, high = (zero_point is not None and real_range(dtype, scale, zero_point)) or (None, None)
    return Quantization(1, scale, zero_point, axis, low, high, details)


def _metadata(facts: Facts, table: str, row: int) -> InterfaceMetadata | None:
    """What the metadata says of an input or output; None where it says nothing."""

    def floats(column: str) -> tuple[float, ...]:
        return tuple(map(float, read_list(facts, table, f"metadata.{column}", row) or ()))

    made = InterfaceMetadata(
        read_string(facts, table, "metadata.name", row),
        read_string(facts, table, "metadata.description", row),
        read_string(facts, table, "metadata.content", row),
        read_string(facts, table, "metadata.color_space", row),
        floats("mean"),
        floats("std"),
        floats("stats_min"),
        floats("stats_max"),
        tuple(read_list(facts, table, "metadata.associated_files", row) or ()),
    )
    return made if made != _NOTHING else None


_NOTHING = InterfaceMetadata(None, None, None, None, (), (), (), (), ())


def find_conversions(facts: Facts) -> tuple[Conversion, ...]:
    """Operators that turn an input of the first subgraph into another type, or something into an output of it."""
    found: dict[tuple[str, int], Conversion] = {}
    for side in ("input", "output"):
        for row in find_rows(facts, side, "subgraph", 0):
            tensor = int(facts.rows(side, "tensor")[row])
            for operator in _neighbours(facts, side, tensor):
                if read_string(facts, "operator", "opcode", operator) in _CONVERTERS:
                    made = _conversion(facts, side, read_number(facts, side, "position", row), operator)
                    if made is not None:
                        found.setdefault((side, operator), made)
    return tuple(found.values())


def _neighbours(facts: Facts, side: str, tensor: int) -> list[int]:
    if tensor < 0:
        return []
    if side == "input":
        consumers: list[int] = facts.lists("tensor", "consumers").row(tensor)
        return consumers if len(consumers) == 1 else []
    producer = int(facts.rows("tensor", "producer")[tensor])
    return [producer] if producer >= 0 else []


def _conversion(facts: Facts, side: str, position: int, operator: int) -> Conversion | None:
    read, made = int(facts.rows("operator", "input")[operator]), int(facts.rows("operator", "output")[operator])
    if read < 0 or made < 0:
        return None
    return Conversion(
        side,
        position,
        read_string(facts, "operator", "opcode", operator) or "",
        read_number(facts, "operator", "index", operator),
        read_string(facts, "tensor", "dtype", read) or "",
        read_string(facts, "tensor", "dtype", made) or "",
    )
