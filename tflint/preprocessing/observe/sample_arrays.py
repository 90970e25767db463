"""Reads samples of the inputs: arrays as client code feeds them, and images preprocessed by the contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tflint.errors import UserError
from tflint.preprocessing.observe.array_chunks import Numbers, wrap_array
from tflint.preprocessing.observe.npy_files import open_arrays
from tflint.preprocessing.observe.sample_files import ARRAY_SUFFIXES
from tflint.preprocessing.observe.sample_images import preprocess_image
from tflint.preprocessing.recipe import Recipe, RecipeInput


def read_samples(file: Path, recipe: Recipe) -> Iterator[tuple[RecipeInput, Numbers]]:
    """Yield arrays of real values (or quantized integers) with their inputs; read each before requesting the next.

    `file` is a .npy or .npz file or an image. An array of an .npz belongs to the input with its name or index; a single
    array belongs to a single input. Raises `UserError` if data cannot be read or matched.
    """
    if file.suffix.lower() in ARRAY_SUFFIXES:
        with open_arrays(file) as arrays:
            # Match all arrays before the first is read, so that errors come early.
            yield from [(_find_input(recipe, name, len(arrays), file), numbers) for name, numbers in arrays]
    else:
        recipe_input = require_single_input(recipe, str(file))
        yield recipe_input, wrap_array(preprocess_image(file, recipe_input, recipe), str(file))


def require_single_input(recipe: Recipe, what: str) -> RecipeInput:
    """Return the contract's only input. Raises `UserError` if the contract has several inputs or none."""
    if len(recipe.inputs) != 1:
        names = ", ".join(recipe_input.name for recipe_input in recipe.inputs)
        raise UserError(
            f"'{what}' does not specify its input, and the contract has {len(recipe.inputs)}",
            hint=f"use an .npz file with arrays named {names}",
        )
    return recipe.inputs[0]


def _find_input(recipe: Recipe, name: str, n_arrays: int, file: Path) -> RecipeInput:
    matches = [
        recipe_input
        for recipe_input in recipe.inputs
        if name in (recipe_input.name, recipe_input.tensor, str(recipe_input.position))
    ]
    if not matches and n_arrays == 1:
        return require_single_input(recipe, str(file))
    if len(matches) != 1:
        names = ", ".join(recipe_input.name for recipe_input in recipe.inputs)
        raise UserError(
            f"the array '{name}' of '{file}' does not match an input of the contract", hint=f"its inputs are {names}"
        )
    return matches[0]
