"""Facts about the values of constants, built from the results of the weight scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Scalars, state_of
from tflint.facts.facts import Facts, values_at
from tflint.facts.weights.element_types import element_types
from tflint.facts.weights.readable_constants import constants_of
from tflint.facts.weights.weight_scan import WeightScan
from tflint.facts.weights.weight_statistics import ODDITIES, RANGE, SATURATION, ZEROS, applies

Array = NDArray[Any]
Truths = NDArray[np.bool_]

_STATISTICS = {
    "value_min": RANGE,
    "value_max": RANGE,
    "zero_share": ZEROS,
    "saturated_share": SATURATION,
    "n_nan": ODDITIES,
    "n_inf": ODDITIES,
    "n_denormal": ODDITIES,
    "n_extreme": ODDITIES,
}


def value_min(facts: Facts) -> Lists:
    """Return the smallest stored value of each channel. For floats, this is the smallest finite value."""
    return _range_lists(facts, "smallest")


def value_max(facts: Facts) -> Lists:
    """Return the largest stored value of each channel. For floats, this is the largest finite value."""
    return _range_lists(facts, "largest")


def zero_share(facts: Facts) -> Lists:
    """Return, per channel, the share of stored values that represent zero."""
    return _share_lists(facts, "zeros", ZEROS)


def saturated_share(facts: Facts) -> Lists:
    """Return, per channel, the share of stored values that are at a limit of their type."""
    return _share_lists(facts, "saturated", SATURATION)


def n_nan(facts: Facts) -> Scalars:
    """Return the number of NaN values in each float constant."""
    return _count_sums(facts, "nan")


def n_inf(facts: Facts) -> Scalars:
    """Return the number of infinite values in each float constant."""
    return _count_sums(facts, "inf")


def n_denormal(facts: Facts) -> Scalars:
    """Return the number of denormal values in each float constant."""
    return _count_sums(facts, "denormal")


def n_extreme(facts: Facts) -> Scalars:
    """Return the number of values in each float constant that are the largest finite value or its negative."""
    return _count_sums(facts, "extreme")


def _scan_results(facts: Facts, name: str, statistic: str) -> Array:
    """Return a result of the scan: one number per channel of all constants.

    If `statistic` was not computed yet, the scan computes all statistics that the run needs.
    """
    scan = facts.memoize("weight scan", lambda: WeightScan(facts.tables.window, constants_of(facts)))
    wanted = {_STATISTICS[column] for table, column in facts.wanted if table == "tensor" and column in _STATISTICS}
    scan.require(statistic, sorted(wanted - {statistic}))
    return scan.results[name]


def _range_lists(facts: Facts, name: str) -> Lists:
    values = _scan_results(facts, name, RANGE)
    constants = constants_of(facts)
    is_finite = np.isfinite(values)
    has_values = np.logical_and.reduceat(is_finite, constants.firsts) if len(constants) else np.zeros(0, np.bool_)
    return _lists(facts, values, RANGE, has_values)


def _share_lists(facts: Facts, name: str, statistic: str) -> Lists:
    constants = constants_of(facts)
    sizes = np.repeat(constants.outer * constants.inner, constants.channels)
    is_known = constants.has_one_zero if statistic == ZEROS else np.ones(len(constants), dtype=np.bool_)
    return _lists(facts, _scan_results(facts, name, statistic) / sizes, statistic, is_known)


def _lists(facts: Facts, values: Array, statistic: str, is_known: Truths) -> Lists:
    """Return the numbers per channel as one list per tensor. Tensors with the same data share the elements."""
    constants = constants_of(facts)
    is_absent = constants.is_absent | _is_meaningless(facts, statistic)
    is_unknown = ~values_at(is_known, constants.of_tensor, False).astype(np.bool_)
    is_present = ~is_absent & ~is_unknown
    rows = np.where(is_present, constants.of_tensor, -1)
    starts, lengths = values_at(constants.firsts, rows, 0), values_at(constants.channels, rows, 0)
    return Lists(starts, lengths, values.take, state=state_of(is_absent, is_unknown))


def _count_sums(facts: Facts, name: str) -> Scalars:
    constants = constants_of(facts)
    counts = _scan_results(facts, name, ODDITIES)
    sums = np.add.reduceat(counts, constants.firsts) if len(constants) else counts
    is_absent = constants.is_absent | _is_meaningless(facts, ODDITIES)
    return Scalars(values_at(sums, constants.of_tensor, 0), state_of(is_absent, constants.of_tensor < 0))


def _is_meaningless(facts: Facts, statistic: str) -> Truths:
    """Return, for each tensor, whether a statistic does not apply to its type."""
    names = {name for name, type_ in element_types().items() if not applies(statistic, type_)}
    return facts.is_one_of("tensor", "dtype", names)
