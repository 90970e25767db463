"""Lists the steps of client code for one input or output, as words and as numpy code."""

from __future__ import annotations

from tflint.preprocessing.recipe.image_steps import SOURCES, image_steps
from tflint.preprocessing.recipe.interface_steps import dequantize_steps, feed_steps, meaning_steps
from tflint.preprocessing.recipe.other_steps import (
    audio_steps,
    format_sample_rate,
    raw_steps,
    tabular_steps,
    token_steps,
)
from tflint.preprocessing.recipe.recipe import RecipeInput, RecipeOutput
from tflint.preprocessing.recipe.step import Step

_STEPS = {"image": image_steps, "audio": audio_steps, "tokens": token_steps, "tabular": tabular_steps}


def describe_source(recipe_input: RecipeInput) -> tuple[str, str]:
    """Return the parameter of the printed function of an input: its name and a description."""
    if recipe_input.kind == "image":
        name = SOURCES[recipe_input.channels]
        dtype = "uint8" if recipe_input.takes_bytes else "number"
        return name, f"{name.upper()} image, {dtype} [height, width, {recipe_input.n_channels}]"
    if recipe_input.kind == "audio" and recipe_input.part("audio").get("features", "waveform") != "waveform":
        return "features", f"{recipe_input.part('audio')['features']} features, computed as in training"
    if recipe_input.kind == "audio":
        return "samples", f"audio samples, float [n] from −1 to 1{format_sample_rate(recipe_input)}"
    if recipe_input.kind == "tokens":
        return "ids", "list of token ids"
    if recipe_input.kind == "tabular":
        names = ", ".join(str(column.get("name", "?")) for column in recipe_input.entry.get("columns", ()))
        return "row", f"numbers: {names}"
    return "values", "numbers in the model's shape"


def input_steps(recipe_input: RecipeInput) -> list[Step]:
    """Return the steps from the source data to the model's input."""
    return [*_STEPS.get(recipe_input.kind, raw_steps)(recipe_input), *feed_steps(recipe_input)]


def output_steps(recipe_output: RecipeOutput) -> list[Step]:
    """Return the steps from the model's output to its meaning."""
    return [*dequantize_steps(recipe_output), *meaning_steps(recipe_output)]
