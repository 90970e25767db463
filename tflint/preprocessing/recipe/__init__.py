"""Recipes: the steps that client code performs before and after a model, with the contract line of each step.

`build_recipe` takes a contract and, if available, the facts of its model, and returns a `Recipe`. The steps contain
numpy code; this package must not generate code in other languages.
"""

from tflint.preprocessing.recipe.recipe import Recipe, RecipeInput, RecipeOutput, build_recipe

__all__ = ["Recipe", "RecipeInput", "RecipeOutput", "build_recipe"]
