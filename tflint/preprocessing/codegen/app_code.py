"""Renders the pixel loop of image inputs, and the dequantization of outputs, in C, Kotlin, Swift, Dart and JavaScript.

The loop takes an image that already has the size of the input, as interleaved bytes: each platform has its own resize
functions. The code computes in doubles and in the same order in all languages, so that it gives the same integers as
the numpy code. If a shift replaces the arithmetic, a value halfway between two integers may be rounded differently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Template

import numpy as np

from tflint.contract.contract_edit import make_comment
from tflint.preprocessing.codegen.dialects import DIALECTS, Dialect
from tflint.preprocessing.recipe.image_steps import before_loop
from tflint.preprocessing.recipe.recipe import Recipe, RecipeInput, RecipeOutput
from tflint.preprocessing.recipe.step import format_signed
from tflint.values import frozen

#: Maximum error of a shift, in quantization steps. Rounding alone causes half a step.
MAX_SHORT_ERROR = 0.51
_SOURCE_ORDER = {"BGR": (2, 1, 0), "BGRA": (2, 1, 0, 3)}
#: Kotlin's element types.
_ELEMENTS = {"int8": "Byte", "uint8": "Byte", "int16": "Short", "float32": "Float"}


@frozen
class ShortForm:
    """A shift q = px + shift that replaces normalization and quantization, with its largest error in steps."""

    shift: int
    error: float

    @property
    def formula(self) -> str:
        """The shift as a formula."""
        return "q = px (raw bytes)" if not self.shift else f"q = px {'+' if self.shift > 0 else '−'} {abs(self.shift)}"


def short_form(recipe_input: RecipeInput) -> ShortForm | None:
    """Return the shift that gives the same integers as mean, std, scale and zero point, up to rounding.

    Return None if there is no such shift.
    """
    if (
        recipe_input.kind != "image"
        or not recipe_input.takes_bytes
        or not recipe_input.is_quantized
        or not recipe_input.quantizes
        or recipe_input.is_cast
    ):
        return None
    low, high = recipe_input.limits
    if high - low != 255 or recipe_input.entry.get("transfer") == "linear":
        return None
    assert recipe_input.scale is not None and recipe_input.zero_point is not None
    mean, std = recipe_input.normalization
    pixels = np.arange(256.0)[:, None] / (255 if recipe_input.is_unit else 1)
    with np.errstate(over="ignore"):
        exact = np.clip((pixels - mean) / std / recipe_input.scale + recipe_input.zero_point, low, high)
    error = float(np.abs(exact - (np.arange(256.0) + low)[:, None]).max())
    return ShortForm(low, error) if error <= MAX_SHORT_ERROR else None


def format_steps(error: float) -> str:
    """Return an error as text, such as "0.5 steps"."""
    return f"{error:.2g} steps"


def app_code(language: str, recipe: Recipe, violated_rules: Sequence[str] = ()) -> str:
    """Return functions for the image inputs and quantized outputs of a recipe. Other inputs and outputs get a comment.

    `violated_rules` are the ids of rules with findings in the contract. The head of the code lists them.
    """
    dialect = DIALECTS[language]
    parts = ["\n".join(f"// {make_comment(line)}" for line in recipe.head(violated_rules))]
    parts += [dialect.head] if dialect.head else []
    if dialect.rounding and any(_needs_rounding(recipe_input) for recipe_input in recipe.inputs):
        parts[-1] += f"\n{dialect.rounding}"
    for recipe_input in recipe.inputs:
        reason = _unsupported_reason(recipe_input)
        if reason:
            parts.append(
                f"// Input {recipe_input.position} has no function: {reason}. 'tflint contract show' lists its steps."
            )
        else:
            parts.append("\n".join(_render_input(recipe_input, dialect)))
    parts += ["\n".join(_render_output(recipe_output, dialect)) for recipe_output in recipe.outputs]
    return "\n\n".join(parts) + "\n"


def _needs_rounding(recipe_input: RecipeInput) -> bool:
    """Return whether the loop of an input divides by the scale, rather than subtracting a constant."""
    return not _unsupported_reason(recipe_input) and recipe_input.quantizes and short_form(recipe_input) is None


def _unsupported_reason(recipe_input: RecipeInput) -> str:
    """Return why the code has no pixel loop for an input, or an empty string if it has one."""
    if recipe_input.kind != "image":
        return f"its kind is {recipe_input.kind}, not image"
    if not recipe_input.takes_bytes or recipe_input.entry.get("transfer") == "linear":
        return "its source is not bytes from 0 to 255 in sRGB"
    if recipe_input.size is None:
        return "its height and width are dynamic"
    if recipe_input.dtype not in ("int8", "uint8", "int16", "float32"):
        return f"its type is {recipe_input.dtype or 'unknown'}"
    if recipe_input.is_cast and not recipe_input.quantizes and recipe_input.dtype not in ("uint8", "float32"):
        return f"its values are cast to {recipe_input.entry['cast']}, but its type is {recipe_input.dtype}"
    if recipe_input.dtype != "float32" and not (
        recipe_input.is_quantized or recipe_input.is_raw or recipe_input.is_cast
    ):
        return "neither the contract nor the model specifies its scale and zero point"
    return ""


def _render_input(recipe_input: RecipeInput, dialect: Dialect) -> Iterator[str]:
    assert recipe_input.size is not None and recipe_input.dtype is not None
    n_pixels, n_channels = recipe_input.size[0] * recipe_input.size[1], recipe_input.n_channels
    is_planar = recipe_input.layout in ("NCHW", "CHW")
    short = short_form(recipe_input)
    memory_order = "planar" if is_planar else "interleaved"
    height, width = recipe_input.size
    yield f"// rgb: {height} x {width} pixels of {n_channels} bytes; input: {recipe_input.dtype}, {memory_order}."
    yield from (f"// First {step.words}." for step in before_loop(recipe_input))
    if short is not None:
        yield f"// Replaces {_exact_formula(recipe_input)}; at most {format_steps(short.error)} off."
    is_shift = short is not None or recipe_input.is_raw
    yield from _constants(recipe_input, dialect, is_short=is_shift)
    order = f"ORDER_{recipe_input.position}[c]" if recipe_input.channels in _SOURCE_ORDER else "c"
    fill = {
        "n": str(recipe_input.position),
        "type": dialect.types[recipe_input.dtype],
        "element": _ELEMENTS[recipe_input.dtype],
        "number": "Int" if is_shift else "Double",
        "pixels": str(n_pixels),
        "channels": str(n_channels),
        "source": f"i * {n_channels} + {order}",
        "target": f"c * {n_pixels} + i" if is_planar else f"i * {n_channels} + c",
    }
    yield Template(dialect.prepare).substitute(fill, store=_store_code(recipe_input, short, dialect, fill))


def _store_code(recipe_input: RecipeInput, short: ShortForm | None, dialect: Dialect, fill: Mapping[str, str]) -> str:
    """Return the statement that stores a byte in the input: shifted, as a real or cast value, or quantized."""
    if short is not None or recipe_input.is_raw:
        shift = short.shift if short is not None else -recipe_input.raw_shift
        value = f"px - {-shift}" if shift else "px"
        return Template(dialect.shifted).substitute(fill, value=value)
    real_value = _real_value_code(recipe_input)
    if recipe_input.is_cast:
        cast = dialect.cast if recipe_input.dtype == "uint8" else dialect.cast_to_real
        real_value = Template(cast).substitute(value=real_value)
    if not recipe_input.quantizes:
        return Template(dialect.real).substitute(fill, value=real_value)
    assert recipe_input.scale is not None and recipe_input.zero_point is not None
    low, high = recipe_input.limits
    return Template(dialect.quantized).substitute(
        fill,
        value=real_value,
        scale=repr(recipe_input.scale),
        plus=f"{format_signed(recipe_input.zero_point)}.0",
        low=f"{low}.0",
        high=f"{high}.0",
    )


def _real_value_code(recipe_input: RecipeInput) -> str:
    """Return the expression for the real value of a byte `px`, which is the same in all languages."""
    mean, std = recipe_input.normalization
    pixel = "px / 255.0" if recipe_input.is_unit else "px"
    if not mean.any() and (std == 1).all():
        return pixel if recipe_input.is_unit else "px * 1.0"
    mean_code = repr(float(mean[0])) if len(mean) == 1 else f"MEAN_{recipe_input.position}[c]"
    std_code = repr(float(std[0])) if len(std) == 1 else f"STD_{recipe_input.position}[c]"
    return f"({pixel} - {mean_code}) / {std_code}"


def _constants(recipe_input: RecipeInput, dialect: Dialect, *, is_short: bool) -> Iterator[str]:
    """Yield arrays of mean and std if they differ between channels."""
    mean, std = recipe_input.normalization
    constants: list[tuple[str, str, list[str]]] = []
    if len(mean) > 1 and not is_short:
        constants.append(("MEAN", "float", [repr(float(value)) for value in mean]))
        constants.append(("STD", "float", [repr(float(value)) for value in std]))
    if recipe_input.channels in _SOURCE_ORDER:
        constants.append(("ORDER", "int", [str(place) for place in _SOURCE_ORDER[recipe_input.channels]]))
    for name, kind, values in constants:
        fields = {"type": dialect.numbers[kind], "name": f"{name}_{recipe_input.position}", "values": ", ".join(values)}
        yield Template(dialect.array).substitute(fields)


def _exact_formula(recipe_input: RecipeInput) -> str:
    assert recipe_input.scale is not None and recipe_input.zero_point is not None
    mean, std = (" | ".join(f"{value:.9g}" for value in values) for values in recipe_input.normalization)
    pixel = "px / 255" if recipe_input.is_unit else "px"
    return f"round(({pixel} - {mean}) / {std} / {recipe_input.scale:.9g}) {format_signed(recipe_input.zero_point)}"


def _render_output(recipe_output: RecipeOutput, dialect: Dialect) -> Iterator[str]:
    if not recipe_output.is_quantized or recipe_output.entry.get("dequantize") is False:
        yield f"// Output {recipe_output.position}: {recipe_output.dtype or 'unknown type'}, used unchanged."
        return
    dtype = recipe_output.dtype or ""
    assert recipe_output.scale is not None and recipe_output.zero_point is not None
    less = f" {format_signed(-recipe_output.zero_point)}" if recipe_output.zero_point else ""
    if dtype not in dialect.integers:
        integer = f"(q{less})" if less else "q"
        yield f"// Output {recipe_output.position}, {dtype}: real value = {integer} * {recipe_output.scale!r}."
        return
    yield f"// Output {recipe_output.position}: dequantizes {dtype}."
    yield Template(dialect.read).substitute(
        n=str(recipe_output.position),
        type=dialect.types[dtype],
        integer=dialect.integers[dtype],
        less=less,
        scale=repr(recipe_output.scale),
    )
