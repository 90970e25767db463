"""Reads samples of the inputs: arrays as they are fed, and images, prepared as the contract says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tflint.errors import UserError
from tflint.preprocessing.observe.array_chunks import Numbers, numbers_of
from tflint.preprocessing.observe.npy_files import open_arrays
from tflint.preprocessing.observe.sample_files import ARRAY_SUFFIXES, find_files
from tflint.preprocessing.observe.sample_images import prepare_image
from tflint.preprocessing.recipe import Feeding, Recipe


def samples(path: str, recipe: Recipe) -> Iterator[tuple[Feeding, Numbers]]:
    """Yield real values (or the model's integers) for inputs, an array after the other; each is to be read at once.

    `path` is a .npy or .npz file, an image, or a folder of these. An array of an .npz belongs to the input of its
    name or its number; if model and file have one each, to that. `UserError` for what cannot be read or matched.
    """
    for file in find_files(path):
        if file.suffix.lower() in ARRAY_SUFFIXES:
            with open_arrays(file) as arrays:
                matched = [(_matched(recipe, name, len(arrays), file), numbers) for name, numbers in arrays]
                yield from matched
        else:
            feeding = only_input(recipe, str(file))
            yield feeding, numbers_of(prepare_image(file, feeding, recipe), str(file))


def only_input(recipe: Recipe, what: str) -> Feeding:
    """Return the contract's only input; `UserError` if it has several or none."""
    if len(recipe.inputs) != 1:
        names = ", ".join(feeding.name for feeding in recipe.inputs)
        raise UserError(f"'{what}' does not say which input it is for", hint=f"an .npz has arrays called {names}")
    return recipe.inputs[0]


def _matched(recipe: Recipe, name: str, n_arrays: int, file: Path) -> Feeding:
    found = [feeding for feeding in recipe.inputs if name in (feeding.name, feeding.tensor, str(feeding.position))]
    if not found and n_arrays == 1:
        return only_input(recipe, str(file))
    if len(found) != 1:
        names = ", ".join(feeding.name for feeding in recipe.inputs)
        raise UserError(f"the array '{name}' of '{file}' matches no input of the contract", hint=f"it has {names}")
    return found[0]
