"""Writes to standard output and standard error: the one place where text is made safe for terminals and CI runners.

Text for people may hold names from models and files. It is printed without control characters, bidi controls and lines
that a CI runner would obey, and degrades to ASCII if the stream's encoding lacks a character. Formats for machines are
UTF-8 whatever the encoding of the stream is.
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

#: Encoding error handler of text for people.
_DEGRADE = "tflint-degrade"
#: Stand-ins for characters that an encoding may lack.
_STAND_INS = {
    "≥": ">=", "≤": "<=", "→": "->", "←": "<-", "×": "x", "−": "-", "–": "-", "…": "...", "·": "-", "±": "+/-",
    "µ": "u",
}  # fmt: skip
#: Everything that may need an escape; ASCII without its control characters never does. Tabs and newlines are layout.
_SUSPECT = re.compile(r"[^\n\t -~]")
#: The colors that tflint itself prints.
_COLOR = re.compile(r"\x1b\[(?:[0-2]|1;31|3[236])m")
#: A workflow command of GitHub Actions: `::name` at the beginning of a line, `##[name]` anywhere
#: (actions/runner, src/Runner.Common/ActionCommand.cs).
_COMMAND_LINE = re.compile(r"^([ \t]*):(?=:)", re.MULTILINE)
_OLD_COMMAND = "##["


def print_text(text: str, *, has_color: bool = False) -> None:
    """Print text for people; newlines in it are its own. `has_color` keeps tflint's color codes."""
    _print(safe_text(text, has_color=has_color))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines for people; a newline within one is shown as an escape, because a name brought it in."""
    print_text("".join(escape_newlines(line) + "\n" for line in lines))


def print_json(text: str) -> None:
    """Print JSON: UTF-8, made safe."""
    _print_bytes(safe_json(text))


def print_verbatim(text: str) -> None:
    """Print generated code, what is already safe, or commands that the CI runner is meant to obey: UTF-8, nothing
    changed.
    """
    _print_bytes(text)


def safe_text(text: str, *, has_color: bool = False) -> str:
    """Return text for people as it is safe to print. `has_color` keeps tflint's color codes."""
    parts = _COLOR.split(text) if has_color else [text]
    codes = [*(_COLOR.findall(text) if has_color else ()), ""]
    return defuse_commands(
        "".join(_SUSPECT.sub(_visible, part) + code for part, code in zip(parts, codes, strict=True))
    )


def safe_json(text: str) -> str:
    """Return JSON with escapes for what does not print and, under a CI runner, for what that would obey."""
    from tflint.report.json_report import escape_unprintable

    text = escape_unprintable(text)
    if not _is_under_actions():
        return text
    return text.replace("::", r"\u003a\u003a").replace(_OLD_COMMAND, r"\u0023#[")


def safe_xml(text: str) -> str:
    """Return XML; under a CI runner with references for what that would obey."""
    if not _is_under_actions():
        return text
    return _COMMAND_LINE.sub(r"\1&#58;", text).replace(_OLD_COMMAND, "&#35;#[")


def defuse_commands(text: str) -> str:
    """Return text without lines that GitHub's runner would obey, if it is the one who reads them."""
    if not _is_under_actions():
        return text
    return _COMMAND_LINE.sub(r"\1: ", text).replace(_OLD_COMMAND, "## [")


def warn(message: str) -> None:
    """Print a message to standard error, its lines without control characters; without one, nothing."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError):
        _set_tolerant(sys.stderr)
        sys.stderr.write(defuse_commands(_SUSPECT.sub(_visible, message)) + "\n")
        sys.stderr.flush()


def escape_newlines(text: str) -> str:
    """Return a text on one line, newlines and tabs as escapes."""
    return text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")


def discard_output() -> None:
    """Drop the output that is still buffered, so that flushing it at exit does not fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def require_stdout() -> None:
    """Raise `UserError` if standard output is closed."""
    if sys.stdout is None:
        raise UserError("standard output is closed", hint="--output FILE writes to a file")


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _is_under_actions() -> bool:
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _print(text: str) -> None:
    require_stdout()
    _set_tolerant(sys.stdout)
    _flushed(text, sys.stdout)


def _print_bytes(text: str) -> None:
    """Print UTF-8; a stream without a binary layer, as tests have them, takes the text."""
    require_stdout()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        _flushed(text, sys.stdout)
        return
    try:
        sys.stdout.flush()
        buffer.write(text.encode("utf-8", "backslashreplace"))
        buffer.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        raise _unwritable(error) from error


def _flushed(text: str, stream: TextIO) -> None:
    """Write and flush; if the reader has gone, it has seen enough."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> UserError:
    discard_output()
    return UserError(f"standard output cannot be written: {error.strerror or error}")


def _set_tolerant(stream: TextIO) -> None:
    """Let characters that the stream's encoding lacks degrade instead of ending the run."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        codecs.register_error(_DEGRADE, _degraded)
        reconfigure(errors=_DEGRADE)


def _degraded(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that cannot be encoded: by ASCII that means the same, else by escapes."""
    assert isinstance(error, UnicodeEncodeError), "registered for encoding only"
    lacking = error.object[error.start : error.end]
    replaced = (_STAND_INS.get(char) or char.encode("ascii", "backslashreplace").decode() for char in lacking)
    return "".join(replaced), error.end


def output_width(stream: TextIO | None, otherwise: int | None = None) -> int:
    """Return how many characters wide to write: a terminal's width within readable bounds; elsewhere the given number,
    or `WIDTH`. COLUMNS wins over what the terminal says.
    """
    from tflint.report.text_layout import MIN_WIDTH, WIDTH

    if stream is None or not stream.isatty():
        return WIDTH if otherwise is None else otherwise
    import shutil

    return max(MIN_WIDTH, min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH))


def wants_color(choice: str, stream: TextIO | None) -> bool:
    """Return whether to print colors: as chosen, else on a terminal, minding NO_COLOR and FORCE_COLOR."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def fit_lines(lines: Iterable[str]) -> list[str]:
    """Wrap lines of text to the width of a screen."""
    from tflint.report.display_names import clean
    from tflint.report.text_layout import WIDTH, wrap_line

    return [part for line in lines for part in wrap_line(clean(line), WIDTH, 4)]
