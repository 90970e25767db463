"""A registry in a folder: it needs no server and no further packages.

    registry.json                          marks the folder as a registry
    models/<model>/.lock                   held while a version is added or an alias moves
    models/<model>/versions/<number>/artifacts/…
    models/<model>/versions/<number>/tags.json
    models/<model>/versions/<number>/tflite-lint/…   attached reports
    models/<model>/aliases/<alias>         the number of a version

A version appears by renaming a complete folder, and tags and aliases by renaming a complete file. A process that is
killed leaves at most an unused temporary file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tflint.errors import UserError
from tflint.registry.file_lock import hold_lock
from tflint.registry.model_registry import (
    REPORT_FOLDER,
    HolderChangedError,
    MissingVersionError,
    ModelVersion,
    StoredFile,
    UnreachableError,
)

#: Names of models and aliases: also valid as names of files on all systems.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_MARKER, _FORMAT = "registry.json", {"tflite-lint-registry": 1}
_PIECE_BYTES = 1 << 20
#: Maximum size of a file with tags, in bytes.
_MAX_TAGS_BYTES = 4 << 20


class FolderRegistry:
    """The registry in a folder. Raises `UserError` if the folder is not a registry."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        if not (self._folder / _MARKER).is_file():
            hint = "'tflint registry init DIR' creates one in a new folder"
            raise UserError(f"'{folder}' is not a registry", hint=hint)

    @property
    def label(self) -> str:
        """The path of the folder."""
        return self._folder.as_posix()

    def list_models(self) -> Sequence[str]:
        """Return the names of all models."""
        return [path.name for path in _list_folder(self._folder / "models") if _NAME.fullmatch(path.name)]

    def list_versions(self, name: str) -> Sequence[ModelVersion]:
        """Return the versions of a model, oldest first, preceded by deleted ones to which an alias still points."""
        folder = self._model(name)
        if not folder.is_dir():
            raise MissingVersionError(f"there is no model '{name}'")
        aliases, numbers = self._aliases(name), self._numbers(name)
        deleted = {alias: number for alias, number in aliases.items() if number not in numbers}
        missing = [ModelVersion(name, number, (alias,)) for alias, number in deleted.items()]
        return [*missing, *(self._version(name, number, aliases) for number in numbers)]

    def find_version(self, name: str, number: str) -> ModelVersion:
        """Return a version."""
        if not _NUMBER.fullmatch(number) or not self._artifacts(name, number).is_dir():
            raise MissingVersionError(f"there is no version {name}/{number}")
        return self._version(name, number, self._aliases(name))

    def find_alias(self, name: str, alias: str) -> ModelVersion | None:
        """Return the version to which an alias points, or None."""
        number = self._aliases(name).get(alias)
        return None if number is None else ModelVersion(name, number, (alias,))

    def list_files(self, version: ModelVersion) -> Iterator[StoredFile]:
        """Yield the artifacts of a version. Raises `UnreachableError` for a link, a pipe or a device."""
        root = self._artifacts(version.name, version.number)
        if root.is_symlink() or root.parent.is_symlink():
            raise UnreachableError(f"the folder of {version.label} is a link")
        if not root.is_dir():
            raise MissingVersionError(f"the version {version.label} was deleted")
        waiting = [root]
        while waiting:
            for path in _list_folder(waiting.pop()):
                if path.is_symlink():
                    raise UnreachableError(f"the artifact '{path.relative_to(root).as_posix()}' is a link")
                if path.is_dir():
                    waiting.append(path)
                elif not path.is_file():
                    raise UnreachableError(f"the artifact '{path.relative_to(root).as_posix()}' is not a regular file")
                else:
                    yield StoredFile(path.relative_to(root).as_posix(), path.stat().st_size)

    def open(self, version: ModelVersion, path: str) -> Iterator[bytes]:
        """Yield the content of an artifact in pieces."""
        target = self._artifacts(version.name, version.number) / path
        try:
            with target.open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    yield piece
        except FileNotFoundError as error:
            raise MissingVersionError(f"the artifact '{path}' of {version.label} was deleted") from error
        except OSError as error:
            raise UnreachableError(f"the artifact '{path}' cannot be read: {error.strerror or error}") from error

    def annotate(self, version: ModelVersion, tags: Mapping[str, str], reports: Mapping[str, bytes]) -> None:
        """Set tags of a version and attach reports."""
        folder = self._versions(version.name) / version.number
        with hold_lock(self._model(version.name) / ".lock"):
            if not folder.is_dir():
                raise MissingVersionError(f"the version {version.label} was deleted")
            for name, content in reports.items():
                (folder / REPORT_FOLDER).mkdir(exist_ok=True)
                _replace(folder / REPORT_FOLDER / name, content)
            merged = {**_read_tags(folder / "tags.json"), **tags}
            _replace(folder / "tags.json", json.dumps(merged, indent=1, sort_keys=True).encode())

    def promote(self, version: ModelVersion, alias: str, holder: str | None) -> None:
        """Point an alias to a version, if the alias still points to `holder`."""
        if not _NAME.fullmatch(alias):
            raise UserError(f"'{alias}' is not a valid alias", hint="use letters, digits, '.', '_' and '-'")
        with hold_lock(self._model(version.name) / ".lock"):
            present = self._aliases(version.name).get(alias)
            if present != holder:
                shown = f"{version.name}/{present}" if present else "no version"
                raise HolderChangedError(f"{alias} points to {shown} by now: a different promotion was faster")
            self.find_version(version.name, version.number)
            folder = self._model(version.name) / "aliases"
            folder.mkdir(exist_ok=True)
            _replace(folder / alias, f"{version.number}\n".encode())

    def add_version(self, name: str, sources: Sequence[str]) -> ModelVersion:
        """Copy files and folders into a new version. Raises `UserError` if this is not possible."""
        if not _NAME.fullmatch(name):
            raise UserError(f"'{name}' is not a valid model name", hint="use letters, digits, '.', '_' and '-'")
        (self._versions(name)).mkdir(parents=True, exist_ok=True)
        with hold_lock(self._model(name) / ".lock"):
            used = [*self._numbers(name), *self._aliases(name).values()]  # an alias may point to a deleted version
            number = str(max(map(int, used), default=0) + 1)
            staged = self._model(name) / f".new-{os.getpid()}-{os.urandom(4).hex()}"
            try:
                _copy_all(sources, staged / "artifacts")
                staged.rename(self._versions(name) / number)
            except OSError as error:
                raise UserError(f"the version cannot be added: {error.strerror or error}") from error
            finally:
                shutil.rmtree(staged, ignore_errors=True)
        return self.find_version(name, number)

    def _model(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise MissingVersionError(f"there is no model '{name}'")
        return self._folder / "models" / name

    def _versions(self, name: str) -> Path:
        return self._model(name) / "versions"

    def _artifacts(self, name: str, number: str) -> Path:
        return self._versions(name) / number / "artifacts"

    def _numbers(self, name: str) -> list[str]:
        names = (path.name for path in _list_folder(self._versions(name)))
        return sorted((one for one in names if _NUMBER.fullmatch(one)), key=int)

    def _aliases(self, name: str) -> dict[str, str]:
        """Return the number of the version of each alias."""
        aliases = {}
        for path in _list_folder(self._model(name) / "aliases"):
            if _NAME.fullmatch(path.name):
                number = _read(path, 100).decode("ascii", "replace").strip()
                if not _NUMBER.fullmatch(number):
                    raise UnreachableError(f"'{path}' does not contain the number of a version")
                aliases[path.name] = number
        return aliases

    def _version(self, name: str, number: str, aliases: Mapping[str, str]) -> ModelVersion:
        own = tuple(sorted(alias for alias, holder in aliases.items() if holder == number))
        return ModelVersion(name, number, own, _read_tags(self._versions(name) / number / "tags.json"))


def create(folder: str) -> None:
    """Create an empty registry. Raises `UserError` if the folder has other contents."""
    path = Path(folder)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UserError(f"'{folder}' is not an empty folder", hint="name a new folder")
    try:
        (path / "models").mkdir(parents=True)
        _replace(path / _MARKER, json.dumps(_FORMAT).encode())
    except OSError as error:
        raise UserError(f"'{folder}' cannot be created: {error.strerror or error}") from error


def _copy_all(sources: Sequence[str], target: Path) -> None:
    target.mkdir(parents=True)
    for source in sources:
        path = Path(source)
        if not path.exists():
            raise UserError(f"'{source}' does not exist")
        into = target / path.resolve().name
        if into.exists():
            raise UserError(f"two sources have the name '{into.name}'")
        if path.is_dir():
            shutil.copytree(path, into)
        else:
            shutil.copyfile(path, into)


def _list_folder(folder: Path) -> list[Path]:
    """Return the entries of a folder, sorted; a folder that does not exist has none."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreachableError(f"'{folder}' cannot be listed: {error.strerror or error}") from error


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max_bytes)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UnreachableError(f"'{path}' cannot be read: {error.strerror or error}") from error


def _read_tags(path: Path) -> dict[str, str]:
    content = _read(path, _MAX_TAGS_BYTES)
    try:
        data = json.loads(content) if content else {}
    except (ValueError, RecursionError) as error:
        raise UnreachableError(f"'{path}' is not valid JSON") from error
    if not isinstance(data, dict):
        raise UnreachableError(f"'{path}' does not contain tags")
    return {str(name): str(value) for name, value in data.items()}


def _replace(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises `UnreachableError` if this fails."""
    temporary = path.with_name(f".{path.name[:64]}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UnreachableError(f"'{path}' cannot be written: {error.strerror or error}") from error
