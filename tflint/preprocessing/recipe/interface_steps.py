"""The last steps before a model and the first behind it: quantized numbers, types, shapes, and what outputs mean."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.recipe import Feeding, Reading
from tflint.preprocessing.recipe.step import Step, signed

#: Types of tensors by what numpy has for them; of fewer bits than a byte one a value.
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


def handed_over(feeding: Feeding) -> Iterator[Step]:
    """Quantizes, and brings to type, layout and shape."""
    if feeding.is_raw:
        low, high = feeding.limits
        shift = feeding.raw_shift
        words = "q = px, the byte as it is" if not shift else f"q = px − {shift}"
        less = f" - {shift}" if shift else ""
        yield Step(words, ("feed",), (f"x = np.clip(np.floor(x + 0.5){less}, {low}, {high})",))
    elif feeding.is_quantized and feeding.kind != "tokens":
        scale, zero_point = feeding.scale, feeding.zero_point
        low, high = feeding.limits
        assert scale is not None and zero_point is not None
        words = f"q = round(x / {scale:.9g}) {signed(zero_point, '−')}, clip to {low}…{high}"
        code = f"x = np.clip(np.floor(x / {scale!r} + 0.5) {signed(zero_point)}, {low}, {high})"
        yield Step(words, ("feed", "scale"), (code,))
    if feeding.needs_layout:
        yield Step("put its axes in the model's order: the contract does not say the layout", ("layout", "shape"))
    elif feeding.layout in ("NCHW", "CHW"):
        yield Step("planes, not pixels: channels first", ("layout",), ("x = x.transpose(2, 0, 1)",))
    words = f"hand it over as {feeding.dtype or 'float32'}"
    words += f" {list(feeding.shape)}" if feeding.shape is not None else ""
    dtype = _NUMPY.get(feeding.dtype or "float32")
    cast = f".astype(np.{dtype})" if dtype is not None else ""
    note = "" if dtype is not None else "numpy has no such type"
    yield Step(words, ("dtype", "shape"), (f"return x{cast}{_shape(feeding)}",), note=note)


def _shape(feeding: Feeding) -> str:
    """What gives the array its shape: a picture's first axis, or the whole of a shape with one free axis at most."""
    if feeding.kind == "image":
        return "[None]" if feeding.layout.startswith("N") else ""
    if feeding.shape is None or sum(size < 0 for size in feeding.shape) > 1:
        return ""
    return f".reshape({list(feeding.shape)})" if feeding.shape else ".reshape([])"


def real_values(reading: Reading) -> Iterator[Step]:
    """Real values of an output's integers."""
    if reading.is_quantized and reading.entry.get("dequantize", True):
        scale, zero_point = reading.scale, reading.zero_point
        assert scale is not None and zero_point is not None
        less = f"(q {signed(-zero_point, '−')})" if zero_point else "q"
        code = f"(q {signed(-zero_point)})" if zero_point else "q"
        yield Step(f"value = {less} × {scale:.9g}", ("dequantize", "dtype"),
                   ("q = np.asarray(out, dtype=np.float64)", f"y = {code} * {scale!r}"))  # fmt: skip
    else:
        is_integer = reading.is_quantized
        yield Step("integers as they are" if is_integer else "values as they are", ("dequantize", "dtype"),
                   ("y = np.asarray(out)" if is_integer else "y = np.asarray(out, dtype=np.float64)",))  # fmt: skip


def meaning(reading: Reading) -> Iterator[Step]:
    """What the values of an output are."""
    said = {
        "softmax": "they are probabilities that add up to 1",
        "sigmoid": "each is a probability of its own",
        "logits": "they are logits: a softmax or a sigmoid makes probabilities of them, in the same order",
    }.get(str(reading.entry.get("activation")))
    if said:
        yield Step(said, ("activation",))
    if "role" in reading.entry:
        yield Step(f"they are a detection's {reading.entry['role']}", ("role",))
    if "box-order" in reading.entry:
        names = _BOX_NAMES[reading.entry["box-order"]]
        units = {"normalized": ", as shares of height and width", "pixels": ", in pixels of the model's input"}
        unit = units.get(str(reading.entry.get("box-coordinates")), "")
        yield Step(f"a box is {names}{unit}", ("box-order", "box-coordinates"),
                   (f"# {names} = np.moveaxis(y, -1, 0)",))  # fmt: skip
    labels = reading.labels
    if labels:
        file = f" of {labels['file']}" if "file" in labels else ""
        number = f", {labels['count']:,} lines" if "count" in labels else ""
        first = ", the first the background" if labels.get("background") else ""
        yield Step(f"name = label{file} at argmax{number}{first}", ("labels.file", "labels"),
                   ("# int(np.argmax(y)) is the line of the label, from 0",))  # fmt: skip
    yield Step("", (), ("return y",))
