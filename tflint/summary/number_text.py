"""How numbers and formulas of a portrait are written for people."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tflint.report import text_layout
from tflint.report.display_names import clean, short_name
from tflint.summary.summary_values import InterfaceTensor, Quantization

#: What separates one fact from the next in a line.
DOT = " · "
#: How far a scale may be from one over a whole number to be written as that: float32 is finer.
_RECIPROCAL = 1e-6


def format_number(value: float) -> str:
    """A real number in four significant digits, with a real minus."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return f"{int(value)}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def format_range(low: float, high: float) -> str:
    """A range of real numbers: −1 … 0.9922."""
    return f"{format_number(low)} … {format_number(high)}"


def format_shape(sizes: Sequence[int | None]) -> str:
    """A shape, `?` for a dimension that is not fixed."""
    return "[" + ", ".join("?" if size is None else str(size) for size in sizes) + "]"


def format_dtype(name: str) -> str:
    """A type as people write it; a number that names no known type stays one."""
    return name.lower() if not name.isdigit() else f"type {name}"


def format_type(tensor: InterfaceTensor) -> str:
    """Type and shape of a tensor."""
    shape = format_shape(tensor.dimensions) if tensor.has_rank else "of unknown rank"
    return f"{format_dtype(tensor.dtype)} {shape}"


def quote_name(name: str) -> str:
    """A name as people read it, in quotes."""
    return f'"{short_name(name)}"'


def format_quantization(own: Quantization) -> str:
    """Quantization parameters in a few words."""
    if own.details is not None and own.n_scales == 0:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clean(own.details)).lower()
    if own.scale is None:
        return f"{own.n_scales:,} scales along axis {own.axis}"
    zero = "no zero point" if own.zero_point is None else f"zero point {own.zero_point}".replace("-", "−")
    return f"scale {own.scale:.6g} {zero}"


def format_dequantization(own: Quantization) -> str:
    """The formula of the real value of an integer q: (q + 128) / 256, (q − 3) × 0.0235."""
    assert own.scale is not None and own.zero_point is not None
    zero = own.zero_point
    shifted = "q" if zero == 0 else f"(q {'−' if zero > 0 else '+'} {abs(zero)})"
    inverse = 1 / own.scale if own.scale else 0.0
    if inverse > 1.5 and abs(inverse - round(inverse)) <= _RECIPROCAL * inverse:
        return f"{shifted} / {round(inverse)}"
    return shifted if own.scale == 1 else f"{shifted} × {own.scale:.6g}"


def format_numbers(values: Sequence[float]) -> str:
    """Real numbers one after the other; one that stands for all of them alone."""
    distinct = list(dict.fromkeys(values))
    return format_number(distinct[0]) if len(distinct) == 1 else "[" + ", ".join(map(format_number, values)) + "]"


def shorten(text: str, length: int) -> str:
    """A text in one line, its end cut off where it is longer than allowed."""
    return text_layout.shorten(clean(" ".join(text.split())), length)


def join_some(pieces: Sequence[str], limit: int, separator: str = ", ") -> str:
    """Some pieces, and how many more there are."""
    if len(pieces) <= limit + 1:
        return separator.join(pieces)
    return f"{separator.join(pieces[:limit])} and {len(pieces) - limit:,} more"


def format_percent(part: float) -> str:
    """A part of a whole: 0.15 %, 1.5 %, 87 %."""
    share = 100 * part
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
