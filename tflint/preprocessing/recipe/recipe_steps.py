"""What a caller does, step by step: each in words, with the keys it stands on, and in numpy."""

from __future__ import annotations

from tflint.preprocessing.recipe.image_steps import SOURCES, picture
from tflint.preprocessing.recipe.interface_steps import handed_over, meaning, real_values
from tflint.preprocessing.recipe.other_steps import rate, sound, table, tokens, values
from tflint.preprocessing.recipe.recipe import Feeding, Reading
from tflint.preprocessing.recipe.step import Step


def source_of(feeding: Feeding) -> tuple[str, str]:
    """What the printed function of an input takes: the parameter's name, and what it is."""
    if feeding.kind == "image":
        name = SOURCES[feeding.channels]
        what = "uint8" if feeding.takes_bytes else "number"
        article = "an" if name.startswith("rgb") else "a"
        return name, f"{article} {name.upper()} picture, {what} [height, width, {feeding.n_channels}]"
    if feeding.kind == "audio" and feeding.part("audio").get("features", "waveform") != "waveform":
        return "features", f"{feeding.part('audio')['features']} features, made as in training"
    if feeding.kind == "audio":
        return "samples", f"float [n]: sound of −1 to 1{rate(feeding)}"
    if feeding.kind == "tokens":
        return "ids", "a list of token ids"
    if feeding.kind == "tabular":
        return (
            "row",
            f"numbers: {', '.join(str(column.get('name', '?')) for column in feeding.entry.get('columns', ()))}",
        )
    return "values", "numbers in the model's shape"


def steps_before(feeding: Feeding) -> list[Step]:
    """What is done for an input."""
    made = {"image": picture, "audio": sound, "tokens": tokens, "tabular": table}.get(feeding.kind, values)
    return [*made(feeding), *handed_over(feeding)]


def steps_after(reading: Reading) -> list[Step]:
    """What is done with an output."""
    return [*real_values(reading), *meaning(reading)]
