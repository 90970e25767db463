"""The configuration as a value, with its defaults."""

from __future__ import annotations

from collections.abc import Mapping

from tflint.findings.suppressions import Allow
from tflint.values import EMPTY, frozen


@frozen
class TargetOptions:
    """A named target: the runtime (`litert==2.3.0`), and what the app adds to it."""

    runtime: str
    flex: bool = False
    custom_ops: tuple[str, ...] = ()


@frozen
class Config:
    """What a run is told.

    `targets` are declared targets, by name or as `runtime==version`; `named_targets` those that have options.
    `rules` are files and folders of the user's rules, `metadata_require` names what a model's metadata must hold.
    `allow_empty` accepts a run that finds no models. `contracts` leads from globs of models to their contracts.
    `folder` is what globs and the paths in a baseline count from; `origin` the file it was read from (empty: none).
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
    contracts: Mapping[str, str] = EMPTY
    allow: tuple[Allow, ...] = ()
    folder: str = "."
    origin: str = ""

    def digest(self) -> str:
        """A digest of everything that can change what is reported."""
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
            sorted(self.contracts.items()),
            [(allow.rule, allow.path, allow.at, str(allow.until)) for allow in self.allow],
        )
        import hashlib

        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
