"""Lays out lines of text: colors, widths, wrapping with a hanging indent.

Callers pass the maximum width of a line: the width of the terminal, or `WIDTH`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from tflint.report.display_names import clean
from tflint.values import frozen

#: Maximum width of a line, in characters. Paths may be longer: they are not wrapped, because users copy them.
WIDTH = 110
#: Minimum width of a line, also used on narrower terminals: with fewer characters, names would not be readable.
MIN_WIDTH = 40
#: Minimum width of a text to the right of its label; a narrower text goes below the label.
MIN_BESIDE = 34
#: Maximum number of characters of a text. Without a limit, the names in a model could make it arbitrarily long.
MAX_TEXT = 800
#: Column at which the text after a label such as `fix` starts.
INDENT = 11
#: Indent of a text below its label.
BELOW = 6
_BREAK = r"\s*[\r\n\t]\s*"

COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
GREEN, BOLD, DIM, RESET = "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


@frozen
class Style:
    """Style of a text: color, width in characters, and how much to list.

    With `verbose`, every finding is listed. With `quiet`, only findings are printed. With `folds_notes`, notes are
    counted per rule instead of listed if there are several files. `config` is the value of `--config`, for the commands
    that `-v` shows.
    """

    color: bool = False
    verbose: bool = False
    width: int = WIDTH
    quiet: bool = False
    folds_notes: bool = False
    config: str = ""

    def paint(self, text: str, code: str) -> str:
        """Return the text in a color if colors are enabled."""
        return f"{code}{text}{RESET}" if self.color else text


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """Return a text, cut off at `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def join_lines(text: str) -> str:
    """Join the lines of a text, such as a multi-line string of a rule file."""
    return re.sub(_BREAK, " ", text.strip())


def wrap_paragraph(text: str, indent: int, hanging: int = 2, width: int = WIDTH) -> list[str]:
    """Wrap a text into lines indented by `indent` spaces. Lines after the first have `hanging` spaces more."""
    flat = shorten(clean(join_lines(text)))
    available = width - indent - max(hanging, 0)
    words = " ".join(piece for word in flat.split(" ") for piece in _split_word(word, available))
    return textwrap.wrap(
        words,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_on_hyphens=False,
    )


def _split_word(word: str, width: int) -> list[str]:
    """Split a word that is wider than `width` after slashes, into as few pieces as possible."""
    if len(word) <= width or "/" not in word:
        return [word]
    pieces = [""]
    for segment in re.findall(r"[^/]*/|[^/]+", word):
        if pieces[-1] and len(pieces[-1]) + len(segment) > width:
            pieces.append("")
        pieces[-1] += segment
    return pieces


def format_labeled(label: str, text: str, style: Style) -> Iterator[str]:
    """Format a label such as `fix` and the text after it. Further lines of the text are aligned with its first line."""
    for number, line in enumerate(wrap_paragraph(text, INDENT, 0, style.width)):
        head = style.paint(f"{label:<6}", DIM) if label else " " * 6
        yield f"    {head} {line[INDENT:]}" if number == 0 else line


def join_pieces(pieces: Sequence[str], separator: str, indent: int = 2, width: int = WIDTH) -> list[str]:
    """Join pieces into as few lines as possible. Lines break only between pieces, and after a comma."""
    ending = separator.rstrip() if separator[0] != " " else ""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1] + separator + piece + ending) <= width:
            lines[-1] += separator + piece
        else:
            lines.append(" " * indent + piece if lines else piece)
    return [*(line + ending for line in lines[:-1]), *lines[-1:]]


def wrap_line(line: str, width: int, hanging: int = 2) -> list[str]:
    """Wrap a line that is too wide, between words only."""
    if len(line) <= width:
        return [line]
    indent = " " * hanging
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def wrap_beside(head: str, text: str, width: int) -> list[str]:
    """Put a text to the right of its label, or below it if there is too little width."""
    column = len(head)
    if width - column >= MIN_BESIDE:
        return wrap_line(head + text, width, column)
    return [*wrap_line(head.rstrip(), width, BELOW), *wrap_line(" " * BELOW + text, width, BELOW)]
