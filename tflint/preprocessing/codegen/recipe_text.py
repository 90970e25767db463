"""Writes a recipe in words: numbered steps, each with the contract's line and what the model says to it."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.codegen.app_code import short_form, steps_off
from tflint.preprocessing.codegen.dialects import DIALECTS
from tflint.preprocessing.codegen.numpy_code import called, functions
from tflint.preprocessing.recipe.recipe import Feeding, Reading, Recipe
from tflint.preprocessing.recipe.recipe_steps import source_of, steps_after, steps_before
from tflint.preprocessing.recipe.step import Step
from tflint.report.text_layout import WIDTH, wrap_line

#: Where the remarks on a step begin.
_REMARKS = 68
#: Where a step goes on that is too wide for a line.
_INDENT = 3


def words(recipe: Recipe, standing: str) -> str:
    """The screen of a recipe; `standing` is what is to be said of the contract beside its model."""
    lines = list(_all(recipe, standing))
    lines.append("numpy:")
    lines += [f"  {line}" for text in functions(recipe) for line in text.splitlines()]
    helpers = called(recipe)
    whole = f"whole, with {helpers[0]}: --as numpy · " if helpers else ""
    lines.append(f"{whole}other languages: --as {' | '.join(DIALECTS)}")
    return "\n".join(lines) + "\n"


def _all(recipe: Recipe, standing: str) -> Iterator[str]:
    yield from wrap_line(f"{recipe.contract.path}: {standing}", WIDTH, _INDENT)
    number = 0
    for feeding in recipe.inputs:
        yield f'INPUT {feeding.position} "{feeding.name}" ← {source_of(feeding)[1]}'
        for step in steps_before(feeding):
            number += 1
            yield from _step(number, step, recipe.line("inputs", feeding.number, *step.keys))
        yield from _short(feeding)
    for reading in recipe.outputs:
        yield f'OUTPUT {reading.position} "{reading.name}" → {_result(reading)}'
        for step in (step for step in steps_after(reading) if step.words):
            number += 1
            yield from _step(number, step, recipe.line("outputs", reading.number, *step.keys))


def _step(number: int, step: Step, line: int) -> Iterator[str]:
    """A step with its remarks behind it, or below it where both are too wide."""
    head = f"{number:>2} {step.words}"
    remarks = " · ".join(part for part in (f"line {line}", step.note) if part)
    if len(head) <= _REMARKS and _REMARKS + 2 + len(remarks) <= WIDTH:
        yield f"{head.ljust(_REMARKS)}  {remarks}"
    else:
        yield from wrap_line(head, WIDTH, _INDENT)
        yield from wrap_line(f"{' ' * _INDENT}{remarks}", WIDTH, _INDENT)


def _short(feeding: Feeding) -> Iterator[str]:
    found = short_form(feeding)
    if found is not None:
        yield f"   short form: {found.words}, at most {steps_off(found.error)} off"


def _result(reading: Reading) -> str:
    shape = "" if reading.shape is None else f" {list(reading.shape)}"
    return f"{reading.kind.replace('_', ' ')}{shape}"
