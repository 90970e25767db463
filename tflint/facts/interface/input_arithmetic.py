"""Facts about preprocessing inside the graph: x × scale + offset as the first operators after an input.

The search follows an input through operators that keep real values unchanged. It reads the small constants of the
arithmetic: floats (including float16), and integers with one scale, or with one per channel.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Scalars, Strings, lists_of_arrays, scalars_of, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.element_types import ElementType, element_types
from tflint.normalization.affine_formula import format_affine
from tflint.values import frozen

#: Operators that keep real values unchanged. They change only the positions of values, their type or the padding.
_PASSING = {"CAST", "QUANTIZE", "DEQUANTIZE", "RESHAPE", "TRANSPOSE", "EXPAND_DIMS", "SQUEEZE", "PAD", "PADV2"}
_ARITHMETIC = {"MUL", "DIV", "ADD", "SUB"}
#: Images have at most four channels. Constants with more elements are not read as one value per channel.
MAX_CHANNELS = 4
#: Number of operators that the search follows from an input.
_MAX_STEPS = 8

Values = NDArray[np.float64]


@frozen
class Affine:
    """The map x × scale + offset. `scale` and `offset` have one number for all channels, or one per channel."""

    scale: Values
    offset: Values

    def apply(self, values: Values) -> Values:
        """Apply the map to `values`, which contains one value for all channels or one per channel."""
        result: Values = values * self.scale + self.offset
        return result

    @property
    def formula(self) -> str:
        """The map as a formula with four significant digits, such as "x × 0.00784 − 1"."""
        return format_affine(self.scale.tolist(), self.offset.tolist())

    @property
    def is_identity(self) -> bool:
        """Whether the map changes nothing."""
        return bool((self.scale == 1).all() and (self.offset == 0).all())


def scale(facts: Facts) -> Lists:
    """Return the scale of the graph's first arithmetic on each input, absent if the graph has none."""
    return lists_of_arrays([None if affine_map is None else affine_map.scale for affine_map in affine_maps(facts)])


def offset(facts: Facts) -> Lists:
    """Return the offset of the graph's first arithmetic on each input, absent if the graph has none."""
    return lists_of_arrays([None if affine_map is None else affine_map.offset for affine_map in affine_maps(facts)])


def expected_units(facts: Facts) -> Strings:
    """Return the units of the pixels that the graph normalizes: "u8" (0 to 255) or "unit" (0 to 1)."""
    return strings_of(None if affine_map is None else _expected_units(affine_map) for affine_map in affine_maps(facts))


def first_scale(facts: Facts) -> Scalars:
    """Return, for each input, the output scale of the first operator that follows the graph's arithmetic on it."""
    return scalars_of(_first_scale(facts, path) for path in input_paths(facts))


def _first_scale(facts: Facts, path: InputPath) -> float | None:
    operator = only_consumer(facts, path.tensor)
    output = -1 if operator is None else int(facts.rows("operator", "output")[operator])
    scales = facts.lists("tensor", "scale").row(output) if output >= 0 else []
    return float(scales[0]) if len(scales) == 1 and _has_valid_scales(facts, output) else None


def quantize_output(facts: Facts, tensor: int) -> int:
    """Return the output of the QUANTIZE that is the only consumer of a float tensor, or -1."""
    operator = only_consumer(facts, tensor)
    if operator is None or text_of(facts.column("operator", "opcode"), operator) != "QUANTIZE":
        return -1
    return int(facts.rows("operator", "output")[operator])


def formula(facts: Facts) -> Strings:
    """Return the graph's arithmetic on each input as a formula."""
    return strings_of(None if affine_map is None else affine_map.formula for affine_map in affine_maps(facts))


def affine_maps(facts: Facts) -> list[Affine | None]:
    """Return the graph's arithmetic on each input, or None if it changes nothing."""
    return [None if path.map.is_identity else path.map for path in input_paths(facts)]


def _expected_units(affine_map: Affine) -> str | None:
    """Return the units of pixels that a map fits, or None if it fits neither kind of pixels.

    "u8" means that the map centers or scales down pixels of 0 to 255. "unit" means that it scales up pixels of 0 to 1.
    """
    with np.errstate(all="ignore"):
        factor, center = float(np.abs(affine_map.scale).mean()), float((-affine_map.offset / affine_map.scale).mean())
    is_shrunk = 0.0038 <= factor <= 0.0081  # 1/255 to 1/127.5
    is_pixel_mean = 90 <= center <= 160 and (factor <= 0.02 or factor == 1)
    if is_shrunk or is_pixel_mean:
        return "u8"
    return "unit" if 0.3 <= center <= 0.6 and 1.5 <= factor <= 8 else None


# -- following an input ------------------------------------------------------------------------------------------------


@frozen
class InputPath:
    """The arithmetic that the graph applies first to an input, and the row of the tensor with the result."""

    map: Affine
    tensor: int


def input_paths(facts: Facts) -> list[InputPath]:
    """Return the first arithmetic on each input."""
    return facts.memoize(
        "affine", lambda: [_follow_input(facts, int(tensor)) for tensor in facts.rows("input", "tensor")]
    )


def _follow_input(facts: Facts, tensor: int) -> InputPath:
    """Follow a tensor from operator to operator and collect the arithmetic.

    The path ends before an operator that is neither affine arithmetic nor in `_PASSING`, and at a tensor that several
    operators (or none) read.
    """
    affine = Affine(np.ones(1), np.zeros(1))
    for _ in range(_MAX_STEPS):
        operator = only_consumer(facts, tensor)
        if operator is None:
            break
        opcode = text_of(facts.column("operator", "opcode"), operator) or ""
        if opcode in _ARITHMETIC:
            after = _apply_operator(facts, operator, opcode, tensor, affine)
            if after is None:
                break
            affine = after
        elif opcode not in _PASSING or (opcode == "CAST" and _has_scale(facts, tensor)):
            break  # a CAST of a quantized tensor returns the quantized integers, not the real values
        tensor = int(facts.rows("operator", "output")[operator])
    return InputPath(affine, tensor)


def _has_scale(facts: Facts, tensor: int) -> bool:
    return len(facts.lists("tensor", "scale").row(tensor)) > 0


def _has_valid_scales(facts: Facts, tensor: int) -> bool:
    return bool(facts.numbers("tensor", "has_valid_scales")[tensor])


def only_consumer(facts: Facts, tensor: int) -> int | None:
    """Return the only operator that reads a tensor, or None if several operators or none read it."""
    consumers = facts.lists("tensor", "consumers").row(tensor) if tensor >= 0 else []
    return int(consumers[0]) if len(consumers) == 1 else None


def _operator_inputs(facts: Facts, operator: int) -> list[int]:
    return [int(tensor) for tensor in facts.lists("operator", "inputs").row(operator)]


def _apply_operator(facts: Facts, operator: int, opcode: str, tensor: int, affine: Affine) -> Affine | None:
    """Return a map combined with the operator that follows it.

    Returns None if the operator is not an affine operation with a constant.
    """
    tensors = _operator_inputs(facts, operator)
    is_linear = text_of(facts.column("operator", "options.fused_activation_function"), operator) in (None, "NONE")
    if len(tensors) != 2 or tensors[0] == tensors[1] or not is_linear:
        return None
    comes_first = tensors[0] == tensor
    constant = _small_constant(facts, tensors[1] if comes_first else tensors[0])
    if constant is None or not {len(constant), len(affine.scale)} <= {1, max(len(constant), len(affine.scale))}:
        return None
    if opcode == "DIV":
        if not comes_first or not (constant != 0).all():
            return None
        factor, shift = 1 / constant, np.zeros(1)
    elif opcode == "MUL":
        factor, shift = constant, np.zeros(1)
    elif opcode == "ADD" or comes_first:
        factor, shift = np.ones(1), constant if opcode == "ADD" else -constant
    else:  # constant − input
        factor, shift = -np.ones(1), constant
    scale, offset = np.broadcast_arrays(affine.scale * factor, affine.offset * factor + shift)
    is_usable = np.isfinite(scale).all() and np.isfinite(offset).all() and scale.all()
    return Affine(scale, offset) if is_usable else None


# -- constants ---------------------------------------------------------------------------------------------------------


def _small_constant(facts: Facts, tensor: int) -> Values | None:
    """Return the values of a small constant, or None for other tensors.

    The constant must have a single value, or one value per channel along a single axis.
    """
    values = constant_values(facts, tensor, MAX_CHANNELS)
    if values is None:
        return None
    shape = facts.lists("tensor", "shape").row(tensor)
    return values if len(values) == 1 or sum(size != 1 for size in shape) == 1 else None


def constant_values(facts: Facts, tensor: int, limit: int) -> Values | None:
    """Return the real values of a constant, or of the output of a DEQUANTIZE of a constant.

    Returns None for other tensors, for tensors with more than `limit` elements, and if the values cannot be read.
    """
    if tensor < 0:
        return None
    if not facts.numbers("tensor", "is_constant")[tensor]:
        source = _dequantize_source(facts, tensor)
        return None if source is None else _read_constant(facts, source, limit)
    return _read_constant(facts, tensor, limit)


def _dequantize_source(facts: Facts, tensor: int) -> int | None:
    """Return the constant that a DEQUANTIZE converts to the given tensor, or None if there is none."""
    producer = int(facts.rows("tensor", "producer")[tensor])
    if producer < 0 or text_of(facts.column("operator", "opcode"), producer) != "DEQUANTIZE":
        return None
    inputs = _operator_inputs(facts, producer)
    is_constant = len(inputs) == 1 and inputs[0] >= 0 and facts.numbers("tensor", "is_constant")[inputs[0]]
    return inputs[0] if is_constant else None


def _read_constant(facts: Facts, tensor: int, limit: int) -> Values | None:
    kind = element_types().get(text_of(facts.column("tensor", "dtype"), tensor) or "")
    n_elements = int(facts.numbers("tensor", "n_elements")[tensor])
    buffer = int(facts.rows("tensor", "buffer")[tensor])
    if kind is None or kind.bits < 8 or buffer < 0 or not 0 < n_elements <= limit:
        return None
    places = buffer_places(facts)
    n_bytes = n_elements * kind.bits // 8
    if places.sizes[buffer] != n_bytes:
        return None
    begin = int(places.starts[buffer])
    stored = np.frombuffer(facts.tables.window.span(begin, begin + n_bytes), np.uint8)
    values = _dequantize(facts, tensor, kind, stored)
    return values if values is not None and np.isfinite(values).all() else None


def _dequantize(facts: Facts, tensor: int, kind: ElementType, stored: NDArray[np.uint8]) -> Values | None:
    """Return the real values of stored elements, or None for integers without valid scales and zero points."""
    if kind.name == "FLOAT16":
        return stored.view("<f2").astype(np.float64)
    if kind.is_float:
        return None if kind.has_keys else stored.view(kind.stored).astype(np.float64)
    scales, zeros = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    if not len(scales) or len(scales) != len(zeros) or not _has_valid_scales(facts, tensor):
        return None
    blocks = _channel_blocks(facts, tensor, kind.elements(stored).astype(np.float64), len(scales))
    if blocks is None:
        return None
    values: Values = (blocks - np.reshape(zeros, (-1, 1))) * np.reshape(scales, (-1, 1))
    return values.reshape(-1)


def _channel_blocks(facts: Facts, tensor: int, elements: Values, n_scales: int) -> Values | None:
    """Return the elements with the shape [before, channel, after], or None if the scales do not fit the shape."""
    if n_scales == 1:
        return elements.reshape(1, 1, -1)
    shape = [int(size) for size in facts.lists("tensor", "shape").row(tensor)]
    axis = int(facts.numbers("tensor", "quantized_dimension")[tensor])
    is_valid = 0 <= axis < len(shape) and min(shape) > 0 and math.prod(shape) == len(elements)
    if not is_valid or shape[axis] != n_scales:
        return None
    return elements.reshape(-1, n_scales, math.prod(shape[axis + 1 :]))
