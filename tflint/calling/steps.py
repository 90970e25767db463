"""What a caller does, step by step: each in words, with the keys it stands on, and in numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tflint.calling.recipe import Entry, Feeding, Reading, Values
from tflint.values import frozen

#: Where the models of channels are told from what a picture is read as.
_SOURCES = {"GRAY": "gray", "RGB": "rgb", "BGR": "rgb", "YUV": "yuv", "RGBA": "rgba", "BGRA": "rgba"}
_REORDERED = {"BGR": "[..., ::-1]", "BGRA": "[..., [2, 1, 0, 3]]"}
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


@frozen
class Step:
    """One thing to do: in words, the contract's keys that say so, lines of numpy, and functions these call.

    `note` is what the model's own numbers, or their absence, add to it.
    """

    words: str
    keys: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    note: str = ""


def source_of(feeding: Feeding) -> tuple[str, str]:
    """What the printed function of an input takes: the parameter's name, and what it is."""
    if feeding.kind == "image":
        name = _SOURCES[feeding.channels]
        what = "uint8" if feeding.takes_bytes else "number"
        article = "an" if name.startswith("rgb") else "a"
        return name, f"{article} {name.upper()} picture, {what} [height, width, {feeding.n_channels}]"
    if feeding.kind == "audio" and feeding.part("audio").get("features", "waveform") != "waveform":
        return "features", f"{feeding.part('audio')['features']} features, made as in training"
    if feeding.kind == "audio":
        return "samples", f"float [n]: sound of −1 to 1{_rate(feeding)}"
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
    made = {"image": _picture, "audio": _sound, "tokens": _tokens, "tabular": _table}.get(feeding.kind, _values)
    return [*made(feeding), *_border(feeding)]


def steps_after(reading: Reading) -> list[Step]:
    """What is done with an output."""
    return [*_real(reading), *_meaning(reading)]


# -- pictures ----------------------------------------------------------------------------------------------------------


def _picture(feeding: Feeding) -> Iterator[Step]:
    name, _ = source_of(feeding)
    orientation = feeding.entry.get("orientation")
    if orientation == "exif":
        words = "turn the picture upright, as its EXIF tag says"
        yield Step(words, ("orientation",), ("# turned upright before: PIL's ImageOps.exif_transpose, or its like",))
    yield Step(f"take it as {name.upper()}, uint8" if feeding.takes_bytes else f"take it as {name.upper()}",
               ("channels", "range"), (f"x = np.asarray({name}, dtype=np.float64)",))  # fmt: skip
    if feeding.entry.get("mirror"):
        yield Step("mirror it: left is right", ("mirror",), ("x = x[:, ::-1]",))
    yield from _geometry(feeding)
    if feeding.channels in _REORDERED:
        order = _REORDERED[feeding.channels]
        yield Step(f"put its channels in the order {feeding.channels}", ("channels",), (f"x = x{order}",))
    if feeding.entry.get("transfer") == "linear":
        yield Step("undo the sRGB curve: the model takes linear light", ("transfer",), ("x = to_linear(x)",),
                   ("to_linear",))  # fmt: skip
    yield from _normalized(feeding)


def _geometry(feeding: Feeding) -> Iterator[Step]:
    crop = feeding.part("crop")
    has_crop = bool(crop) and crop.get("mode") != "none"
    if has_crop and "share" in crop:
        share = f"{crop['share']:.9g}"
        yield Step(f"cut out a square in the middle: {crop['share']:.4g} of the shorter side", ("crop.share", "crop"),
                   (f"x = crop_share(x, {share})",), ("crop_share", "center_crop"))  # fmt: skip
    yield from _resize(feeding)
    if has_crop and "size" in crop:
        height, width = crop["size"]
        yield Step(f"cut out {height} × {width} in the middle", ("crop.size", "crop"),
                   (f"x = center_crop(x, {height}, {width})",), ("center_crop",))  # fmt: skip


def _resize(feeding: Feeding) -> Iterator[Step]:
    said = feeding.part("resize")
    mode = said.get("mode")
    if mode == "none":
        return
    size = said.get("size") or (list(feeding.size) if feeding.size else None)
    if mode is None and "size" not in said:
        if feeding.size and not feeding.part("crop"):
            yield Step(f"bring it to {feeding.size[0]} × {feeding.size[1]}: the contract does not say how",
                       ("resize",), (f"assert x.shape[:2] == {feeding.size}  # resized before",))  # fmt: skip
        return
    if size is None:
        yield Step("resize it: neither contract nor model say to which size", ("resize",), ("# resized before",))
        return
    kernel = said.get("kernel", "bilinear")
    antialias = bool(said.get("antialias", False))
    coordinates = said.get("coordinates", "half-pixel")
    how = f'("{kernel}", {antialias}, "{coordinates}")'
    unsaid = [key for key in ("kernel", "antialias") if key not in said]
    words = f"{kernel}, {'antialiased' if antialias else 'no antialias'}"
    words += f", {coordinates}" if coordinates != "half-pixel" else ""
    note = f"the contract does not say {' and '.join(unsaid)}" if unsaid else ""
    keys = ("resize.mode", "resize.size", "resize")
    if isinstance(size, int) or len(size) == 1:
        side = size if isinstance(size, int) else size[0]
        yield Step(f"resize to a shorter side of {side}, {words}", keys, (f"x = shorter_side(x, {side}, {how})",),
                   ("shorter_side", "resize", "resize_weights"), note)  # fmt: skip
        return
    height, width = size
    if mode == "letterbox":
        value = feeding.pad_value
        at = feeding.part("padding").get("position", "center")
        filled = "centred" if at == "center" else "at the top left"
        shown = _listed(value)
        yield Step(f"letterbox into {height} × {width}, {filled}, filled with {shown}, {words}", (*keys, "padding"),
                   (f"x = letterbox(x, {height}, {width}, {how}, {_several(value)}, {at == 'center'})",),
                   ("letterbox", "resize", "resize_weights"), note)  # fmt: skip
    elif mode == "cover":
        yield Step(f"scale to cover {height} × {width}, cut off the rest, {words}", keys,
                   (f"x = cover(x, {height}, {width}, {how})",),
                   ("cover", "center_crop", "resize", "resize_weights"), note)  # fmt: skip
    else:
        yield Step(f"resize to {height} × {width}, stretch, {words}", keys,
                   (f"x = resize(x, {height}, {width}, {how})",), ("resize", "resize_weights"), note)  # fmt: skip


def _normalized(feeding: Feeding) -> Iterator[Step]:
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
    words = f"x = ({pixel} − {_listed(mean)}) / {_listed(std)}"
    yield Step(words, ("mean", "std"), (f"x = ({scaled} - {_array(mean)}) / {_array(std)}",), note=_agreement(feeding))


def _agreement(feeding: Feeding) -> str:
    if feeding.calibrated is None:
        is_float = (feeding.dtype or "").startswith("float")
        return "a float input takes any range: nothing in the model tells" if is_float else ""
    return "the model's own range agrees" if feeding.calibrated else "the model's own range is another"


# -- other inputs ------------------------------------------------------------------------------------------------------


def _rate(feeding: Feeding) -> str:
    rate = feeding.part("audio").get("sample-rate")
    return f", {rate:g} samples a second" if rate else ""


def _sound(feeding: Feeding) -> Iterator[Step]:
    audio = feeding.part("audio")
    name, _ = source_of(feeding)
    if name == "features":
        known = ", ".join(f"{key} {value}" for key, value in audio.items() if key != "features")
        yield Step(f"make {audio['features']} features{f': {known}' if known else ''}", ("audio.features", "audio"),
                   (f"x = np.asarray({name}, dtype=np.float64)",),
                   note="a contract does not hold all of how they are made: take the code of training")  # fmt: skip
    else:
        n_channels = f", {audio['channels']} channels" if audio.get("channels", 1) != 1 else ""
        yield Step(f"take sound of −1 to 1{_rate(feeding)}{n_channels}", ("audio.sample-rate", "audio"),
                   (f"x = np.asarray({name}, dtype=np.float64)",))  # fmt: skip
        if "sample-rate" in audio and "duration" in audio:
            n = round(audio["sample-rate"] * audio["duration"])
            yield Step(f"cut or fill it with silence to {n:,} samples", ("audio.duration",),
                       (f"x = np.pad(x[:{n}], (0, max({n} - len(x), 0)))",))  # fmt: skip
        if audio.get("amplitude", 1) != 1:
            yield Step(f"multiply it by {audio['amplitude']:g}", ("audio.amplitude",),
                       (f"x = x * {float(audio['amplitude'])!r}",))  # fmt: skip
    yield from _normalized(feeding)


def _tokens(feeding: Feeding) -> Iterator[Step]:
    tokens = feeding.part("tokens")
    role, length = tokens.get("role", "ids"), tokens.get("length")
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
        special = tokens.get("special", {})
        pad = special.get("pad", 0) if role == "ids" else 0
        is_left = tokens.get("padding-side") == "left"
        note = "" if role != "ids" or "pad" in special else "the contract does not say the id of padding: 0"
        around = f"(max({length} - len(x), 0), 0)" if is_left else f"(0, max({length} - len(x), 0))"
        yield Step(f"cut to {length}, or fill with {pad} {'on the left' if is_left else 'on the right'}",
                   ("tokens.length", "tokens.padding-side", "tokens"),
                   (f"x = np.pad(x[:{length}], {around}, constant_values={pad})",), note=note)  # fmt: skip


def _table(feeding: Feeding) -> Iterator[Step]:
    columns = feeding.entry.get("columns", ())
    named = ", ".join(_column(column) for column in columns)
    yield Step(f"columns in this order: {named}" if named else "columns in the order of training", ("columns",),
               ("x = np.asarray(row, dtype=np.float64)",))  # fmt: skip
    means = [float(column.get("mean", 0.0)) for column in columns]
    stds = [float(column.get("std", 1.0)) for column in columns]
    if any(means) or any(std != 1 for std in stds):
        yield Step(f"x = (value − {_listed(means)}) / {_listed(stds)}", ("columns",),
                   (f"x = (x - {_array(means)}) / {_array(stds)}",))  # fmt: skip
    yield from _normalized(feeding)


def _column(column: Entry) -> str:
    unit = f" in {column['unit']}" if "unit" in column else ""
    return f"{column.get('name', '?')}{unit}"


def _values(feeding: Feeding) -> Iterator[Step]:
    yield Step("take the values", ("kind",), ("x = np.asarray(values, dtype=np.float64)",))
    yield from _normalized(feeding)


# -- the border --------------------------------------------------------------------------------------------------------


def _border(feeding: Feeding) -> Iterator[Step]:
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
        plus = f" {'+' if zero_point >= 0 else '-'} {abs(zero_point)}"
        words = f"q = round(x / {scale:.9g}){plus.replace('-', '−')}, clip to {low}…{high}"
        yield Step(words, ("feed", "scale"), (f"x = np.clip(np.floor(x / {scale!r} + 0.5){plus}, {low}, {high})",))
    if feeding.layout in ("NCHW", "CHW"):
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


# -- outputs -----------------------------------------------------------------------------------------------------------


def _real(reading: Reading) -> Iterator[Step]:
    if reading.is_quantized and reading.entry.get("dequantize", True):
        scale, zero_point = reading.scale, reading.zero_point
        assert scale is not None and zero_point is not None
        less = "q" if zero_point == 0 else f"(q {'−' if zero_point > 0 else '+'} {abs(zero_point)})"
        code = "q" if zero_point == 0 else f"(q {'-' if zero_point > 0 else '+'} {abs(zero_point)})"
        yield Step(f"value = {less} × {scale:.9g}", ("dequantize", "dtype"),
                   ("q = np.asarray(out, dtype=np.float64)", f"y = {code} * {scale!r}"))  # fmt: skip
    else:
        is_integer = reading.is_quantized
        yield Step("integers as they are" if is_integer else "values as they are", ("dequantize", "dtype"),
                   ("y = np.asarray(out)" if is_integer else "y = np.asarray(out, dtype=np.float64)",))  # fmt: skip


def _meaning(reading: Reading) -> Iterator[Step]:
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


# -- numbers -----------------------------------------------------------------------------------------------------------


def _listed(values: Values | Sequence[float]) -> str:
    shown = [f"{value:.9g}" for value in values]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _several(values: Sequence[float]) -> str:
    return f"[{', '.join(repr(value) for value in values)}]"


def _array(values: Values | Sequence[float]) -> str:
    """Numbers as numpy reads them back without a loss."""
    shown = [repr(float(value)) for value in values]
    return shown[0] if len(shown) == 1 else f"np.array([{', '.join(shown)}])"
