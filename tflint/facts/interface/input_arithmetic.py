"""Facts of arithmetic by which a graph prepares its inputs itself: x × scale + offset before anything else.

Followed through operators that keep real values as they are, and read from small constants: floats, also those stored
as float16, and integers with one scale.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Scalars, Strings, lists_of_arrays, scalars_of, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.weights.buffer_offsets import buffer_places
from tflint.facts.weights.element_types import ElementType, element_types
from tflint.normalization.affine_formula import formula_of
from tflint.values import frozen

#: Operators that pass values on, but for their place, their type or a border around them.
_PASSING = {"CAST", "QUANTIZE", "DEQUANTIZE", "RESHAPE", "TRANSPOSE", "EXPAND_DIMS", "SQUEEZE", "PAD", "PADV2"}
_ARITHMETIC = {"MUL", "DIV", "ADD", "SUB"}
#: Constants for the channels of a picture have no more elements.
MAX_CHANNELS = 4
#: Operators that are followed from an input on.
_MAX_STEPS = 8

Values = NDArray[np.float64]


@frozen
class Affine:
    """What a graph makes of an input x: x × scale + offset, one number for all channels or one a channel."""

    scale: Values
    offset: Values

    def of(self, values: Values) -> Values:
        """What it makes of values, one for all channels or one a channel."""
        made: Values = values * self.scale + self.offset
        return made

    @property
    def formula(self) -> str:
        """It as people write it, to four digits; several numbers are those of the channels."""
        return formula_of(self.scale.tolist(), self.offset.tolist())

    @property
    def is_identity(self) -> bool:
        """Whether it leaves everything as it is."""
        return bool((self.scale == 1).all() and (self.offset == 0).all())


def scale(facts: Facts) -> Lists:
    """What the graph multiplies each input by before anything else."""
    return lists_of_arrays([None if found is None else found.scale for found in maps(facts)])


def offset(facts: Facts) -> Lists:
    """What the graph adds to each input, after its scale."""
    return lists_of_arrays([None if found is None else found.offset for found in maps(facts)])


def expects(facts: Facts) -> Strings:
    """The pixels that the graph's own arithmetic is made for."""
    return strings_of(None if found is None else _expected(found) for found in maps(facts))


def first_scale(facts: Facts) -> Scalars:
    """The scale of what the first operator makes of each input, those left out that keep values as they are."""
    return scalars_of(_first_scale(facts, walk) for walk in walks(facts))


def _first_scale(facts: Facts, walk: Walk) -> float | None:
    operator = only_reader(facts, walk.tensor)
    made = -1 if operator is None else int(facts.rows("operator", "output")[operator])
    scales = facts.lists("tensor", "scale").row(made) if made >= 0 else []
    return float(scales[0]) if len(scales) == 1 else None


def quantized_behind(facts: Facts, tensor: int) -> int:
    """What the QUANTIZE makes that a float tensor goes into, and nothing else reads; -1 where there is none."""
    operator = only_reader(facts, tensor)
    if operator is None or text_of(facts.column("operator", "opcode"), operator) != "QUANTIZE":
        return -1
    return int(facts.rows("operator", "output")[operator])


def formula(facts: Facts) -> Strings:
    """The graph's arithmetic as people write it."""
    return strings_of(None if found is None else found.formula for found in maps(facts))


def maps(facts: Facts) -> list[Affine | None]:
    """The graph's arithmetic on each input; None where there is none."""
    return [None if walk.map.is_identity else walk.map for walk in walks(facts)]


def _expected(found: Affine) -> str | None:
    """`u8` where it centres or shrinks pixels of 0 to 255, `unit` where it stretches pixels of 0 to 1."""
    with np.errstate(all="ignore"):
        factor, center = float(np.abs(found.scale).mean()), float((-found.offset / found.scale).mean())
    is_shrunk = 0.0038 <= factor <= 0.0081  # 1/255 to 1/127.5
    is_pixel_mean = 90 <= center <= 160 and (factor <= 0.02 or factor == 1)
    if is_shrunk or is_pixel_mean:
        return "u8"
    return "unit" if 0.3 <= center <= 0.6 and 1.5 <= factor <= 8 else None


# -- the walk from an input on -----------------------------------------------------------------------------------------


@frozen
class Walk:
    """The arithmetic from an input on, and the tensor that it leads to."""

    map: Affine
    tensor: int


def walks(facts: Facts) -> list[Walk]:
    """The arithmetic from each input on."""
    return facts.once("affine", lambda: [_walk(facts, int(tensor)) for tensor in facts.rows("input", "tensor")])


def _walk(facts: Facts, tensor: int) -> Walk:
    """Ends where more than one operator reads what was made so far, or one does something else."""
    so_far = Affine(np.ones(1), np.zeros(1))
    for _ in range(_MAX_STEPS):
        operator = only_reader(facts, tensor)
        if operator is None:
            break
        opcode = text_of(facts.column("operator", "opcode"), operator) or ""
        if opcode in _ARITHMETIC:
            after = _after(facts, operator, opcode, tensor, so_far)
            if after is None:
                break
            so_far = after
        elif opcode not in _PASSING or (opcode == "CAST" and _has_scale(facts, tensor)):
            break  # a cast hands over the integers, whatever they stand for
        tensor = int(facts.rows("operator", "output")[operator])
    return Walk(so_far, tensor)


def _has_scale(facts: Facts, tensor: int) -> bool:
    return len(facts.lists("tensor", "scale").row(tensor)) > 0


def only_reader(facts: Facts, tensor: int) -> int | None:
    """The operator that reads a tensor, if no other does."""
    readers = facts.lists("tensor", "consumers").row(tensor) if tensor >= 0 else []
    return int(readers[0]) if len(readers) == 1 else None


def _read(facts: Facts, operator: int) -> list[int]:
    """The tensors that an operator reads, in order."""
    return [int(tensor) for tensor in facts.lists("operator", "inputs").row(operator)]


def _after(facts: Facts, operator: int, opcode: str, tensor: int, so_far: Affine) -> Affine | None:
    """The map with one more operator; None where that is no arithmetic with a constant, or bends the line."""
    tensors = _read(facts, operator)
    is_linear = text_of(facts.column("operator", "options.fused_activation_function"), operator) in (None, "NONE")
    if len(tensors) != 2 or tensors[0] == tensors[1] or not is_linear:
        return None
    comes_first = tensors[0] == tensor
    constant = _small_constant(facts, tensors[1] if comes_first else tensors[0])
    if constant is None or not {len(constant), len(so_far.scale)} <= {1, max(len(constant), len(so_far.scale))}:
        return None
    if opcode == "DIV":
        if not comes_first or not (constant != 0).all():
            return None
        factor, shift = 1 / constant, np.zeros(1)
    elif opcode == "MUL":
        factor, shift = constant, np.zeros(1)
    elif opcode == "ADD" or comes_first:
        factor, shift = np.ones(1), constant if opcode == "ADD" else -constant
    else:  # a constant less the input
        factor, shift = -np.ones(1), constant
    made, moved = np.broadcast_arrays(so_far.scale * factor, so_far.offset * factor + shift)
    return Affine(made, moved) if np.isfinite(made).all() and np.isfinite(moved).all() and made.all() else None


# -- constants ---------------------------------------------------------------------------------------------------------


def _small_constant(facts: Facts, tensor: int) -> Values | None:
    """The values of a constant for all channels or one a channel, which an axis of its own holds."""
    values = constant_of(facts, tensor, MAX_CHANNELS)
    if values is None:
        return None
    shape = facts.lists("tensor", "shape").row(tensor)
    return values if len(values) == 1 or sum(size != 1 for size in shape) == 1 else None


def constant_of(facts: Facts, tensor: int, limit: int) -> Values | None:
    """The real values of a constant, of one that a DEQUANTIZE unpacks, too; None where it has none, or too many."""
    if tensor < 0:
        return None
    if not facts.numbers("tensor", "is_constant")[tensor]:
        packed = _unpacked(facts, tensor)
        return None if packed is None else _constant_values(facts, packed, limit)
    return _constant_values(facts, tensor, limit)


def _unpacked(facts: Facts, tensor: int) -> int | None:
    """The constant that a DEQUANTIZE makes a tensor of."""
    producer = int(facts.rows("tensor", "producer")[tensor])
    if producer < 0 or text_of(facts.column("operator", "opcode"), producer) != "DEQUANTIZE":
        return None
    read = _read(facts, producer)
    return read[0] if len(read) == 1 and read[0] >= 0 and facts.numbers("tensor", "is_constant")[read[0]] else None


def _constant_values(facts: Facts, tensor: int, limit: int) -> Values | None:
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
    values = _real(facts, tensor, kind, stored)
    return values if values is not None and np.isfinite(values).all() else None


def _real(facts: Facts, tensor: int, kind: ElementType, stored: NDArray[np.uint8]) -> Values | None:
    """The real values of stored elements; of integers only with one scale."""
    if kind.name == "FLOAT16":
        return stored.view("<f2").astype(np.float64)
    if kind.is_float:
        return None if kind.has_keys else stored.view(kind.stored).astype(np.float64)
    scales, zeros = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    if len(scales) != 1 or len(zeros) != 1:
        return None
    made: Values = (kind.elements(stored).astype(np.float64) - zeros[0]) * scales[0]
    return made
