"""The cache folder: finds it, checks that only the user can write to it, and reads and writes its files.

If the folder is not usable, there is no cache. This is never an error: all functions then return None or False. No
function follows a link.
"""

from __future__ import annotations

import os
import stat
import sys

from tflint._version import __version__

TYPE_CHECKING = False  # see `tflint/__init__.py`
if TYPE_CHECKING:
    from collections.abc import Iterator

#: Environment variable with the absolute path of the cache folder.
FOLDER_VARIABLE = "TFLITE_LINT_CACHE_DIR"
#: Folder of the stored runs, and folder of the stored reports of files.
RUNS, REPORTS = "runs", "reports"
#: Age in seconds after which the folder of a different version of tflint, or a temporary file, is deleted.
MAX_UNUSED_SECONDS = 30 * 86_400
MAX_TEMPORARY_SECONDS = 3600

_NAME = "tflite-lint"
#: Tells backup programs to skip the folder (https://bford.info/cachedir/).
_TAG_FILE, _TAG = "CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n# This is the cache of tflite-lint.\n"
#: POSIX only: Windows has neither links that users create by default nor owners and modes that `os.stat` returns.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READ_FILE = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WRITE_FILE = os.O_WRONLY | os.O_CREAT | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def find_path() -> str:
    """Return the path of the cache folder, or an empty string if there is no place for one."""
    chosen = os.environ.get(FOLDER_VARIABLE, "")
    if chosen:
        return chosen if os.path.isabs(chosen) else ""
    base = _base_folder()
    return os.path.join(base, _NAME) if os.path.isabs(base) else ""


def _base_folder() -> str:
    if sys.platform == "win32":
        return os.environ.get("LOCALAPPDATA", "")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches")
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    return chosen if os.path.isabs(chosen) else os.path.expanduser("~/.cache")


class CacheFolder:
    """The folder of this version of tflint in the cache folder, or one of the folders in it.

    On POSIX, all files are opened relative to a descriptor of the folder, so that the folder cannot be exchanged after
    it was checked. On Windows, `descriptor` is None, and paths are used.
    """

    def __init__(self, path: str, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """Return the content of a file, or None if it is missing, larger than `max_bytes` or not the user's own."""
        try:
            descriptor = self._open(name, _READ_FILE)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or not is_private(status) or status.st_size > max_bytes:
                return None
            content = os.read(descriptor, status.st_size + 1)
            return content if len(content) == status.st_size else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def replace(self, name: str, content: bytes) -> bool:
        """Write a file atomically. Return whether it was written."""
        temporary = f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            descriptor = self._open(temporary, _WRITE_FILE | os.O_EXCL)
        except OSError:
            return False
        try:
            try:
                is_complete = os.write(descriptor, content) == len(content)
            finally:
                os.close(descriptor)
            if is_complete:
                os.replace(self._at(temporary), self._at(name), **self._both())
                return True
        except OSError:
            pass
        self.remove(temporary)
        return False

    def append(self, name: str, content: bytes, max_bytes: int) -> bool:
        """Append to a file with one system call. Return whether all of it was written.

        A file of more than `max_bytes` is left as it is.
        """
        try:
            descriptor = self._open(name, _WRITE_FILE | os.O_APPEND)
        except OSError:
            return False
        try:
            status = os.fstat(descriptor)
            is_ours = stat.S_ISREG(status.st_mode) and is_private(status) and status.st_size <= max_bytes
            return is_ours and os.write(descriptor, content) == len(content)
        except OSError:
            return False
        finally:
            os.close(descriptor)

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the name and status of each entry, without following links."""
        try:
            names = os.listdir(self.path if self._descriptor is None else self._descriptor)
        except OSError:
            return
        for name in sorted(names):
            try:
                yield name, os.stat(self._at(name), follow_symlinks=False, **self._one())
            except OSError:
                continue  # another process removed it

    def remove(self, name: str) -> None:
        """Remove a file or an empty folder, if possible."""
        try:
            os.unlink(self._at(name), **self._one())
        except OSError:
            try:
                os.rmdir(self._at(name), **self._one())
            except OSError:
                return

    def enter(self, name: str, *, is_created: bool = False) -> CacheFolder | None:
        """Return a folder in this folder, or None if it is missing or if other users can write to it."""
        if is_created:
            self._make_folder(name)
        return _open_folder(os.path.join(self.path, name), self._at(name), self._one())

    def _make_folder(self, name: str) -> None:
        try:
            os.mkdir(self._at(name), 0o700, **self._one())
        except OSError:
            return  # it exists, or opening it fails

    def close(self) -> None:
        """Close the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags, 0o600, **self._one())

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name) if self._descriptor is None else name

    def _one(self) -> dict[str, int]:
        return {} if self._descriptor is None else {"dir_fd": self._descriptor}

    def _both(self) -> dict[str, int]:
        return {} if self._descriptor is None else {"src_dir_fd": self._descriptor, "dst_dir_fd": self._descriptor}


def open_root() -> CacheFolder | None:
    """Return the cache folder with the folders of all versions, or None if it is missing or not usable."""
    path = find_path()
    return _open_folder(path, path, {}) if path else None


def open_cache(name: str, *, is_created: bool = False) -> CacheFolder | None:
    """Return the folder `name` (`RUNS` or `REPORTS`) of this version of tflint, or None if it is not usable.

    With `is_created`, missing folders are created first.
    """
    if is_created and not _create_root():
        return None
    root = open_root()
    version = root.enter(__version__, is_created=is_created) if root else None
    folder = version.enter(name, is_created=is_created) if version else None
    for opened in (root, version):
        if opened is not None:
            opened.close()
    return folder


def is_private(status: os.stat_result) -> bool:
    """Return whether a file or folder belongs to the user, and no other user can write to it."""
    if sys.platform == "win32":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE


def remove_versions(now: float, max_unused_seconds: float = MAX_UNUSED_SECONDS, *, is_own_kept: bool = True) -> None:
    """Remove the folders of versions of tflint that were not used for some time, by default only of other versions."""
    root = open_root()
    if root is None:
        return
    for version, _ in root.entries():
        folder = None if is_own_kept and version == __version__ else root.enter(version)
        if folder is not None:
            used = _last_used(folder)
            if used is not None and now - used >= max_unused_seconds:
                _empty_version(folder)
                root.remove(version)
            folder.close()
    root.close()


def remove_temporary(folder: CacheFolder, now: float) -> None:
    """Remove the temporary files that killed processes left in a folder."""
    for name, status in folder.entries():
        if _is_temporary(name) and now - status.st_mtime > MAX_TEMPORARY_SECONDS:
            folder.remove(name)


def _last_used(version: CacheFolder) -> float | None:
    """Return when an entry of a version was last written, in seconds since 1970, or None if it is not of the cache."""
    times = [status.st_mtime for name, status in version.entries() if name in (RUNS, REPORTS)]
    for name in (RUNS, REPORTS):
        folder = version.enter(name)
        if folder is not None:
            times += [status.st_mtime for _, status in folder.entries()]
            folder.close()
    return max(times, default=None)


def _empty_version(version: CacheFolder) -> None:
    """Remove the files that tflint wrote, and no other files: the user may have chosen any folder for the cache."""
    for name in (RUNS, REPORTS):
        folder = version.enter(name)
        if folder is not None:
            for entry, status in folder.entries():
                if stat.S_ISREG(status.st_mode) and (_is_entry(entry) or _is_temporary(entry)):
                    folder.remove(entry)
            folder.close()
            version.remove(name)


def _is_entry(name: str) -> bool:
    return len(name) == 2 and all(character in "0123456789abcdef" for character in name)


def _is_temporary(name: str) -> bool:
    return name[:1] == "." and name[3:4] == "." and _is_entry(name[1:3])


def find_problem() -> str:
    """Return why there is no cache, as a clause, or an empty text if there is one or it can be created."""
    path = find_path()
    if not path:
        chosen = os.environ.get(FOLDER_VARIABLE, "")
        return f"{FOLDER_VARIABLE} is not an absolute path: '{chosen}'" if chosen else "there is no home folder"
    if not os.path.lexists(path):
        above = os.path.dirname(path)
        while not os.path.lexists(above):
            above = os.path.dirname(above)
        return "" if os.access(above, os.W_OK) else f"'{path}' cannot be created"
    if os.path.islink(path) or not os.path.isdir(path):
        return f"'{path}' is not a folder, or a link to one"
    root = open_root()
    if root is None:
        return f"'{path}' belongs to a different user, or other users can write to it"
    are_usable = _is_usable(root, __version__)
    version = root.enter(__version__)
    root.close()
    if version is not None:
        are_usable = all(_is_usable(version, name) for name in (RUNS, REPORTS))
        version.close()
    if not os.access(path, os.W_OK):
        return f"'{path}' is not writable"
    return "" if are_usable else f"a folder in '{path}' belongs to a different user, or other users can write to it"


def _is_usable(parent: CacheFolder, name: str) -> bool:
    """Return whether a folder in a folder is missing, or can be used."""
    if not os.path.lexists(os.path.join(parent.path, name)):
        return True
    folder = parent.enter(name)
    if folder is not None:
        folder.close()
    return folder is not None


def _create_root() -> bool:
    path = find_path()
    if not path:
        return False
    if os.path.isdir(path):
        return True
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        os.mkdir(path, 0o700)
    except OSError:
        return os.path.isdir(path)  # another process may have created it
    root = open_root()
    if root is not None:
        root.replace(_TAG_FILE, _TAG)
        root.close()
    return True


def _open_folder(path: str, at: str, place: dict[str, int]) -> CacheFolder | None:
    """Open a folder at `at`, relative to the descriptor in `place`. Return None if other users can write to it."""
    if sys.platform == "win32":
        return CacheFolder(path, None) if os.path.isdir(path) and not os.path.islink(path) else None
    try:
        descriptor = os.open(at, os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOW, **place)
    except OSError:
        return None
    if is_private(os.fstat(descriptor)):
        return CacheFolder(path, descriptor)
    os.close(descriptor)
    return None
