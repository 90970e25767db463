"""Reads the label files that contracts name. The result is the labels, or the reason why there are none."""

from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path

from tflint.errors import UserError
from tflint.source.checkout_boundary import boundary_of, is_within
from tflint.userfiles.userfile import EncodingError, read_text
from tflint.values import frozen

#: Maximum number of bytes of a label file, enough for 100,000 labels of 40 characters.
MAX_LABEL_BYTES = 4 << 20
#: Labels of the background class, in lower case and without surrounding underscores.
_BACKGROUND = ("background", "???", "bg")


@frozen
class Labels:
    """The labels of a file, one per line.

    `problem` is empty for a valid file. With blank-lines or duplicates, `lines` has the labels, but they are ambiguous.
    With any other problem, `lines` is empty: missing, outside (of the checkout), folder, device, pipe, too-large,
    unreadable, not-UTF-8 or empty.
    """

    lines: tuple[str, ...] = ()
    problem: str = ""

    @property
    def begins_with_background(self) -> bool:
        """Whether the first label names the background class."""
        return bool(self.lines) and self.lines[0].strip("_").lower() in _BACKGROUND


def read_labels(contract: str, name: str) -> Labels:
    """Read a label file. `name` is the path of the label file, relative to the folder of the contract."""
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
    """Return why a label file must not be opened, or an empty string if it may be opened.

    tflint does not examine a file outside of the checkout, and does not even test whether it exists.
    """
    try:
        if not is_within(path, boundary):
            return "outside"
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a cycle of links; ValueError: a NUL in the name
        return "unreadable"
    if stat.S_ISREG(status.st_mode):
        return "too-large" if status.st_size > MAX_LABEL_BYTES else ""
    return "folder" if stat.S_ISDIR(status.st_mode) else "pipe" if stat.S_ISFIFO(status.st_mode) else "device"


def parse_labels(content: bytes) -> Labels:
    """Return the labels in a label file that is packed with a model. `content` is the content of the file."""
    try:
        return _labels_in(content.decode("utf-8"))
    except UnicodeDecodeError:
        return Labels(problem="not-UTF-8")


def _labels_in(text: str) -> Labels:
    lines = label_lines(text)
    return Labels(lines, _problem(lines))


def label_lines(text: str) -> tuple[str, ...]:
    """Return the labels in a text, one per line, without empty lines at its end."""
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _problem(lines: tuple[str, ...]) -> str:
    if not lines:
        return "empty"
    if not all(lines):
        return "blank-lines"
    # Placeholders such as ??? stand for unnamed classes and may repeat.
    named = [line for line in lines if any(char.isalnum() for char in line)]
    return "duplicates" if max(Counter(named).values(), default=0) > 1 else ""
