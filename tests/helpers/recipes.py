"""Recipes of example contracts, and the code that they print, run."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflint import resources
from tflint.contract import parse_contract
from tflint.facts.facts import Facts
from tflint.model.batch_reader import open_model, read_one
from tflint.preprocessing.codegen.numpy_code import numpy_code
from tflint.preprocessing.recipe import Recipe, RecipeInput, build_recipe
from tflint.source import BytesSource


def run(recipe: Recipe) -> dict[str, Any]:
    """The names that the printed numpy code defines."""
    names: dict[str, Any] = {}
    exec(compile(numpy_code(recipe), "printed", "exec"), names)
    return names


def recipe_for(text: str, model: str | bytes | None = None) -> Recipe:
    contract = parse_contract(text, "c.contract.toml")
    if model is None:
        return build_recipe(contract)
    content = resources.named_model_path(model).read_bytes() if isinstance(model, str) else model
    return build_recipe(
        contract, Facts(read_one(open_model(BytesSource(content))), contracts={0: contract}), "m.tflite"
    )


def number(entry: dict[str, Any], key: str, channel: int, default: float) -> float:
    value = entry.get(key, default)
    return float(value[channel] if isinstance(value, list) and len(value) > 1 else np.ravel(value)[0])


def wanted_pixel(recipe_input: RecipeInput, px: float, channel: int) -> float:
    """The value that the contract asks for of one byte, as stored in the model's type."""
    entry = recipe_input.entry
    if entry.get("feed") == "raw" and recipe_input.dtype in ("int8", "uint8"):
        is_signed = min(entry.get("range", [0])) < 0
        low, high = {"int8": (-128, 127), "uint8": (0, 255)}[recipe_input.dtype]
        return min(max(px - (128 if recipe_input.dtype == "int8" and not is_signed else 0), low), high)
    if entry.get("transfer") == "linear":
        v = px / 255
        px = 255 * (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4)
    source = px / 255 if entry.get("units") == "unit" and entry.get("range", [0, 1]) == [0, 1] else px
    real = (source - number(entry, "mean", channel, 0)) / number(entry, "std", channel, 1)
    if "cast" in entry:
        real = float(int(real) & 0xFF)
        if "scale" not in entry:
            return real
    if (
        recipe_input.scale is None
        or recipe_input.zero_point is None
        or recipe_input.dtype not in ("int8", "uint8", "int16")
    ):
        return real
    low, high = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}[recipe_input.dtype]
    return min(max(int((real / recipe_input.scale + 0.5) // 1) + recipe_input.zero_point, low), high)
