"""The steps for what is no picture: sound, tokens, columns of a table, values."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.normalization_step import normalized
from tflint.preprocessing.recipe.recipe import Entry, Feeding
from tflint.preprocessing.recipe.step import Step, array, listed


def rate(feeding: Feeding) -> str:
    """The sample rate in words, empty where the contract does not say it."""
    found = feeding.part("audio").get("sample-rate")
    return f", {found:g} samples a second" if found else ""


def sound(feeding: Feeding) -> Iterator[Step]:
    """What is done to sound."""
    audio = feeding.part("audio")
    if audio.get("features", "waveform") != "waveform":
        known = ", ".join(f"{key} {value}" for key, value in audio.items() if key != "features")
        yield Step(f"make {audio['features']} features{f': {known}' if known else ''}", ("audio.features", "audio"),
                   ("x = np.asarray(features, dtype=np.float64)",),
                   note="a contract does not hold all of how they are made: take the code of training")  # fmt: skip
    else:
        n_channels = f", {audio['channels']} channels" if audio.get("channels", 1) != 1 else ""
        yield Step(f"take sound of −1 to 1{rate(feeding)}{n_channels}", ("audio.sample-rate", "audio"),
                   ("x = np.asarray(samples, dtype=np.float64)",))  # fmt: skip
        if "sample-rate" in audio and "duration" in audio:
            n = round(audio["sample-rate"] * audio["duration"])
            yield Step(f"cut or fill it with silence to {n:,} samples", ("audio.duration",),
                       (f"x = np.pad(x[:{n}], (0, max({n} - len(x), 0)))",))  # fmt: skip
        if audio.get("amplitude", 1) != 1:
            yield Step(f"multiply it by {audio['amplitude']:g}", ("audio.amplitude",),
                       (f"x = x * {float(audio['amplitude'])!r}",))  # fmt: skip
    yield from normalized(feeding)


def tokens(feeding: Feeding) -> Iterator[Step]:
    """What is done to the ids of tokens."""
    said = feeding.part("tokens")
    role, length = said.get("role", "ids"), said.get("length")
    if length is None and feeding.shape and feeding.shape[-1] > 0:
        length = feeding.shape[-1]
    made = {
        "ids": ("take the token ids", "x = np.asarray(ids)"),
        "mask": ("1 for each token", "x = np.ones(len(ids), dtype=np.int64)"),
        "segments": ("0 for each token of the first segment", "x = np.zeros(len(ids), dtype=np.int64)"),
        "positions": ("the place of each token, from 0", "x = np.arange(len(ids))"),
    }
    words, code = made[role]
    yield Step(words, ("tokens.role", "tokens"), (code,))
    if length is not None:
        special = said.get("special", {})
        pad = special.get("pad", 0) if role == "ids" else 0
        is_left = said.get("padding-side") == "left"
        note = "" if role != "ids" or "pad" in special else "the contract does not say the id of padding: 0"
        around = f"(max({length} - len(x), 0), 0)" if is_left else f"(0, max({length} - len(x), 0))"
        yield Step(f"cut to {length}, or fill with {pad} {'on the left' if is_left else 'on the right'}",
                   ("tokens.length", "tokens.padding-side", "tokens"),
                   (f"x = np.pad(x[:{length}], {around}, constant_values={pad})",), note=note)  # fmt: skip


def table(feeding: Feeding) -> Iterator[Step]:
    """What is done to a row of a table."""
    columns = feeding.entry.get("columns", ())
    named = ", ".join(_column(column) for column in columns)
    yield Step(f"columns in this order: {named}" if named else "columns in the order of training", ("columns",),
               ("x = np.asarray(row, dtype=np.float64)",))  # fmt: skip
    means = [float(column.get("mean", 0.0)) for column in columns]
    stds = [float(column.get("std", 1.0)) for column in columns]
    if any(means) or any(std != 1 for std in stds):
        yield Step(f"x = (value − {listed(means)}) / {listed(stds)}", ("columns",),
                   (f"x = (x - {array(means)}) / {array(stds)}",))  # fmt: skip
    yield from normalized(feeding)


def _column(column: Entry) -> str:
    unit = f" in {column['unit']}" if "unit" in column else ""
    return f"{column.get('name', '?')}{unit}"


def values(feeding: Feeding) -> Iterator[Step]:
    """What is done to numbers that are none of all that."""
    is_real = feeding.is_quantized or "mean" in feeding.entry or (feeding.dtype or "float32").startswith("float")
    made = "np.asarray(values, dtype=np.float64)" if is_real else "np.asarray(values)"  # no int64 through a float
    yield Step("take the values", ("kind",), (f"x = {made}",))
    yield from normalized(feeding)
