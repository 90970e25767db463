"""Reads TOML and JSON files of users. Every problem raises a `UserError` with the position of the problem.

This module handles the formats and their limits. It must not depend on the purpose of a file.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Any

from tflint.errors import Place, UserError

MAX_TEXT_BYTES = 1 << 20
"""Maximum size in bytes of a hand-written file: twice the built-in rules. tomllib parses this within 2 seconds."""

MAX_KEY_PARTS = 20
"""Maximum number of parts of a dotted key. tomllib takes quadratic time: 5 seconds for 1 MB of keys with 90 parts."""

MAX_SHOWN = 400
"""Maximum length of a source line in an error. A longer line is cut off, or omitted if the error is in the rest."""


class EncodingError(UserError):
    """A text file is not UTF-8, or starts with a byte order mark."""


def read_text(path: str, *, limit: int = MAX_TEXT_BYTES) -> str:
    """Read a text file. Raises `UserError` if it cannot be read, is not UTF-8 or is larger than `limit` bytes."""
    return decode_text(path, read_bytes(path, limit), limit)


def decode_text(path: str, data: bytes, limit: int = MAX_TEXT_BYTES) -> str:
    """Decode the bytes of a file. `path` is its path in errors.

    Raises `UserError` if there are more than `limit` bytes, or they are not UTF-8.
    """
    if len(data) > limit:
        raise UserError(f"is larger than {limit:,} bytes, the limit for such a file", place=Place(path))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise EncodingError("is UTF-16, not UTF-8", place=Place(path), hint="save the file as UTF-8")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(path, data, error) from error
    _refuse_bom(path, text)
    return text


def read_bytes(path: str, limit: int) -> bytes:
    """Return up to `limit + 1` bytes of a file. Raises `UserError` if it cannot be read or is not a regular file."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            kind = _special_kind(os.fstat(file.fileno()).st_mode)
            if kind:
                raise UserError(f"cannot be read: it is {kind}, not a file", place=Place(path))
            return file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        raise UserError(f"cannot be read: {_reason(path, error)}", place=Place(path)) from error


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file without blocking. Without O_NONBLOCK, opening a named pipe would wait for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))


def _special_kind(mode: int) -> str:
    """Return the kind of a file that is not a regular file, or an empty string for a regular file."""
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "a special file"


def load_toml(path: str, text: str) -> dict[str, Any]:
    """Parse a TOML text. Raises `UserError`, with `path` and the position, if the text is invalid."""
    import tomllib

    _refuse_bom(path, text)
    _refuse_long_keys(path, text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _toml_error(path, text, error) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except ValueError as error:  # more digits than Python converts to an integer
        raise _too_long_number(path) from error


def load_json(path: str, text: str, *, refuse_repeated: bool = False) -> Any:
    """Parse a JSON text. Raises `UserError`, with `path` and the position, if it is invalid or has NaN or infinity.

    With `refuse_repeated`, a duplicate key in an object is an error. Without it, the last value of the key applies.
    """
    import json

    _refuse_bom(path, text)
    pairs = _build_dict if refuse_repeated else None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {_lower_first(error.msg)}"
        raise error_at(message, path, text, error.lineno, error.colno) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except _ConstantError as error:
        raise UserError(f"not valid JSON: {error} is not a JSON number", place=Place(path)) from error
    except _DuplicateKeyError as error:
        raise UserError(f"duplicate key {error} in an object", place=Place(path)) from error
    except ValueError as error:
        raise _too_long_number(path) from error


def error_at(
    message: str, path: str, text: str, line: int, column: int, *, width: int = 1, hint: str = ""
) -> UserError:
    """Return a `UserError` that marks `width` characters at `line` and `column` of `text`."""
    shown = source_line(text, line, column)
    width = max(1, min(width, len(shown) - column + 1))
    return UserError(message, place=Place(path, line, column), source_line=shown, width=width, hint=hint)


def error_in(
    path: str, text: str, keys: tuple[str | int, ...], message: str, *, hint: str = "", is_about_key: bool = False
) -> UserError:
    """Return an error at the value of these keys in a TOML text, or at the last key if `is_about_key` is true."""
    from tflint.userfiles.toml_positions import locate  # only needed for errors

    span = locate(text, {keys}).get(keys)
    if span is None:
        return UserError(message, place=Place(path), hint=hint)
    if is_about_key:
        return error_at(message, path, text, span.line, span.column, width=span.length, hint=hint)
    return error_at(message, path, text, span.value_line, span.value_column, width=span.value_length, hint=hint)


def source_line(text: str, line: int, column: int = 1) -> str:
    """Return the line of a text, safe for a terminal, or an empty string if `column` is beyond `MAX_SHOWN`."""
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
    """Return a text that is safe for a terminal, with the same number of characters, so that columns stay valid."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


class _ConstantError(ValueError):
    """NaN or an infinity in a JSON text."""


def _refuse_constant(name: str) -> None:
    raise _ConstantError(name)


class _DuplicateKeyError(ValueError):
    """A duplicate key in an object of a JSON text."""


def _build_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        from tflint.userfiles.error_wording import show
        from tflint.userfiles.schema_check import find_repeated

        keys = [key for key, _ in pairs]
        raise _DuplicateKeyError(show(keys[find_repeated(keys) or 0]))
    return data


def _reason(path: str, error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, ValueError):
        return "its name has a NUL character"
    if os.path.isdir(path):  # noqa: PTH112 (Path raises for long names; Windows raises PermissionError for folders)
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
        hint = "save the file as UTF-8 without a byte order mark"
        raise EncodingError("starts with a byte order mark", place=Place(path, 1, 1), hint=hint)


_LONG_KEY = rf"""(?<![\w."'-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{MAX_KEY_PARTS}}}"""


def _refuse_long_keys(path: str, text: str) -> None:
    """Raise `UserError` for a dotted key with too many parts. A string with as many dotted words raises it too."""
    match = re.search(_LONG_KEY, text) if text.count(".") >= MAX_KEY_PARTS else None
    if match:
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        raise error_at(f"a key has more than {MAX_KEY_PARTS} dotted parts", path, text, line, column)


def _too_deep(path: str) -> UserError:
    return UserError("is nested too deeply to be read", place=Place(path))


def _too_long_number(path: str) -> UserError:
    return UserError("has a number with too many digits", place=Place(path))


# Per error of tomllib: the start of its message, the message that tflint prints instead, and a hint.
_PLAIN = (
    ("Invalid value", "invalid value", 'put text in quotes: key = "text"'),
    ("Invalid statement", "expected a key or a [table]", ""),
    ("Invalid initial character for a key part", "expected a key", ""),
    ("Expected '=' after a key", "expected '=' and a value after the key", ""),
    ("Expected newline or end of document", "expected a new line after the value", "for quotes in a string: '…\"…'"),
    ("Cannot overwrite a value", "this key or table is already defined", ""),
    ("Cannot declare", "this table is already defined", "use [[name]] for a list of tables"),
    ("Cannot redefine namespace", "this table is already defined", ""),
    ("Cannot mutate immutable", "an inline table or array cannot be extended", ""),
    ("Duplicate inline table key", "duplicate key in an inline table", ""),
    ("Unescaped", 'a backslash in "…" must be doubled', "use '…', in which backslashes need no escape"),
    ("Illegal character '\\n'", "the string is not closed on its line", 'use """…""" for text of several lines'),
    ("Illegal character", "this control character is not allowed", ""),
    ("Found invalid character", "this control character is not allowed", ""),
    ("Unterminated string", "a string is not closed", ""),
    ("Expected \"'", "a string is not closed", ""),
    ("Expected '\"", "a string is not closed", ""),
)
_TOMLLIB_PLACE = r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$"


def _toml_error(path: str, text: str, error: ValueError) -> UserError:
    # The position is parsed from the message: its attributes exist only from Python 3.14 on.
    text_of_error = str(error)
    place = re.search(_TOMLLIB_PLACE, text_of_error)
    original = re.sub(_TOMLLIB_PLACE, "", text_of_error)
    message, hint = next((plain[1:] for plain in _PLAIN if original.startswith(plain[0])), (_lower_first(original), ""))
    if place and place["line"]:
        line, column = int(place["line"]), int(place["column"])
    else:
        text = text.rstrip()
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return error_at(f"not valid TOML: {message}", path, text, line, column, hint=hint)


def _lower_first(message: str) -> str:
    return message[:1].lower() + message[1:]
