"""The steps for inputs other than images: audio, tokens, table columns, raw values."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.normalization_step import normalization_steps
from tflint.preprocessing.recipe.recipe import Entry, RecipeInput
from tflint.preprocessing.recipe.step import Step, format_array, format_numbers


def format_sample_rate(recipe_input: RecipeInput) -> str:
    """Return ", 16000 samples per second", or an empty string if the contract does not specify the rate."""
    rate = recipe_input.part("audio").get("sample-rate")
    return f", {rate:g} samples per second" if rate else ""


def audio_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the steps from audio samples or features to the real values of the input."""
    audio = recipe_input.part("audio")
    if audio.get("features", "waveform") != "waveform":
        parameters = ", ".join(f"{key} {value}" for key, value in audio.items() if key != "features")
        yield Step(f"compute {audio['features']} features{f': {parameters}' if parameters else ''}",
                   ("audio.features", "audio"),
                   ("x = np.asarray(features, dtype=np.float64)",),
                   note="a contract does not define features completely: use the training code")  # fmt: skip
    else:
        n_channels = f", {audio['channels']} channels" if audio.get("channels", 1) != 1 else ""
        yield Step(f"read audio samples from −1 to 1{format_sample_rate(recipe_input)}{n_channels}",
                   ("audio.sample-rate", "audio"),
                   ("x = np.asarray(samples, dtype=np.float64)",))  # fmt: skip
        if "sample-rate" in audio and "duration" in audio:
            n = round(audio["sample-rate"] * audio["duration"])
            yield Step(f"truncate or zero-pad to {n:,} samples", ("audio.duration",),
                       (f"x = np.pad(x[:{n}], (0, max({n} - len(x), 0)))",))  # fmt: skip
        if audio.get("amplitude", 1) != 1:
            yield Step(f"multiply by {audio['amplitude']:g}", ("audio.amplitude",),
                       (f"x = x * {float(audio['amplitude'])!r}",))  # fmt: skip
    yield from normalization_steps(recipe_input)


def token_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the steps from a list of token ids to one of the model's token inputs."""
    tokens = recipe_input.part("tokens")
    role, length = tokens.get("role", "ids"), tokens.get("length")
    if length is None and recipe_input.shape and recipe_input.shape[-1] > 0:
        length = recipe_input.shape[-1]
    by_role = {
        "ids": ("use the token ids", "x = np.asarray(ids)"),
        "mask": ("use 1 for each token", "x = np.ones(len(ids), dtype=np.int64)"),
        "segments": ("use 0 for each token of the first segment", "x = np.zeros(len(ids), dtype=np.int64)"),
        "positions": ("use the position of each token, from 0", "x = np.arange(len(ids))"),
    }
    words, code = by_role[role]
    yield Step(words, ("tokens.role", "tokens"), (code,))
    if length is not None:
        special = tokens.get("special", {})
        pad = special.get("pad", 0) if role == "ids" else 0
        is_left = tokens.get("padding-side") == "left"
        note = "" if role != "ids" or "pad" in special else "the contract does not specify the padding id: 0 is used"
        around = f"(max({length} - len(x), 0), 0)" if is_left else f"(0, max({length} - len(x), 0))"
        yield Step(f"truncate to {length}, or pad with {pad} on the {'left' if is_left else 'right'}",
                   ("tokens.length", "tokens.padding-side", "tokens"),
                   (f"x = np.pad(x[:{length}], {around}, constant_values={pad})",), note=note)  # fmt: skip


def tabular_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the steps from one row of a table to the real values of the input."""
    columns = recipe_input.entry.get("columns", ())
    names = ", ".join(_column(column) for column in columns)
    yield Step(f"use the columns in this order: {names}" if names else "use the columns in the order of training",
               ("columns",), ("x = np.asarray(row, dtype=np.float64)",))  # fmt: skip
    means = [float(column.get("mean", 0.0)) for column in columns]
    stds = [float(column.get("std", 1.0)) for column in columns]
    if any(means) or any(std != 1 for std in stds):
        yield Step(f"x = (value − {format_numbers(means)}) / {format_numbers(stds)}", ("columns",),
                   (f"x = (x - {format_array(means)}) / {format_array(stds)}",))  # fmt: skip
    yield from normalization_steps(recipe_input)


def _column(column: Entry) -> str:
    unit = f" in {column['unit']}" if "unit" in column else ""
    return f"{column.get('name', '?')}{unit}"


def raw_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the steps for values of any other kind."""
    is_real = (
        recipe_input.is_quantized
        or "mean" in recipe_input.entry
        or (recipe_input.dtype or "float32").startswith("float")
    )
    # A float64 cannot hold every int64: integers that need no arithmetic keep their type.
    code = "np.asarray(values, dtype=np.float64)" if is_real else "np.asarray(values)"
    yield Step("use the values", ("kind",), (f"x = {code}",))
    yield from normalization_steps(recipe_input)
