"""Facts about the options of custom operators that are stored as a FlexBuffer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint.columns.column import Lists, Scalars, state_of, texts_of
from tflint.facts.facts import Facts
from tflint.flexbuffer import Budget, FlexbufferError, decode
from tflint.model.custom_operators import options_bytes

#: Largest number of values decoded from the custom options of all operators in a batch: about one second of work. The
#: options of a real operator hold about ten values. Options beyond the limit are unknown.
MAX_VALUES = 1_000_000
_TOO_MANY = object()


def option_keys(facts: Facts) -> Lists:
    """Return the keys of each operator's custom options in stored order. Absent if the options are not a map.

    A FlexBuffer stores its keys sorted.
    """
    values = _decode_all(facts)
    keys = [list(value) if isinstance(value, dict) else [] for value in values]
    unknown = np.array([value is _TOO_MANY for value in values], dtype=np.bool_)
    absent = np.array([not isinstance(value, dict) for value in values], dtype=np.bool_)
    return texts_of(keys, state_of(absent & ~unknown, unknown))


def options_valid(facts: Facts) -> Scalars:
    """Return whether each operator's custom options are a valid FlexBuffer."""
    values = _decode_all(facts)
    unknown = np.array([value is _TOO_MANY for value in values], dtype=np.bool_)
    absent = facts.lists("operator", "custom_options").lengths == 0
    is_valid = np.array([not isinstance(value, FlexbufferError) for value in values], dtype=np.bool_)
    return Scalars(is_valid, state_of(absent, unknown))


def _decode_all(facts: Facts) -> list[Any]:
    """Return the decoded options of each operator, or None if it has no options.

    For options that cannot be decoded, the element is the error. For options beyond the limit, it is `_TOO_MANY`.
    """
    options = facts.lists("operator", "custom_options")
    budget = Budget(MAX_VALUES)
    by_place: dict[tuple[int, int], Any] = {}  # several operators may share the same bytes
    values = []
    for row, place in enumerate(zip(options.starts.tolist(), options.lengths.tolist(), strict=True)):
        if place not in by_place:
            by_place[place] = _decode(options_bytes(options, row), budget) if place[1] else None
        values.append(by_place[place])
    return values


def _decode(data: bytes, budget: Budget) -> Any:
    try:
        return decode(data, budget)
    except FlexbufferError as error:
        return error if budget.values >= 0 else _TOO_MANY
