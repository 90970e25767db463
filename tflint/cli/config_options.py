"""Options of `check` and `diff` that override the configuration: rules, targets and what fails a run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.cli import plugin_option
from tflint.config import Config, Configurations, find_config, load_config
from tflint.errors import UserError

if TYPE_CHECKING:
    from tflint.source.revision_files import RevisionFiles


def add_rule_options(parser: argparse.ArgumentParser, *, has_plugins: bool = True) -> None:
    """Add the options that select rules and targets and, with `has_plugins`, plugins."""
    group = parser.add_argument_group("rules and targets")
    add = group.add_argument
    add("--select", action="append", metavar="RULES", help="rules to run: ids, prefixes, names, categories or all")
    add("--ignore", action="append", metavar="RULES", help="rules not to run")
    add(
        "--target",
        action="append",
        metavar="TARGET",
        help="a runtime that must run the models, such as litert==2.3.0 or tflm, or a name from the configuration",
    )
    add("--rules", action="append", metavar="PATH", help="file or folder with additional rules")
    if has_plugins:
        plugin_option.add_option(group)
    _add_config_options(parser.add_argument_group("configuration"))


def _add_config_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that decide which configuration applies."""
    add = group.add_argument
    add(
        "--config",
        metavar="FILE",
        help="configuration of all models (default: for each model, the nearest tflint.toml, or pyproject.toml with "
        "[tool.tflint], in its folder or above, up to the top level of the repository)",
    )
    add("--isolated", action="store_true", help="ignore all configuration files")
    add(
        "--config-from",
        metavar="REV",
        help="read configurations, rules, baselines, and suppressions and targets of contracts from a Git revision",
    )


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide which models are checked, and which contracts decide."""
    add = parser.add_argument_group("selection of models").add_argument
    add("--exclude", action="append", default=[], metavar="GLOB", help="files and folders to skip; may be repeated")
    add("--force-exclude", action="store_true", help="skip excluded files even if they are named, as hooks need it")
    add("--show-files", action="store_true", help="print the models to check with their configuration, and exit")
    add("--show-settings", action="store_true", help="print the settings of each configuration, and exit")
    add(
        "--trust-contracts",
        action="store_true",
        help="with --config: let contracts suppress findings and add targets",
    )


def add_fail_on(group: argparse._ArgumentGroup) -> None:
    """Add the option with the lowest severity that fails the run."""
    group.add_argument(
        "--fail-on",
        choices=("error", "warning", "note", "never"),
        help="exit with 1 for findings of this severity or higher (default: error)",
    )


def add_verdict_options(group: argparse._ArgumentGroup) -> None:
    """Add the options that decide which findings fail the run."""
    add = group.add_argument
    add_fail_on(group)
    add("--exit-zero", action="store_true", help="exit with 0 even if there are findings")
    add("--baseline", metavar="FILE", help="file of known findings, which do not fail the run")


def read_config(options: argparse.Namespace) -> Config:
    """Return the configuration of the current folder, with the values of the command line."""
    return read_configurations(options).of_folder(".")


def read_configurations(options: argparse.Namespace) -> Configurations:
    """Return the configurations of a run. Values of the command line replace those of every configuration."""
    _require_one_source(options)
    _require_current_folder()
    revision = None
    if options.config_from is not None:
        from tflint.source.revision_files import RevisionFiles  # needs git

        revision = RevisionFiles(options.config_from)
        options.resources.callback(revision.close)
    pinned = Config() if options.isolated else None
    if options.config is not None:
        pinned = _load_pinned(options.config, revision)
    exclude = _require_globs(getattr(options, "exclude", ()))
    return Configurations(pinned, changes=_read_changes(options), exclude=exclude, revision=revision)


def limits_contracts(options: argparse.Namespace) -> bool:
    """Return whether suppressions and targets of contracts do not count, or only as they are in a revision.

    With --config, the user names the configuration that decides. Contracts may come from other authors.
    """
    return options.config_from is not None or (options.config is not None and not options.trust_contracts)


def _require_current_folder() -> None:
    """Raise `UserError` if the current folder no longer exists."""
    try:
        Path.cwd()
    except OSError as error:
        raise UserError("the current folder no longer exists", hint="change to another folder") from error


def _require_one_source(options: argparse.Namespace) -> None:
    if options.isolated:
        for name, value in (("--config", options.config), ("--config-from", options.config_from)):
            if value is not None:
                raise UserError(f"--isolated and {name} exclude each other", hint="--isolated ignores all files")
    if getattr(options, "trust_contracts", False) and options.config_from is not None:
        hint = "with --config-from, suppressions in contracts count as they are in that revision"
        raise UserError("--trust-contracts and --config-from exclude each other", hint=hint)
    if getattr(options, "trust_contracts", False) and options.config is None:
        raise UserError("--trust-contracts needs --config", hint="without --config, contracts are trusted")


def _load_pinned(path: str, revision: RevisionFiles | None) -> Config:
    if not path:
        raise UserError("--config needs the path of a file")
    if revision is None:
        return load_config(path)
    from tflint.config.configurations import load_revision_file

    return load_revision_file(Path(path), revision)


def _require_globs(globs: Sequence[str]) -> tuple[str, ...]:
    """Return globs of the command line. Raises `UserError` for an empty one."""
    if not all(globs):
        raise UserError("--exclude needs a glob", hint="--exclude 'third_party/**'")
    return tuple(globs)


def _read_changes(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that the command line replaces."""
    changes: dict[str, Any] = {}
    for name, value in (("select", options.select), ("ignore", options.ignore), ("targets", options.target)):
        if value:
            changes[name] = _split_names(value)
    if options.rules:
        changes["rules"] = tuple(options.rules)
    if options.fail_on:
        changes["fail_on"] = options.fail_on
    if getattr(options, "baseline", None):  # registry commands have no baseline
        changes["baseline"] = options.baseline
    return changes


def load_named_or_nearest(path: str | None) -> Config:
    """Return the configuration at `path` (from `--config`), or that of the current folder.

    The nearest configuration must not name files outside of its checkout.
    """
    file = config_path(path)
    return Config() if file is None else load_config(file, is_trusted=path is not None)


def config_path(path: str | None, folder: str = ".") -> Path | None:
    """Return `path` (from `--config`), else the path of the configuration of a folder, or None if there is none.

    Raises `UserError` if `path` is empty or the current folder no longer exists.
    """
    if path is not None:
        if not path:
            raise UserError("--config needs the path of a file")
        return Path(path)
    _require_current_folder()
    return find_config(Path(os.path.abspath(folder)))  # noqa: PTH100 (links stay links)


def _split_names(values: Sequence[str]) -> tuple[str, ...]:
    names = [name.strip() for value in values for name in value.split(",")]
    if not all(names):
        raise UserError("a list of rules or targets has an empty name", hint="separate names with single commas")
    return tuple(names)
