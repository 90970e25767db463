"""Writes what is done to the pixels of a picture, and to quantized outputs, in languages of applications.

The picture has the model's size already, as bytes pixel after pixel: each platform has its own way to resize. All
languages compute in doubles and in the same order, so that all give the same integers as the numpy code; where a shift
stands for that, bytes half way between two integers may be rounded the other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Template

import numpy as np

from tflint.contract.contract_edit import comment
from tflint.preprocessing.codegen.dialects import DIALECTS, Dialect
from tflint.preprocessing.recipe.image_steps import before_loop
from tflint.preprocessing.recipe.recipe import Feeding, Reading, Recipe
from tflint.preprocessing.recipe.step import signed
from tflint.values import frozen

#: A shift is offered where it is this close to the exact value, in steps: rounding alone makes half a step.
MAX_SHORT_ERROR = 0.51
_SOURCE_ORDER = {"BGR": (2, 1, 0), "BGRA": (2, 1, 0, 3)}
#: What Kotlin calls the element of an array.
_ELEMENTS = {"int8": "Byte", "uint8": "Byte", "int16": "Short", "float32": "Float"}


@frozen
class ShortForm:
    """A fold that is a shift of the byte: q = px + shift, and by how many steps that is off at most."""

    shift: int
    error: float

    @property
    def words(self) -> str:
        """As people write it."""
        return "q = px (raw bytes)" if not self.shift else f"q = px {'+' if self.shift > 0 else '−'} {abs(self.shift)}"


def short_form(feeding: Feeding) -> ShortForm | None:
    """The shift that is as close to what mean, std, scale and zero point give as rounding is; None where none is."""
    if feeding.kind != "image" or not feeding.takes_bytes or not feeding.is_quantized or feeding.is_raw:
        return None
    low, high = feeding.limits
    if high - low != 255 or feeding.entry.get("transfer") == "linear":
        return None
    assert feeding.scale is not None and feeding.zero_point is not None
    mean, std = feeding.normalization
    pixels = np.arange(256.0)[:, None] / (255 if feeding.is_unit else 1)
    with np.errstate(over="ignore"):
        wanted = np.clip((pixels - mean) / std / feeding.scale + feeding.zero_point, low, high)
    error = float(np.abs(wanted - (np.arange(256.0) + low)[:, None]).max())
    return ShortForm(low, error) if error <= MAX_SHORT_ERROR else None


def steps_off(error: float) -> str:
    """An error in steps, in words."""
    return f"{error:.2g} step{'s' if error > 1 else ''}"


def code_in(language: str, recipe: Recipe, against: Sequence[str] = ()) -> str:
    """The functions of all pictures and quantized outputs of a recipe; of all else a comment tells why not. `against`
    are rules that the contract breaks.
    """
    dialect = DIALECTS[language]
    parts = ["\n".join(f"// {comment(line)}" for line in recipe.head(against))]
    parts += [dialect.head] if dialect.head else []
    if dialect.rounding and any(_rounds(feeding) for feeding in recipe.inputs):
        parts[-1] += f"\n{dialect.rounding}"
    for feeding in recipe.inputs:
        why_not = _why_no_loop(feeding)
        if why_not:
            parts.append(f"// Input {feeding.position}: {why_not}; 'tflint contract show' has the words.")
        else:
            parts.append("\n".join(_prepared(feeding, dialect)))
    parts += ["\n".join(_read(reading, dialect)) for reading in recipe.outputs]
    return "\n\n".join(parts) + "\n"


def _rounds(feeding: Feeding) -> bool:
    """Whether the loop of an input quantizes by its scale, and not by a shift."""
    return not _why_no_loop(feeding) and feeding.is_quantized and not feeding.is_raw and short_form(feeding) is None


def _why_no_loop(feeding: Feeding) -> str:
    """Why there is no loop over the bytes of a picture; empty where there is one."""
    if feeding.kind != "image":
        return f"it is {feeding.kind}, no picture"
    if not feeding.takes_bytes or feeding.entry.get("transfer") == "linear":
        return "its source is no plain bytes"
    if feeding.size is None:
        return "its height and width are not fixed"
    if feeding.dtype not in ("int8", "uint8", "int16", "float32"):
        return f"it is {feeding.dtype or 'of a type that nobody names'}"
    if feeding.dtype != "float32" and not (feeding.is_quantized or feeding.is_raw):
        return "neither contract nor model say its scale and zero point"
    return ""


def _prepared(feeding: Feeding, dialect: Dialect) -> Iterator[str]:
    assert feeding.size is not None and feeding.dtype is not None
    n_pixels, n_channels = feeding.size[0] * feeding.size[1], feeding.n_channels
    is_planar = feeding.layout in ("NCHW", "CHW")
    short = short_form(feeding)
    where = "plane after plane" if is_planar else "pixel after pixel"
    height, width = feeding.size
    yield f"// rgb: {height} x {width} pixels of {n_channels} bytes; input: {feeding.dtype}, {where}."
    yield from (f"// Before: {step.words}." for step in before_loop(feeding))
    if short is not None:
        yield f"// Short for {_long(feeding)}: at most {steps_off(short.error)} off."
    is_shift = short is not None or feeding.is_raw
    yield from _arrays(feeding, dialect, is_short=is_shift)
    order = f"ORDER_{feeding.position}[c]" if feeding.channels in _SOURCE_ORDER else "c"
    fill = {
        "n": str(feeding.position),
        "type": dialect.types[feeding.dtype],
        "element": _ELEMENTS[feeding.dtype],
        "number": "Int" if is_shift else "Double",
        "pixels": str(n_pixels),
        "channels": str(n_channels),
        "source": f"i * {n_channels} + {order}",
        "target": f"c * {n_pixels} + i" if is_planar else f"i * {n_channels} + c",
    }
    yield Template(dialect.prepare).substitute(fill, store=_store(feeding, short, dialect, fill))


def _store(feeding: Feeding, short: ShortForm | None, dialect: Dialect, fill: Mapping[str, str]) -> str:
    """What is done with a byte: the shift, the real value, or the integer that stands for it."""
    if short is not None or feeding.is_raw:
        shift = short.shift if short is not None else -feeding.raw_shift
        value = f"px - {-shift}" if shift else "px"
        return Template(dialect.shifted).substitute(fill, value=value)
    if not feeding.is_quantized:
        return Template(dialect.real).substitute(fill, value=_value(feeding))
    assert feeding.scale is not None and feeding.zero_point is not None
    low, high = feeding.limits
    return Template(dialect.quantized).substitute(
        fill,
        value=_value(feeding),
        scale=repr(feeding.scale),
        plus=f"{signed(feeding.zero_point)}.0",
        low=f"{low}.0",
        high=f"{high}.0",
    )


def _value(feeding: Feeding) -> str:
    """The real value of a byte `px`: the same text in all languages."""
    mean, std = feeding.normalization
    pixel = "px / 255.0" if feeding.is_unit else "px"
    if not mean.any() and (std == 1).all():
        return pixel if feeding.is_unit else "px * 1.0"
    subtracted = repr(float(mean[0])) if len(mean) == 1 else f"MEAN_{feeding.position}[c]"
    divided = repr(float(std[0])) if len(std) == 1 else f"STD_{feeding.position}[c]"
    return f"({pixel} - {subtracted}) / {divided}"


def _arrays(feeding: Feeding, dialect: Dialect, *, is_short: bool) -> Iterator[str]:
    """Constants that differ from channel to channel."""
    mean, std = feeding.normalization
    wanted: list[tuple[str, str, list[str]]] = []
    if len(mean) > 1 and not is_short:
        wanted.append(("MEAN", "float", [repr(float(value)) for value in mean]))
        wanted.append(("STD", "float", [repr(float(value)) for value in std]))
    if feeding.channels in _SOURCE_ORDER:
        wanted.append(("ORDER", "int", [str(place) for place in _SOURCE_ORDER[feeding.channels]]))
    for name, kind, values in wanted:
        gaps = {"type": dialect.numbers[kind], "name": f"{name}_{feeding.position}", "values": ", ".join(values)}
        yield Template(dialect.array).substitute(gaps)


def _long(feeding: Feeding) -> str:
    assert feeding.scale is not None and feeding.zero_point is not None
    mean, std = (" | ".join(f"{value:.9g}" for value in values) for values in feeding.normalization)
    pixel = "px / 255" if feeding.is_unit else "px"
    return f"round(({pixel} - {mean}) / {std} / {feeding.scale:.9g}) {signed(feeding.zero_point)}"


def _read(reading: Reading, dialect: Dialect) -> Iterator[str]:
    if not reading.is_quantized or reading.entry.get("dequantize") is False:
        yield f"// Output {reading.position} is {reading.dtype or 'of a type that nobody names'}: taken as it is."
        return
    dtype = reading.dtype or ""
    assert reading.scale is not None and reading.zero_point is not None
    less = f" {signed(-reading.zero_point)}" if reading.zero_point else ""
    if dtype not in dialect.integers:
        integer = f"(q{less})" if less else "q"
        yield f"// Output {reading.position}, {dtype}: real value = {integer} * {reading.scale!r}."
        return
    yield f"// Output {reading.position}: real values of {dtype}."
    yield Template(dialect.read).substitute(
        n=str(reading.position),
        type=dialect.types[dtype],
        integer=dialect.integers[dtype],
        less=less,
        scale=repr(reading.scale),
    )
