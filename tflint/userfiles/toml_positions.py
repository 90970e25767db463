"""Finds the lines and columns of keys and values in a TOML text, by their paths in the parsed data.

This module is used only for errors and findings. It expects a text that `tomllib` has accepted, and does not validate
or decode values. As in TOML, lines end only at a newline, and not at U+2028 or U+0085.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Container

from tflint.values import frozen

Path = tuple[str | int, ...]

MAX_DEPTH = 100
"""Maximum length of a path with a span. A key of n dotted parts defines n tables, with paths of n² parts in total."""


@frozen
class Span:
    """The positions of a key and its value: lines and columns from 1, in characters.

    `line`, `column` and `length` describe the key with its quotes. For a dotted key, they describe its last part; for
    an array element, its value. `value_line`, `value_column` and `value_length` describe the value: the content of a
    string after its opening `quote`, the opening bracket of an array or inline table, or the name in a table header.
    If a value has several lines, `value_length` covers only the first one.
    """

    line: int
    column: int
    length: int
    value_line: int
    value_column: int
    value_length: int
    quote: str = ""


def locate(text: str, wanted: Container[Path] | None = None) -> dict[Path, Span]:
    """Return the positions of all keys, tables and array elements in a valid TOML text, by path in the parsed data.

    If `wanted` is not None, only these paths are in the result: a text of 1 MB can have half a million paths.
    """
    walk = _Walk(text.replace("\r\n", "\n"), wanted)
    walk.document()
    return walk.spans


def content_position(text: str, span: Span, offset: int) -> tuple[int, int]:
    """Return the line and column of a character in a string value. `offset` is its index in the decoded string.

    If `offset` is at or beyond the end, the result is the position after the last character. If the value is not a
    string, the result is the start of the value.
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
# A multi-line string may end with one or two quotes before the three closing ones.
_BODIES = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+'),
    "'": re.compile(r"[^']*+"),
    # Atomic groups instead of `*+`, which is broken with a lookahead in the `re` of Python 3.11.2.
    '"""': re.compile(r'(?>(?:[^"\\]++|\\[\s\S]|"(?!""))*)"{0,2}(?=""")'),
    "'''": re.compile(r"(?>(?:[^']++|'(?!''))*)'{0,2}(?=''')"),
}
# One character of the value of a basic string, or a joint: a backslash that removes the following line end.
_CODE = r"u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}"
_PIECE = re.compile(rf"(?P<joint>\\[ \t]*\n[ \t\n]*)|\\(?:{_CODE}|.)|[\s\S]")
_ESCAPE = re.compile(rf"\\(?:(?P<code>{_CODE})|(?P<short>.))")
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


class _Lines:
    """Converts an offset in a text to a line and column, and back."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(self, offset: int) -> tuple[int, int]:
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column - 1


class _Open:
    """An array or inline table that is not closed yet. `next_index` is that of the next element; a table has None."""

    def __init__(self, path: Path, next_index: int | None) -> None:
        self.path, self.next_index = path, next_index


class _Walk:
    """One pass over the text. Open brackets are in a list: with recursion, deep nesting could overflow the stack."""

    def __init__(self, text: str, wanted: Container[Path] | None) -> None:
        self.spans: dict[Path, Span] = {}
        self._wanted = wanted
        self._text = text
        self._at = 0
        self._lines = _Lines(text)
        self._open: list[_Open] = []
        self._last_index: dict[Path, int] = {}  # last element of each array of tables, which later headers refer to

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
        # Replaces the position that an earlier `[a.b]` recorded for `[a]`: the header `[a]` itself is better.
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
        """Read a dotted key in the table at `path`; return the path of the key and the range of its last part.

        The position of an implicit table is that of its first occurrence. A part that names an array of tables refers
        to the last element of the array.
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
        return raw if quote in _LITERAL else _ESCAPE.sub(_unescape, raw)

    def _value(self, path: Path, key: tuple[int, int] | None) -> None:
        """Read a value, or the opening bracket of an array or inline table. `key` is the range of its key, or None."""
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
        """Read a string; return its quotes and the range of its content."""
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
    """Return a path with a part appended. A path longer than `MAX_DEPTH` stays as it is, to keep the time linear."""
    return path if len(path) > MAX_DEPTH else (*path, part)


def _body_end(text: str, start: int, quote: str) -> int:
    body = _BODIES[quote].match(text, start)
    return start if body is None else body.end()


def _unescape(escape: re.Match[str]) -> str:
    if escape["code"]:
        return chr(int(escape["code"][1:], 16))
    return _SHORT_ESCAPES.get(escape["short"], escape["short"])
