"""Recipes: the steps that client code performs before and after a model, with the contract line behind each step.

Takes a contract and, if there is one, its model. Gives `Recipe`s; must not know programming languages.
"""

from tflint.preprocessing.recipe.recipe import Feeding, Reading, Recipe, recipe_of

__all__ = ["Feeding", "Reading", "Recipe", "recipe_of"]
