"""Writes what a command gives: to standard output, or to a file that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TextIO

from tflint.errors import UserError


def require_writable(path: str | None) -> None:
    """`UserError` where a file cannot be written, so that it is told before the work and not after it."""
    if path is None or path == "-":
        return
    if not path:
        raise UserError("an empty path to write to")
    try:
        _require_place(Path(path))
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle, until Python 3.13
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"'{path}' cannot be written: {reason}") from error


def _require_place(path: Path) -> None:
    """See whether there is a place for a file; where permissions do not tell, trying does."""
    if path.is_dir():
        raise UserError(f"'{path}' cannot be written: it is a folder", hint="name a file in it")
    if not path.parent.is_dir():
        if path.parent.exists():
            raise UserError(f"'{path}' cannot be written: '{path.parent}' is no folder")
        raise UserError(
            f"'{path}' cannot be written: there is no folder '{path.parent}'", hint="create the folder first"
        )
    if path.exists() and not _may_write(path):
        raise UserError(
            f"'{path}' cannot be written: it is read-only", hint="name another file, or allow writing to it"
        )
    if path.exists() and not path.is_file():
        return  # a device or a pipe: it is written to where it is
    import tempfile

    folder = path.resolve().parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        text = f"'{path}' cannot be written: no file can be made in '{folder}': {error.strerror or error}"
        raise UserError(text, hint="name a file in a folder that you may write to") from error


def _may_write(path: Path) -> bool:
    """Whether a file may be changed; where nobody may by its mode, neither may a superuser."""
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)


def write(text: str, path: str | None = None) -> None:
    """Write text to a file, or to standard output; `UserError` where that cannot be done."""
    if path is not None and path != "-":
        # A file name that is no text shows as escapes, which JSON reads as that name.
        write_bytes(text.encode("utf-8", "backslashreplace"), path)
        return
    try:
        _print(text)
    except OSError as error:
        raise UserError(f"standard output cannot be written: {error.strerror or error}") from error


def write_bytes(content: bytes, path: str) -> None:
    """Write a file, whole or not at all, a link through; its mode stays. `UserError` where that cannot be done."""
    try:
        if Path(path).exists() and not Path(path).is_file():
            Path(path).write_bytes(content)  # a device or pipe stays one
        else:
            _replace(Path(path).resolve(), content)
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror or error}") from error


def _print(text: str) -> None:
    """Print to standard output; where nobody reads any more, whoever did has seen enough."""
    _tolerant(sys.stdout)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Let what is still buffered vanish, so that it does not fail once more at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replace(target: Path, content: bytes) -> None:
    """Write a file beside its place and move it there: nobody reads half of it, and no interruption leaves half."""
    import tempfile

    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:64]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _tolerant(stream: TextIO) -> None:
    """Let characters that the terminal's encoding lacks show as escapes instead of ending the run."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def width(stream: TextIO, otherwise: int | None = None) -> int:
    """How many characters wide to write: as the terminal is, within what can be read; elsewhere as given, or `WIDTH`.

    COLUMNS wins over what the terminal says of itself.
    """
    from tflint.report.layout import MIN_WIDTH, WIDTH

    if not stream.isatty():
        return WIDTH if otherwise is None else otherwise
    import shutil

    return max(MIN_WIDTH, min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH))


def wants_color(choice: str, stream: TextIO) -> bool:
    """Whether to write colours: as chosen, else on a terminal, minding NO_COLOR and FORCE_COLOR."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"
