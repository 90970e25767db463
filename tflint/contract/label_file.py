"""Reads the label files that contracts name: how many labels, and what is wrong with them."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path

from tflint.errors import UserError
from tflint.source.checkout_boundary import boundary_of, is_within
from tflint.userfiles.userfile import EncodingError, read_text
from tflint.values import frozen

#: Most bytes of a label file: 100,000 labels of 40 letters.
MAX_LABEL_BYTES = 4 << 20
#: What the label of the background is called, without underscores.
_BACKGROUND = ("background", "???", "bg")


@frozen
class Labels:
    """The labels of a file, a line each.

    `problem` is empty; or missing, outside (of the contract's checkout), folder, device, pipe, too-large,
    unreadable, not-UTF-8 or empty, and there are none; or blank-lines or duplicates, and some cannot be told apart.
    """

    lines: tuple[str, ...] = ()
    problem: str = ""

    @property
    def begins_with_background(self) -> bool:
        """Whether the first label is called as that of the background is."""
        return bool(self.lines) and self.lines[0].strip("_").lower() in _BACKGROUND


def read_labels(contract: str, name: str) -> Labels:
    """The labels in a file whose path counts from the folder of a contract."""
    path = Path(contract).parent / name
    problem = _problem_of_file(path, boundary_of(Path(contract).parent))
    if problem:
        return Labels(problem=problem)
    try:
        text = read_text(str(path), limit=MAX_LABEL_BYTES)
    except EncodingError:
        return Labels(problem="not-UTF-8")
    except UserError:
        return Labels(problem="unreadable")
    return _labels_in(text)


def _problem_of_file(path: Path, boundary: Path) -> str:
    """Why a label file is not opened; empty if it may be. A file outside of the checkout is not
    examined, not even for existence.
    """
    try:
        if not is_within(path, boundary):
            return "outside"
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle; ValueError: a NUL in the name
        return "unreadable"
    if stat.S_ISREG(status.st_mode):
        return "too-large" if status.st_size > MAX_LABEL_BYTES else ""
    return "folder" if stat.S_ISDIR(status.st_mode) else "pipe" if stat.S_ISFIFO(status.st_mode) else "device"


def packed_labels(content: bytes) -> Labels:
    """The labels in a file that lies inside a model."""
    try:
        return _labels_in(content.decode("utf-8"))
    except UnicodeDecodeError:
        return Labels(problem="not-UTF-8")


def _labels_in(text: str) -> Labels:
    lines = label_lines(text)
    return Labels(lines, _problem(lines))


def label_lines(text: str) -> tuple[str, ...]:
    """The labels in a text, a line each; empty lines at its end are none."""
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _problem(lines: tuple[str, ...]) -> str:
    if not lines:
        return "empty"
    if not all(lines):
        return "blank-lines"
    # Placeholders such as ??? stand for classes that were never named: they may repeat.
    named = [line for line in lines if any(char.isalnum() for char in line)]
    return "duplicates" if max(Counter(named).values(), default=0) > 1 else ""
