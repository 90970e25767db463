"""Compares the keys of two entries by their effect: whether client code that follows either feeds the same values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tflint.values import EMPTY

Entry = Mapping[str, Any]

#: Keys that are only meaningful together.
NORMALIZATION = ("mean", "std", "units", "range")
#: Default range of pixels by units, and the largest pixel.
_RANGES = {"u8": (0.0, 255.0), "unit": (0.0, 1.0)}
#: Largest difference of two equal normalizations, as a share of the range that they give. P004 allows as much.
_TOLERANCE = 0.001
#: Relative tolerance of other numbers, which ecosystems store in float32 or as decimal fractions.
_PRECISION = 1e-6


def default_range(units: str) -> list[float]:
    """Return the range of pixels with these units."""
    return list(_RANGES[units])


def conflicting_normalization(own: Entry, imported: Entry) -> list[str]:
    """Return the normalization keys of an entry that contradict the imported ones, empty if the effect is the same."""
    keys = [key for key in NORMALIZATION if key in own]
    if not keys or not any(key in imported for key in NORMALIZATION):
        return []
    if "mean" in own and "mean" in imported:
        is_same = _is_same_map(own, imported) and _are_same_ranges(own, imported)
        return [] if is_same else keys
    units = own.get("units"), imported.get("units")
    if None not in units and units[0] != units[1]:
        return keys
    if "range" in own or "range" in imported:
        # What one of the entries lacks, the other would give a new meaning.
        shared = {"units": units[0] or units[1] or "u8"}
        return [] if _are_same_ranges({**own, **shared}, {**imported, **shared}) else keys
    return []


def is_same_value(key: str, own: Any, imported: Any, table: Entry = EMPTY) -> bool:
    """Return whether two values of a key, or of its inner keys that both have, have the same effect.

    `table` is the table of the entry that has the key, if it is an inner key.
    """
    if isinstance(own, Mapping) and isinstance(imported, Mapping):
        return not conflicting_keys(own, imported)
    if key == "size" and table.get("mode") == "letterbox":  # one number means both sides
        own, imported = _as_list(own), _as_list(imported)
        return _are_close(own, imported)
    if _is_number(own) and _is_number(imported):
        return math.isclose(own, imported, rel_tol=_PRECISION)
    if key in ("mean", "std", "value", "min", "max") and _are_numbers(own) and _are_numbers(imported):
        return _are_close(_as_list(own), _as_list(imported))  # one number applies to all channels
    if isinstance(own, list) and isinstance(imported, list) and _are_numbers(own) and _are_numbers(imported):
        return len(own) == len(imported) and _are_close(own, imported)
    return bool(own == imported)


def conflicting_keys(own: Entry, imported: Entry) -> list[str]:
    """Return the keys of two tables whose values have different effects. Only keys that both have can differ."""
    return [key for key, value in imported.items() if key in own and not is_same_value(key, own[key], value, own)]


def _is_same_map(own: Entry, imported: Entry) -> bool:
    """Return whether two normalizations give pixels the same values in all channels."""
    pairs = _broadcast(_channel_maps(own), _channel_maps(imported))
    for own_map, imported_map in pairs:
        (low, high), (other_low, other_high) = own_map, imported_map
        allowed = _TOLERANCE * abs(high - low)
        if not (abs(low - other_low) <= allowed and abs(high - other_high) <= allowed):
            return False
    return bool(pairs)


def _channel_maps(entry: Entry) -> list[tuple[float, float]]:
    """Return the values of the smallest and largest pixel, one pair per channel or one for all; empty if std is 0."""
    low, high = _RANGES[entry.get("units", "u8")]
    channels = _broadcast(_as_list(entry["mean"]), _as_list(entry.get("std", 1)))
    if any(std == 0 for _, std in channels):
        return []
    return [((low - mean) / std, (high - mean) / std) for mean, std in channels]


def _are_same_ranges(own: Entry, imported: Entry) -> bool:
    """Return whether the source data have the same range, as shares of the range of pixels."""
    return _are_close(_source_range(own), _source_range(imported))


def _source_range(entry: Entry) -> list[float]:
    low, high = _RANGES[entry.get("units", "u8")]
    return [float(end) / high for end in entry.get("range", (low, high))]


def _broadcast(own: Sequence[Any], imported: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pair the elements of two lists. A single element applies to all; lists of different lengths give no pairs."""
    length = max(len(own), len(imported))
    if not own or not imported or {len(own), len(imported)} - {1, length}:
        return []
    pairs = (list(values) * length if len(values) == 1 else list(values) for values in (own, imported))
    return list(zip(*pairs, strict=True))


def _are_close(own: Sequence[float], imported: Sequence[float]) -> bool:
    pairs = _broadcast(own, imported)
    return bool(pairs) and all(math.isclose(a, b, rel_tol=_PRECISION, abs_tol=_PRECISION) for a, b in pairs)


def _as_list(value: Any) -> list[float]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(value: Any) -> bool:
    return all(map(_is_number, _as_list(value)))
