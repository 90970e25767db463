"""Errors of a run: input that tflint cannot use. A broken model is not an error: it results in a finding."""

from __future__ import annotations

from tflint.program_name import rename_commands
from tflint.values import frozen


class TflintError(Exception):
    """Base of every error that tflint raises on purpose."""


@frozen
class Place:
    """A position in a user's text file: path, line and column. Lines and columns (in characters) count from 1."""

    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])


class ResourceError(TflintError):
    """The machine ran out of a resource, such as memory for a worker process; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[type[ResourceError], tuple[str, str]]:
        return ResourceError, (str(self), self.hint)


class UserError(TflintError):
    """An option, configuration, rule, contract, baseline or path that cannot be used; ends a run with exit code 2.

    `message` says what is wrong, `place` names the position, and `hint` what to do. `source_line` is the text of the
    line at `place`. The output marks `width` characters of that line.
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
            # Tabs stay in the marker line, so that the caret is below the right character.
            before = "".join("\t" if c == "\t" else " " for c in self.source_line[: self.place.column - 1])
            lines += ["  " + self.source_line, "  " + before + "^" * max(1, self.width)]
        if self.hint:
            lines.append(f"  hint: {_on_one_line(rename_commands(self.hint))}")
        return "\n".join(lines)


def _on_one_line(text: str) -> str:
    """Return a text with escaped newlines, so that a name that contains newlines cannot forge lines of output."""
    return text.replace("\r", "\\r").replace("\n", "\\n")


class MissingExtraError(UserError):
    """An optional dependency that a command needs is not installed."""

    def __init__(self, extra: str, module: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the Python package '{module}', which is not installed",
            hint=f'pip install "tflite-lint[{extra}]"',
        )
