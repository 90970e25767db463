"""Fetches the artifacts of a version into a work folder, with limits, and computes the hash of their content.

Paths from a registry are hostile: a path that could leave the work folder is refused before anything is written.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tflint.errors import TflintError
from tflint.registry.model_registry import (
    REPORT_FOLDER,
    REPORT_NAMES,
    ArtifactReader,
    ModelVersion,
    StoredFile,
    UnreachableError,
)
from tflint.source import FileSource
from tflint.source.file_kind import CONTAINER, CONTAINER_SUFFIXES, MODEL, MODEL_SUFFIXES, detect_kind
from tflint.values import frozen

#: Maximum number of artifacts of a version, bytes of all of them, and length and depth of their paths.
MAX_FILES = 10_000
MAX_BYTES = 4 << 30
MAX_PATH, MAX_NAME, MAX_DEPTH = 1024, 200, 32


class HostileArtifactError(TflintError):
    """The artifacts of a version must not be read: a path leaves the folder, or they exceed a limit."""


@frozen
class FetchedFile:
    """An artifact in the work folder: its path below the root of the version, size in bytes, and SHA-256."""

    path: str
    size: int
    sha256: str


@frozen
class Fetched:
    """The artifacts of a version in the folder `folder`, in the order of their paths."""

    folder: str
    files: tuple[FetchedFile, ...]

    @property
    def content(self) -> str:
        """The content hash of the version."""
        return hash_content(self.files)

    def real_path(self, path: str) -> str:
        """Return the path of an artifact in the work folder."""
        return f"{self.folder}/{path}"


def fetch(reader: ArtifactReader, version: ModelVersion, folder: Path) -> Fetched:
    """Copy all artifacts of a version into a new folder.

    Raises `HostileArtifactError`, or `UnreachableError` if an artifact cannot be read or changes meanwhile.
    """
    folder.mkdir(parents=True)
    # Files that the artifacts name must be in this folder: it counts as a checkout of its own.
    (folder / ".git").mkdir()
    return Fetched(folder.as_posix(), _read_all(reader, version, folder))


def hash_version(reader: ArtifactReader, version: ModelVersion) -> str:
    """Return the content hash of a version without storing its artifacts."""
    return hash_content(_read_all(reader, version, None))


def _read_all(reader: ArtifactReader, version: ModelVersion, folder: Path | None) -> tuple[FetchedFile, ...]:
    """Read all artifacts of a version, and write them to a folder unless that is None."""
    files = []
    left = MAX_BYTES
    for stored in list_checked(reader, version):
        try:
            if is_attached(stored.path):
                left -= _require_no_model(reader, version, stored, left)
                continue
            target = None if folder is None else folder / stored.path
            if target is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
            size, sha256 = _copy(reader, version, stored, target, left)
        except FileExistsError as error:
            raise HostileArtifactError(f"two artifacts have the same path {json.dumps(stored.path)}") from error
        except OSError as error:
            raise UnreachableError(f"the work folder cannot be written: {error.strerror or error}") from error
        left -= size
        files.append(FetchedFile(stored.path, size, sha256))
    return tuple(files)


def list_checked(reader: ArtifactReader, version: ModelVersion) -> list[StoredFile]:
    """Return the artifacts of a version, sorted by path. Raises `HostileArtifactError`."""
    files: list[StoredFile] = []
    for stored in reader.list_files(version):
        check_path(stored.path)
        files.append(stored)
        if len(files) > MAX_FILES:
            raise HostileArtifactError(f"there are more than {MAX_FILES:,} artifacts")
    if sum(stored.size or 0 for stored in files) > MAX_BYTES:
        raise HostileArtifactError(_too_large())
    return sorted(files, key=lambda stored: stored.path)


def is_attached(path: str) -> bool:
    """Return whether a path is that of an attached report, which is not part of the content of a version.

    Versions may share artifacts, so the reports of each are in a folder of its own.
    """
    names = path.split("/")
    return len(names) == 3 and names[0] == REPORT_FOLDER and names[2] in REPORT_NAMES


def is_model_file(path: str) -> bool:
    """Return whether a file is a model or a bundle: by its suffix, so that broken ones count, or by its content."""
    name = Path(path).name
    if Path(name).suffix.lower() in MODEL_SUFFIXES | CONTAINER_SUFFIXES:
        return True
    with FileSource(path) as source:
        return detect_kind(source, name).kind in (MODEL, CONTAINER)


def check_path(path: str) -> None:
    """Raise `HostileArtifactError` if the path of an artifact is not a plain relative path."""
    names = path.split("/")
    is_plain = (
        all(is_plain_name(name) for name in names) and len(names) <= MAX_DEPTH and len(os.fsencode(path)) <= MAX_PATH
    )
    if not is_plain:
        raise HostileArtifactError(f"the artifact path {json.dumps(path[:MAX_PATH])} is not a plain relative path")


def hash_content(files: Iterable[FetchedFile]) -> str:
    """Return the SHA-256 of a list of files: one line per file with its SHA-256, its size and its path."""
    lines = sorted((file.path, f"{file.sha256} {file.size} {json.dumps(file.path)}\n") for file in files)
    return hashlib.sha256("".join(line for _, line in lines).encode()).hexdigest()


def is_plain_name(name: str) -> bool:
    """Return whether a text can be the name of a file on all systems, and does not look like a path."""
    if name in ("", ".", "..") or len(name.encode("utf-8", "replace")) > MAX_NAME or name.endswith((" ", ".")):
        return False
    return not any(character in '/\\:*?"<>|' or not character.isprintable() for character in name)


def _copy(
    reader: ArtifactReader, version: ModelVersion, stored: StoredFile, target: Path | None, max_bytes: int
) -> tuple[int, str]:
    """Read an artifact, and write it to `target` unless that is None. Return its size and its SHA-256."""
    digest, size = hashlib.sha256(), 0
    descriptor = None if target is None else os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        for piece in reader.open(version, stored.path):
            size += len(piece)
            if size > max_bytes:
                raise HostileArtifactError(_too_large())
            digest.update(piece)
            _write_all(descriptor, piece)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    if stored.size is not None and size != stored.size:
        raise UnreachableError(
            f"the artifact {json.dumps(stored.path)} has {size:,} bytes instead of {stored.size:,}: it was truncated,"
            " or changed while tflint read it"
        )
    return size, digest.hexdigest()


def _require_no_model(reader: ArtifactReader, version: ModelVersion, stored: StoredFile, max_bytes: int) -> int:
    """Raise `HostileArtifactError` if an attached report is a model. Return its size."""
    with tempfile.TemporaryDirectory(prefix="tflite-lint-") as folder:
        target = Path(folder) / "report"
        size, _ = _copy(reader, version, stored, target, max_bytes)
        if is_model_file(str(target)):
            raise HostileArtifactError(f"{json.dumps(stored.path)} has the name of a report, but is a model")
    return size


def _write_all(descriptor: int | None, piece: bytes) -> None:
    view = memoryview(piece)
    while descriptor is not None and view:
        view = view[os.write(descriptor, view) :]


def _too_large() -> str:
    return f"the artifacts have more than {MAX_BYTES >> 30} GiB"


_BINARY = getattr(os, "O_BINARY", 0)
