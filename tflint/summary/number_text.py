"""Formats the numbers, shapes and formulas of a summary as text."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tflint.report import text_layout
from tflint.report.display_names import clean, plural, short_name
from tflint.summary.summary_values import InterfaceTensor, Quantization

_UNITS = (("trillion", 10**12), ("billion", 10**9), ("million", 10**6))
#: Separator between the facts on one line.
DOT = " · "


def format_number(value: float) -> str:
    """Format a real number with four significant digits and a minus sign (U+2212)."""
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return f"{int(value)}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def format_amount(count: int, noun: str) -> str:
    """Format a large number with its noun: 36 parameters, 3.47 million parameters."""
    if count < 1_000_000:
        return plural(count, noun)
    name, unit = next((name, unit) for name, unit in _UNITS if count >= unit)
    amount = count / unit
    digits = 2 if amount < 9.995 else 1 if amount < 99.95 else 0
    return f"{amount:,.{digits}f} {name} {noun}s"


def format_range(low: float, high: float) -> str:
    """Format a range of real numbers: −1 … 0.9922."""
    return f"{format_number(low)} … {format_number(high)}"


def format_shape(sizes: Sequence[int | None]) -> str:
    """Format a shape, with `?` for a dynamic dimension."""
    return "[" + ", ".join("?" if size is None else str(size) for size in sizes) + "]"


def format_dtype(name: str) -> str:
    """Return a type name in lower case, or `type N` for the number of an unknown type."""
    return name.lower() if not name.isdigit() else f"type {name}"


def format_type(tensor: InterfaceTensor) -> str:
    """Format the type and shape of a tensor."""
    shape = format_shape(tensor.dimensions) if tensor.has_rank else "of unknown rank"
    return f"{format_dtype(tensor.dtype)} {shape}"


def quote_name(name: str) -> str:
    """Return a short tensor name in quotes."""
    return f'"{short_name(name)}"'


def format_quantization(quantization: Quantization) -> str:
    """Format quantization parameters: `scale 0.5 zero point 3`."""
    if quantization.details is not None and quantization.n_scales == 0:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", clean(quantization.details)).lower()
    if quantization.scale is None:
        return f"{quantization.n_scales:,} scales along axis {quantization.axis}"
    zero = (
        "no zero point"
        if quantization.zero_point is None
        else f"zero point {quantization.zero_point}".replace("-", "−")
    )
    return f"scale {quantization.scale:.6g} {zero}"


def format_numbers(values: Sequence[float]) -> str:
    """Format a list of real numbers, or a single number if all are equal."""
    distinct = list(dict.fromkeys(values))
    return format_number(distinct[0]) if len(distinct) == 1 else "[" + ", ".join(map(format_number, values)) + "]"


def shorten(text: str, length: int) -> str:
    """Return a text on one line, cut off so that it has at most `length` characters."""
    return text_layout.shorten(clean(" ".join(text.split())), length)


def join_some(pieces: Sequence[str], limit: int, separator: str = ", ") -> str:
    """Join the first `limit` pieces. If there are more, add `and N more`."""
    if len(pieces) <= limit + 1:
        return separator.join(pieces)
    return f"{separator.join(pieces[:limit])} and {len(pieces) - limit:,} more"


def format_percent(part: float) -> str:
    """Format a fraction as a percentage: 0.15 %, 1.5 %, 87 %."""
    share = 100 * part
    return f"{share:.0f} %" if share >= 10 else f"{share:.2g} %"
