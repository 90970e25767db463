"""Writes a recipe in words: numbered steps, each with the contract's line and what the model says to it."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.calling.languages import short_form
from tflint.calling.numpy_code import called, functions
from tflint.calling.recipe import Feeding, Reading, Recipe
from tflint.calling.step import Step
from tflint.calling.steps import source_of, steps_after, steps_before

#: Where the remarks on a step begin.
_REMARKS = 68


def words(recipe: Recipe, standing: str) -> str:
    """The screen of a recipe; `standing` is what is to be said of the contract beside its model."""
    lines = list(_all(recipe, standing))
    lines.append("numpy:")
    lines += [f"  {line}" for text in functions(recipe) for line in text.splitlines()]
    helpers = called(recipe)
    whole = f"whole, with {helpers[0]}: --as numpy · " if helpers else ""
    lines.append(f"{whole}other languages: --as c | kotlin | swift | dart | js")
    return "\n".join(lines) + "\n"


def _all(recipe: Recipe, standing: str) -> Iterator[str]:
    yield f"{recipe.contract.path}: {standing}"
    number = 0
    for feeding in recipe.inputs:
        yield f'INPUT {feeding.position} "{feeding.name}" ← {source_of(feeding)[1]}'
        for step in steps_before(feeding):
            number += 1
            yield _step(number, step, recipe.line("inputs", feeding.number, *step.keys))
        yield from _short(feeding)
    for reading in recipe.outputs:
        yield f'OUTPUT {reading.position} "{reading.name}" → {_result(reading)}'
        for step in (step for step in steps_after(reading) if step.words):
            number += 1
            yield _step(number, step, recipe.line("outputs", reading.number, *step.keys))


def _step(number: int, step: Step, line: int) -> str:
    remarks = " · ".join(part for part in (f"line {line}", step.note) if part)
    return f"{number:>2} {step.words}".ljust(_REMARKS) + f"  {remarks}"


def _short(feeding: Feeding) -> Iterator[str]:
    found = short_form(feeding)
    if found is not None:
        yield f"   short form: {found.words}, at most {found.error:.2g} step{'s' if found.error > 1 else ''} off"


def _result(reading: Reading) -> str:
    shape = "" if reading.shape is None else f" {list(reading.shape)}"
    return f"{reading.kind.replace('_', ' ')}{shape}"
