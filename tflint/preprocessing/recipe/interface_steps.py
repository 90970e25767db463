"""The steps next to the model: quantize, cast and reshape inputs; dequantize outputs and name their meaning."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.normalization.affine_formula import format_dequantization
from tflint.preprocessing.recipe.recipe import RecipeInput, RecipeOutput
from tflint.preprocessing.recipe.step import Step, format_signed

#: numpy dtypes by tensor type. Types of less than 8 bits take one byte per value.
_NUMPY = {
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "int2": "int8",
    "int4": "int8",
    "uint4": "uint8",
    "bool": "bool_",
    "complex64": "complex64",
}
_BOX_NAMES = {
    "ymin-xmin-ymax-xmax": "ymin, xmin, ymax, xmax",
    "xmin-ymin-xmax-ymax": "xmin, ymin, xmax, ymax",
    "cx-cy-w-h": "cx, cy, w, h",
    "x-y-w-h": "x, y, w, h",
}


def feed_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the steps that cast or quantize real values and bring them to the type, layout and shape of the input."""
    if recipe_input.is_cast:
        yield _cast_step(recipe_input)
    if recipe_input.is_raw:
        low, high = recipe_input.limits
        shift = recipe_input.raw_shift
        words = "q = px, the byte unchanged" if not shift else f"q = px − {shift}"
        minus_shift = f" - {shift}" if shift else ""
        yield Step(words, ("feed",), (f"x = np.clip(np.floor(x + 0.5){minus_shift}, {low}, {high})",))
    elif recipe_input.quantizes:
        scale, zero_point = recipe_input.scale, recipe_input.zero_point
        low, high = recipe_input.limits
        assert scale is not None and zero_point is not None
        limits = f"{low} … {high}".replace("-", "−")
        words = f"q = round(x / {scale:.9g}) {format_signed(zero_point, '−')}, clip to {limits}"
        code = f"x = np.clip(np.floor(x / {scale!r} + 0.5) {format_signed(zero_point)}, {low}, {high})"
        yield Step(words, ("feed", "scale"), (code,))
    if recipe_input.needs_layout:
        yield Step("reorder the axes for the model: the contract does not specify the layout", ("layout", "shape"))
    elif recipe_input.layout in ("NCHW", "CHW"):
        yield Step("transpose to channels first", ("layout",), ("x = x.transpose(2, 0, 1)",))
    words = f"pass it as {recipe_input.dtype or 'float32'}"
    words += f" {list(recipe_input.shape)}" if recipe_input.shape is not None else ""
    dtype = _NUMPY.get(recipe_input.dtype or "float32")
    cast = f".astype(np.{dtype})" if dtype is not None else ""
    note = "" if dtype is not None else "numpy has no such dtype"
    yield Step(words, ("dtype", "shape"), (f"return x{cast}{_shape(recipe_input)}",), note=note)


def _cast_step(recipe_input: RecipeInput) -> Step:
    """Return the cast to bytes. numpy's own cast of numbers below 0 depends on the platform, so the code wraps them."""
    skips = recipe_input.is_quantized and not recipe_input.quantizes
    note = f"without scale {recipe_input.scale:.6g} and zero point {recipe_input.zero_point}" if skips else ""
    return Step(f"cast to {recipe_input.entry['cast']}: truncate toward 0, keep the lowest 8 bits", ("cast",),
                ("x = np.trunc(x) % 256",), note=note)  # fmt: skip


def _shape(recipe_input: RecipeInput) -> str:
    """Return code that adds the batch axis of an image, or reshapes to a shape with at most one dynamic axis."""
    if recipe_input.kind == "image":
        return "[None]" if recipe_input.layout.startswith("N") else ""
    if recipe_input.shape is None or sum(size < 0 for size in recipe_input.shape) > 1:
        return ""
    return f".reshape({list(recipe_input.shape)})" if recipe_input.shape else ".reshape([])"


def dequantize_steps(recipe_output: RecipeOutput) -> Iterator[Step]:
    """Yield the step from the model's output to real values."""
    if recipe_output.is_quantized and recipe_output.entry.get("dequantize", True):
        scale, zero_point = recipe_output.scale, recipe_output.zero_point
        assert scale is not None and zero_point is not None
        code = f"(q {format_signed(-zero_point)})" if zero_point else "q"
        yield Step(f"value = {format_dequantization(scale, zero_point)}", ("dequantize", "dtype"),
                   ("q = np.asarray(out, dtype=np.float64)", f"y = {code} * {scale!r}"))  # fmt: skip
    else:
        is_integer = recipe_output.is_quantized
        yield Step("use the integers unchanged" if is_integer else "use the values unchanged", ("dequantize", "dtype"),
                   ("y = np.asarray(out)" if is_integer else "y = np.asarray(out, dtype=np.float64)",))  # fmt: skip


def meaning_steps(recipe_output: RecipeOutput) -> Iterator[Step]:
    """Yield the steps that name what the values of an output are."""
    activation = {
        "softmax": "the values are probabilities that add up to 1",
        "sigmoid": "each value is an independent probability",
        "logits": "the values are logits: softmax or sigmoid gives probabilities in the same order",
    }.get(str(recipe_output.entry.get("activation")))
    if activation:
        yield Step(activation, ("activation",))
    if "role" in recipe_output.entry:
        yield Step(f"the values are the detection {recipe_output.entry['role']}", ("role",))
    if "box-order" in recipe_output.entry:
        names = _BOX_NAMES[recipe_output.entry["box-order"]]
        units = {"normalized": ", as fractions of height and width", "pixels": ", in pixels of the model input"}
        unit = units.get(str(recipe_output.entry.get("box-coordinates")), "")
        yield Step(f"each box is {names}{unit}", ("box-order", "box-coordinates"),
                   (f"# {names} = np.moveaxis(y, -1, 0)",))  # fmt: skip
    labels = recipe_output.labels
    if labels:
        file = f", {labels['file']}" if "file" in labels else ""
        count = f", {labels['count']:,} lines" if "count" in labels else ""
        background = ", labels[0] is the background" if labels.get("background") else ""
        yield Step(f"name = labels[argmax(value)]{file}{count}{background}", ("labels.file", "labels"),
                   ("# int(np.argmax(y)) is the line number of the label, from 0",))  # fmt: skip
    yield Step("", (), ("return y",))
