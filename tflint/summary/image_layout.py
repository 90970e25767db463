"""Says whether an input has the shape of a picture: by its dimensions, or because its metadata says so."""

from __future__ import annotations

from tflint.summary.summary_values import InterfaceMetadata, InterfaceTensor

#: A picture's sides are no shorter than this; CIFAR's are 32, the smallest real ones about 8.
MIN_SIDE = 8
#: Without a batch three dimensions are many other things: such a picture's sides are no shorter than this.
MIN_BARE_SIDE = 32
_TYPES = ("FLOAT32", "FLOAT16", "BFLOAT16", "UINT8", "INT8", "INT16")


def guess_layout(tensor: InterfaceTensor, metadata: InterfaceMetadata | None) -> tuple[str | None, int | None]:
    """Layout and number of channels of an input that can be a picture (NHWC, NCHW, HWC, NDHWC), else None twice.

    Metadata that speaks of another content wins over the shape; metadata that says picture allows more channels. One
    channel, last, may as well be a spectrogram.
    """
    is_told = metadata is not None and metadata.content == "ImageProperties"
    if tensor.dtype not in _TYPES or (metadata is not None and metadata.content is not None and not is_told):
        return None, None
    sizes = tensor.dimensions
    if len(sizes) == 4:
        if _are_sides(sizes[1:3]) and (sizes[3] in (1, 3) or is_told):
            return "NHWC", sizes[3]
        if sizes[1] == 3 and _are_sides(sizes[2:4]):
            return "NCHW", 3
    elif len(sizes) == 5 and sizes[4] == 3 and _are_sides(sizes[2:4]):
        return "NDHWC", 3
    elif len(sizes) == 3 and sizes[2] == 3 and _are_sides(sizes[:2], MIN_BARE_SIDE):
        return "HWC", 3
    return None, None


def _are_sides(sizes: tuple[int | None, ...], least: int = MIN_SIDE) -> bool:
    return all(size is None or size >= least for size in sizes)
