"""Facts about the scale and zero point that client code quantizes with, explicitly or by a cast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tflint.columns.column import Lists, Scalars, lists_of_arrays
from tflint.contract.contract import passes_cast_values
from tflint.facts.contract.fed_range import FedRange, fed_ranges
from tflint.facts.facts import Facts

#: Half of the integers of a byte. Wider ranges are bytes of the source, for which a cast is right.
_HALF_OF_BYTES = 128.0


def client_scale(facts: Facts) -> Lists:
    """Return the scale that client code quantizes each input with."""
    return lists_of_arrays([_numbers(entry, fed, "scale", 1.0) for entry, fed in _entries(facts)])


def client_zero_point(facts: Facts) -> Lists:
    """Return the zero point that client code quantizes each input with."""
    return lists_of_arrays([_numbers(entry, fed, "zero-point", 0.0) for entry, fed in _entries(facts)])


def casts_normalized_input(facts: Facts) -> Scalars:
    """Return, per contract, whether client code casts normalized values of an input without quantizing them."""
    casts = np.zeros(len(facts.contracts), np.bool_)
    owners = facts.rows("contract_input", "contract").tolist()
    for owner, (entry, fed) in zip(owners, _entries(facts), strict=True):
        casts[owner] |= _casts_normalized(entry, fed)
    return Scalars(casts)


def _entries(facts: Facts) -> Iterator[tuple[Any, FedRange | None]]:
    entries = [entry for contract in facts.contracts.values() for entry in contract.inputs]
    return zip(entries, fed_ranges(facts), strict=True)


def _numbers(entry: Any, fed: FedRange | None, key: str, of_cast: float) -> Any:
    """Return the numbers of a key, or `of_cast` if the entry only casts normalized values."""
    if key in entry:
        return np.atleast_1d(np.array(entry[key], dtype=np.float64))
    return np.array([of_cast]) if _casts_normalized(entry, fed) else None


def _casts_normalized(entry: Any, fed: FedRange | None) -> bool:
    is_narrow = fed is not None and fed.range[1] - fed.range[0] < _HALF_OF_BYTES
    return is_narrow and passes_cast_values(entry)
