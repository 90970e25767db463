"""Facts of custom operators: what their options say, where these are a FlexBuffer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint.columns.column import Lists, Scalars, state_of, texts_of
from tflint.facts.facts import Facts
from tflint.flexbuffer import Budget, FlexbufferError, decode
from tflint.model.custom_operators import options_bytes

#: Values of all options of a batch that are decoded, a second's work; real options hold some ten. What comes after that
#: is unknown.
MAX_VALUES = 1_000_000
_TOO_MANY = object()


def option_keys(facts: Facts) -> Lists:
    """The keys of each operator's custom options, sorted as they are stored; absent where these are no map."""
    found = _decoded(facts)
    keys = [list(value) if isinstance(value, dict) else [] for value in found]
    unknown = np.array([value is _TOO_MANY for value in found], dtype=np.bool_)
    absent = np.array([not isinstance(value, dict) for value in found], dtype=np.bool_)
    return texts_of(keys, state_of(absent & ~unknown, unknown))


def options_valid(facts: Facts) -> Scalars:
    """Whether each operator's custom options are a whole FlexBuffer."""
    found = _decoded(facts)
    unknown = np.array([value is _TOO_MANY for value in found], dtype=np.bool_)
    absent = facts.lists("operator", "custom_options").lengths == 0
    is_valid = np.array([not isinstance(value, FlexbufferError) for value in found], dtype=np.bool_)
    return Scalars(is_valid, state_of(absent, unknown))


def _decoded(facts: Facts) -> list[Any]:
    """For each operator its decoded options, or the error, or None where it has none, or `_TOO_MANY`."""
    options = facts.lists("operator", "custom_options")
    budget = Budget(MAX_VALUES)
    known: dict[tuple[int, int], Any] = {}  # operators may share their options
    found = []
    for row, place in enumerate(zip(options.starts.tolist(), options.lengths.tolist(), strict=True)):
        if place not in known:
            known[place] = _decode(options_bytes(options, row), budget) if place[1] else None
        found.append(known[place])
    return found


def _decode(data: bytes, budget: Budget) -> Any:
    try:
        return decode(data, budget)
    except FlexbufferError as error:
        return error if budget.values >= 0 else _TOO_MANY
