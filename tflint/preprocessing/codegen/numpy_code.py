"""Renders a recipe as numpy code: one function per input and output that performs exactly its steps."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator, Sequence

from tflint.contract.contract_edit import make_comment
from tflint.preprocessing.codegen import numpy_snippets
from tflint.preprocessing.recipe.recipe import Recipe, RecipeInput, RecipeOutput
from tflint.preprocessing.recipe.recipe_steps import describe_source, input_steps, output_steps
from tflint.preprocessing.recipe.step import Step


def numpy_code(recipe: Recipe, violated_rules: Sequence[str] = ()) -> str:
    """Return functions `input_0`, … and `output_0`, …, numbered by position in the model, and the helpers they call.

    `violated_rules` are the ids of rules with findings in the contract. The head of the code lists them.
    """
    head = "\n".join(f"# {make_comment(line)}" for line in recipe.head(violated_rules))
    helpers = [_source_of_helper(name) for name in helper_names(recipe)]
    return "\n\n".join([f"{head}\nimport numpy as np\n", *helpers, *render_functions(recipe)])


@functools.cache  # inspect tokenizes the whole module
def _source_of_helper(name: str) -> str:
    return inspect.getsource(getattr(numpy_snippets, name))


def render_functions(recipe: Recipe) -> list[str]:
    """Return the functions for inputs and outputs, without the helpers they call."""
    inputs = [_render_input(recipe_input, input_steps(recipe_input)) for recipe_input in recipe.inputs]
    outputs = [_render_output(recipe_output, output_steps(recipe_output)) for recipe_output in recipe.outputs]
    return ["\n".join(lines) + "\n" for lines in (*inputs, *outputs)]


def helper_names(recipe: Recipe) -> list[str]:
    """Return the names of the helpers in `numpy_snippets` that the functions call."""
    steps = [step for recipe_input in recipe.inputs for step in input_steps(recipe_input)]
    return list(dict.fromkeys(call for step in steps for call in step.calls))


def _render_input(recipe_input: RecipeInput, steps: Iterable[Step]) -> Iterator[str]:
    name, what = describe_source(recipe_input)
    yield f"def input_{recipe_input.position}({name}):"
    yield f'    """Input `{_make_docstring_safe(recipe_input.name)}` from {_make_docstring_safe(what)}."""'
    yield from _render_steps(steps)


def _render_output(recipe_output: RecipeOutput, steps: Iterable[Step]) -> Iterator[str]:
    yield f"def output_{recipe_output.position}(out):"
    yield f'    """Output `{_make_docstring_safe(recipe_output.name)}`: {recipe_output.kind.replace("_", " ")}."""'
    yield from _render_steps(steps)


def _render_steps(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        for line in step.code:
            yield f"    {line}"


def _make_docstring_safe(text: str) -> str:
    """Replace characters that would end or break a docstring: tensor names may contain any characters."""
    return "".join(char if char.isprintable() and char not in '"\\' else "?" for char in text)
