"""The checks of the reader, for many rows at once: bounds, alignment, strings; each error names the first culprit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.errors import FlatbufferError
from tflint.flatbuffer.window import Offsets, Window


class Checks:
    """Checks over a window; every failed one raises `FlatbufferError` with the first row that broke it.

    `extents`: for each file the byte just past the last table or vector that was read.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.extents = window.starts.copy()
        # Alignment counts from a file's own start; where all starts are multiples of 16 the offset itself tells.
        self.is_skewed = bool((window.starts & 15).any())

    def require_terminated(self, ends: Offsets, roots: NDArray[np.int32], path: str) -> None:
        """Strings end within their file, with a zero byte."""
        inside = ends < self.window.bounds(roots)
        self.require(inside, ends, roots, path, "a string's end", True)
        zero = self.window.take(ends, "ubyte") == 0
        self.require(zero, ends, roots, path, "a string does not end with a zero byte")
        self.extend(roots, ends + 1)

    def require_span(
        self, offsets: Offsets, width: int, align: int, roots: NDArray[np.int32], path: str, what: str
    ) -> None:
        """Something of a width lies within its file, and is aligned."""
        self.require(offsets + width <= self.window.bounds(roots), offsets, roots, path, what, True)
        if align > 1:
            self.require(self.is_aligned(offsets, align, roots), offsets, roots, path, f"{what} is not aligned")

    def is_aligned(self, offsets: Offsets, width: int | Offsets, roots: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which offsets are multiples of a width, from the start of their file."""
        if self.is_skewed:
            starts = self.window.starts[roots]
            offsets = offsets - (starts[:, None] if offsets.ndim == 2 else starts)
        aligned: NDArray[np.bool_] = (offsets & (width - 1)) == 0
        return aligned

    def require(
        self,
        holds: NDArray[np.bool_],
        offsets: Offsets,
        roots: NDArray[np.int32],
        path: str,
        reason: str,
        truncated: bool = False,
    ) -> None:
        """A condition holds for all rows; where it is about the end of the file, `truncated` says so."""
        if holds.all():
            return
        text = f"{reason} reaches past the end of the file" if truncated else reason
        raise self.error(text, offsets, roots, int(np.argmin(holds)), path, truncated=truncated)

    def error(
        self,
        reason: str,
        offsets: Offsets,
        roots: NDArray[np.int32],
        row: int,
        path: str,
        truncated: bool = False,
    ) -> FlatbufferError:
        """The error of one row."""
        root = int(roots[row])
        offset = self.window.file_offset(int(offsets[row]), root)
        return FlatbufferError(reason, offset=offset, path=dotted(path), root=root, is_truncation=truncated)

    def extend(self, roots: NDArray[np.int32], ends: Any) -> None:
        """Note that tables or vectors of files reach to these ends."""
        if not len(roots):
            return
        if len(self.extents) == 1:
            self.extents[0] = max(int(self.extents[0]), int(ends.max()))
        else:
            np.maximum.at(self.extents, roots, ends)


def dotted(path: str) -> str:
    """A place in the schema; the root has no path of its own."""
    return path or "root table"
