"""Recipes: the steps that client code performs before and after a model, with the contract line of each step.

Takes a contract and, if available, its model. Gives a `Recipe`. Must not know programming languages other than numpy.
"""

from tflint.preprocessing.recipe.recipe import Recipe, RecipeInput, RecipeOutput, build_recipe

__all__ = ["Recipe", "RecipeInput", "RecipeOutput", "build_recipe"]
