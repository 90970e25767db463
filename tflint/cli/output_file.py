"""Decides whether an output file may be written, and writes it atomically.

tflint never writes through a link, and replaces only a file of the same kind: a report replaces an earlier report, a
baseline a baseline, a contract a contract. In a checkout, a pull request chooses the names of files. Such a name must
not make tflint overwrite a model, a configuration or a file outside of the checkout.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from tflint.cli import console
from tflint.errors import UserError
from tflint.source.checkout_boundary import find_outside_target, real_path
from tflint.userfiles.userfile import load_json, read_text
from tflint.values import frozen

#: Number of bytes at each end of a file that are read to determine its kind. A single description in a GitLab report
#: may be tens of kilobytes long.
_PROBE_SIZE = 64 * 1024
#: Links by which the operating system names the streams of the process.
_SYSTEM_LINK = r"/dev/(?:std(?:in|out|err)|fd/\d+)|/proc/self/fd/\d+"


@frozen
class Kind:
    """A kind of output.

    `name` is the name of the kind in messages. `recognize` returns whether an existing file is of this kind, given its
    path, its first bytes and its last bytes. Only an output with `is_model` may replace a TFLite model.
    """

    name: str
    recognize: Callable[[Path, bytes, bytes], bool]
    is_model: bool = False


def _is_report(_path: Path, head: bytes, tail: bytes) -> bool:
    from tflint.report.report_recognition import is_report  # needed only if the file exists

    return is_report(head, tail)


def _is_baseline(path: Path, head: bytes, _tail: bytes) -> bool:
    """Return whether a file is a baseline or empty. A baseline may be invalid JSON, such as after a merge conflict."""
    from tflint.findings.baseline import MAX_BYTES, read_baseline
    from tflint.report.report_recognition import starts_like_baseline

    if not head:
        return True
    try:
        read_baseline(str(path))
        return True
    except UserError:
        if not starts_like_baseline(head):
            return False
    try:
        load_json(str(path), read_text(str(path), limit=MAX_BYTES))
        return False  # valid JSON, but not a baseline
    except UserError:
        return True


def _is_contract(path: Path, head: bytes, _tail: bytes) -> bool:
    """Return whether a file has the name of a contract, is empty, or has the text of a valid contract."""
    from tflint.contract import SUFFIX, load_contract

    if not head or path.name.endswith(SUFFIX):
        return True
    try:
        return bool(load_contract(str(path)).data)
    except UserError:
        return False


REPORT = Kind("report", _is_report)
BASELINE = Kind("baseline", _is_baseline)
CONTRACT = Kind("contract", _is_contract)
#: The caller has already loaded the file as a configuration.
CONFIGURATION = Kind("configuration", lambda _path, _head, _tail: True)
MODEL = Kind("model", lambda _path, head, _tail: _is_tflite(head), is_model=True)


@frozen
class OutputFile:
    """A file that tflint may write. The path is checked before the object is created, and again when it is written."""

    path: str
    kind: Kind

    def write(self, content: str | bytes, make_safe: Callable[[str], str] = console.defuse_commands) -> None:
        """Replace the file atomically and keep its permissions. Raises `UserError` if this fails.

        If the path is a stream or a device, `make_safe` is applied to text first, because a terminal or a CI runner may
        read it.
        """
        path = Path(self.path)
        try:
            _require_own_kind(path, self.kind)
            if _is_stream(path):
                _append(path, _encode(make_safe(content) if isinstance(content, str) else content))
            else:
                _replace(path, _encode(content))
        except OSError as error:
            raise UserError(f"'{self.path}' cannot be written: {error.strerror or error}") from error


def prepare_named(path: str, kind: Kind) -> OutputFile:
    """Return the output file at a path from the user. Raises `UserError` if tflint cannot or must not write it."""
    if path in ("", "-"):
        raise UserError(f"a {kind.name} needs the path of a file")
    try:
        _require_writable(Path(path), kind)
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror or error}") from error
    return OutputFile(path, kind)


def prepare_derived(path: str, kind: Kind) -> OutputFile:
    """Return the output file at a path that tflint derived from the path of another file.

    Raises `UserError` if tflint cannot or must not write it, or if links lead to a folder outside of the checkout.
    """
    try:
        outside = find_outside_target(Path(path).parent)
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror or error}") from error
    if outside:
        raise UserError(
            f"'{path}' cannot be written: links resolve its folder to '{outside}', outside of the checkout",
            hint="name the model by its real path",
        )
    return prepare_named(path, kind)


def require_free(path: str, *, force: bool) -> None:
    """Raise `UserError` if a file exists and `force` is false."""
    if os.path.lexists(path) and not force:
        raise UserError(f"'{path}' already exists", hint="--force replaces it")


def _require_writable(path: Path, kind: Kind) -> None:
    """Raise `UserError` if a file cannot be written. To test its folder, a temporary file is created there."""
    _require_no_link(path)
    if path.is_dir():
        raise UserError(f"'{path}' cannot be written: it is a folder", hint="name a file in it")
    if not path.parent.is_dir():
        if path.parent.exists():
            raise UserError(f"'{path}' cannot be written: '{path.parent}' is not a folder")
        raise UserError(
            f"'{path}' cannot be written: the folder '{path.parent}' does not exist", hint="create the folder first"
        )
    _require_own_kind(path, kind)
    if path.exists() and not _may_write(path):
        raise UserError(
            f"'{path}' cannot be written: it is read-only", hint="name another file, or make this one writable"
        )
    if not _is_stream(path):
        _require_writable_folder(path)


def _require_no_link(path: Path) -> None:
    if path.is_symlink() and not _is_system_link(path):
        raise UserError(f"'{path}' cannot be written: it is a link to '{path.readlink()}'", hint="name the file itself")


def _is_system_link(path: Path) -> bool:
    return re.fullmatch(_SYSTEM_LINK, os.path.abspath(path)) is not None  # noqa: PTH100 (resolve() would follow the link)


def _require_own_kind(path: Path, kind: Kind) -> None:
    """Raise `UserError` if a file exists and is of a different kind, because it may be the user's own file."""
    _require_no_link(path)
    if _is_stream(path) or not path.exists():
        return
    head, tail = _read_ends(path)
    if _is_tflite(head) and not kind.is_model:
        raise UserError(f"'{path}' is a TFLite model; a {kind.name} does not replace it", hint="name another file")
    if not kind.recognize(path, head, tail):
        raise UserError(
            f"'{path}' exists and is not a {kind.name}, so tflint does not replace it",
            hint="name another file, or remove this one first",
        )


def _is_stream(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a stream of the process. tflint cannot replace these atomically."""
    return path.exists() and (not path.is_file() or (path.is_symlink() and _is_system_link(path)))


def _is_tflite(head: bytes) -> bool:
    from tflint.source.file_kind import is_model

    return is_model(head)


def _read_ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(_PROBE_SIZE)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _PROBE_SIZE))
        return head, file.read(_PROBE_SIZE)


def _may_write(path: Path) -> bool:
    """Return whether a file is writable. A file without any write bit counts as read-only, even for a superuser."""
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)


def _require_writable_folder(path: Path) -> None:
    import tempfile

    folder = real_path(path.parent)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        text = f"'{path}' cannot be written: cannot create a file in '{folder}': {error.strerror or error}"
        raise UserError(text, hint="name a file in a writable folder") from error


def _encode(content: str | bytes) -> bytes:
    # Undecodable bytes of a file name are surrogates. They become escapes, which JSON decodes to the same name.
    return content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")


def _append(path: Path, data: bytes) -> None:
    """Write to a device or pipe. If a stream is redirected to a file, append to this file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    """Write a temporary file and rename it, so that no partial file is ever visible, even after an interruption."""
    import tempfile

    target = real_path(path.parent) / path.name
    mode = stat.S_IMODE(target.stat().st_mode) & 0o777 if target.exists() else 0o666 & ~_umask()
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:64]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
