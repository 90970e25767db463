"""The reader's vectorized checks of bounds, alignment and string termination. An error names the first bad row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.byte_window import Offsets, Window
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.values import frozen

#: The mask of the rows that pass, the reason for the error if a row fails, and whether the reason is truncation.
Condition: TypeAlias = tuple[NDArray[np.bool_], str, bool]


@frozen(eq=False)
class Locations:
    """Byte offsets of rows at one or several schema paths, concatenated.

    `roots` is the file index of each row. The rows of `paths[k]` end before row `ends[k]`.
    """

    offsets: Offsets
    roots: NDArray[np.int32]
    paths: Sequence[str]
    ends: Sequence[int]

    @classmethod
    def concatenate(cls, parts: Sequence[tuple[Offsets, NDArray[np.int32], str]]) -> Locations:
        """Concatenate parts, each with offsets, roots and one path. There must be at least one part."""
        paths = [path for _, _, path in parts]
        if len(parts) == 1:
            return cls(parts[0][0], parts[0][1], paths, [len(parts[0][0])])
        offsets, roots = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        ends, end = [], 0
        for part, _, _ in parts:
            end += len(part)
            ends.append(end)
        return cls(offsets, roots, paths, ends)

    def with_offsets(self, offsets: Offsets) -> Locations:
        """Return the same rows with different offsets."""
        return Locations(offsets, self.roots, self.paths, self.ends)

    def slices(self) -> Iterator[slice]:
        """Yield the slice of rows of each path."""
        begin = 0
        for end in self.ends:
            yield slice(begin, end)
            begin = end

    def path(self, row: int) -> str:
        """Return the schema path of a row."""
        return next(path for path, end in zip(self.paths, self.ends, strict=True) if row < end)


class Checks:
    """Checks the files of a window. A failed check raises `FlatbufferError` for the first bad row.

    `extents` holds, per file, the offset just past the last table or vector that was read.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.extents = window.starts.copy()
        # Alignment is relative to the start of the file. If every file starts at a multiple of 16, offsets in the
        # window have the same alignment.
        self.is_skewed = bool((window.starts & 15).any())

    def require(self, locations: Locations, *conditions: Condition) -> None:
        """Raise the error of the first condition that does not hold for all rows, if there is one."""
        holds = conditions[0][0]
        for condition in conditions[1:]:
            holds = holds & condition[0]
        if np.count_nonzero(holds) == holds.size:
            return
        for holds, reason, is_truncation in conditions:
            if not holds.all():
                raise self.error_at(locations, int(np.argmin(holds)), reason, is_truncation=is_truncation)

    def bounds_condition(self, locations: Locations, ends: Any, what: str) -> Condition:
        """Return the condition that each row's end (exclusive) lies within its file. Messages name the row `what`."""
        return ends <= self.window.bounds(locations.roots), f"{what} reaches past the end of the file", True

    def alignment_condition(self, locations: Locations, width: int, what: str) -> Condition:
        """Return the condition that offsets, relative to the start of their file, are multiples of a width in bytes."""
        offsets = locations.offsets - self.window.starts[locations.roots] if self.is_skewed else locations.offsets
        return (offsets & (width - 1)) == 0, f"{what} is not aligned", False

    def require_terminated(self, ends: Locations) -> None:
        """Require a zero byte after each string; `ends` are the offsets just past the last characters."""
        self.require(ends, self.bounds_condition(ends, ends.offsets + 1, "a string's terminator"))
        zero = self.window.take(ends.offsets, "ubyte") == 0
        self.require(ends, (zero, "a string does not end with a zero byte", False))
        self.extend(ends.roots, ends.offsets + 1)

    def error_at(self, locations: Locations, row: int, reason: str, *, is_truncation: bool = False) -> FlatbufferError:
        """Build the error for one row."""
        root = int(locations.roots[row])
        offset = self.window.file_offset(int(locations.offsets[row]), root)
        return FlatbufferError(
            reason, offset=offset, path=display_path(locations.path(row)), root=root, is_truncation=is_truncation
        )

    def extend(self, roots: NDArray[np.int32], ends: Any) -> None:
        """Raise `extents` to at least `ends`, the ends of tables or vectors in the files `roots`."""
        if not len(roots):
            return
        if len(self.extents) == 1:
            self.extents[0] = max(int(self.extents[0]), int(ends.max()))
        else:
            np.maximum.at(self.extents, roots, ends)


def display_path(path: str) -> str:
    """Return the text for a schema path in messages: `root table` for the empty path, else the path itself."""
    return path or "root table"
