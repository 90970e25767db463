"""Reads the inputs and outputs of a subgraph: types, shapes, quantization, metadata and conversions."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.facts.interface.first_layers import input_layers, layer_normalizations
from tflint.facts.interface.input_arithmetic import quantize_output
from tflint.normalization.range_fit import ACTIVATION_TYPES, Fit, activation_range, fitting_normalizations, unseen_part
from tflint.summary.cell_values import find_rows, read_list, read_number, read_optional_number, read_string
from tflint.summary.image_layout import guess_layout
from tflint.summary.output_kind import summarize_meaning
from tflint.summary.summary_values import (
    Arithmetic,
    Conversion,
    FirstLayer,
    Input,
    InterfaceMetadata,
    InterfaceTensor,
    Output,
    Quantization,
)

#: The round ranges that a summary names, for images and other inputs.
_NOMINAL = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (-128.0, 127.0))
#: Operators that change the type of a value but not the value.
_CONVERTERS = ("QUANTIZE", "DEQUANTIZE", "CAST")


def read_inputs(facts: Facts, subgraph: int) -> tuple[Input, ...]:
    """Return the inputs of a subgraph (a row of the subgraph table)."""
    return tuple(_read_input(facts, row) for row in find_rows(facts, "input", "subgraph", subgraph))


def read_outputs(facts: Facts, subgraph: int) -> tuple[Output, ...]:
    """Return the outputs of a subgraph (a row of the subgraph table)."""
    outputs = []
    for row in find_rows(facts, "output", "subgraph", subgraph):
        tensor = int(facts.rows("output", "tensor")[row])
        position, metadata = read_number(facts, "output", "position", row), _read_metadata(facts, "output", row)
        if tensor < 0:
            outputs.append(Output(position, None, metadata, None))
        else:
            outputs.append(Output(position, read_tensor(facts, tensor), metadata, summarize_meaning(facts, tensor)))
    return tuple(outputs)


def _read_input(facts: Facts, row: int) -> Input:
    position, metadata = read_number(facts, "input", "position", row), _read_metadata(facts, "input", row)
    tensor = int(facts.rows("input", "tensor")[row])
    if tensor < 0:
        return Input(position, None, metadata, None, None, None, (), None, None, None)
    interface_tensor = read_tensor(facts, tensor)
    layout, channels = guess_layout(interface_tensor, metadata)
    calibrated, dtype = _find_calibration(facts, tensor, interface_tensor)
    quantization = interface_tensor.quantization if interface_tensor.dtype in ACTIVATION_TYPES else calibrated
    matches: tuple[Fit, ...] = ()
    nominal = None
    if quantization is not None and quantization.scale is not None and quantization.zero_point is not None:
        matches = fitting_normalizations(dtype, quantization.scale, quantization.zero_point) if layout else ()
        nominal = _find_nominal_range(dtype, quantization)
    arithmetic = _read_arithmetic(facts, row)
    first_layer = _read_first_layer(facts, row)
    return Input(
        position, interface_tensor, metadata, layout, channels, calibrated, matches, nominal, arithmetic, first_layer
    )


def _read_arithmetic(facts: Facts, row: int) -> Arithmetic | None:
    scale, offset = (read_list(facts, "input", f"graph_{name}", row) for name in ("scale", "offset"))
    if not scale or not offset:
        return None
    return Arithmetic(tuple(scale), tuple(offset), read_string(facts, "input", "graph_expects", row))


def _read_first_layer(facts: Facts, row: int) -> FirstLayer | None:
    layer = input_layers(facts)[row]
    if layer is None:
        return None
    known = layer.normalization
    is_in_graph = layer_normalizations(facts)[row] is None
    return FirstLayer(layer.name, known.name, known.short, known.formula, layer.order, layer.source, is_in_graph)


def _find_nominal_range(dtype: str, own: Quantization) -> tuple[float, float] | None:
    """Return the round range that matches the calibrated range, or None if none or several match."""
    assert own.scale is not None and own.zero_point is not None
    covered = [ends for ends in _NOMINAL if unseen_part(*ends, dtype, own.scale, own.zero_point) == 0]
    return covered[0] if len(covered) == 1 else None


def _find_calibration(facts: Facts, row: int, tensor: InterfaceTensor) -> tuple[Quantization | None, str]:
    """Return the quantization parameters that limit the values of an input, and their type.

    For a float input whose only consumer is QUANTIZE, these are the parameters and type of the output of QUANTIZE,
    which clips the values to its range. For any other input, return None and the type of the input.
    """
    if tensor.dtype != "FLOAT32":
        return None, tensor.dtype
    output = quantize_output(facts, row)
    if output < 0:
        return None, tensor.dtype
    quantized = read_tensor(facts, output)
    return quantized.quantization, quantized.dtype


def read_tensor(facts: Facts, row: int) -> InterfaceTensor:
    """Return the tensor in a row of the tensor table."""
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
        _read_quantization(facts, row),
    )


def _read_quantization(facts: Facts, row: int) -> Quantization | None:
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
    low, high = (zero_point is not None and activation_range(dtype, scale, zero_point)) or (None, None)
    return Quantization(1, scale, zero_point, axis, low, high, details)


def _read_metadata(facts: Facts, table: str, row: int) -> InterfaceMetadata | None:
    """Return the metadata of an input or output, or None if it is empty."""

    def read_floats(column: str) -> tuple[float, ...]:
        return tuple(map(float, read_list(facts, table, f"metadata.{column}", row) or ()))

    metadata = InterfaceMetadata(
        read_string(facts, table, "metadata.name", row),
        read_string(facts, table, "metadata.description", row),
        read_string(facts, table, "metadata.content", row),
        read_string(facts, table, "metadata.color_space", row),
        read_floats("mean"),
        read_floats("std"),
        read_floats("stats_min"),
        read_floats("stats_max"),
        tuple(read_list(facts, table, "metadata.associated_files", row) or ()),
    )
    return metadata if metadata != _EMPTY_METADATA else None


_EMPTY_METADATA = InterfaceMetadata(None, None, None, None, (), (), (), (), ())


def find_conversions(facts: Facts) -> tuple[Conversion, ...]:
    """Return the operators that change the type, but not the value, of an input or output of the first subgraph."""
    conversions: dict[tuple[str, int], Conversion] = {}
    for side in ("input", "output"):
        for row in find_rows(facts, side, "subgraph", 0):
            tensor = int(facts.rows(side, "tensor")[row])
            for operator in _find_neighbors(facts, side, tensor):
                if read_string(facts, "operator", "opcode", operator) in _CONVERTERS:
                    conversion = _read_conversion(facts, side, read_number(facts, side, "position", row), operator)
                    if conversion is not None:
                        conversions.setdefault((side, operator), conversion)
    return tuple(conversions.values())


def _find_neighbors(facts: Facts, side: str, tensor: int) -> list[int]:
    """Return the only consumer of an input, or the producer of an output, in a list that is empty if there is none."""
    if tensor < 0:
        return []
    if side == "input":
        consumers: list[int] = facts.lists("tensor", "consumers").row(tensor)
        return consumers if len(consumers) == 1 else []
    producer = int(facts.rows("tensor", "producer")[tensor])
    return [producer] if producer >= 0 else []


def _read_conversion(facts: Facts, side: str, position: int, operator: int) -> Conversion | None:
    source, target = int(facts.rows("operator", "input")[operator]), int(facts.rows("operator", "output")[operator])
    if source < 0 or target < 0:
        return None
    return Conversion(
        side,
        position,
        read_string(facts, "operator", "opcode", operator) or "",
        read_number(facts, "operator", "index", operator),
        read_string(facts, "tensor", "dtype", source) or "",
        read_string(facts, "tensor", "dtype", target) or "",
    )
