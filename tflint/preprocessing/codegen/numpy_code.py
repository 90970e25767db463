"""Writes a recipe as numpy code: a function an input and an output, that does what the steps say and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence

from tflint.contract.contract_edit import comment
from tflint.preprocessing.codegen import numpy_snippets
from tflint.preprocessing.recipe.recipe import Feeding, Reading, Recipe
from tflint.preprocessing.recipe.recipe_steps import source_of, steps_after, steps_before
from tflint.preprocessing.recipe.step import Step


def numpy_code(recipe: Recipe, against: Sequence[str] = ()) -> str:
    """The code: `input_0`, … prepare, `output_0`, … read; numbered as the model's inputs and outputs are. `against` are
    rules that the contract breaks.
    """
    head = "\n".join(f"# {comment(line)}" for line in recipe.head(against))
    helpers = [inspect.getsource(getattr(numpy_snippets, name)) for name in called(recipe)]
    return "\n\n".join([f"{head}\nimport numpy as np\n", *helpers, *functions(recipe)])


def functions(recipe: Recipe) -> list[str]:
    """The functions of inputs and outputs, without those that they call."""
    befores = [_before(feeding, steps_before(feeding)) for feeding in recipe.inputs]
    afters = [_after(reading, steps_after(reading)) for reading in recipe.outputs]
    return ["\n".join(lines) + "\n" for lines in (*befores, *afters)]


def called(recipe: Recipe) -> list[str]:
    """The functions that these call."""
    steps = [step for feeding in recipe.inputs for step in steps_before(feeding)]
    return list(dict.fromkeys(call for step in steps for call in step.calls))


def _before(feeding: Feeding, steps: Iterable[Step]) -> Iterator[str]:
    name, what = source_of(feeding)
    yield f"def input_{feeding.position}({name}):"
    yield f'    """{_plain(feeding.name)}, of {_plain(what)}."""'
    yield from _lines(steps)


def _after(reading: Reading, steps: Iterable[Step]) -> Iterator[str]:
    yield f"def output_{reading.position}(out):"
    yield f'    """{_plain(reading.name)}: {reading.kind.replace("_", " ")}."""'
    yield from _lines(steps)


def _lines(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        for line in step.code:
            yield f"    {line}"


def _plain(text: str) -> str:
    """A name that may stand in a docstring, whatever a model calls its tensors."""
    return "".join(char if char.isprintable() and char not in '"\\' else "?" for char in text)
