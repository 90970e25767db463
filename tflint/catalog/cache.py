"""Keeps the compiled built-in rules in the user's cache folder: parsing and checking them at every start takes longer
than linting a model. A cache that cannot be read or written, or is of other files, is as good as none.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tflint._version import __version__

_PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """The user's cache folder for tflint, by the conventions of the system."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tflite-lint"


def read(files: Sequence[Path]) -> Any | None:
    """What was stored for these files as they are now; None where nothing was."""
    try:
        key, value = marshal.loads(_path().read_bytes())
    except (OSError, ValueError, EOFError, TypeError, RuntimeError):
        return None
    return value if key == _key(files) else None


def write(files: Sequence[Path], value: Any) -> None:
    """Store a value (plain tuples, strings, numbers) for these files; silently not, where that is not possible."""
    path = _path()
    with contextlib.suppress(OSError, RuntimeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(marshal.dumps((_key(files), value)))
        unfinished.replace(path)


def _path() -> Path:
    """One file for each installation: two of them must not overwrite each other's at every start."""
    place = zlib.crc32(str(_PACKAGE).encode("utf-8", "surrogateescape"))
    return folder() / f"rules-{__version__}-{sys.implementation.cache_tag}-{place:08x}.bin"


def _key(files: Sequence[Path]) -> str:
    """Paths, sizes and times of the rule files and of the code that checks and compiles them."""
    code = [_PACKAGE / room for room in ("language", "catalog", "columns", "documents", "model", "facts")]
    stamps = [(str(path), *_stamp(path)) for path in files]
    for room in code:
        with os.scandir(room) as entries:
            stamps += sorted((entry.path, *_stamp(entry)) for entry in entries if entry.name.endswith(".py"))
    return repr(stamps)


def _stamp(path: Path | os.DirEntry[str]) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
