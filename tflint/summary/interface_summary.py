"""The inputs and outputs of a subgraph: types, shapes, quantization, what the metadata says of them, conversions."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import quantize_output
from tflint.normalization.range_fit import LIMITS, fitting_normalizations, real_range, unseen_part
from tflint.summary.cell_values import number, rows_of, text, values, whole
from tflint.summary.image_layout import layout_of
from tflint.summary.output_kind import meaning_of
from tflint.summary.summary_values import (
    Arithmetic,
    BorderMetadata,
    Conversion,
    Input,
    Output,
    Quantization,
    TensorFace,
)

#: Ranges that mean something by themselves, whatever the tensor holds.
_NOMINAL = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-128.0, 127.0))
#: Operators that change the representation of a value and not the value.
_CONVERTERS = ("QUANTIZE", "DEQUANTIZE", "CAST")


def inputs_of(facts: Facts, subgraph: int) -> tuple[Input, ...]:
    """The inputs of a subgraph (a row of its table)."""
    return tuple(_input(facts, row) for row in rows_of(facts, "input", "subgraph", subgraph))


def outputs_of(facts: Facts, subgraph: int) -> tuple[Output, ...]:
    """The outputs of a subgraph (a row of its table)."""
    found = []
    for row in rows_of(facts, "output", "subgraph", subgraph):
        tensor = int(facts.rows("output", "tensor")[row])
        face = tensor_face(facts, tensor) if tensor >= 0 else None
        meaning = meaning_of(facts, tensor) if tensor >= 0 else None
        found.append(Output(number(facts, "output", "position", row), face, _metadata(facts, "output", row), meaning))
    return tuple(found)


def _input(facts: Facts, row: int) -> Input:
    position, metadata = number(facts, "input", "position", row), _metadata(facts, "input", row)
    tensor = int(facts.rows("input", "tensor")[row])
    if tensor < 0:
        return Input(position, None, metadata, None, None, None, (), None, None)
    face = tensor_face(facts, tensor)
    layout, channels = layout_of(face, metadata)
    calibrated, dtype = _calibrated(facts, tensor, face)
    own = face.quantization if face.dtype in LIMITS else calibrated
    if own is None or own.scale is None or own.zero_point is None:
        return Input(position, face, metadata, layout, channels, calibrated, (), None, _arithmetic(facts, row))
    fitting = fitting_normalizations(dtype, own.scale, own.zero_point) if layout else ()
    nominal = _nominal(dtype, own)
    return Input(position, face, metadata, layout, channels, calibrated, fitting, nominal, _arithmetic(facts, row))


def _arithmetic(facts: Facts, row: int) -> Arithmetic | None:
    """What the graph does first to an input."""
    scale, offset = (values(facts, "input", f"graph_{name}", row) for name in ("scale", "offset"))
    if not scale or not offset:
        return None
    return Arithmetic(tuple(scale), tuple(offset), text(facts, "input", "graph_expects", row))


def _nominal(dtype: str, own: Quantization) -> tuple[float, float] | None:
    """The round range that a tensor's fits wholly; None where it fits none, or more than one."""
    assert own.scale is not None and own.zero_point is not None
    found = [ends for ends in _NOMINAL if unseen_part(*ends, dtype, own.scale, own.zero_point) == 0]
    return found[0] if len(found) == 1 else None


def _calibrated(facts: Facts, tensor: int, face: TensorFace) -> tuple[Quantization | None, str]:
    """What the QUANTIZE that a float input goes into, and nothing else does, makes of it: it clips to that range."""
    if face.dtype != "FLOAT32":
        return None, face.dtype
    output = quantize_output(facts, tensor)
    if output < 0:
        return None, face.dtype
    made = tensor_face(facts, output)
    return made.quantization, made.dtype


def tensor_face(facts: Facts, row: int) -> TensorFace:
    """A tensor as callers meet it."""
    shape = tuple(map(int, values(facts, "tensor", "shape", row) or ()))
    signature = values(facts, "tensor", "shape_signature", row)
    fits_shape = signature is not None and len(signature) == len(shape)
    return TensorFace(
        number(facts, "tensor", "index", row),
        text(facts, "tensor", "name", row) or "",
        text(facts, "tensor", "dtype", row) or "",
        shape,
        tuple(map(int, signature)) if signature is not None and fits_shape else None,
        whole(facts, "tensor", "rank", row) is not None,
        _quantization(facts, row),
    )


def _quantization(facts: Facts, row: int) -> Quantization | None:
    if not facts.numbers("tensor", "is_quantized")[row]:
        return None
    n_scales = int(facts.lists("tensor", "scale").lengths[row])
    details = text(facts, "tensor", "quantization.details", row)
    axis = whole(facts, "tensor", "quantized_dimension", row) if n_scales > 1 else None
    if n_scales != 1:
        return Quantization(n_scales, None, None, axis, None, None, details)
    scale = float(facts.numbers("tensor", "per_tensor_scale")[row])
    zero_point = whole(facts, "tensor", "per_tensor_zero_point", row)
    dtype = text(facts, "tensor", "dtype", row) or ""
    low, high = (zero_point is not None and real_range(dtype, scale, zero_point)) or (None, None)
    return Quantization(1, scale, zero_point, axis, low, high, details)


def _metadata(facts: Facts, table: str, row: int) -> BorderMetadata | None:
    """What the metadata says of an input or output; None where it says nothing."""

    def floats(column: str) -> tuple[float, ...]:
        return tuple(map(float, values(facts, table, f"metadata.{column}", row) or ()))

    made = BorderMetadata(
        text(facts, table, "metadata.name", row),
        text(facts, table, "metadata.description", row),
        text(facts, table, "metadata.content", row),
        text(facts, table, "metadata.color_space", row),
        floats("mean"),
        floats("std"),
        floats("stats_min"),
        floats("stats_max"),
        tuple(values(facts, table, "metadata.associated_files", row) or ()),
    )
    return made if made != _NOTHING else None


_NOTHING = BorderMetadata(None, None, None, None, (), (), (), (), ())


def conversions(facts: Facts) -> tuple[Conversion, ...]:
    """Operators that turn an input of the first subgraph into another type, or something into an output of it."""
    found: dict[tuple[str, int], Conversion] = {}
    for side in ("input", "output"):
        for row in rows_of(facts, side, "subgraph", 0):
            tensor = int(facts.rows(side, "tensor")[row])
            for operator in _neighbours(facts, side, tensor):
                if text(facts, "operator", "opcode", operator) in _CONVERTERS:
                    made = _conversion(facts, side, number(facts, side, "position", row), operator)
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
        text(facts, "operator", "opcode", operator) or "",
        number(facts, "operator", "index", operator),
        text(facts, "tensor", "dtype", read) or "",
        text(facts, "tensor", "dtype", made) or "",
    )
