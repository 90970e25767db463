"""Writes to standard output and standard error, and makes text safe for terminals and CI runners.

Plain text may contain names from models and files. In it, tflint escapes control characters, bidi controls and lines
that a CI runner would execute, and replaces characters that the stream cannot encode by ASCII. Machine-readable formats
are always UTF-8.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
from collections.abc import Iterable
from typing import TextIO

from tflint.errors import UserError
from tflint.program_name import program_name

#: Name of the encoding error handler for plain text.
_DEGRADE = "tflint-degrade"
#: ASCII replacements of characters that an encoding may lack.
_REPLACEMENTS = {
    "≥": ">=", "≤": "<=", "→": "->", "←": "<-", "×": "x", "−": "-", "–": "-", "…": "...", "·": "-", "±": "+/-",
    "µ": "u",
}  # fmt: skip
#: Characters that may need an escape: all but printable ASCII, tabs and newlines.
_SUSPECT = r"[^\n\t -~]"
#: The color codes that tflint prints.
_COLOR = r"\x1b\[(?:[0-2]|1;31|3[236])m"
#: A workflow command of GitHub Actions: `::name` at the start of a line, `##[name]` anywhere
#: (actions/runner, src/Runner.Common/ActionCommand.cs).
_COMMAND_LINE = r"(?m)^([ \t]*):(?=:)"
_OLD_COMMAND = "##["


def print_text(text: str, *, has_color: bool = False) -> None:
    """Print plain text, with one or more lines. If `has_color` is true, tflint's color codes are kept."""
    _print(safe_text(text, has_color=has_color))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of plain text. A newline within a line can only come from a name, so it is escaped."""
    print_text("".join(escape_newlines(line) + "\n" for line in lines))


def print_json(text: str) -> None:
    """Print JSON as UTF-8, with unsafe characters escaped."""
    _print_bytes(safe_json(text))


def print_verbatim(text: str) -> None:
    """Print text as UTF-8 without changes: generated code, safe text, or commands for the CI runner."""
    _print_bytes(text)


def encode_text(text: str, *, has_color: bool = False) -> bytes:
    """Return the bytes that `print_text` writes."""
    text = safe_text(text, has_color=has_color).replace("\n", os.linesep)
    codecs.register_error(_DEGRADE, _replace_unencodable)
    return text.encode(sys.stdout.encoding, _DEGRADE)


def encode_verbatim(text: str) -> bytes:
    """Return the bytes that `print_verbatim` writes."""
    return text.encode("utf-8", "backslashreplace")


def safe_text(text: str, *, has_color: bool = False) -> str:
    """Return plain text that is safe to print. If `has_color` is true, tflint's color codes are kept."""
    parts = re.split(_COLOR, text) if has_color else [text]
    codes = [*(re.findall(_COLOR, text) if has_color else ()), ""]
    return defuse_commands(
        "".join(re.sub(_SUSPECT, _escape, part) + code for part, code in zip(parts, codes, strict=True))
    )


def safe_json(text: str) -> str:
    """Return JSON with escapes for unprintable characters and, in GitHub Actions, for workflow commands."""
    from tflint.report.json_report import escape_unprintable

    text = escape_unprintable(text)
    if not _is_under_actions():
        return text
    return text.replace("::", r"\u003a\u003a").replace(_OLD_COMMAND, r"\u0023#[")


def safe_xml(text: str) -> str:
    """Return XML. In GitHub Actions, character references disable the workflow commands in it."""
    if not _is_under_actions():
        return text
    return re.sub(_COMMAND_LINE, r"\1&#58;", text).replace(_OLD_COMMAND, "&#35;#[")


def defuse_commands(text: str) -> str:
    """Return the text. In GitHub Actions, added spaces disable the workflow commands in it."""
    if not _is_under_actions():
        return text
    return re.sub(_COMMAND_LINE, r"\1: ", text).replace(_OLD_COMMAND, "## [")


def warn(message: str) -> None:
    """Print a message to standard error, with control characters escaped. Print nothing if standard error is closed."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError):
        _set_tolerant(sys.stderr)
        sys.stderr.write(defuse_commands(re.sub(_SUSPECT, _escape, message)) + "\n")
        sys.stderr.flush()


def print_notice(message: str) -> None:
    """Print a message to standard error, after the name of the program."""
    warn(f"{program_name()}: {message}")


def escape_newlines(text: str) -> str:
    """Return a text on one line, with newlines and tabs escaped."""
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def discard_output() -> None:
    """Discard buffered output, so that the flush at exit does not fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def require_stdout() -> None:
    """Raise `UserError` if standard output is closed."""
    if sys.stdout is None:
        raise UserError("standard output is closed", hint="use --output FILE to write to a file")


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _is_under_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _print(text: str) -> None:
    require_stdout()
    _set_tolerant(sys.stdout)
    _write(text, sys.stdout)


def _print_bytes(text: str) -> None:
    """Print a text as UTF-8 bytes. If the stream has no binary layer, as in tests, print the text itself."""
    require_stdout()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        _write(text, sys.stdout)
        return
    try:
        sys.stdout.flush()
        buffer.write(encode_verbatim(text))
        buffer.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        raise _write_error(error) from error


def _write(text: str, stream: TextIO) -> None:
    """Write and flush; a closed pipe is not an error."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        raise _write_error(error) from error


def _write_error(error: OSError) -> UserError:
    discard_output()
    return UserError(f"standard output cannot be written: {error.strerror or error}")


def _set_tolerant(stream: TextIO) -> None:
    """Make a stream replace the characters that it cannot encode, instead of raising an error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        codecs.register_error(_DEGRADE, _replace_unencodable)
        reconfigure(errors=_DEGRADE)


def _replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that cannot be encoded by equivalent ASCII, or by escapes."""
    assert isinstance(error, UnicodeEncodeError), "registered for encoding only"
    characters = error.object[error.start : error.end]
    replaced = (_REPLACEMENTS.get(char) or char.encode("ascii", "backslashreplace").decode() for char in characters)
    return "".join(replaced), error.end


def output_width(stream: TextIO | None, default: int | None = None) -> int:
    """Return the maximum width of a line, in characters.

    For a terminal, this is its width, limited to `MIN_WIDTH` to `WIDTH`; the environment variable COLUMNS overrides it.
    For other streams, it is `default`, or `WIDTH` if `default` is None.
    """
    from tflint.report.text_layout import MIN_WIDTH, WIDTH

    if stream is None or not stream.isatty():
        return WIDTH if default is None else default
    import shutil

    return max(MIN_WIDTH, min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH))


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Return whether to print colors.

    `choice` is always, never or auto. For auto, the environment variables NO_COLOR and FORCE_COLOR decide, then whether
    the stream is a terminal.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def fit_lines(lines: Iterable[str]) -> list[str]:
    """Wrap lines of text to the default width."""
    from tflint.report.display_names import clean
    from tflint.report.text_layout import WIDTH, wrap_line

    return [part for line in lines for part in wrap_line(clean(line), WIDTH, 4)]
