"""The checks of the reader, for many rows at once: bounds, alignment, strings; each error names the first culprit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.byte_window import Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.flatbuffer.source_pages import Offsets
from tflint.values import frozen

#: Which rows hold, what to say of one that does not, and whether it is the end of the file that it runs into.
Condition: TypeAlias = tuple[NDArray[np.bool_], str, bool]


@frozen(eq=False)
class Spots:
    """Byte offsets of several places of the schema, one after the other; `roots` says which file each is of.

    The offsets of `paths[k]` end before row `ends[k]`.
    """

    offsets: Offsets
    roots: NDArray[np.int32]
    paths: Sequence[str]
    ends: Sequence[int]

    @classmethod
    def joined(cls, parts: Sequence[tuple[Offsets, NDArray[np.int32], str]]) -> Spots:
        """The offsets, roots and path of each part, of which there is one at least, put together."""
        paths = [path for _, _, path in parts]
        if len(parts) == 1:
            return cls(parts[0][0], parts[0][1], paths, [len(parts[0][0])])
        offsets, roots = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        ends, end = [], 0
        for part, _, _ in parts:
            end += len(part)
            ends.append(end)
        return cls(offsets, roots, paths, ends)

    def moved(self, offsets: Offsets) -> Spots:
        """Other offsets of the same rows."""
        return Spots(offsets, self.roots, self.paths, self.ends)

    def slices(self) -> Iterator[slice]:
        """The rows of each place."""
        begin = 0
        for end in self.ends:
            yield slice(begin, end)
            begin = end

    def path(self, row: int) -> str:
        """The place of a row."""
        return next(path for path, end in zip(self.paths, self.ends, strict=True) if row < end)


class Checks:
    """Checks over a window; every failed one raises `FlatbufferError` with the first row that broke it.

    `extents`: for each file the byte just past the last table or vector that was read.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.extents = window.starts.copy()
        # Alignment counts from a file's own start; where all starts are multiples of 16 the offset itself tells.
        self.is_skewed = bool((window.starts & 15).any())

    def require(self, spots: Spots, *conditions: Condition) -> None:
        """All conditions hold for all rows; else the error is that of the first condition that does not."""
        holds = conditions[0][0]
        for condition in conditions[1:]:
            holds = holds & condition[0]
        if np.count_nonzero(holds) == holds.size:
            return
        for holds, reason, is_truncation in conditions:
            if not holds.all():
                raise self.error(spots, int(np.argmin(holds)), reason, is_truncation=is_truncation)

    def inside(self, spots: Spots, ends: Any, what: str) -> Condition:
        """The condition that something ends within its file, by the offset just past it."""
        return ends <= self.window.bounds(spots.roots), f"{what} reaches past the end of the file", True

    def aligned(self, spots: Spots, width: int, what: str) -> Condition:
        """The condition that offsets are multiples of a width, from the start of their file."""
        offsets = spots.offsets - self.window.starts[spots.roots] if self.is_skewed else spots.offsets
        return (offsets & (width - 1)) == 0, f"{what} is not aligned", False

    def require_terminated(self, ends: Spots) -> None:
        """Strings end within their file, with a zero byte; `ends` are just past their last character."""
        self.require(ends, self.inside(ends, ends.offsets + 1, "a string's end"))
        zero = self.window.take(ends.offsets, "ubyte") == 0
        self.require(ends, (zero, "a string does not end with a zero byte", False))
        self.extend(ends.roots, ends.offsets + 1)

    def error(self, spots: Spots, row: int, reason: str, *, is_truncation: bool = False) -> FlatbufferError:
        """The error of one row."""
        root = int(spots.roots[row])
        offset = self.window.file_offset(int(spots.offsets[row]), root)
        return FlatbufferError(
            reason, offset=offset, path=dotted(spots.path(row)), root=root, is_truncation=is_truncation
        )

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
