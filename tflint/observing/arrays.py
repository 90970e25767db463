"""Reads samples of an input: arrays of numpy as they are fed, and pictures, prepared as the contract says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.calling import Feeding, Recipe
from tflint.calling.numpy_code import numpy_code
from tflint.errors import MissingExtraError, UserError

Array = NDArray[Any]

_ARRAYS = (".npy", ".npz")
_PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
#: Pillow's modes of 8 bits a channel: it clips others.
_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
#: Its modes for the channels that the printed code takes.
_MODES = {"GRAY": "L", "RGB": "RGB", "BGR": "RGB", "RGBA": "RGBA", "BGRA": "RGBA", "YUV": "YCbCr"}


def samples(path: str, recipe: Recipe) -> Iterator[tuple[Feeding, Array, str]]:
    """Real values (or the model's integers) for inputs, an array after the other, with what they are called in errors.

    `path` is a .npy or .npz file, a picture, or a folder of these. An array of an .npz belongs to the input of its
    name, or of its number; where model and file have one each, to that. `UserError` for what cannot be read or matched.
    """
    for file in _files(path):
        if file.suffix.lower() in _ARRAYS:
            yield from _arrays(file, recipe)
        else:
            yield _picture(file, recipe)


def _files(path: str) -> Sequence[Path]:
    whole = Path(path)
    if whole.is_dir():
        found = [
            file
            for file in sorted(whole.rglob("*"))
            if file.suffix.lower() in (*_ARRAYS, *_PICTURES) and file.is_file()
        ]
        if not found:
            raise UserError(f"there is no data in '{path}'", hint="it may hold .npy, .npz and pictures")
        return found
    if not whole.is_file():
        raise UserError(f"there is no file or folder '{path}'")
    if whole.suffix.lower() not in (*_ARRAYS, *_PICTURES):
        raise UserError(f"'{path}' is no .npy, .npz or picture", hint="numpy.savez writes arrays")
    return [whole]


def _arrays(file: Path, recipe: Recipe) -> Iterator[tuple[Feeding, Array, str]]:
    try:
        with file.open("rb") as opened:
            content = np.load(opened, allow_pickle=False)
            if isinstance(content, np.ndarray):
                yield _only(recipe, str(file)), content, str(file)
                return
            for name in content.files:
                yield _named(recipe, name, len(content.files), str(file)), content[name], f"{file}, array '{name}'"
    except (OSError, ValueError, EOFError, KeyError, MemoryError) as error:
        raise UserError(f"'{file}' cannot be read: {error}") from error
    except Exception as error:  # zipfile and zlib have errors of their own
        if isinstance(error, UserError):
            raise
        raise UserError(f"'{file}' is no whole file of numpy: {error}") from error


def _only(recipe: Recipe, what: str) -> Feeding:
    if len(recipe.inputs) != 1:
        names = ", ".join(feeding.name for feeding in recipe.inputs)
        raise UserError(f"'{what}' does not say which input it is for", hint=f"an .npz has arrays called {names}")
    return recipe.inputs[0]


def _named(recipe: Recipe, name: str, n_arrays: int, what: str) -> Feeding:
    found = [feeding for feeding in recipe.inputs if name in (feeding.name, feeding.tensor, str(feeding.position))]
    if not found and n_arrays == 1:
        return _only(recipe, what)
    if len(found) != 1:
        names = ", ".join(feeding.name for feeding in recipe.inputs)
        raise UserError(f"'{what}' has an array '{name}', and the contract no such input", hint=f"it has {names}")
    return found[0]


# -- pictures ----------------------------------------------------------------------------------------------------------


def _picture(file: Path, recipe: Recipe) -> tuple[Feeding, Array, str]:
    feeding = _only(recipe, str(file))
    if feeding.kind != "image":
        raise UserError(f"'{file}' is a picture, and the contract's input '{feeding.name}' is {feeding.kind}")
    shown = _read(file, feeding)
    try:
        return feeding, _prepare(feeding, recipe)(shown), str(file)
    except (AssertionError, ValueError) as error:
        size = " × ".join(map(str, shown.shape))
        raise UserError(
            f"'{file}' ({size}) cannot be prepared as the contract says: {error}",
            hint="a picture of another size needs [inputs.resize]",
        ) from error


def _read(file: Path, feeding: Feeding) -> Array:
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "PIL":
            raise
        raise MissingExtraError("pictures", "pillow", "reading pictures") from None
    try:
        with Image.open(file) as opened:
            if opened.mode not in _EIGHT_BITS:
                raise UserError(
                    f"'{file}' is a picture of mode {opened.mode}, not of 8 bits a channel",
                    hint="bring it to 8 bits as the caller does, or give arrays",
                )
            upright = ImageOps.exif_transpose(opened) if feeding.entry.get("orientation") == "exif" else opened
            made = np.asarray(upright.convert(_MODES[feeding.channels]))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"'{file}' cannot be read as a picture: {error}") from error
    return made if made.ndim == 3 else made[:, :, None]


def _prepare(feeding: Feeding, recipe: Recipe) -> Callable[[Array], Array]:
    """The contract's own steps up to real values: as printed, for an input that is not quantized."""
    real = dataclasses.replace(feeding, scale=None, zero_point=None, dtype="float32")
    names: dict[str, Any] = {}
    exec(
        numpy_code(dataclasses.replace(recipe, inputs=(real,), outputs=())), names
    )  # tflint's own text, names left out
    made: Callable[[Array], Array] = names[f"input_{feeding.position}"]
    return made
