"""What a caller has to do before and after a model, by its contract: in words, and as code that does exactly that.

`recipe` gathers it from a contract and, where there is one, its model; `words`, `numpy_code` and `languages` write it.
"""

from tflint.calling.recipe import Feeding, Reading, Recipe, recipe_of

__all__ = ["Feeding", "Reading", "Recipe", "recipe_of"]
