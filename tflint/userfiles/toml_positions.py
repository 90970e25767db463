"""Where the keys and values of a TOML document stand in its text: paths of the parsed data in, lines and columns out.

Called only when an error has to be explained, for a text that `tomllib` has accepted: it judges nothing and decodes no
value. Lines end at a newline only, as TOML has it (not at U+2028 or U+0085).
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Container

from tflint.values import frozen

Path = tuple[str | int, ...]

MAX_DEPTH = 100
"""Paths longer than this get no span: a key of n dotted parts defines n tables, whose paths grow with its square."""


@frozen
class Span:
    """Position of one key and of its value, lines and columns from 1, in characters.

    `line`, `column`, `length` mark the key as it is written (with its quotes; of a dotted key the part that belongs to
    this path), for an array's element its value. `value_*` mark the value: a string's content after the opening
    `quote`, an array's or inline table's bracket, and the name in a table's header. `value_length` ends with the line.
    """

    line: int
    column: int
    length: int
    value_line: int
    value_column: int
    value_length: int
    quote: str = ""


def locate(text: str, wanted: Container[Path] | None = None) -> dict[Path, Span]:
    """Positions of every key, table and array element of a valid TOML text, by its path in the parsed data.

    With `wanted` only of these paths: a text of 1 MB can have half a million others.
    """
    walk = _Walk(text.replace("\r\n", "\n"), wanted)
    walk.document()
    return walk.spans


def content_position(text: str, span: Span, offset: int) -> tuple[int, int]:
    """Line and column of character `offset` of a string value, through escapes and line-ending backslashes.

    An offset at or beyond the end gives the place after the last character; for a value that is no string, its start.
    """
    if not span.quote:
        return span.value_line, span.value_column
    text = text.replace("\r\n", "\n")
    lines = _Lines(text)
    start = lines.offset(span.value_line, span.value_column)
    end = _body_end(text, start, span.quote)
    if span.quote in _LITERAL:
        return lines.position(min(start + offset, end))
    at = start
    while at < end:
        piece = _PIECE.match(text, at, end)
        assert piece is not None, "every character is a piece"
        if not piece["joint"]:
            if offset <= 0:
                break
            offset -= 1
        at = piece.end()
    return lines.position(at)


_LITERAL = ("'", "'''")
_SPACE = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
_SPACE_AND_COMMAS = re.compile(r"(?:[ \t\n,]++|#[^\n]*+)*+")
_QUOTE = re.compile(r'"""|\'\'\'|"|\'')
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]++")
_SCALAR = re.compile(r"[^,\]}#\n]++")
# A multi-line string may end with one or two quotes of its own before the three that close it.
_BODIES = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+'),
    "'": re.compile(r"[^']*+"),
    # Atomic groups and not `*+`: with a lookahead in it that one is broken in the `re` of Python 3.11.2.
    '"""': re.compile(r'(?>(?:[^"\\]++|\\[\s\S]|"(?!""))*)"{0,2}(?=""")'),
    "'''": re.compile(r"(?>(?:[^']++|'(?!''))*)'{0,2}(?=''')"),
}
# One character of a basic string's value, or a joint: a backslash that swallows the end of its line.
_CODE = r"u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}"
_PIECE = re.compile(rf"(?P<joint>\\[ \t]*\n[ \t\n]*)|\\(?:{_CODE}|.)|[\s\S]")
_ESCAPE = re.compile(rf"\\(?:(?P<code>{_CODE})|(?P<short>.))")
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


class _Lines:
    """Offsets of a text's lines, for turning an offset into line and column and back."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column - 1


class _Open:
    """An array or inline table whose end was not read yet; `next_index` is None for a table."""

    def __init__(self, path: Path, next_index: int | None) -> None:
        self.path, self.next_index = path, next_index


class _Walk:
    """One pass over the text. Open brackets lie on a list, not on Python's stack: no depth of nesting ends it."""

    def __init__(self, text: str, wanted: Container[Path] | None) -> None:
        self.spans: dict[Path, Span] = {}
        self._wanted = wanted
        self._text = text
        self._at = 0
        self._lines = _Lines(text)
        self._open: list[_Open] = []
        self._last_index: dict[Path, int] = {}  # of arrays of tables: the element that further headers speak of

    def document(self) -> None:
        header: Path = ()
        while self._skip(_SPACE) < len(self._text):
            if self._text.startswith("[[", self._at):
                header = self._array_header()
            elif self._text[self._at] == "[":
                header = self._table_header()
            else:
                self._statement(header)

    def _table_header(self) -> Path:
        self._at += 1
        path, start, end = self._key(())
        # Over what may be recorded: where `[a.b]` came before `[a]`, the header proper is the better place.
        self._record(path, start, end, start, end)
        self._at += 1
        return path

    def _array_header(self) -> Path:
        self._at += 2
        path, start, end = self._key(())
        self._at += 2
        index = self._last_index[path] = self._last_index.get(path, -1) + 1
        path = _join(path, index)
        self._record(path, start, end, start, end)
        return path

    def _statement(self, header: Path) -> None:
        self._pair(header)
        while self._open:
            self._skip(_SPACE_AND_COMMAS)
            container = self._open[-1]
            if self._text[self._at] in "]}":
                self._open.pop()
                self._at += 1
            elif container.next_index is None:
                self._pair(container.path)
            else:
                self._value(_join(container.path, container.next_index), None)
                container.next_index += 1

    def _pair(self, table: Path) -> None:
        path, start, end = self._key(table)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path, (start, end))

    def _key(self, path: Path) -> tuple[Path, int, int]:
        """Reads a dotted key inside the table at `path`; gives the key's path and where its last part stands.

        Tables that the key implies are recorded where they are first named. A part on the way that names an array of
        tables means its last element.
        """
        while True:
            self._skip(_SPACE)
            start = self._at
            path = _join(path, self._key_part())
            end = self._at
            if path not in self.spans:
                self._record(path, start, end, start, end)
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return path, start, end
            self._at += 1
            if path in self._last_index:
                path = _join(path, self._last_index[path])

    def _key_part(self) -> str:
        quote = self._text[self._at]
        if quote not in "\"'":
            return self._take(_BARE_KEY)
        self._at += 1
        raw = self._take(_BODIES[quote])
        self._at += 1
        return raw if quote in _LITERAL else _ESCAPE.sub(_unescaped, raw)

    def _value(self, path: Path, key: tuple[int, int] | None) -> None:
        """Reads a value, of an array or inline table the opening bracket; `key` is where its key stands, if any."""
        char = self._text[self._at]
        quote = ""
        start = self._at
        if char in "[{":
            self._open.append(_Open(path, 0 if char == "[" else None))
            end = self._at = start + 1
        elif char in "\"'":
            quote, start, end = self._string()
        else:
            end = start + len(self._take(_SCALAR).rstrip())
        key_start, key_end = key or (start, end)
        self._record(path, key_start, key_end, start, end, quote)

    def _string(self) -> tuple[str, int, int]:
        """Reads a string; gives its quotes and where its content starts and ends."""
        opening = _QUOTE.match(self._text, self._at)
        assert opening is not None, "a string starts with a quote"
        quote, start = opening[0], opening.end()
        if len(quote) == 3 and self._text.startswith("\n", start):
            start += 1
        end = _body_end(self._text, start, quote)
        self._at = end + len(quote)
        return quote, start, end

    def _skip(self, what: re.Pattern[str]) -> int:
        self._take(what)
        return self._at

    def _take(self, what: re.Pattern[str]) -> str:
        match = what.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _record(self, path: Path, start: int, end: int, value_start: int, value_end: int, quote: str = "") -> None:
        if len(path) > MAX_DEPTH or (self._wanted is not None and path not in self._wanted):
            return
        line_end = self._text.find("\n", value_start, value_end)
        shown_end = value_end if line_end < 0 else line_end
        line, column = self._lines.position(start)
        value_line, value_column = self._lines.position(value_start)
        self.spans[path] = Span(line, column, end - start, value_line, value_column, shown_end - value_start, quote)


def _join(path: Path, part: str | int) -> Path:
    """`path` with one part more; beyond the depth that gets spans it stays as it is, so that work stays linear."""
    return path if len(path) > MAX_DEPTH else (*path, part)


def _body_end(text: str, start: int, quote: str) -> int:
    body = _BODIES[quote].match(text, start)
    return start if body is None else body.end()


def _unescaped(escape: re.Match[str]) -> str:
    if escape["code"]:
        return chr(int(escape["code"][1:], 16))
    return _SHORT_ESCAPES.get(escape["short"], escape["short"])
