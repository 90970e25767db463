"""Errors of a run: what the user gave and tflint cannot use. A bad model is none of these, it is a finding."""

from __future__ import annotations

from tflint.values import frozen


class TflintError(Exception):
    """Base of every error that tflint raises on purpose."""


@frozen
class Place:
    """Where in a user's text file an error stands: path, line and column (both from 1, columns in characters)."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])


class ResourceError(TflintError):
    """The machine ran out of something, such as memory for a worker process; `hint` says what helps."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[type[ResourceError], tuple[str, str]]:
        return ResourceError, (str(self), self.hint)


class UserError(TflintError):
    """An option, a configuration, a rule, a baseline or a path that cannot be used; ends a run with exit code 2.

    `message` says what is wrong, `place` where, `source_line` shows the text with `width` characters marked,
    and `hint` says what to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        source_line: str = "",
        width: int = 1,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.source_line = source_line
        self.width = width
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        lines = [_on_one_line(head)]
        if self.source_line and self.place and self.place.column:
            # A tab keeps its width in the marker line, so that the caret stands under the right character.
            before = "".join("\t" if c == "\t" else " " for c in self.source_line[: self.place.column - 1])
            lines += ["  " + self.source_line, "  " + before + "^" * max(1, self.width)]
        if self.hint:
            lines.append(f"  hint: {_on_one_line(self.hint)}")
        return "\n".join(lines)


def _on_one_line(text: str) -> str:
    """Text with its newlines as escapes: a name that holds some must not look like lines of tflint's own."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


class MissingExtraError(UserError):
    """An optional dependency that the asked-for work needs is not installed."""

    def __init__(self, extra: str, module: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the Python package '{module}', which is not installed",
            hint=f'pip install "tflite-lint[{extra}]"',
        )
