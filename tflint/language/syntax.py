"""Parses the text of an expression into Python's syntax tree, within limits. Nothing is ever executed."""

from __future__ import annotations

import ast
import re
import warnings

from tflint.errors import TflintError

#: Limits on an expression: far more than a readable rule needs, but few enough for the stack of Python's parser.
MAX_CHARACTERS = 2000
MAX_DEPTH = 40


class ExpressionError(TflintError):
    """An expression is invalid; `offset` and `length` locate the error in its text, in characters."""

    def __init__(self, message: str, offset: int = 0, length: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = max(1, length)
        self.hint = hint


#: Patterns of strings and comments: brackets in them do not count.
_STRING = r'"""(?:\\.|[^\\])*?"""|' + r"'''(?:\\.|[^\\])*?'''|" + r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
_STRINGS = re.compile(_STRING, re.DOTALL)
_STRINGS_AND_COMMENTS = re.compile(_STRING + r"|#[^\r\n]*", re.DOTALL)
#: The three line ends of Python code. `str.splitlines` also splits at other characters.
_LINE_END = re.compile(r"\r\n?|\n")
_SINGLE_EQUALS = re.compile(r"(?<![=!<>:])=(?!=)")


def parse(text: str) -> ast.expr:
    """Parse an expression. Raises `ExpressionError` if it is invalid, too long or nested too deeply."""
    if not text.strip():
        raise ExpressionError("the expression is empty")
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"the expression has {len(text):,} characters, more than {MAX_CHARACTERS:,}")
    _check_brackets(text)
    # In parentheses, line breaks and leading blanks have no effect. Positions in the first line are shifted by one.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns about "\d" or "1if", which will become syntax errors
            tree = ast.parse(f"({text}\n)", mode="eval")
    except SyntaxError as error:
        raise _syntax_error(text, error) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise ExpressionError(
            "the expression cannot be parsed: it is nested too deeply or contains invalid characters"
        ) from None
    return tree.body


def without_strings(text: str, *, comments: bool = False) -> str:
    """Return the text with string literals, and optionally comments, replaced by blanks of the same length."""
    pattern = _STRINGS_AND_COMMENTS if comments else _STRINGS
    return pattern.sub(lambda match: " " * len(match[0]), text)


def _check_brackets(text: str) -> None:
    depth = 0
    for offset, character in enumerate(without_strings(text, comments=True)):
        if character in "([{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ExpressionError(f"brackets are nested deeper than {MAX_DEPTH}", offset)
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                raise ExpressionError(f"unmatched '{character}'", offset)


def _syntax_error(text: str, error: SyntaxError) -> ExpressionError:
    offset = min(_offset(text, error.lineno or 1, (error.offset or 1) - 1), len(text) - 1)
    message = error.msg or "invalid syntax"
    equals = _SINGLE_EQUALS.search(without_strings(text), offset)
    if equals and ("Maybe you meant '=='" in message or equals.start() == offset):
        return ExpressionError("'=' is not a comparison", equals.start(), 1, "write '=='")
    message = message.removesuffix(" Perhaps you forgot a comma?").removesuffix(".")
    return ExpressionError(f"this is not an expression: {message[:1].lower()}{message[1:]}", offset)


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


def _offset(text: str, line: int, column: int) -> int:
    """Convert a line and column in the parenthesized text to an offset in the text without parentheses."""
    starts = _line_starts(text)
    if line > len(starts):  # at the added parenthesis
        return len(text)
    return max(0, starts[line - 1] + column - (1 if line == 1 else 0))


def span(text: str, node: ast.expr) -> tuple[int, int]:
    """Return the offset and length of a syntax node in the text, in characters."""
    starts = _line_starts(text)

    def offset(line: int, byte_column: int) -> int:
        before = ("(" if line == 1 else "") + text[starts[line - 1] :]
        return _offset(text, line, len(before.encode()[:byte_column].decode("utf-8", "replace")))

    start = offset(node.lineno, node.col_offset)
    if node.end_lineno is None or node.end_col_offset is None or node.end_lineno > len(starts):
        return start, 1
    end = offset(node.end_lineno, node.end_col_offset)
    line_end = _LINE_END.search(text, start, end)
    return start, (line_end.start() if line_end else end) - start
