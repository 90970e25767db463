"""Renders a recipe as text: numbered steps, each with its line in the contract and whether the model agrees with it."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.codegen.app_code import format_steps, short_form
from tflint.preprocessing.codegen.dialects import DIALECTS
from tflint.preprocessing.codegen.numpy_code import helper_names, render_functions
from tflint.preprocessing.recipe.recipe import Recipe, RecipeInput, RecipeOutput
from tflint.preprocessing.recipe.recipe_steps import describe_source, input_steps, output_steps
from tflint.preprocessing.recipe.step import Step
from tflint.report.text_layout import WIDTH, wrap_line

#: Column at which the remarks on a step start.
_REMARKS = 68
#: Indentation of continuation lines.
_INDENT = 3


def render_text(recipe: Recipe, status: str) -> str:
    """Return a recipe as text. `status` is one line about whether the contract agrees with its model."""
    lines = list(_steps(recipe, status))
    lines.append("numpy:")
    lines += [f"  {line}" for text in render_functions(recipe) for line in text.splitlines()]
    helpers = helper_names(recipe)
    complete = f"complete code with {helpers[0]}(): --as numpy · " if helpers else ""
    lines.append(f"{complete}other languages: --as {' | '.join(DIALECTS)}")
    return "\n".join(lines) + "\n"


def _steps(recipe: Recipe, status: str) -> Iterator[str]:
    yield from wrap_line(f"{recipe.contract.path}: {status}", WIDTH, _INDENT)
    number = 0
    for recipe_input in recipe.inputs:
        yield f'INPUT {recipe_input.position} "{recipe_input.name}" ← {describe_source(recipe_input)[1]}'
        for step in input_steps(recipe_input):
            number += 1
            yield from _step(number, step, recipe.line("inputs", recipe_input.number, *step.keys))
        yield from _short(recipe_input)
    for recipe_output in recipe.outputs:
        yield f'OUTPUT {recipe_output.position} "{recipe_output.name}" → {_result(recipe_output)}'
        for step in (step for step in output_steps(recipe_output) if step.words):
            number += 1
            yield from _step(number, step, recipe.line("outputs", recipe_output.number, *step.keys))


def _step(number: int, step: Step, line: int) -> Iterator[str]:
    """Yield a step and its remarks on one line, or on two if they are too wide."""
    head = f"{number:>2} {step.words}"
    remarks = " · ".join(part for part in (f"line {line}", step.note) if part)
    if len(head) <= _REMARKS and _REMARKS + 2 + len(remarks) <= WIDTH:
        yield f"{head.ljust(_REMARKS)}  {remarks}"
    else:
        yield from wrap_line(head, WIDTH, _INDENT)
        yield from wrap_line(f"{' ' * _INDENT}{remarks}", WIDTH, _INDENT)


def _short(recipe_input: RecipeInput) -> Iterator[str]:
    short = short_form(recipe_input)
    if short is not None:
        yield f"   shortcut: {short.formula}, at most {format_steps(short.error)} off"


def _result(recipe_output: RecipeOutput) -> str:
    shape = "" if recipe_output.shape is None else f" {list(recipe_output.shape)}"
    return f"{recipe_output.kind.replace('_', ' ')}{shape}"
