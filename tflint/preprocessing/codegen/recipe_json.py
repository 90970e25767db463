"""Writes a recipe as JSON: the same steps as the words, and the numpy code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tflint.preprocessing.codegen.app_code import short_form
from tflint.preprocessing.codegen.numpy_code import numpy_code
from tflint.preprocessing.recipe.recipe import Feeding, Reading, Recipe
from tflint.preprocessing.recipe.recipe_steps import steps_after, steps_before
from tflint.preprocessing.recipe.step import Step


def render(recipe: Recipe, against: Sequence[str]) -> str:
    """The recipe as JSON text; `against` are rules that the contract breaks."""
    data = {
        "contract": recipe.contract.path,
        "model": recipe.model,
        "is_draft": recipe.is_draft,
        "does_not_fit": list(against),
        "inputs": [_input(recipe, feeding) for feeding in recipe.inputs],
        "outputs": [_border(recipe, "outputs", reading, steps_after(reading)) for reading in recipe.outputs],
        "numpy": numpy_code(recipe, against),
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _input(recipe: Recipe, feeding: Feeding) -> dict[str, Any]:
    short = short_form(feeding)
    made = None if short is None else {"shift": short.shift, "greatest_error_in_steps": short.error}
    return {**_border(recipe, "inputs", feeding, steps_before(feeding)), "short_form": made}


def _border(recipe: Recipe, side: str, border: Feeding | Reading, steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "position": border.position,
        "name": border.name,
        "kind": border.kind,
        "dtype": border.dtype,
        "shape": None if border.shape is None else list(border.shape),
        "scale": border.scale,
        "zero_point": border.zero_point,
        "steps": [
            {"words": step.words, "line": recipe.line(side, border.number, *step.keys), "note": step.note or None}
            for step in steps
            if step.words
        ],
    }
