"""Formats the map x × scale + offset, with one number for all channels or one per channel."""

from __future__ import annotations

from collections.abc import Sequence


def format_affine(scale: Sequence[float], offset: Sequence[float]) -> str:
    """Return the map as a formula with four digits, without a factor of 1 or an offset of 0."""
    factor = f"x × {_format_numbers(scale)}" if any(value != 1 for value in scale) else "x"
    if not any(offset):
        return factor
    is_less = all(value <= 0 for value in offset)
    return f"{factor} {'−' if is_less else '+'} {_format_numbers([abs(v) if is_less else v for v in offset])}"


def _format_numbers(values: Sequence[float]) -> str:
    """Format numbers as a list, or as one number if all are equal."""
    shown = list(dict.fromkeys(f"{value:.4g}" for value in values))
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
