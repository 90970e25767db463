"""Writes output files: the one place that decides whether a file may be written, and replaces it atomically.

An output never goes through a link, and replaces only a file of its own kind: a report an earlier report, a baseline a
baseline, a contract a contract. Pull requests bring files in, and a name that someone else chose must not make tflint
overwrite a model, a configuration or a file outside the checkout.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from tflint.cli import console
from tflint.errors import UserError
from tflint.source.checkout_boundary import leads_out, real_path
from tflint.userfiles.userfile import load_json, read_text
from tflint.values import frozen

#: Bytes at both ends of a file that tell its kind; a description in a GitLab report may be long.
_LOOKED_AT = 64 * 1024
#: Links that are the system's own: they lead to the process's streams.
_OF_THE_SYSTEM = re.compile(r"/dev/(?:std(?:in|out|err)|fd/\d+)|/proc/self/fd/\d+")


@frozen
class Kind:
    """A kind of output: its name for messages, and how an earlier file of the kind is recognized.

    `recognize` takes the path, the first and the last bytes. `is_model` allows to replace a TFLite model.
    """

    name: str
    recognize: Callable[[Path, bytes, bytes], bool]
    is_model: bool = False


def _is_report(_path: Path, head: bytes, tail: bytes) -> bool:
    from tflint.report.report_recognition import is_report  # only a file that exists needs it

    return is_report(head, tail)


def _is_baseline(path: Path, head: bytes, _tail: bytes) -> bool:
    """A baseline, or a broken one, such as a merge with conflicts leaves; an empty file counts as one."""
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
        return False  # well-formed, and something else
    except UserError:
        return True


def _is_contract(path: Path, head: bytes, _tail: bytes) -> bool:
    """A contract by its name, however broken its text is; any other name needs the text of one."""
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
#: The caller has read it as a configuration.
CONFIGURATION = Kind("configuration", lambda _path, _head, _tail: True)
MODEL = Kind("model", lambda _path, head, _tail: _is_tflite(head), is_model=True)


@frozen
class OutputFile:
    """A file that may be written: its place was checked, and is checked again when it is written."""

    path: str
    kind: Kind

    def write(self, content: str | bytes, made_safe: Callable[[str], str] = console.defuse_commands) -> None:
        """Replace the file atomically; its mode stays. `UserError` if that cannot be done.

        `made_safe` is applied to text for a stream or device: a terminal or a CI runner may read it.
        """
        path = Path(self.path)
        try:
            _require_own_kind(path, self.kind)
            if _is_stream(path):
                _append(path, _encoded(made_safe(content) if isinstance(content, str) else content))
            else:
                _replace(path, _encoded(content))
        except OSError as error:
            raise UserError(f"'{self.path}' cannot be written: {error.strerror or error}") from error


def prepare_named(path: str, kind: Kind) -> OutputFile:
    """Return an output that the user named; `UserError` if tflint does not write there, before any work is done."""
    if path in ("", "-"):
        raise UserError(f"a {kind.name} needs the path of a file")
    try:
        _require_place(Path(path), kind)
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror or error}") from error
    return OutputFile(path, kind)


def prepare_derived(path: str, kind: Kind) -> OutputFile:
    """Return an output whose name tflint made from another file's; its folder must not lead out of the checkout."""
    try:
        outside = leads_out(Path(path).parent)
    except OSError as error:
        raise UserError(f"'{path}' cannot be written: {error.strerror or error}") from error
    if outside:
        raise UserError(
            f"'{path}' cannot be written: links lead its folder to '{outside}'", hint="name the model by its real path"
        )
    return prepare_named(path, kind)


def require_free(path: str, *, force: bool) -> None:
    """Raise `UserError` if a file exists, unless it is to be replaced."""
    if os.path.lexists(path) and not force:
        raise UserError(f"'{path}' already exists", hint="--force replaces it")


def _require_place(path: Path, kind: Kind) -> None:
    """See whether a file can be written; if permissions do not tell, trying does."""
    _require_no_link(path)
    if path.is_dir():
        raise UserError(f"'{path}' cannot be written: it is a folder", hint="name a file in it")
    if not path.parent.is_dir():
        if path.parent.exists():
            raise UserError(f"'{path}' cannot be written: '{path.parent}' is not a folder")
        raise UserError(
            f"'{path}' cannot be written: there is no folder '{path.parent}'", hint="create the folder first"
        )
    _require_own_kind(path, kind)
    if path.exists() and not _may_write(path):
        raise UserError(
            f"'{path}' cannot be written: it is read-only", hint="name another file, or allow writing to it"
        )
    if not _is_stream(path):
        _try_folder(path)


def _require_no_link(path: Path) -> None:
    if path.is_symlink() and not _is_of_the_system(path):
        raise UserError(f"'{path}' cannot be written: it is a link to '{path.readlink()}'", hint="name the file itself")


def _is_of_the_system(path: Path) -> bool:
    return _OF_THE_SYSTEM.fullmatch(os.path.abspath(path)) is not None  # noqa: PTH100 (resolve() would follow the link)


def _require_own_kind(path: Path, kind: Kind) -> None:
    """Raise `UserError` for a file that is not what an earlier run wrote: it is the user's."""
    _require_no_link(path)
    if _is_stream(path) or not path.exists():
        return
    head, tail = _ends(path)
    if _is_tflite(head) and not kind.is_model:
        raise UserError(f"'{path}' is a TFLite model; a {kind.name} does not replace it", hint="name another file")
    if not kind.recognize(path, head, tail):
        raise UserError(
            f"'{path}' exists and is not a {kind.name}, so tflint does not replace it",
            hint="name another file, or remove this one first",
        )


def _is_stream(path: Path) -> bool:
    """Whether a path is a device, a pipe or one of the process's own streams: written to where it is."""
    return path.exists() and (not path.is_file() or (path.is_symlink() and _is_of_the_system(path)))


def _is_tflite(head: bytes) -> bool:
    from tflint.source.file_kind import is_model

    return is_model(head)


def _ends(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LOOKED_AT))
        return head, file.read(_LOOKED_AT)


def _may_write(path: Path) -> bool:
    """Whether a file may be changed; if nobody may by its mode, neither may a superuser."""
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)


def _try_folder(path: Path) -> None:
    import tempfile

    folder = real_path(path.parent)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        text = f"'{path}' cannot be written: no file can be made in '{folder}': {error.strerror or error}"
        raise UserError(text, hint="name a file in a folder that you may write to") from error


def _encoded(content: str | bytes) -> bytes:
    """The bytes of a file; a file name that is not text shows as escapes, which JSON reads as that name."""
    return content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")


def _append(path: Path, data: bytes) -> None:
    """Write to a device or pipe, or behind what a redirected stream already holds."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _replace(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there: nobody reads half of it, and no interruption leaves half."""
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
