"""Reads images and preprocesses them with the code of the contract, unless this would take too much memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflint.errors import MissingExtraError, UserError
from tflint.preprocessing.codegen.numpy_code import numpy_code
from tflint.preprocessing.observe.image_memory import MAX_IMAGE_BYTES, image_bytes
from tflint.preprocessing.recipe import Recipe, RecipeInput
from tflint.report.display_names import plural
from tflint.userfiles.userfile import error_in
from tflint.values import replace

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[Any]

#: Allowed formats. Pillow detects them by content, and others can run programs: EPS starts Ghostscript.
_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
#: Pillow modes with at most 8 bits per channel; `convert` clips the values of others.
_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
#: Pillow modes by channel order of the contract.
_MODES = {"GRAY": "L", "RGB": "RGB", "BGR": "RGB", "RGBA": "RGBA", "BGRA": "RGBA", "YUV": "YCbCr"}


class BrokenImageError(UserError):
    """A file has the suffix of an image, but cannot be decoded."""


def require_pillow() -> None:
    """Raise `MissingExtraError` if Pillow is not installed."""
    try:
        import PIL.Image  # noqa: F401
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "PIL":
            raise
        raise MissingExtraError("contract", "pillow", "reading images") from None


def preprocess_image(file: Path, recipe_input: RecipeInput, recipe: Recipe) -> Array:
    """Return the real values of the input for an image.

    Raises `UserError` if the image cannot be read or preprocessed, or takes too much memory.
    """
    if recipe_input.kind != "image":
        raise UserError(
            f"'{file}' is an image, but the contract's input '{recipe_input.name}' is of kind {recipe_input.kind}"
        )
    real = replace(recipe_input, scale=None, zero_point=None, dtype="float32")
    return preprocess_pixels(read_image(file, recipe_input, recipe), real, recipe, str(file))


def preprocess_pixels(pixels: Array, recipe_input: RecipeInput, recipe: Recipe, what: str) -> Array:
    """Return the input for the pixels of an image, as the printed code of the recipe computes it.

    `what` names the image in errors. Raises `UserError` if the pixels cannot be preprocessed.
    """
    try:
        return _compile_preprocessing(recipe_input, recipe)(pixels)
    except (AssertionError, ValueError, ZeroDivisionError) as error:
        size = " × ".join(map(str, pixels.shape))
        raise UserError(
            f"'{what}' ({size}) cannot be preprocessed by the contract: {error}",
            hint="for images of other sizes, the contract needs [inputs.resize]",
        ) from error
    except MemoryError as error:
        raise UserError(f"there is not enough memory to preprocess '{what}'") from error


def _require_small_target(recipe_input: RecipeInput, recipe: Recipe) -> None:
    """Raise `UserError` if the sizes in the contract take too much memory even for an image of one pixel."""
    n_bytes = image_bytes(recipe_input, (1, 1))
    if n_bytes <= MAX_IMAGE_BYTES:
        return
    keys = next((keys for keys in (("resize", "size"), ("crop", "size")) if keys[1] in recipe_input.part(keys[0])), ())
    message = (
        f"preprocessing an image of this size takes {_gigabytes(n_bytes)}; the limit is {_gigabytes(MAX_IMAGE_BYTES)}"
    )
    contract = recipe.contract
    raise error_in(
        contract.path,
        contract.text,
        ("inputs", recipe_input.number, *keys),
        message,
        hint="use the size of the model's input",
    )


def _require_numbers_per_channel(recipe_input: RecipeInput, recipe: Recipe) -> None:
    """Refuse a mean per channel of a different image: numpy would broadcast a gray image to that many channels."""
    n_numbers = len(recipe_input.normalization[0])
    if n_numbers not in (1, recipe_input.n_channels):
        keys = ("inputs", recipe_input.number, "mean")
        channels = plural(recipe_input.n_channels, "channel")
        message = f"'mean' and 'std' have {n_numbers:,} numbers for an image with {channels}"
        hint = "specify one number for all channels, or one per channel"
        raise error_in(recipe.contract.path, recipe.contract.text, keys, message, hint=hint)


def read_image(file: Path, recipe_input: RecipeInput, recipe: Recipe) -> Array:
    """Return the pixels of an image: uint8 [height, width, channels].

    Raises `BrokenImageError` if it cannot be decoded, and `UserError` if it is of an unsupported kind, or if its
    preprocessing takes too much memory.
    """
    _require_small_target(recipe_input, recipe)
    _require_numbers_per_channel(recipe_input, recipe)
    require_pillow()
    import PIL.Image
    import PIL.ImageOps

    with _plain_errors(file), PIL.Image.open(file, formats=_FORMATS) as opened:
        _require_readable(opened, file)
        _require_memory(file, recipe_input, (opened.height, opened.width))
        is_rotated = recipe_input.entry.get("orientation") == "exif"
        upright = PIL.ImageOps.exif_transpose(opened) if is_rotated else opened
        pixels = np.asarray(upright.convert(_MODES[recipe_input.channels]))
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


@contextmanager
def _plain_errors(file: Path) -> Iterator[None]:
    """Turn all exceptions of Pillow, and its warning about decompression bombs, into `UserError`."""
    from PIL.Image import DecompressionBombError, DecompressionBombWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DecompressionBombWarning)
            yield
    except UserError:
        raise
    except (DecompressionBombError, DecompressionBombWarning) as error:
        raise UserError(
            f"'{file}' has more pixels than Pillow decodes by default", hint="observe a smaller image"
        ) from error
    except MemoryError as error:
        raise UserError(f"there is not enough memory to decode '{file}'") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise BrokenImageError(f"'{file}' cannot be read as an image: {error}") from error
    except Exception as error:  # Pillow's decoders raise almost anything for invalid bytes: struct.error, IndexError, …
        raise BrokenImageError(f"'{file}' cannot be read as an image: {type(error).__name__}: {error}") from error


def _require_readable(image: Image, file: Path) -> None:
    if image.mode not in _EIGHT_BITS:
        raise UserError(
            f"'{file}' has the image mode {image.mode}, which does not have 8 bits per channel",
            hint="convert it to 8 bits as client code does, or use arrays",
        )
    # A JPEG with several images (MPO) has a preview or a depth map after the image itself.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise UserError(
            f"'{file}' is animated: it has {getattr(image, 'n_frames', 2):,} frames", hint="save each frame as an image"
        )


def _require_memory(file: Path, recipe_input: RecipeInput, size: tuple[int, int]) -> None:
    """Raise `UserError` if the size in an image's header takes too much memory. The image is not decoded yet."""
    n_bytes = image_bytes(recipe_input, size)
    if n_bytes > MAX_IMAGE_BYTES:
        height, width = size
        raise UserError(
            f"'{file}' ({height:,} × {width:,}) needs {_gigabytes(n_bytes)} for the contract's preprocessing, "
            f"more than {_gigabytes(MAX_IMAGE_BYTES)}",
            hint="observe a smaller image",
        )


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB"


def _compile_preprocessing(recipe_input: RecipeInput, recipe: Recipe) -> Callable[[Array], Array]:
    """Compile the printed code of an input."""
    names: dict[str, Any] = {}
    exec(
        numpy_code(replace(recipe, inputs=(recipe_input,), outputs=())), names
    )  # safe: tflint generates the code, and names from the contract are sanitized
    function: Callable[[Array], Array] = names[f"input_{recipe_input.position}"]
    return function
