"""Reads a user's TOML or JSON file; whatever is wrong with it becomes a `UserError` that shows the place.

It knows the formats and their limits, not what the files are for.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Any

from tflint.errors import Place, UserError

MAX_TEXT_BYTES = 1 << 20
"""Most bytes of a text file a person writes: twice all built-in rules together, and tomllib reads any in 2 seconds."""

MAX_KEY_PARTS = 20
"""Most parts of one dotted key: tomllib's time grows with their square (1 MB of keys of 90 parts takes 5 seconds)."""

MAX_SHOWN = 400
"""Most characters of a source line that an error shows; a longer one is cut, or left out if the error lies beyond."""


class EncodingError(UserError):
    """A text file that is not UTF-8, or begins with a byte order mark."""


def read_text(path: str, *, limit: int = MAX_TEXT_BYTES) -> str:
    """The text of a UTF-8 file of at most `limit` bytes; `UserError` if it cannot be read or is not such a file."""
    return decode_text(path, read_bytes(path, limit), limit)


def decode_text(path: str, data: bytes, limit: int = MAX_TEXT_BYTES) -> str:
    """The text that the bytes of a file are; `path` only names the file in errors."""
    if len(data) > limit:
        raise UserError(f"is larger than {limit:,} bytes, the most that is read of such a file", place=Place(path))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EncodingError("is UTF-16, not UTF-8", place=Place(path), hint="save the file as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, data, error) from error
    _refuse_bom(path, text)
    return text


def read_bytes(path: str, limit: int) -> bytes:
    """The first `limit + 1` bytes of a file; `UserError` if it cannot be read, is a device or is a named pipe."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            kind = _special_kind(os.fstat(file.fileno()).st_mode)
            if kind:
                raise UserError(f"cannot be read: it is {kind}, not a file", place=Place(path))
            return file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        raise UserError(f"cannot be read: {_reason(path, error)}", place=Place(path)) from error


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a named pipe, too, at once: without O_NONBLOCK that waits for a writer, perhaps for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _special_kind(mode: int) -> str:
    """What the system calls a file that is not a regular one; empty for a regular one."""
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "a special file"


def load_toml(path: str, text: str) -> dict[str, Any]:
    """The parsed data of a TOML text; `path` only names the file in errors. Raises `UserError` with the place."""
    import tomllib

    _refuse_bom(path, text)
    _refuse_long_keys(path, text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _toml_error(path, text, error) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except ValueError as error:  # more digits than Python's limit for the text of an integer
        raise _too_long_number(path) from error


def load_json(path: str, text: str, *, refuse_repeated: bool = False) -> Any:
    """The parsed data of a JSON text; NaN and infinities are refused. Raises `UserError` with the place.

    JSON takes the last of two equal keys of an object, unless `refuse_repeated` makes them an error.
    """
    import json

    _refuse_bom(path, text)
    pairs = _without_repeated if refuse_repeated else None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {_lower_first(error.msg)}"
        raise error_at(message, path, text, error.lineno, error.colno) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except _ConstantError as error:
        raise UserError(f"not valid JSON: {error} is no JSON number", place=Place(path)) from error
    except _RepeatedError as error:
        raise UserError(f"the key {error} stands twice in one object", place=Place(path)) from error
    except ValueError as error:
        raise _too_long_number(path) from error


def error_at(
    message: str, path: str, text: str, line: int, column: int, *, width: int = 1, hint: str = ""
) -> UserError:
    """A `UserError` that shows `width` characters at `line` and `column` of `text`."""
    shown = source_line(text, line, column)
    width = max(1, min(width, len(shown) - column + 1))
    return UserError(message, place=Place(path, line, column), source_line=shown, width=width, hint=hint)


def error_in(
    path: str, text: str, keys: tuple[str | int, ...], message: str, *, hint: str = "", is_about_key: bool = False
) -> UserError:
    """An error at the value that keys lead to in a TOML text, or at the last key itself."""
    from tflint.userfiles.toml_positions import locate  # needed where something is wrong only

    span = locate(text, {keys}).get(keys)
    if span is None:
        return UserError(message, place=Place(path), hint=hint)
    if is_about_key:
        return error_at(message, path, text, span.line, span.column, width=span.length, hint=hint)
    return error_at(message, path, text, span.value_line, span.value_column, width=span.value_length, hint=hint)


def source_line(text: str, line: int, column: int = 1) -> str:
    """Line `line` of a text, safe for a terminal; empty where `column` lies beyond the part that is shown."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if start == 0:
            return ""
    end = text.find("\n", start)
    whole = text[start : end if end >= 0 else len(text)].removesuffix("\r")
    if column > MAX_SHOWN:
        return ""
    shown = whole if len(whole) <= MAX_SHOWN else whole[:MAX_SHOWN] + "…"
    return printable(shown)


def printable(text: str) -> str:
    """A text that is safe for a terminal: one sign for one character, so that a caret's column holds."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


class _ConstantError(ValueError):
    """NaN or an infinity in a JSON text."""


def _refuse_constant(name: str) -> None:
    raise _ConstantError(name)


class _RepeatedError(ValueError):
    """A key that stands twice in an object of a JSON text."""


def _without_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        from tflint.userfiles.error_wording import show
        from tflint.userfiles.schema_check import find_repeated

        keys = [key for key, _ in pairs]
        raise _RepeatedError(show(keys[find_repeated(keys) or 0]))
    return made


def _reason(path: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, ValueError):
        return "its name has a NUL character"
    if os.path.isdir(path):  # noqa: PTH112 (Path raises for names that are too long; Windows says: no permission)
        return "it is a folder, not a file"
    if isinstance(error, PermissionError):
        return "permission denied"
    return error.strerror or type(error).__name__


def _not_utf8(path: str, data: bytes, error: UnicodeDecodeError) -> UserError:
    before = data[: error.start]
    line_start = before.rfind(b"\n") + 1
    place = Place(path, before.count(b"\n") + 1, len(before[line_start:].decode("utf-8")) + 1)
    message = f"is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
    return EncodingError(message, place=place, hint="save the file as UTF-8")


def _refuse_bom(path: str, text: str) -> None:
    if text.startswith("\ufeff"):
        hint = "save the file as UTF-8 without byte order mark"
        raise EncodingError("starts with a byte order mark", place=Place(path, 1, 1), hint=hint)


_LONG_KEY = re.compile(
    rf"""(?<![\w."'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_KEY_PARTS}}}""",
)


def _refuse_long_keys(path: str, text: str) -> None:
    """Refuses dotted keys that tomllib would not finish. A string with so many dotted words is taken for one, too."""
    found = _LONG_KEY.search(text) if text.count(".") >= MAX_KEY_PARTS else None
    if found:
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        raise error_at(f"a key has more than {MAX_KEY_PARTS} dotted parts", path, text, line, column)


def _too_deep(path: str) -> UserError:
    return UserError("is nested too deeply to be read", place=Place(path))


def _too_long_number(path: str) -> UserError:
    return UserError("has a number with more digits than are read", place=Place(path))


# What tomllib says (as it starts), what it means to somebody who does not know tomllib, and what helps.
_PLAIN = (
    ("Invalid value", "this is no value that TOML knows", 'text needs quotes: key = "text"'),
    ("Invalid statement", "this is neither a key nor a [table]", ""),
    ("Invalid initial character for a key part", "a key is missing here", ""),
    ("Expected '=' after a key", "a key must be followed by '=' and a value", ""),
    ("Expected newline or end of document", "a value must end with its line", "quotes inside a string: '…\"…'"),
    ("Cannot overwrite a value", "this key or table has been defined before", ""),
    ("Cannot declare", "this table has been defined before", "tables of a list are written [[name]]"),
    ("Cannot redefine namespace", "this table has been defined before", ""),
    ("Cannot mutate immutable", "an inline table or array cannot be added to", ""),
    ("Duplicate inline table key", "this key stands twice in one inline table", ""),
    ("Unescaped", 'a backslash must be doubled in "…"', "'…' takes backslashes as they are"),
    ("Illegal character '\\n'", "the string is not closed on its line", 'text of several lines stands in """…"""'),
    ("Illegal character", "this control character is not allowed", ""),
    ("Found invalid character", "this control character is not allowed", ""),
    ("Unterminated string", "a string is not closed", ""),
    ("Expected \"'", "a string is not closed", ""),
    ("Expected '\"", "a string is not closed", ""),
)
_TOMLLIB_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def _toml_error(path: str, text: str, error: ValueError) -> UserError:
    # The place is read from the message: only Python 3.14's error has it as attributes.
    said = str(error)
    place = _TOMLLIB_PLACE.search(said)
    said = _TOMLLIB_PLACE.sub("", said)
    message, hint = next((plain[1:] for plain in _PLAIN if said.startswith(plain[0])), (_lower_first(said), ""))
    if place and place["line"]:
        line, column = int(place["line"]), int(place["column"])
    else:
        text = text.rstrip()
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return error_at(f"not valid TOML: {message}", path, text, line, column, hint=hint)


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]
