"""Reads images and prepares them by the contract's own code, once the header's size says that memory suffices."""

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
from tflint.preprocessing.recipe import Feeding, Recipe
from tflint.report.display_names import plural
from tflint.userfiles.userfile import error_in
from tflint.values import replace

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[Any]

#: The formats of the suffixes. Pillow goes by content, and has others that run programs: EPS starts Ghostscript.
_FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
#: Pillow's modes of 8 bits per channel: it clips others.
_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
#: Its modes for the channels that the printed code takes.
_MODES = {"GRAY": "L", "RGB": "RGB", "BGR": "RGB", "RGBA": "RGBA", "BGRA": "RGBA", "YUV": "YCbCr"}


def prepare_image(file: Path, feeding: Feeding, recipe: Recipe) -> Array:
    """Return an image as the input's real values; `UserError` if it cannot be read, prepared or held in memory."""
    if feeding.kind != "image":
        raise UserError(f"'{file}' is an image, but the contract's input '{feeding.name}' is of kind {feeding.kind}")
    _require_small_target(feeding, recipe)
    _require_numbers_per_channel(feeding, recipe)
    pixels = _read(file, feeding)
    try:
        return _preparing(feeding, recipe)(pixels)
    except (AssertionError, ValueError, ZeroDivisionError) as error:
        size = " × ".join(map(str, pixels.shape))
        raise UserError(
            f"'{file}' ({size}) cannot be prepared as the contract says: {error}",
            hint="an image of another size needs [inputs.resize]",
        ) from error
    except MemoryError as error:
        raise UserError(f"there is not enough memory to prepare '{file}'") from error


def _require_small_target(feeding: Feeding, recipe: Recipe) -> None:
    """Refuse sizes of the contract that take too much memory for any image, even of one pixel."""
    n_bytes = image_bytes(feeding, (1, 1))
    if n_bytes <= MAX_IMAGE_BYTES:
        return
    keys = next((keys for keys in (("resize", "size"), ("crop", "size")) if keys[1] in feeding.part(keys[0])), ())
    message = (
        f"preprocessing an image of this size takes {_gigabytes(n_bytes)}; the limit is {_gigabytes(MAX_IMAGE_BYTES)}"
    )
    contract = recipe.contract
    raise error_in(
        contract.path,
        contract.text,
        ("inputs", feeding.number, *keys),
        message,
        hint="as large as the model's input is enough",
    )


def _require_numbers_per_channel(feeding: Feeding, recipe: Recipe) -> None:
    """Refuse more means than channels: numpy would make as many channels of a gray image."""
    n_numbers = len(feeding.normalization[0])
    if n_numbers not in (1, feeding.n_channels):
        keys = ("inputs", feeding.number, "mean")
        message = (
            f"'mean' and 'std' have {n_numbers:,} numbers for an image with {plural(feeding.n_channels, 'channel')}"
        )
        raise error_in(recipe.contract.path, recipe.contract.text, keys, message, hint="one, or one per channel")


def _read(file: Path, feeding: Feeding) -> Array:
    """The pixels [height, width, channels] of uint8."""
    try:
        import PIL.Image
        import PIL.ImageOps
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "PIL":
            raise
        raise MissingExtraError("pictures", "pillow", "reading images") from None
    with _plain_errors(file), PIL.Image.open(file, formats=_FORMATS) as opened:
        _require_readable(opened, file)
        _require_memory(file, feeding, (opened.height, opened.width))
        is_turned = feeding.entry.get("orientation") == "exif"
        upright = PIL.ImageOps.exif_transpose(opened) if is_turned else opened
        pixels = np.asarray(upright.convert(_MODES[feeding.channels]))
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


@contextmanager
def _plain_errors(file: Path) -> Iterator[None]:
    """Turn whatever Pillow raises into `UserError`; its warning of a decompression bomb is an error, too."""
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
        raise UserError(f"'{file}' cannot be read as an image: {error}") from error
    except Exception as error:  # Pillow's decoders raise whatever the bytes lead to: struct.error, IndexError, …
        raise UserError(f"'{file}' cannot be read as an image: {type(error).__name__}: {error}") from error


def _require_readable(image: Image, file: Path) -> None:
    if image.mode not in _EIGHT_BITS:
        raise UserError(
            f"'{file}' is an image of mode {image.mode}, not of 8 bits per channel",
            hint="convert it to 8 bits as the caller does, or give arrays",
        )
    # A JPEG of several images (MPO) holds a preview or a depth map behind the image itself.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise UserError(
            f"'{file}' is animated: it has {getattr(image, 'n_frames', 2):,} frames", hint="save each frame as an image"
        )


def _require_memory(file: Path, feeding: Feeding, size: tuple[int, int]) -> None:
    """Refuse an image by its header: nothing of it is decoded yet."""
    n_bytes = image_bytes(feeding, size)
    if n_bytes > MAX_IMAGE_BYTES:
        height, width = size
        raise UserError(
            f"'{file}' ({height:,} × {width:,}) needs {_gigabytes(n_bytes)} for the contract's preprocessing, "
            f"more than {_gigabytes(MAX_IMAGE_BYTES)}",
            hint="observe a smaller image",
        )


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB"


def _preparing(feeding: Feeding, recipe: Recipe) -> Callable[[Array], Array]:
    """The contract's own steps up to real values: as printed, for an input that is not quantized."""
    real = replace(feeding, scale=None, zero_point=None, dtype="float32")
    names: dict[str, Any] = {}
    exec(numpy_code(replace(recipe, inputs=(real,), outputs=())), names)  # tflint's own text, names left out
    function: Callable[[Array], Array] = names[f"input_{feeding.position}"]
    return function
