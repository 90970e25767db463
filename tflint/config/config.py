"""The class of a configuration, with the default of each setting."""

from __future__ import annotations

from collections.abc import Mapping

from tflint.findings.suppressions import Allow
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
    globs of models to paths of contracts. `folder` is the folder to which globs and the paths in a baseline are
    relative. `origin` is the path of the configuration, or empty if there is none.
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
            sorted(self.contracts.items()),
            [(allow.rule, allow.path, allow.at, str(allow.until)) for allow in self.allow],
        )
        return repr(parts)
