"""Identifies the code of tflint: stored results of different code must not be used."""

from __future__ import annotations

import os
import sys

from tflint._version import __version__
from tflint.cache.file_state import MISSING, read_state

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: Folders next to the package that contain its data in a checkout.
_DATA_FOLDERS = ("rules", "schemas")
_MASK = (1 << 64) - 1


#: The state of the code when it was first read in this process.
_known_code_state = ""


def read_tool_state() -> str:
    """Return a text that changes if tflint, Python or numpy is replaced, or if a file of a checkout is edited."""
    parts = (__version__, sys.implementation.name, sys.version.split()[0], _numpy_state(), _code_state())
    return " ".join(parts)


def hash_tool() -> str:
    """Return a digest that is equal on all machines with the same wheel of tflint and the same version of numpy.

    In a checkout, it is equal only as long as no file is edited.
    """
    import hashlib

    digest = hashlib.sha256(f"{__version__} {sys.version_info[:2]}".encode())
    record = _installed_record()
    if record:
        digest.update(_read(record))
    else:
        digest.update(_code_state().encode())
    digest.update(_read(_find_numpy_version()))
    return digest.hexdigest()


def _code_state() -> str:
    global _known_code_state
    if not _known_code_state:
        record = _installed_record()
        _known_code_state = read_state(record) if record else _checkout_state()
    return _known_code_state


def _installed_record() -> str:
    """Return the path of the wheel's list of files with their hashes, or an empty string in a checkout."""
    path = os.path.join(os.path.dirname(_PACKAGE), f"tflite_lint-{__version__}.dist-info", "RECORD")
    return path if os.path.isdir(os.path.join(_PACKAGE, "_data")) and os.path.isfile(path) else ""


def _checkout_state() -> str:
    """Return a text that changes if a file of the package or of its data changes, is added or removed."""
    folders = [_PACKAGE, *(os.path.join(os.path.dirname(_PACKAGE), name) for name in _DATA_FOLDERS)]
    total = 0  # a sum does not depend on the order in which the file system lists the files
    while folders:
        try:
            entries = os.scandir(folders.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                if entry.name == "__pycache__":
                    continue
                if entry.is_dir():
                    folders.append(entry.path)
                    continue
                status = entry.stat()
                # The hash of a tuple of numbers is the same in all processes, as opposed to that of a text.
                total += hash((status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return f"{total & _MASK:x}"


def _numpy_state() -> str:
    path = _find_numpy_version()
    return read_state(path) if path else MISSING


def _find_numpy_version() -> str:
    """Return the path of numpy's module with its version. Importing numpy would take longer than a cached run."""
    candidates = (os.path.join(folder, "numpy", "version.py") for folder in sys.path if folder)
    return next((path for path in candidates if os.path.isfile(path)), "")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
