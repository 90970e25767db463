"""The steps for an image: orientation, crop, resize, channel order, normalization."""

from __future__ import annotations

from collections.abc import Iterator

from tflint.preprocessing.recipe.normalization_step import normalization_steps
from tflint.preprocessing.recipe.recipe import RecipeInput
from tflint.preprocessing.recipe.step import Step, format_list, format_numbers

#: Parameter name of the decoded image, by the channels that the model takes.
SOURCES = {"GRAY": "gray", "RGB": "rgb", "BGR": "rgb", "YUV": "yuv", "RGBA": "rgba", "BGRA": "rgba"}
_REORDERED = {"BGR": "[..., ::-1]", "BGRA": "[..., [2, 1, 0, 3]]"}
#: Contract keys of the steps that need the whole image, not one pixel at a time.
_WHOLE_IMAGE_KEYS = ("orientation", "mirror", "crop", "resize")
_RESIZE_KEYS = ("resize.mode", "resize.size", "resize")


def image_steps(recipe_input: RecipeInput) -> Iterator[Step]:
    """Yield the steps from a decoded image to the real values of the input."""
    name = SOURCES[recipe_input.channels]
    orientation = recipe_input.entry.get("orientation")
    if orientation == "exif":
        words = "rotate the image as its EXIF tag specifies"
        yield Step(
            words, ("orientation",), ("# apply the EXIF rotation first, e.g. with PIL's ImageOps.exif_transpose",)
        )
    yield Step(f"decode to {name.upper()}, uint8" if recipe_input.takes_bytes else f"decode to {name.upper()}",
               ("channels", "range"), (f"x = np.asarray({name}, dtype=np.float64)",))  # fmt: skip
    if recipe_input.entry.get("mirror"):
        yield Step("mirror horizontally", ("mirror",), ("x = x[:, ::-1]",))
    yield from _crop_and_resize(recipe_input)
    if recipe_input.channels in _REORDERED:
        order = _REORDERED[recipe_input.channels]
        yield Step(f"reorder the channels to {recipe_input.channels}", ("channels",), (f"x = x{order}",))
    if recipe_input.entry.get("transfer") == "linear":
        yield Step("convert sRGB to linear light", ("transfer",), ("x = to_linear(x)",), ("to_linear",))
    yield from normalization_steps(recipe_input)


def before_loop(recipe_input: RecipeInput) -> list[Step]:
    """Return the steps that come before a loop over pixels: rotate, mirror, crop, resize."""
    return [step for step in image_steps(recipe_input) if step.keys and step.keys[0].split(".")[0] in _WHOLE_IMAGE_KEYS]


def _crop_and_resize(recipe_input: RecipeInput) -> Iterator[Step]:
    crop = recipe_input.part("crop")
    has_crop = bool(crop) and crop.get("mode") != "none"
    if has_crop and "share" in crop:
        share = f"{crop['share']:.9g}"
        yield Step(f"center-crop to a square of {crop['share']:.4g} × the shorter side", ("crop.share", "crop"),
                   (f"x = crop_share(x, {share})",), ("crop_share", "center_crop"))  # fmt: skip
    yield from _resize(recipe_input)
    if has_crop and "size" in crop:
        height, width = crop["size"]
        yield Step(f"center-crop to {height} × {width}", ("crop.size", "crop"),
                   (f"x = center_crop(x, {height}, {width})",), ("center_crop",))  # fmt: skip


def _resize(recipe_input: RecipeInput) -> Iterator[Step]:
    resize = recipe_input.part("resize")
    size = resize.get("size") or (list(recipe_input.size) if recipe_input.size else None)
    if resize.get("mode") == "none":
        return
    if "mode" not in resize and "size" not in resize:
        if recipe_input.size and not recipe_input.part("crop"):
            height, width = recipe_input.size
            yield Step(f"resize to {height} × {width}: the contract does not specify the method",
                       ("resize",),
                       (f"assert x.shape[:2] == {recipe_input.size}, x.shape  # resize it first",))  # fmt: skip
    elif size is None:
        yield Step("resize: neither the contract nor the model specifies the size", ("resize",), ("# resize it first",))
    else:
        sides = [size] if isinstance(size, int) else list(size)
        yield _to_size(recipe_input, sides)


def _to_size(recipe_input: RecipeInput, sides: list[int]) -> Step:
    """Return the resize to [height, width], or to one number: the shorter side, or both sides of a letterbox."""
    resize = recipe_input.part("resize")
    mode, kernel = resize.get("mode"), resize.get("kernel", "bilinear")
    antialias, coordinates = bool(resize.get("antialias", False)), resize.get("coordinates", "half-pixel")
    how = f'("{kernel}", {antialias}, "{coordinates}")'
    keys: tuple[str, ...] = _RESIZE_KEYS
    calls = ["resize", "resize_weights"]
    height, width = (sides * 2)[:2]
    if mode == "letterbox":
        value = recipe_input.pad_value
        is_centered = recipe_input.part("padding").get("position", "center") == "center"
        position = "centered" if is_centered else "top left"
        words = f"letterbox to {height} × {width}, {position}, padded with {format_numbers(value)}"
        code = f"x = letterbox(x, {height}, {width}, {how}, {format_list(value)}, {is_centered})"
        keys, calls = (*keys, "padding"), ["letterbox", *calls]
    elif len(sides) == 1:
        words, code = f"resize the shorter side to {height}", f"x = shorter_side(x, {height}, {how})"
        calls = ["shorter_side", *calls]
    elif mode == "cover":
        words = f"resize to cover {height} × {width}, center-crop"
        code, calls = f"x = cover(x, {height}, {width}, {how})", ["cover", "center_crop", *calls]
    else:
        words, code = f"resize to {height} × {width}, stretch", f"x = resize(x, {height}, {width}, {how})"
    words += f", {kernel}, {'antialiased' if antialias else 'no antialiasing'}"
    words += f", {coordinates}" if coordinates != "half-pixel" else ""
    missing = [key for key in ("kernel", "antialias") if key not in resize]
    note = f"the contract does not specify {' and '.join(missing)}" if missing else ""
    overshoots = recipe_input.takes_bytes and kernel in ("bicubic", "lanczos")
    return Step(words, keys, (code, "x = np.clip(x, 0, 255)") if overshoots else (code,), tuple(calls), note)
