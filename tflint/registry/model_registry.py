"""What tflint needs from a model registry, and the errors that a registry can raise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from tflint.errors import TflintError
from tflint.values import EMPTY, frozen


class RegistryError(TflintError):
    """A registry cannot do what was requested. `reason` is a clause for messages and never contains credentials."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class UnreachableError(RegistryError):
    """The registry, a version or an artifact could not be read: connection, permission, time-out, disk."""


class DeniedError(UnreachableError):
    """The registry denies a request: the user has no permission for it."""


class MissingVersionError(UnreachableError):
    """A model, a version or an alias does not exist, or was deleted meanwhile."""


class RefusedError(RegistryError):
    """The registry refused to change something, such as an alias without a valid seal."""


class HolderChangedError(RefusedError):
    """The alias does not point to the expected version any more: a different promotion was faster."""


@frozen
class ModelVersion:
    """A version of a registered model, with the aliases that point to it and its tags."""

    name: str
    number: str
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = EMPTY

    @property
    def label(self) -> str:
        """Return the name and the number of the version, such as `bird/7`."""
        return f"{self.name}/{self.number}"


@frozen
class StoredFile:
    """An artifact of a version: its path below the root of the version, and its size in bytes if it is known."""

    path: str
    size: int | None = None


class ArtifactReader(Protocol):
    """Reads the artifacts of versions. All methods may raise `RegistryError`."""

    def list_files(self, version: ModelVersion) -> Iterator[StoredFile]:
        """Yield the artifacts of a version. They may include the reports that `Registry.annotate` attached."""
        ...

    def open(self, version: ModelVersion, path: str) -> Iterator[bytes]:
        """Yield the content of an artifact in pieces."""
        ...


class Registry(ArtifactReader, Protocol):
    """A model registry. All methods may raise `RegistryError`."""

    @property
    def label(self) -> str:
        """The address of the registry for messages, without credentials."""
        ...

    def list_models(self) -> Sequence[str]:
        """Return the names of all models."""
        ...

    def list_versions(self, name: str) -> Sequence[ModelVersion]:
        """Return the versions of a model, oldest first. Raises `MissingVersionError` if there is no such model."""
        ...

    def find_version(self, name: str, number: str) -> ModelVersion:
        """Return a version. Raises `MissingVersionError` if it does not exist."""
        ...

    def find_alias(self, name: str, alias: str) -> ModelVersion | None:
        """Return the version to which an alias points, or None if there is no such alias.

        The version may lack its tags and other aliases, and may have been deleted.
        """
        ...

    def annotate(self, version: ModelVersion, tags: Mapping[str, str], reports: Mapping[str, bytes]) -> None:
        """Set tags of a version, and attach reports by file name. Other tags and files stay as they are."""
        ...

    def promote(self, version: ModelVersion, alias: str, holder: str | None) -> None:
        """Point an alias to a version.

        `holder` is the number of the version to which the alias points now, or None. Raises `HolderChangedError` if it
        points to a different version by now.
        """
        ...


#: Header of a request to move an alias, with the number of the version to which the alias points, for the gate.
HOLDER_HEADER, NO_HOLDER = "X-Tflite-Lint-Holder", "none"
#: Folder in which reports are attached to a version, and the names of the reports.
REPORT_FOLDER = "tflite-lint"
REPORT_NAMES = ("report.json", "report.md", "statement.json")
