"""Writes what a graph does to its inputs: x × scale + offset, one number for all channels or one a channel."""

from __future__ import annotations

from collections.abc import Sequence


def formula_of(scale: Sequence[float], offset: Sequence[float]) -> str:
    """The arithmetic as people write it, to four digits; a factor of 1 and an offset of 0 are left out."""
    factor = f"x × {_some(scale)}" if any(value != 1 for value in scale) else "x"
    if not any(offset):
        return factor
    is_less = all(value <= 0 for value in offset)
    return f"{factor} {'−' if is_less else '+'} {_some([abs(v) if is_less else v for v in offset])}"


def _some(values: Sequence[float]) -> str:
    """Numbers, one where they are the same."""
    shown = list(dict.fromkeys(f"{value:.4g}" for value in values))
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"
