"""The first layers of pretrained networks, from `rules/tables/first_layers`, with the normalization that they expect.

Many models begin with the first convolution of a published network. Weights cannot agree by chance, so a few of them
identify the network, and its documentation says how to normalize pixels.

A table has `N_SAMPLES` weights per layer, at the places of `sample_places`. A layer is known if its weights at these
places, as real values, differ from those in the table by at most `MAX_DISTANCE`. Quantization to 8 bits changes weights
by less: by at most 0.012 with one scale per channel and 0.036 with one scale per tensor. Other weights differ by more:
by 0.22 in the closest pair, a float network and its copy after quantization-aware training
(`python -m tools.sample_first_layers --distances`).

The weights are compared with their scale, because a normalization that was folded into the weights changes only that.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

from tflint.normalization.known_normalizations import Normalization, known_normalizations
from tflint.resources import first_layer_tables
from tflint.values import frozen

#: Number of weights in the tables per layer.
N_SAMPLES = 64
#: Largest distance of two equal layers: the norm of the difference, divided by the norm of the weights in the table.
MAX_DISTANCE = 0.1
#: Multiples of the golden ratio, modulo 1, are spread evenly.
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


@frozen
class KnownLayer:
    """The first convolution of a pretrained network.

    `shape` is that of the weights, [output channels, height, width, input channels]. `weights` are the samples.
    `normalization` is the normalization of the pixels that the network expects, `order` their channel order, and
    `source` the address of the statement about both.
    """

    name: str
    shape: tuple[int, ...]
    weights: tuple[float, ...]
    normalization: Normalization
    order: str
    source: str

    @property
    def description(self) -> str:
        """The network and the normalization, such as "MobileNet v1 0.25 (224), which expects x/127.5 − 1"."""
        return f"{self.name}, which expects {self.normalization.short}"


@functools.cache
def known_layers() -> tuple[KnownLayer, ...]:
    """Return all known first layers."""
    normalizations = {normalization.name: normalization for normalization in known_normalizations()}
    return tuple(
        KnownLayer(
            entry["name"],
            tuple(entry["shape"]),
            tuple(map(float, entry["weights"])),
            normalizations[entry["normalization"]],
            entry["order"],
            entry["normalization_source"],
        )
        for table in first_layer_tables()
        for entry in table["layers"]
    )


def sample_places(shape: Sequence[int]) -> list[int]:
    """Return the places of the samples among the weights of a convolution with the shape [outputs, …].

    The samples go round the outputs. Their places in the filters are spread evenly, and are different for each visit of
    an output.
    """
    n_outputs, n_filter = shape[0], math.prod(shape[1:])
    step = next(step for step in itertools.count(round(_GOLDEN_RATIO * n_filter)) if math.gcd(step, n_filter) == 1)
    period = math.lcm(n_outputs, n_filter)  # after a period, the same places would return
    return [
        number % n_outputs * n_filter + (number * step + number // period) % n_filter for number in range(N_SAMPLES)
    ]


def find_layer(shape: Sequence[int], weights: Sequence[float]) -> KnownLayer | None:
    """Return the known layer with this shape and these samples, or None if there is none."""
    candidates = [(distance(layer.weights, weights), layer) for layer in known_layers() if layer.shape == tuple(shape)]
    closest = min(candidates, key=lambda candidate: candidate[0], default=None)
    return closest[1] if closest is not None and closest[0] <= MAX_DISTANCE else None


def distance(known: Sequence[float], weights: Sequence[float]) -> float:
    """Return the norm of the difference, divided by the norm of `known`."""
    return math.dist(known, weights) / math.hypot(*known)
