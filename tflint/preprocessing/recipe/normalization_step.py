"""Mean and std as a step, and what the model's own numbers say to them."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.recipe import Feeding
from tflint.preprocessing.recipe.step import Step, array, listed


def normalized(feeding: Feeding) -> Iterator[Step]:
    """Mean and std; a raw feed takes none, whatever they are: its bytes stand for the normalised values."""
    mean, std = feeding.normalization
    is_plain = not mean.any() and bool((std == 1).all())
    if feeding.is_raw:
        return
    scaled = "x / 255" if feeding.kind == "image" and feeding.is_unit and feeding.takes_bytes else "x"
    if is_plain:
        if scaled != "x":
            yield Step("x = px / 255", ("units",), ("x = x / 255",), note=_agreement(feeding))
        elif feeding.kind == "image" and "mean" not in feeding.entry:
            yield Step("the contract does not say mean and std: pixels as they are", ("units",), note="unsaid")
        return
    pixel = {"x / 255": "px / 255", "x": "px" if feeding.kind == "image" else "value"}[scaled]
    words = f"x = ({pixel} − {listed(mean)}) / {listed(std)}"
    yield Step(words, ("mean", "std"), (f"x = ({scaled} - {array(mean)}) / {array(std)}",), note=_agreement(feeding))


def _agreement(feeding: Feeding) -> str:
    if feeding.calibrated is None:
        is_float = (feeding.dtype or "").startswith("float")
        return "a float input takes any range: nothing in the model tells" if is_float else ""
    return "the model's own range agrees" if feeding.calibrated else "the model's own range is another"
