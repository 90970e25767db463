"""Decides which configuration applies to each file of a run: the nearest one, or the one that the user passed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.config.config import Config
from tflint.config.config_loader import (
    FILE_NAMES,
    config_in,
    is_for_tflint,
    load_config,
    parse_config,
    searched_folders,
)
from tflint.errors import UserError
from tflint.findings.path_globs import matches, relative_to_folder
from tflint.source.checkout_boundary import boundary_of
from tflint.userfiles.userfile import read_text
from tflint.values import EMPTY, replace

if TYPE_CHECKING:
    from tflint.source.git_ignore import IgnoredFiles
    from tflint.source.revision_files import RevisionFiles

#: Reasons why the search for models skips a path.
EXCLUDED, IGNORED = "excluded", "ignored"


class Configurations:
    """The configurations of a run. A file has that of its folder, or of the nearest folder above it that has one.

    Configurations are not merged. `pinned` applies to every file instead. `changes` are settings that replace those of
    every configuration, such as values of the command line. `exclude` holds further globs of files to skip, relative to
    the current folder. With `revision`, configurations, rules and baselines are read from a Git revision.
    """

    def __init__(
        self,
        pinned: Config | None = None,
        *,
        changes: Mapping[str, Any] = EMPTY,
        exclude: Sequence[str] = (),
        revision: RevisionFiles | None = None,
    ) -> None:
        self.revision = revision
        self._changes = changes
        self._exclude = exclude
        self._pinned = None if pinned is None else self._change(pinned)
        self._default = self._change(Config())
        self._by_folder: dict[str, Config] = {}
        self._ignored: IgnoredFiles | None = None
        self._matched: set[tuple[int, str]] = set()  # configurations by identity, and their globs

    @property
    def is_pinned(self) -> bool:
        """Whether one configuration applies to every file."""
        return self._pinned is not None

    @property
    def exclude_everywhere(self) -> tuple[tuple[str, str], ...]:
        """The globs of files to skip that do not belong to a configuration, each after the folder it is relative to."""
        return tuple((".", glob) for glob in self._exclude)

    @property
    def searched(self) -> list[str]:
        """The paths at which a configuration was searched."""
        absolute = filter(os.path.isabs, self._by_folder)
        return [os.path.join(folder, name) for folder in absolute for name in FILE_NAMES]  # noqa: PTH118

    def of(self, path: str) -> Config:
        """Return the configuration of a file, or of the member of a container. Raises `UserError` if it is invalid."""
        return self.of_folder(os.path.dirname(path))  # noqa: PTH120

    def of_folder(self, folder: str) -> Config:
        """Return the configuration of the files in a folder. Raises `UserError` if it is invalid."""
        if self._pinned is not None:
            return self._pinned
        known = self._by_folder.get(folder)
        if known is None:
            known = self._by_folder[folder] = self._find(os.path.abspath(folder))  # noqa: PTH100 (links stay links)
        return known

    def baseline_folder(self, config: Config) -> str:
        """Return the folder to which the paths in the baseline of a configuration are relative.

        A baseline of the command line applies to all files: its paths are relative to the folder of the configuration
        of the current folder.
        """
        return self.of_folder(".").folder if "baseline" in self._changes else config.folder

    def reason_to_skip(self, path: str) -> str:
        """Return why the search for models skips a file or folder: `EXCLUDED`, `IGNORED`, or empty if it does not.

        The configuration of the folder around the path decides.
        """
        config = self.of(path)
        matching = [glob for glob in config.exclude if _covers(config.folder, path, glob)]
        if matching:
            self._matched.update((id(config), glob) for glob in matching)
            return EXCLUDED
        if any(_covers(".", path, glob) for glob in self._exclude):
            return EXCLUDED
        return IGNORED if config.respect_gitignore and self._is_ignored(path) else ""

    def has_matched(self, config: Config, glob: str) -> bool:
        """Return whether a glob in `exclude` of a configuration of this run has matched a path."""
        return (id(config), glob) in self._matched

    def reason_to_skip_named(self, path: str) -> str:
        """Return why a named path is skipped if the user forces this: for itself, or for a folder around it."""
        parents = [parent.as_posix() for parent in Path(path).parents if parent.name not in ("", "..")]
        reasons = (self.reason_to_skip(one) for one in (*reversed(parents), path))
        return next((reason for reason in reasons if reason), "")

    def _is_ignored(self, path: str) -> bool:
        if self._ignored is None:
            from tflint.source.git_ignore import IgnoredFiles  # few configurations set it

            self._ignored = IgnoredFiles()
        return self._ignored.contains(path)

    def _change(self, config: Config) -> Config:
        return replace(config, **self._changes) if self._changes else config

    def _find(self, start: str) -> Config:
        """Return the configuration of an absolute folder, and note it for the folders between."""
        passed: list[str] = []
        config = self._default
        for folder in searched_folders(Path(start)):
            if str(folder) in self._by_folder:
                config = self._by_folder[str(folder)]
                break
            passed.append(str(folder))
            own = self._load(folder)
            if own is not None:
                config = self._change(own)
                break
        self._by_folder.update(dict.fromkeys(passed, config))
        return config

    def _load(self, folder: Path) -> Config | None:
        """Return the configuration in a folder, or None if there is none."""
        if self.revision is None:
            path = config_in(folder)
            return None if path is None else load_config(path, is_trusted=False)
        return load_revision_config(folder, self.revision)


def load_revision_config(folder: Path, revision: RevisionFiles) -> Config | None:
    """Return the configuration that a folder has in a Git revision, or None if there is none."""
    for name in FILE_NAMES:
        copy = revision.locate(folder / name)
        if copy.is_file() and (name == FILE_NAMES[0] or is_for_tflint(copy)):
            return load_revision_file(folder / name, revision)
    return None


def load_revision_file(path: Path, revision: RevisionFiles) -> Config:
    """Read the configuration at a path from a Git revision. Raises `UserError` if it is missing or invalid."""
    copy = revision.locate(path)
    name = revision.describe(path)
    if not copy.is_file():
        raise UserError(f"'{name}' does not exist", hint="name a configuration that the revision has")
    try:
        config = parse_config(read_text(str(copy)), path, boundary_of(path.parent), revision.locate)
    except UserError as error:
        if error.place is not None and error.place.path in (str(path), str(copy)):
            error.place = replace(error.place, path=name)
        raise
    return replace(config, origin=name, read_from=copy.parent.as_posix())


def _covers(base: str, path: str, glob: str) -> bool:
    """Return whether a glob, relative to the folder `base`, matches a file or folder, or all files in a folder."""
    relative = relative_to_folder(base, path)
    if matches(relative, glob):
        return True
    # All files in the folder are excluded, so a configuration in it does not count.
    return glob.endswith("/**") and matches(relative, f"./{glob[:-3]}")
