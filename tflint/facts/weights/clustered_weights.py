"""Facts about clustered weights, which have few distinct values, so that many of them lie at the ends of their type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import PRESENT, Scalars, state_of
from tflint.facts.facts import Facts, distinct
from tflint.facts.weights.constant_pieces import Layout
from tflint.facts.weights.readable_constants import constants_of

#: Largest number of distinct values of clustered weights: the most clusters that are in use.
_MAX_CLUSTERS = 16
#: Smallest number of weights of a channel whose distinct values are counted on their own. Fewer weights have few
#: distinct values in any case.
_MIN_CHANNEL = 256
#: The distinct values are counted in the first bytes of a constant.
_SAMPLE_BYTES = 1 << 20
#: Only weights are examined of which half the channels have this number and more than this share of saturated values.
_MIN_SATURATED = 3
_MIN_SHARE = 0.05


def is_clustered(facts: Facts) -> Scalars:
    """Return whether the 8-bit weights of each tensor with many saturated values have at most 16 distinct values.

    With one scale per channel, each cluster has a different integer in each channel. If the channels are long enough,
    the distinct values of the median channel count.
    """
    constants, window = constants_of(facts), facts.tables.window
    chosen = facts.is_one_of("tensor", "dtype", {"INT8", "UINT8"}) & facts.is_one_of("tensor", "role", {"weights"})
    chosen &= _many_are_saturated(facts)
    found = np.zeros(len(chosen), dtype=np.bool_)
    scratch = np.empty(_SAMPLE_BYTES, dtype=np.uint8)
    by_constant: dict[int, bool] = {}
    for tensor in np.flatnonzero(chosen).tolist():
        constant = int(constants.of_tensor[tensor])
        if constant not in by_constant:
            begin, length = int(constants.starts[constant]), min(int(constants.n_bytes[constant]), _SAMPLE_BYTES)
            sample = window.read_once(begin, begin + length, scratch)
            by_constant[constant] = _has_few_values(sample, constants.layout(constant))
        found[tensor] = by_constant[constant]
    return Scalars(found, state_of(~chosen))


def _many_are_saturated(facts: Facts) -> NDArray[np.bool_]:
    """Return whether at least half the channels of each tensor have many saturated values."""
    shares = facts.lists("tensor", "saturated_share")
    values, lengths = shares.flatten(slice(None))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    channel_lengths = facts.numbers("tensor", "n_elements") / np.maximum(lengths, 1)
    is_many = (values > _MIN_SHARE) & (values * channel_lengths[owners] >= _MIN_SATURATED - 0.5)
    n_saturated = np.bincount(owners[is_many], minlength=len(lengths))
    is_present = np.ones(len(lengths), dtype=np.bool_) if shares.state is None else shares.state == PRESENT
    many: NDArray[np.bool_] = is_present & (lengths > 0) & (2 * n_saturated >= lengths)
    return many


def _has_few_values(sample: NDArray[np.uint8], layout: Layout) -> bool:
    n_values = np.count_nonzero(np.bincount(sample, minlength=256))
    if n_values <= min(_MAX_CLUSTERS, len(sample) // 2):  # half: a few weights have few values in any case
        return True
    channels = np.arange(len(sample)) // layout.inner % layout.channels
    lengths = np.bincount(channels)
    n_distinct = np.bincount(distinct(channels * 256 + sample) // 256, minlength=len(lengths))
    is_long = lengths >= _MIN_CHANNEL
    return bool(is_long.any() and np.median(n_distinct[is_long]) <= _MAX_CLUSTERS)
