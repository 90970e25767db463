"""Says for `tflint contract` whether a contract agrees with its model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tflint.program_name import program_name

if TYPE_CHECKING:
    from tflint.preprocessing.recipe import Recipe


def describe_agreement(recipe: Recipe, rules: Sequence[str]) -> str:
    """Return one line: whether a contract agrees with its model. `rules` are those with findings in the contract."""
    if recipe.model is None:
        return "no model next to the contract; missing keys are unknown"
    if rules:
        command = f"{program_name()} check {recipe.model}"
        return f"contradicts {recipe.model}: {', '.join(rules)}; '{command}' lists the findings"
    if recipe.is_draft:
        return f"agrees with {recipe.model}; a draft with unconfirmed guesses"
    return f"agrees with {recipe.model}"
