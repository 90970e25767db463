"""Formats linear maps: dequantization, and x × scale + offset with one number for all channels or one per channel."""

from __future__ import annotations

from collections.abc import Sequence

#: Largest relative error if a scale is written as the reciprocal of an integer. The precision of float32 is higher.
_RECIPROCAL = 1e-6


def format_affine(scale: Sequence[float], offset: Sequence[float]) -> str:
    """Return the map as a formula with four significant digits. A factor of 1 and an offset of 0 are left out."""
    factor = f"x × {_format_numbers(scale)}" if any(value != 1 for value in scale) else "x"
    if not any(offset):
        return factor
    is_less = all(value <= 0 for value in offset)
    return f"{factor} {'−' if is_less else '+'} {_format_numbers([abs(v) if is_less else v for v in offset])}"


def _format_numbers(values: Sequence[float]) -> str:
    """Format numbers as a list, or as one number if all are equal."""
    shown = list(dict.fromkeys(f"{value:.4g}" for value in values))
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def format_dequantization(scale: float, zero_point: int) -> str:
    """Return the formula for the real value of a quantized value q, such as "(q + 128) / 256" or "(q − 3) × 0.0235"."""
    shifted = "q" if zero_point == 0 else f"(q {'−' if zero_point > 0 else '+'} {abs(zero_point)})"
    inverse = 1 / scale if scale else 0.0
    if inverse > 1.5 and abs(inverse - round(inverse)) <= _RECIPROCAL * inverse:
        return f"{shifted} / {round(inverse)}"
    return shifted if scale == 1 else f"{shifted} × {scale:.6g}"
