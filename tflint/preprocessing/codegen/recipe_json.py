"""Renders a recipe as JSON: the steps of the text form and the numpy code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tflint.preprocessing.codegen.app_code import short_form
from tflint.preprocessing.codegen.numpy_code import numpy_code
from tflint.preprocessing.recipe.recipe import Recipe, RecipeInput, RecipeOutput
from tflint.preprocessing.recipe.recipe_steps import input_steps, output_steps
from tflint.preprocessing.recipe.step import Step


def render(recipe: Recipe, violated_rules: Sequence[str]) -> str:
    """Return the recipe as JSON; see `to_data`."""
    return json.dumps(to_data(recipe, violated_rules), indent=2, ensure_ascii=False) + "\n"


def to_data(recipe: Recipe, violated_rules: Sequence[str]) -> dict[str, Any]:
    """Return the recipe as plain data. `violated_rules` are the ids of rules with findings in the contract."""
    return {
        "contract": recipe.contract.path,
        "model": recipe.model,
        "is_draft": recipe.is_draft,
        "does_not_fit": list(violated_rules),
        "inputs": [_input(recipe, recipe_input) for recipe_input in recipe.inputs],
        "outputs": [
            _interface_entry(recipe, "outputs", recipe_output, output_steps(recipe_output))
            for recipe_output in recipe.outputs
        ],
        "numpy": numpy_code(recipe, violated_rules),
    }


def _input(recipe: Recipe, recipe_input: RecipeInput) -> dict[str, Any]:
    short = short_form(recipe_input)
    shift = None if short is None else {"shift": short.shift, "greatest_error_in_steps": short.error}
    return {**_interface_entry(recipe, "inputs", recipe_input, input_steps(recipe_input)), "short_form": shift}


def _interface_entry(
    recipe: Recipe, side: str, entry: RecipeInput | RecipeOutput, steps: Sequence[Step]
) -> dict[str, Any]:
    return {
        "position": entry.position,
        "name": entry.name,
        "kind": entry.kind,
        "dtype": entry.dtype,
        "shape": None if entry.shape is None else list(entry.shape),
        "scale": entry.scale,
        "zero_point": entry.zero_point,
        "steps": [
            {"words": step.words, "line": recipe.line(side, entry.number, *step.keys), "note": step.note or None}
            for step in steps
            if step.words
        ],
    }
