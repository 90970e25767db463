"""The steps for a picture: upright, cropped, resized, its channels in order, normalised."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.normalization_step import normalized
from tflint.preprocessing.recipe.recipe import Feeding
from tflint.preprocessing.recipe.step import Step, listed, several

#: What a picture is read as, by the channels that the model takes.
SOURCES = {"GRAY": "gray", "RGB": "rgb", "BGR": "rgb", "YUV": "yuv", "RGBA": "rgba", "BGRA": "rgba"}
_REORDERED = {"BGR": "[..., ::-1]", "BGRA": "[..., [2, 1, 0, 3]]"}
#: Keys of what is done to a picture as a whole.
_WHOLE = ("orientation", "mirror", "crop", "resize")
_RESIZE_KEYS = ("resize.mode", "resize.size", "resize")


def picture(feeding: Feeding) -> Iterator[Step]:
    """What is done to a picture, up to the values that are quantized."""
    name = SOURCES[feeding.channels]
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
    yield from normalized(feeding)


def before_loop(feeding: Feeding) -> list[Step]:
    """What is to be done to a picture before a loop over its bytes: turned, mirrored, cropped, resized."""
    return [step for step in picture(feeding) if step.keys and step.keys[0].split(".")[0] in _WHOLE]


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
    size = said.get("size") or (list(feeding.size) if feeding.size else None)
    if said.get("mode") == "none":
        return
    if "mode" not in said and "size" not in said:
        if feeding.size and not feeding.part("crop"):
            yield Step(f"bring it to {feeding.size[0]} × {feeding.size[1]}: the contract does not say how",
                       ("resize",), (f"assert x.shape[:2] == {feeding.size}, x.shape  # resized before",))  # fmt: skip
    elif size is None:
        yield Step("resize it: neither contract nor model say to which size", ("resize",), ("# resized before",))
    else:
        sides = [size] if isinstance(size, int) else list(size)
        yield _to_size(feeding, sides)


def _to_size(feeding: Feeding, sides: list[int]) -> Step:
    """The resize to height and width, or to one number: the shorter side, of a letterbox both."""
    said = feeding.part("resize")
    mode, kernel = said.get("mode"), said.get("kernel", "bilinear")
    antialias, coordinates = bool(said.get("antialias", False)), said.get("coordinates", "half-pixel")
    how = f'("{kernel}", {antialias}, "{coordinates}")'
    keys: tuple[str, ...] = _RESIZE_KEYS
    calls = ["resize", "resize_weights"]
    height, width = (sides * 2)[:2]
    if mode == "letterbox":
        value, is_centered = feeding.pad_value, feeding.part("padding").get("position", "center") == "center"
        where = "centred" if is_centered else "at the top left"
        words = f"letterbox into {height} × {width}, {where}, filled with {listed(value)}"
        code = f"x = letterbox(x, {height}, {width}, {how}, {several(value)}, {is_centered})"
        keys, calls = (*keys, "padding"), ["letterbox", *calls]
    elif len(sides) == 1:
        words, code = f"resize to a shorter side of {height}", f"x = shorter_side(x, {height}, {how})"
        calls = ["shorter_side", *calls]
    elif mode == "cover":
        words = f"scale to cover {height} × {width}, cut off the rest"
        code, calls = f"x = cover(x, {height}, {width}, {how})", ["cover", "center_crop", *calls]
    else:
        words, code = f"resize to {height} × {width}, stretch", f"x = resize(x, {height}, {width}, {how})"
    words += f", {kernel}, {'antialiased' if antialias else 'no antialias'}"
    words += f", {coordinates}" if coordinates != "half-pixel" else ""
    unsaid = [key for key in ("kernel", "antialias") if key not in said]
    note = f"the contract does not say {' and '.join(unsaid)}" if unsaid else ""
    overshoots = feeding.takes_bytes and kernel in ("bicubic", "lanczos")
    return Step(words, keys, (code, "x = np.clip(x, 0, 255)") if overshoots else (code,), tuple(calls), note)
