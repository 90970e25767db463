"""Facts about the first convolution after an input: whether it is that of a known pretrained network."""

from __future__ import annotations

import math

from tflint.columns.column import Strings, strings_of, text_of
from tflint.facts.facts import Facts
from tflint.facts.interface.input_arithmetic import InputPath, constant_values, input_paths, only_consumer
from tflint.normalization.known_layers import N_SAMPLES, KnownLayer, find_layer, known_layers, sample_places
from tflint.normalization.known_normalizations import Normalization
from tflint.values import frozen

#: Largest number of weights that the first convolution of an image network can have: 64 × 7 × 7 × 4.
_MAX_WEIGHTS = 1 << 14


@frozen
class FirstLayer:
    """The shape of the weights of a first convolution, and the samples of these weights."""

    shape: tuple[int, ...]
    weights: tuple[float, ...]


def known_layer(facts: Facts) -> Strings:
    """Return the name of the network whose first layer follows each input."""
    return strings_of(None if layer is None else layer.name for layer in input_layers(facts))


def known_normalization(facts: Facts) -> Strings:
    """Return the normalization that client code must apply to each input of a known network."""
    return strings_of(None if one is None else one.short for one in layer_normalizations(facts))


def input_layers(facts: Facts) -> list[KnownLayer | None]:
    """Return the known layer that follows each input, or None if there is none."""
    return facts.memoize("known_layers", lambda: [_identify(facts, path) for path in input_paths(facts)])


def layer_normalizations(facts: Facts) -> list[Normalization | None]:
    """Return the normalization that each input expects of client code, or None if the graph normalizes the input."""
    return [
        layer.normalization if layer is not None and path.map.is_identity else None
        for layer, path in zip(input_layers(facts), input_paths(facts), strict=True)
    ]


def _identify(facts: Facts, path: InputPath) -> KnownLayer | None:
    shape = _weights_shape(facts, path.tensor)
    if not any(layer.shape == shape for layer in known_layers()):
        return None  # most models end here, before their weights are read
    layer = read_first_layer(facts, path.tensor)
    return None if layer is None else find_layer(layer.shape, layer.weights)


def read_first_layer(facts: Facts, tensor: int) -> FirstLayer | None:
    """Return the convolution that is the only operator to read a tensor, or None if there is no such convolution."""
    shape = _weights_shape(facts, tensor)
    if not N_SAMPLES <= math.prod(shape) <= _MAX_WEIGHTS:
        return None
    values = constant_values(facts, _weights_row(facts, tensor), _MAX_WEIGHTS)
    if values is None or len(values) != math.prod(shape):  # the source of a DEQUANTIZE may be shaped differently
        return None
    return FirstLayer(shape, tuple(values[sample_places(shape)].tolist()))


def _weights_shape(facts: Facts, tensor: int) -> tuple[int, ...]:
    """Return the shape of the weights of the convolution that reads a tensor, or () if there is no convolution."""
    weights = _weights_row(facts, tensor)
    return tuple(int(size) for size in facts.lists("tensor", "shape").row(weights)) if weights >= 0 else ()


def _weights_row(facts: Facts, tensor: int) -> int:
    operator = only_consumer(facts, tensor)
    if operator is None or text_of(facts.column("operator", "opcode"), operator) != "CONV_2D":
        return -1
    return int(facts.rows("operator", "weights")[operator])
