"""The normalization step, with a note on whether it agrees with the model's calibrated range."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.recipe import RecipeInput
from tflint.preprocessing.recipe.step import Step, format_array, format_numbers


def normalization_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the step for mean and std.

    A raw feed has no such step, even if the contract specifies mean and std: its bytes represent the normalized values.
    """
    mean, std = recipe_input.normalization
    is_identity = not mean.any() and bool((std == 1).all())
    if recipe_input.is_raw:
        return
    is_divided = recipe_input.kind == "image" and recipe_input.is_unit and recipe_input.takes_bytes
    scaled = "x / 255" if is_divided else "x"
    if is_identity:
        if scaled != "x":
            yield Step("x = px / 255", ("units",), ("x = x / 255",), note=_agreement(recipe_input))
        elif recipe_input.kind == "image" and "mean" not in recipe_input.entry:
            yield Step("x = px", ("units",), note="the contract does not specify mean and std")
        return
    pixel = {"x / 255": "px / 255", "x": "px" if recipe_input.kind == "image" else "value"}[scaled]
    words = f"x = ({pixel} − {format_numbers(mean)}) / {format_numbers(std)}"
    code = f"x = ({scaled} - {format_array(mean)}) / {format_array(std)}"
    yield Step(words, ("mean", "std"), (code,), note=_agreement(recipe_input))


def _agreement(recipe_input: RecipeInput) -> str:
    if recipe_input.calibrated is None or (recipe_input.is_cast and not recipe_input.quantizes):
        is_float = (recipe_input.dtype or "").startswith("float")
        return "not verifiable: a float input accepts any range" if is_float else ""
    return "matches the calibrated range" if recipe_input.calibrated else "differs from the calibrated range"
