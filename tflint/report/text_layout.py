"""How lines of text are laid out: colours, widths, wrapping with a hanging indent.

Text goes into a width that its caller knows: that of a terminal, or `WIDTH`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from tflint.report.display_names import clean
from tflint.values import frozen

#: Lines are no wider than this, but for a path, which people copy.
WIDTH = 110
#: A terminal that is narrower gets lines of this width: what is left for a name would not be readable.
MIN_WIDTH = 40
#: A text stands beside what it belongs to where it has this much room, else below.
MIN_BESIDE = 34
#: A text longer than this is cut: a model's names may be of any length.
MAX_TEXT = 800
#: Where the text after a label such as `fix` begins.
INDENT = 11
#: How far a text is indented that stands below what it belongs to.
BELOW = 6
_BREAK = re.compile(r"\s*[\r\n\t]\s*")

COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
GREEN, BOLD, DIM, RESET = "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


@frozen
class Style:
    """How text is written: with colour, with every finding listed or findings only, and how many characters wide.

    `folds_notes` counts the notes of several files by rule instead of listing them. `config` is the configuration that
    was named, for commands that are shown.
    """

    color: bool = False
    verbose: bool = False
    width: int = WIDTH
    quiet: bool = False
    folds_notes: bool = False
    config: str = ""

    def paint(self, text: str, code: str) -> str:
        """Text in a colour, where colours are on."""
        return f"{code}{text}{RESET}" if self.color else text


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """A text, or its beginning where it is longer than a number of characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def join_lines(text: str) -> str:
    """A text whose lines, such as those of a rule file, are joined."""
    return _BREAK.sub(" ", text.strip())


def wrap_paragraph(text: str, indent: int, hanging: int = 2, width: int = WIDTH) -> list[str]:
    """A text as lines that are indented, those after the first a little more."""
    flat = shorten(clean(join_lines(text)))
    room = width - indent - max(hanging, 0)
    words = " ".join(piece for word in flat.split(" ") for piece in _pieces(word, room))
    return textwrap.wrap(
        words,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_on_hyphens=False,
    )


def _pieces(word: str, room: int) -> list[str]:
    """A word; one that is wider than a line in as few pieces as it needs, each but the last ended by a slash."""
    if len(word) <= room or "/" not in word:
        return [word]
    pieces = [""]
    for segment in re.findall(r"[^/]*/|[^/]+", word):
        if pieces[-1] and len(pieces[-1]) + len(segment) > room:
            pieces.append("")
        pieces[-1] += segment
    return pieces


def format_labeled(label: str, text: str, style: Style) -> Iterator[str]:
    """A text after a label such as `fix`, its further lines below its beginning."""
    for number, line in enumerate(wrap_paragraph(text, INDENT, 0, style.width)):
        head = style.paint(f"{label:<6}", DIM) if label else " " * 6
        yield f"    {head} {line[INDENT:]}" if number == 0 else line


def join_pieces(pieces: Sequence[str], separator: str, indent: int = 2, width: int = WIDTH) -> list[str]:
    """Pieces in as few lines as they need, broken between pieces only; a comma stays at the end of its line."""
    ending = separator.rstrip() if separator[0] != " " else ""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1] + separator + piece + ending) <= width:
            lines[-1] += separator + piece
        else:
            lines.append(" " * indent + piece if lines else piece)
    return [*(line + ending for line in lines[:-1]), *lines[-1:]]


def wrap_line(line: str, width: int, hanging: int = 2) -> list[str]:
    """A line, or several where it is wider than it may be: broken between words and nowhere else."""
    if len(line) <= width:
        return [line]
    indent = " " * hanging
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def wrap_beside(head: str, text: str, width: int) -> list[str]:
    """A text beside what it belongs to, its further lines below its beginning; where that is too narrow, below it."""
    column = len(head)
    if width - column >= MIN_BESIDE:
        return wrap_line(head + text, width, column)
    return [*wrap_line(head.rstrip(), width, BELOW), *wrap_line(" " * BELOW + text, width, BELOW)]
