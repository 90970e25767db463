"""Guesses whether an input is an image, from its shape and its metadata."""

from __future__ import annotations

from tflint.summary.summary_values import InterfaceMetadata, InterfaceTensor

#: Minimum height and width of an image, in pixels. CIFAR images have 32, the smallest real ones about 8.
MIN_SIDE = 8
#: Minimum height and width in a shape without a batch dimension: most shapes with three dimensions are not images.
MIN_BARE_SIDE = 32
_TYPES = ("FLOAT32", "FLOAT16", "BFLOAT16", "UINT8", "INT8", "INT16")


def guess_layout(tensor: InterfaceTensor, metadata: InterfaceMetadata | None) -> tuple[str | None, int | None]:
    """Return the layout (NHWC, NCHW, HWC or NDHWC) and the number of channels of an image, or (None, None).

    The metadata overrides the shape. If it declares content other than an image, the result is (None, None). If it
    declares an image, any number of channels is accepted. NHWC with one channel may also be a spectrogram.
    """
    is_declared = metadata is not None and metadata.content == "ImageProperties"
    if tensor.dtype not in _TYPES or (metadata is not None and metadata.content is not None and not is_declared):
        return None, None
    sizes = tensor.dimensions
    if len(sizes) == 4:
        if _are_sides(sizes[1:3]) and (sizes[3] in (1, 3) or is_declared):
            return "NHWC", sizes[3]
        if sizes[1] == 3 and _are_sides(sizes[2:4]):
            return "NCHW", 3
    elif len(sizes) == 5 and sizes[4] == 3 and _are_sides(sizes[2:4]):
        return "NDHWC", 3
    elif len(sizes) == 3 and sizes[2] == 3 and _are_sides(sizes[:2], MIN_BARE_SIDE):
        return "HWC", 3
    return None, None


def _are_sides(sizes: tuple[int | None, ...], minimum: int = MIN_SIDE) -> bool:
    return all(size is None or size >= minimum for size in sizes)
