"""Turns the text of an expression into Python's syntax tree, within limits; nothing of it is ever executed."""

from __future__ import annotations

import ast

from tflint.errors import TflintError

#: Far beyond what a readable rule needs, small enough that Python's parser stays within its stack.
MAX_CHARACTERS = 2000
MAX_DEPTH = 40


class ExpressionError(TflintError):
    """An expression is wrong: what (`message`), where in its text (`offset`, `length`, in characters), what to do."""

    def __init__(self, message: str, offset: int = 0, length: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = max(1, length)
        self.hint = hint


def parse(text: str) -> ast.expr:
    """The syntax tree of an expression; `ExpressionError` where it is none, or too long or deep."""
    if not text.strip():
        raise ExpressionError("the expression is empty")
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"the expression has {len(text):,} characters, more than {MAX_CHARACTERS:,}")
    _check_brackets(text)
    # In parentheses, so that line breaks and leading blanks mean nothing; positions are corrected by one.
    try:
        tree = ast.parse(f"({text}\n)", mode="eval")
    except SyntaxError as error:
        raise _syntax_error(text, error) from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise ExpressionError("the expression cannot be parsed: it is nested too deeply or holds a NUL") from None
    return tree.body


def _check_brackets(text: str) -> None:
    depth = 0
    quote = ""
    for offset, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ExpressionError(f"brackets are nested deeper than {MAX_DEPTH}", offset)
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                raise ExpressionError(f"'{character}' closes nothing", offset)


def _syntax_error(text: str, error: SyntaxError) -> ExpressionError:
    offset = _offset(text, error.lineno or 1, (error.offset or 1) - 1)
    message = (
        (error.msg or "invalid syntax")
        .removesuffix(" (<unknown>, line 1)")
        .removesuffix(" Perhaps you forgot a comma?")
    )
    if message.startswith("invalid syntax. Maybe you meant '=='"):
        return ExpressionError("'=' is no comparison", offset, 1, "write '=='")
    return ExpressionError(f"this is no expression: {message.lower()}", min(offset, len(text) - 1))


def _offset(text: str, line: int, column: int) -> int:
    """The offset in the text of a position in the parenthesised text."""
    lines = text.split("\n")
    line = min(line, len(lines))
    before = sum(len(part) + 1 for part in lines[: line - 1])
    return max(0, before + column - (1 if line == 1 else 0))


def span(text: str, node: ast.expr) -> tuple[int, int]:
    """Offset and length of a node in the text, in characters."""
    lines = ("(" + text).split("\n")

    def characters(line: int, byte_column: int) -> int:
        return len(lines[line - 1].encode()[:byte_column].decode("utf-8", "replace"))

    start = _offset(text, node.lineno, characters(node.lineno, node.col_offset))
    if node.end_lineno is None or node.end_col_offset is None or node.end_lineno > len(lines):
        return start, 1
    end = _offset(text, node.end_lineno, characters(node.end_lineno, node.end_col_offset))
    newline = text.find("\n", start, end)
    return start, (newline if newline > 0 else end) - start
