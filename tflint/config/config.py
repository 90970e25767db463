"""The class of a configuration, with the default of each setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.findings.suppressions import Allow, describe_allows
from tflint.values import EMPTY, frozen


@frozen
class TargetOptions:
    """A named target: its runtime, such as `litert==2.3.0`, and the operators that the app adds to the runtime."""

    runtime: str
    flex: bool = False
    custom_ops: tuple[str, ...] = ()


@frozen
class Config:
    """The settings of a run.

    `targets` are the declared targets: each is a name, or `runtime==version`. `named_targets` has the options of the
    targets with a name. `rules` are paths of files and folders with custom rules. `metadata_require` lists the parts
    that a model's metadata must have. With `allow_empty`, a run that finds no models is not an error. `contracts` maps
    globs of models to paths of contracts. With `require_contract`, a model without a contract is an error. With
    `respect_gitignore`, the search for models skips files that Git ignores. `folder` is the folder to which globs and
    the paths in a baseline are relative. `origin` is the path of the configuration, or empty if there is none.
    `read_from` is the folder with copies of the files in `folder`, if they are read from a Git revision.
    """

    targets: tuple[str, ...] = ()
    named_targets: Mapping[str, TargetOptions] = EMPTY
    ruleset: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, str] = EMPTY
    fail_on: str = "error"
    rules: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = EMPTY
    exclude: tuple[str, ...] = ()
    baseline: str = ""
    lfs_pointers: str = "error"
    allow_empty: bool = False
    metadata_require: tuple[str, ...] = ()
    require_contract: bool = False
    respect_gitignore: bool = False
    contracts: Mapping[str, str] = EMPTY
    allow: tuple[Allow, ...] = ()
    folder: str = "."
    origin: str = ""
    read_from: str = ""

    def settings(self) -> str:
        """Return all settings that can change the findings, as a text that is equal if they are equal."""
        parts = (
            self.targets,
            sorted((name, str(options)) for name, options in self.named_targets.items()),
            self.ruleset,
            self.select,
            self.ignore,
            sorted(self.severity.items()),
            sorted(self.per_file_ignores.items()),
            self.lfs_pointers,
            self.metadata_require,
            self.require_contract,
            sorted(self.contracts.items()),
            describe_allows(self.allow),
        )
        return repr(parts)

    def changes(self) -> dict[str, Any]:
        """Return the settings that differ from the defaults, by their keys in the configuration.

        Paths are relative to the folder of the configuration. Of the suppressions, the number counts.
        """
        settings = {
            "targets": list(self.targets),
            "ruleset": self.ruleset,
            "select": list(self.select),
            "ignore": list(self.ignore),
            "severity": dict(self.severity),
            "fail-on": self.fail_on if self.fail_on != "error" else "",
            "rules": list(map(self._relative, self.rules)),
            "per-file-ignores": {glob: list(rules) for glob, rules in self.per_file_ignores.items()},
            "exclude": list(self.exclude),
            "baseline": self._relative(self.baseline),
            "lfs-pointers": self.lfs_pointers if self.lfs_pointers != "error" else "",
            "allow-empty": self.allow_empty,
            "metadata.require": list(self.metadata_require),
            "require-contract": self.require_contract,
            "respect-gitignore": self.respect_gitignore,
            "contracts": {glob: self._relative(path) for glob, path in self.contracts.items()},
            "allow": len(self.allow),
        }
        return {key: value for key, value in settings.items() if value}

    def _relative(self, path: str) -> str:
        for folder in filter(None, (self.read_from, self.folder)):
            path = path.removeprefix(f"{folder}/") if folder != "." else path
        return path

    def all_settings(self) -> str:
        """Return all settings, also those that decide what is checked and what fails, as such a text.

        Paths are relative to the folder of the configuration, so the text is the same in every checkout.
        """
        named = sorted((name, str(options)) for name, options in self.named_targets.items())
        return repr((self.changes(), named, describe_allows(self.allow)))
