"""The columns: what was found of constants, as facts of the tensors that have them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Scalars, state_of
from tflint.facts.facts import Facts, taken
from tflint.facts.weights.element_types import element_types
from tflint.facts.weights.readable_constants import constants_of
from tflint.facts.weights.weight_scan import Survey
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
}


def value_min(facts: Facts) -> Lists:
    """Smallest stored value of each channel; of floats the smallest finite one."""
    return _range(facts, "smallest")


def value_max(facts: Facts) -> Lists:
    """Largest stored value of each channel; of floats the largest finite one."""
    return _range(facts, "largest")


def zero_share(facts: Facts) -> Lists:
    """Share of stored values of each channel that mean zero."""
    return _shares(facts, "zeros", ZEROS)


def saturated_share(facts: Facts) -> Lists:
    """Share of stored values of each channel at an end of their type."""
    return _shares(facts, "saturated", SATURATION)


def n_nan(facts: Facts) -> Scalars:
    """How many values of a float constant are NaN."""
    return _sums(facts, "nan")


def n_inf(facts: Facts) -> Scalars:
    """How many values of a float constant are infinite."""
    return _sums(facts, "inf")


def n_denormal(facts: Facts) -> Scalars:
    """How many values of a float constant are denormal."""
    return _sums(facts, "denormal")


def _found(facts: Facts, name: str, statistic: str) -> Array:
    """What was found, over the channels of all constants; what the run will ask for is found in the same pass."""
    survey = facts.once("survey", lambda: Survey(facts.tables.window, constants_of(facts)))
    wanted = {_STATISTICS[column] for table, column in facts.wanted if table == "tensor" and column in _STATISTICS}
    survey.require(statistic, sorted(wanted - {statistic}))
    return survey.found[name]


def _range(facts: Facts, name: str) -> Lists:
    values = _found(facts, name, RANGE)
    constants = constants_of(facts)
    is_finite = np.isfinite(values)
    has_values = np.logical_and.reduceat(is_finite, constants.firsts) if len(constants) else np.zeros(0, np.bool_)
    return _lists(facts, values, RANGE, has_values)


def _shares(facts: Facts, name: str, statistic: str) -> Lists:
    constants = constants_of(facts)
    sizes = np.repeat(constants.outer * constants.inner, constants.channels)
    is_known = constants.has_one_zero if statistic == ZEROS else np.ones(len(constants), dtype=np.bool_)
    return _lists(facts, _found(facts, name, statistic) / sizes, statistic, is_known)


def _lists(facts: Facts, values: Array, statistic: str, is_known: Truths) -> Lists:
    """Numbers over channels as lists of tensors; tensors with the same data share them."""
    constants = constants_of(facts)
    is_absent = constants.is_absent | _is_meaningless(facts, statistic)
    is_unknown = ~taken(is_known, constants.of_tensor, False).astype(np.bool_)
    is_present = ~is_absent & ~is_unknown
    rows = np.where(is_present, constants.of_tensor, -1)
    starts, lengths = taken(constants.firsts, rows, 0), taken(constants.channels, rows, 0)
    return Lists(starts, lengths, values.take, state=state_of(is_absent, is_unknown))


def _sums(facts: Facts, name: str) -> Scalars:
    constants = constants_of(facts)
    counts = _found(facts, name, ODDITIES)
    sums = np.add.reduceat(counts, constants.firsts) if len(constants) else counts
    is_absent = constants.is_absent | _is_meaningless(facts, ODDITIES)
    return Scalars(taken(sums, constants.of_tensor, 0), state_of(is_absent, constants.of_tensor < 0))


def _is_meaningless(facts: Facts, statistic: str) -> Truths:
    """Which tensors are of a type for which a statistic means nothing."""
    names = {name for name, type_ in element_types().items() if not applies(statistic, type_)}
    return facts.is_one_of("tensor", "dtype", names)
