"""How lines of text are laid out: colours, widths, wrapping with a hanging indent."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tflint.report.names import clean

#: Lines are no wider than this, but for a path, which people copy.
WIDTH = 110
#: A text longer than this is cut: a model's names may be of any length.
MAX_TEXT = 800
#: Where the text after a label such as `fix` begins.
INDENT = 11
_BREAK = re.compile(r"\s*[\r\n\t]\s*")

COLORS = {"error": "\x1b[1;31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
GREEN, BOLD, DIM, RESET = "\x1b[32m", "\x1b[1m", "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Style:
    """How text is written: with colour, and with every finding listed."""

    color: bool = False
    verbose: bool = False

    def paint(self, text: str, code: str) -> str:
        """Text in a colour, where colours are on."""
        return f"{code}{text}{RESET}" if self.color else text


def paragraph(text: str, indent: int, hanging: int = 2) -> list[str]:
    """A text as lines that are indented, those after the first a little more."""
    flat = clean(_BREAK.sub(" ", text.strip()))
    if len(flat) > MAX_TEXT:
        flat = flat[: MAX_TEXT - 1] + "…"
    return textwrap.wrap(
        flat,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_on_hyphens=False,
    )


def labelled(label: str, text: str, style: Style) -> Iterator[str]:
    """A text after a label such as `fix`, its further lines below its beginning."""
    for number, line in enumerate(paragraph(text, INDENT, 0)):
        head = style.paint(f"{label:<6}", DIM) if label else " " * 6
        yield f"    {head} {line[INDENT:]}" if number == 0 else line


def joined(pieces: Sequence[str], separator: str, indent: int = 2) -> list[str]:
    """Pieces in as few lines as they need, broken between pieces only; a comma stays at the end of its line."""
    lines: list[str] = []
    for piece in pieces:
        if lines and len(lines[-1]) + len(separator) + len(piece) <= WIDTH:
            lines[-1] += separator + piece
        else:
            lines.append(" " * indent + piece if lines else piece)
    ending = separator.rstrip() if separator[0] != " " else ""
    return [*(line + ending for line in lines[:-1]), *lines[-1:]]
